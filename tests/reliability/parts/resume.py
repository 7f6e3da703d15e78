"""A run in two parts against the run in one: compressed, with momentum and warm-started factors, 100 further steps."""
import itertools
import re

from lab import GPT, SQUARES

PROPERTY = "straight run against stop and restart, further steps, every pairing of the settings below: the same bytes"

COMPRESSORS = {
    "rank": ["group.hidden.uplink=rank:0.3", "group.hidden.downlink=rank:0.3"],
    "bits": ["group.hidden.uplink=rank:0.3+bits:8", "group.hidden.downlink=bits:2", "optimizer.start=zero"],
    "random": ["group.hidden.uplink=dropout:0.5+rank:0.3", "group.hidden.downlink=natural:stochastic", "optimizer.nesterov=yes"],
}


def cases(lab):
    """All of precision, topology, micro-batches, compressors and threads; the short form takes every eighth."""
    product = itertools.product(("float", "double"), ("sharded", "dedicated", "replicated"), (1, 4), COMPRESSORS, (1, 2))
    return [c for i, c in enumerate(product) if lab.long or i % 8 == 3]


def in_two_parts(lab, deck, words, threads, cut, steps):
    straight = lab.reference(deck, 2, words, steps=steps, every=0)
    folder = lab.put("parts", deck, steps=steps, every=0)
    first, second = lab.random.choice(((1, 2), (2, 3), (3, 2), (2, 1)))
    if "exchange.topology=dedicated" in words:
        first, second = max(first, 2), max(second, 2)
    lab.run(folder, first, ["-i", "job.deck", *words, f"run.steps={cut}"], threads=threads)
    lab.run(folder, second, ["-r", "latest", "-d", "run", f"run.steps={steps}"], threads=threads)
    lab.same(folder, straight, steps)


def run(lab, counts):
    check = lab.run(lab.put("check", GPT, steps=1, every=0), 1, ["-i", "job.deck", "-c"])
    counts["back_end"] = re.search(r"runs on (\w+)", check.text()).group(1)
    counts["further_steps"] = further = 100 if lab.long else 20
    for precision, topology, micro, compressor, threads in cases(lab):
        words = [f"run.precision={precision}", f"exchange.topology={topology}", f"gpt.micro_batches={micro}",
                 *COMPRESSORS[compressor]]
        cut = lab.random.randint(5, 40)
        in_two_parts(lab, GPT, words, threads, cut, cut + further)
        counts["transformer"] = counts.get("transformer", 0) + 1
    for precision, topology in itertools.product(("float", "double"), ("sharded", "replicated")):
        cut = lab.random.randint(5, 40)
        in_two_parts(lab, SQUARES, [f"run.precision={precision}", f"exchange.topology={topology}"], 1, cut, cut + further)
        counts["least_squares"] = counts.get("least_squares", 0) + 1
