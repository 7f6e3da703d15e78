"""scan.py ROOT: rules of the house that can be read off the sources. Prints every breach, exits 1 if there is one."""
import pathlib
import re
import sys

# kernels/ takes views and instances: nothing of the library above it, no messages, no files.
ABOVE = re.compile(r'#\s*include\s*[<"](?:kaon/(?P<room>\w+)/|(?P<lib>mpi\.h|hdf5\.h|H5))')
# What later versions of Kokkos removed or moved; the two files that know the versions are excused.
REMOVED = re.compile(r"\bHostMirror\b|Kokkos::Experimental\b")
VERSIONED = {"kernels/core/compat.hpp", "kernels/core/instantiate.hpp"}
LAUNCH = re.compile(r"\bparallel_(?:for|reduce|scan)\s*\(\s*(?P<first>[^,(]*)")
NESTED = re.compile(r"^Kokkos::(?:Team|Thread|Vector)\w*Range$")
# Functions of the house that launch under a label which their caller names.
LABELLED = re.compile(r'\b(?:reduce_sum|reduce_max|pack_codes)(?:<[^;()]*>)?\s*\(\s*\w+,\s*"(?P<label>[^"]*)"')
# A view made with a literal label: View<…> x("…", or a view member x_("…".
ALLOCATION = re.compile(
    r'(?:\b(?:Kokkos::View|Matrix|Vector|Scalar|Bytes|Buffer|Cube)\b\s*(?:<[^;"()]*>)?(?:\s+const)?(?:\s+\w+)?|\b\w+_)\s*[({]\s*'
    r'(?:Kokkos::view_alloc\s*\(\s*(?:Kokkos::WithoutInitializing\s*,\s*)?)?"(?P<label>[^"]*)"'
)
# A policy runs on the instance that the caller gave: its first argument is one.
POLICY = re.compile(r"\b(?:(?:Range|Team|MDRange)?Policy(?:<[^;()]*>)?)(?:\s+const)?(?:\s+\w+)?\s*[({]\s*(?P<first>\w+)\s*[,)]")
INSTANCE = re.compile(r"^exec_?$")
# Kernels wait in these places alone, and their headers say so: LAPACK works on the host, and what runs once at start-up.
FENCE = re.compile(r"\bfence\s*\(")
WAITS = {
    "kernels/linalg/eigen.cpp",
    "kernels/linalg/svd_host.cpp",
    "kernels/linalg/tpl/eigen_cusolver.cpp",
    "kernels/polar/gram_eigen.cpp",
    "kernels/polar/polar.cpp",
    "kernels/compress/rankk.cpp",
}
# Products of libraries whose bits are the same from run to run, each where a test holds it to that (unit/linalg/products_test.cpp).
# KokkosBlas::gemm is so but for what gemm.cpp keeps from it (dot_product_gemm.hpp): it adds atomically there.
LIBRARY = re.compile(
    r"\b(?:(?:KokkosBlas|KokkosLapack|KokkosBatched)::|cublas(?=[A-Z])|cusolver\w*(?=[A-Z])|rocblas_|rocsolver_|hip(?:blas|solver)(?=[A-Z]))\w+"
    r"(?=\s*\()"
)
PRODUCTS = {
    "KokkosBlas::gemm": "kernels/linalg/gemm.cpp",
    "cublasSgemmStridedBatched": "kernels/linalg/tpl/cublas.hpp",
    "cublasDgemmStridedBatched": "kernels/linalg/tpl/cublas.hpp",
    "cublasGemmStridedBatchedEx": "kernels/linalg/tpl/cublas.hpp",
    "cusolverDnDsyevd": "kernels/linalg/tpl/eigen_cusolver.cpp",
    "rocblas_sgemm_strided_batched": "kernels/linalg/tpl/rocblas.hpp",
    "rocblas_dgemm_strided_batched": "kernels/linalg/tpl/rocblas.hpp",
}
HOUSEHOLD = re.compile(r"(?i)(?:create|destroy|bufferSize|cublas[SG]et\w+|cusolverDn[SG]et\w+|rocblas_[sg]et_\w+)")
OURS = {"rocblas_gemm", "rocblas_on", "rocblas_op"}
# Atomics count in integers, whose order does not matter, and in these files alone.
ATOMIC = re.compile(r"\bKokkos::(?:Experimental::)?atomic_\w+")
ATOMICS = {"kernels/codec/exponent_code.cpp", "kernels/compress/select.cpp"}
# Files are made by files::Part, which replaces whole ones only. These make a checkpoint's data, a file in memory, a lock, and what a bench
# measures.
MADE = re.compile(r"\b(?:ofstream|fopen|O_CREAT|H5Fcreate)\b")
MAKERS = {
    "src/files/part.cpp",
    "src/checkpoint/folder.cpp",
    "src/checkpoint/frame.cpp",
    "src/checkpoint/lock.cpp",
    "src/checkpoint/slabs.cpp",
    "src/objective/least_squares_problem.cpp",  # into a Part, as the next one
    "apps/ckpt/h5_output.cpp",
    "apps/bench/checkpoint_state.cpp",
}
# It throws where nobody reads, also in the middle of an error's message.
THROWS = re.compile(r"\bfmt::print\s*\(")
COMMENT = re.compile(r'("(?:\\.|[^"\\\n])*")|//[^\n]*|/\*.*?\*/', re.S)
NOT_VIEWS = re.compile(r"^(?:origin_|name_|path_|[sd](?:gesdd|gemm|syrk|syevd|syevr|potrf|trsm)_)")


def plain(text):
    """The text without comments, as long as before, line for line."""
    return COMMENT.sub(lambda m: m.group(1) or re.sub(r"[^\n]", " ", m.group(0)), text)


def breaches(path, text, kernel_rooms):
    """Yields (line, what) for one file; `path` is relative to the root."""
    text = plain(text)

    def at(match):
        return text.count("\n", 0, match.start()) + 1

    if path.startswith("kernels/"):
        for m in ABOVE.finditer(text):
            if m["lib"] or m["room"] not in kernel_rooms:
                yield at(m), "a kernel includes " + (m["lib"] or "kaon/" + m["room"])
    if path not in VERSIONED:
        for m in REMOVED.finditer(text):
            yield at(m), m[0] + " belongs to kernels/core/compat.hpp"
    for m in LIBRARY.finditer(text):
        if m[0] not in OURS and not HOUSEHOLD.search(m[0]) and PRODUCTS.get(m[0]) != path:
            yield at(m), m[0] + " is not among the library products that are known to give the same bits twice"
    for m in ATOMIC.finditer(text):
        if path not in ATOMICS:
            yield at(m), m[0] + " outside the files that count in integers"
    for m in POLICY.finditer(text):
        if not INSTANCE.match(m["first"]):
            yield at(m), "a policy that does not begin with the caller's instance, but with " + m["first"]
    if path.startswith("kernels/") and path not in WAITS:
        for m in FENCE.finditer(text):
            yield at(m), "a fence in a kernel that is not among those that may wait"
    if path not in MAKERS:
        for m in MADE.finditer(text):
            yield at(m), m[0] + " makes a file: that is what files::Part is for"
    for m in THROWS.finditer(text):
        yield at(m), "fmt::print throws when a pipe's reader has gone: files::print does not"
    for m in LAUNCH.finditer(text):
        first = m["first"].strip()
        if NESTED.match(first) or re.match(r"^label\b", first) or first.startswith('"kaon::'):
            continue
        yield at(m), f"a kernel without a label that begins with kaon::, but with {first}"
    for pattern in (LABELLED, ALLOCATION):
        for m in pattern.finditer(text):
            if not m["label"].startswith("kaon::") and not NOT_VIEWS.match(m[0]):
                yield at(m), f'the label "{m["label"]}" does not begin with kaon::'


def wrong_citations(texts, page):
    """Yields (path, section) for each "method.md §N" of the texts, by path, that has no heading "## N. …" in the page."""
    headings = set(re.findall(r"(?m)^## (\d+)\. ", page))
    for path, text in texts.items():
        for section in re.findall(r"method\.md §(\d+)", text):
            if section not in headings:
                yield path, section


def lines(root, folders):
    return sum(len(f.read_text().splitlines()) for d in folders for f in sorted((root / d).rglob("*.[ch]pp")))


def main():
    root = pathlib.Path(sys.argv[1])
    kernel_rooms = {p.name for p in (root / "kernels").iterdir() if p.is_dir()}
    count = bad = labels = 0
    for folder in ("kernels", "src", "apps"):
        for file in sorted((root / folder).rglob("*.[ch]pp")):
            path, text = file.relative_to(root).as_posix(), file.read_text()
            count += 1
            labels += text.count('"kaon::')
            for line, what in breaches(path, text, kernel_rooms):
                bad += 1
                print(f"{path}:{line}: {what}")
    files = [f for folder in ("kernels", "src", "apps", "tests") for f in (root / folder).rglob("*.[ch]pp")]
    sources = {f.relative_to(root).as_posix(): f.read_text() for f in files}
    for path, section in wrong_citations(sources, (root / "docs/method.md").read_text()):
        bad += 1
        print(f"{path}: docs/method.md has no section {section}")
    source, tests = lines(root, ("kernels", "src", "apps")), lines(root, ("tests",))
    print(f"{count} files, {labels} labels, {bad} breaches")
    print(f"{tests} lines of tests, {source} of sources: {tests / source:.2f} (at least 0.7)")
    if count < 100 or labels < 50:
        print("too few were found: is this the root of Kaon?")
        bad += 1
    return 1 if bad or tests < 0.7 * source else 0


if __name__ == "__main__":
    sys.exit(main())
