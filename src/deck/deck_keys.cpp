#include <kaon/deck/table.hpp>

namespace kaon {

namespace {

constexpr auto integer = KeyType::integer;
constexpr auto real = KeyType::real;
constexpr auto boolean = KeyType::boolean;
constexpr auto choice = KeyType::choice;
constexpr auto text = KeyType::text;
constexpr auto list = KeyType::list;

// The tables stay one key to a line or two.
// clang-format off

std::vector<Key> make_run() {
  char const* const s = "run";
  return {
      {.section = s, .name = "steps", .type = integer, .required = true, .low = 0, .may_change = true,
       .words = {"maxsteps", "maxiters", "iterations", "numiterations", "trainsteps", "totalsteps"},
       .help = "steps of the whole run, earlier parts included; fixed on a restart where the schedule depends on it"},
      {.section = s, .name = "seed", .type = integer, .fallback = "1", .low = 0, .words = {"randomseed"},
       .help = "seed of every random stream"},
      {.section = s, .name = "precision", .type = choice, .fallback = "float", .choices = {"float", "double"}, .words = {"dtype"},
       .help = "scalar type of weights, gradients and optimizer state"},
      {.section = s, .name = "directory", .type = text, .fallback = "kaon-run", .may_change = true, .path = true,
       .words = {"outdir", "outputdir", "output", "folder"},
       .help = "run folder: checkpoints, metrics and summary; the files stop and save are looked for here"},
      {.section = s, .name = "log_every", .type = integer, .fallback = "10", .low = 0, .high = most_int, .may_change = true,
       .words = {"loginterval"}, .help = "steps between progress lines in a log file and between rows of layers.csv; 0: neither"},
      {.section = s, .name = "validate_every", .type = integer, .fallback = "0", .low = 0, .high = most_int, .may_change = true,
       .words = {"evalevery", "evalinterval", "valevery"},
       .help = "steps between validations, besides the one at the end; 0: that one alone"},
      {.section = s, .name = "blas_threads", .type = integer, .fallback = "1", .low = 1, .high = most_int, .may_change = true,
       .help = "threads of the host BLAS per rank; another number may give other last bits"},
      {.section = s, .name = "stop_patience", .type = real, .fallback = "60", .low = 0, .may_change = true,
       .help = "seconds that a signal to stop may wait (or four of the longest steps, where that is more; ten times as long "
               "before the first step has ended), besides twice the longest save; then the program hangs and ends with 74; 0: "
               "for ever"},
      {.section = "objective", .name = "kind", .type = choice, .required = true, .help = "what is trained"},
  };
}

std::vector<Key> make_optimizer() {
  char const* const s = "optimizer";
  return {
      {.section = s, .name = "workers", .type = integer, .required = true, .low = 1, .high = most_int,
       .words = {"numworkers", "nworkers", "clients"},
       .help = "logical workers n: part of the mathematics, whatever the number of ranks"},
      {.section = s, .name = "beta", .type = real, .fallback = "0.1", .low = 0, .high = 1, .low_open = true,
       .help = "weight of the NEW gradient in the momentum: 0.1 is a classical momentum of 0.9; 1: none"},
      {.section = s, .name = "nesterov", .type = boolean, .fallback = "no",
       .help = "compress (1 - beta) M + beta gradient in the place of M"},
      {.section = s, .name = "clip", .type = real, .fallback = "0", .low = 0,
       .words = {"gradclip", "clipgrad", "maxgradnorm", "clipgradnorm", "gradientclipping"},
       .help = "largest norm of a worker's gradient over all layers: a larger one is scaled down to it before it is given on; 0: "
               "none is"},
      {.section = s, .name = "start", .type = choice, .fallback = "dense", .choices = {"dense", "zero"},
       .help = "M_j = G_j is at first the first gradient, sent uncompressed once (dense), or zero"},
      {.section = s, .name = "init", .type = text, .may_change = true, .path = true,
       .help = "start from the weights of this file in the place of the objective's own: a checkpoint, what kaon-ckpt extract "
               "or export (.npz) wrote, or an .npz of numpy.savez with an array for each layer; layers and shapes must be the "
               "model's; a restart does not read it"},
      {.section = s, .name = "local_steps", .type = integer, .fallback = "0", .low = 0, .high = 1e6,
       .words = {"syncinterval", "syncevery", "innersteps", "localiterations"},
       .help = "steps of a round, in which the workers walk alone; messages travel when it ends; run.steps counts these steps. 0: "
               "every step has its messages"},
      {.section = s, .name = "local_form", .type = choice, .fallback = "update", .choices = {"update", "gradient"},
       .help = "what a worker sends after a round: update, how far its own steps went; gradient, the momentum of the mean of the "
               "gradients that it met, and the step is the server's"},
      {.section = s, .name = "local_rate", .type = real, .fallback = "0.1", .low = 0,
       .help = "local_form gradient: length of a worker's step within a round, in radii"},
      {.section = s, .name = "outer", .type = choice, .fallback = "average", .choices = {"average", "nesterov", "lmo"},
       .words = {"outeroptimizer"},
       .help = "local_form update: what the server does with the mean update D: average, X - r D; nesterov, u = m u + D, X - r (D "
               "+ m u); lmo, a step of the norm's oracle along it, of r radii"},
      {.section = s, .name = "outer_rate", .type = real, .fallback = "1", .low = 0, .low_open = true, .words = {"outerlr"},
       .help = "r of outer; 1 with average is the mean of the workers' weights"},
      {.section = s, .name = "outer_momentum", .type = real, .fallback = "0.6", .low = 0, .high = 1, .high_open = true,
       .help = "m of outer nesterov"},
      {.section = s, .name = "schedule", .type = choice, .fallback = "constant",
       .choices = {"constant", "linear", "cosine", "inverse-sqrt", "inverse-three-quarters", "adaptive"},
       .words = {"scheduler", "lrscheduler", "lrschedule"},
       .help = "factor of every radius: 1; linear and cosine fall (see constant_fraction); K^-1/2; K^-3/4 with K = run.steps + "
               "1; adaptive: 1, and the radius is gamma in t = gamma * (dual norm of G)"},
      {.section = s, .name = "constant_fraction", .type = real, .fallback = "0.5", .low = 0, .high = 1,
       .help = "schedules linear and cosine: fraction of the steps at full radius before it falls, to schedule_floor after the "
               "last"},
      {.section = s, .name = "schedule_floor", .type = real, .fallback = "0", .low = 0, .high = 1, .words = {"minlr"},
       .help = "schedules linear and cosine: the factor that the radius falls to"},
      {.section = s, .name = "warmup_steps", .type = integer, .fallback = "0", .low = 0, .words = {"warmup", "warmupiters"},
       .help = "first steps, in which the factor grows linearly, with any schedule: step k of W takes (k + 1)/(W + 1) of it; "
               "what falls begins to fall afterwards"},
      {.section = s, .name = "form", .type = choice, .fallback = "free", .choices = {"free", "constrained"},
       .help = "free: (1 - t weight_decay) X + t LMO(G); constrained: (1 - t) X + t LMO(G), in the ball while t <= 1"},
      {.section = s, .name = "weight_decay", .type = real, .fallback = "0", .low = 0,
       .help = "decoupled weight decay d: X becomes (1 - t d) X before the step"},
  };
}

std::vector<Key> make_exchange() {
  char const* const e = "exchange";
  char const* const c = "checkpoint";
  return {
      {.section = e, .name = "topology", .type = choice, .fallback = "sharded",
       .choices = {"sharded", "dedicated", "replicated", "auto"}, .may_change = true,
       .help = "who plays the server; the same bits: sharded, every layer has an owner among the ranks; dedicated, rank 0 "
               "alone, which computes no gradients; replicated, every rank for all layers, and nothing is sent down; auto: what "
               "a model of link and layers, measured at the start, finds fastest"},
      {.section = e, .name = "bundle", .type = integer, .fallback = "65536", .low = 0, .high = most_int, .may_change = true,
       .help = "layers whose packets together have at most so many bytes travel in one message; 0: every layer alone"},
      {.section = e, .name = "fan_out", .type = integer, .fallback = "8", .low = 0, .high = most_int, .may_change = true,
       .help = "ranks that each rank which has a downlink sends it on to: a tree below the layer's owner; 0: the owner sends it to "
               "all"},
      {.section = e, .name = "patience", .type = real, .fallback = "1800", .low = 0, .may_change = true,
       .help = "seconds that a rank waits for another's message before it ends the job with exit code 74, naming step, layer "
               "and rank; more than the ranks' steps and saves can differ by; 0: for ever"},
      {.section = e, .name = "device_buffers", .type = choice, .fallback = "auto", .choices = {"auto", "no", "yes"},
       .may_change = true,
       .help = "messages from device memory straight to MPI; the same bits: auto, with a GPU, if MPI says that it can and a "
               "self-test at the start proves it; no, through pinned host memory; yes, or the run ends with 64"},
      {.section = c, .name = "every", .type = integer, .fallback = "0", .low = 0, .may_change = true,
       .words = {"saveevery", "saveinterval", "checkpointinterval", "ckptevery"},
       .help = "steps between checkpoints; 0: not by steps. Without every, minutes and mtbf: only at a stop, on request and at "
               "the end"},
      {.section = c, .name = "minutes", .type = real, .fallback = "0", .low = 0, .may_change = true,
       .help = "minutes between checkpoints; 0: not by minutes. Of every, minutes and mtbf each asks on its own"},
      {.section = c, .name = "mtbf", .type = real, .fallback = "0", .low = 0, .may_change = true,
       .help = "mean time between failures of the whole job, in hours: checkpoints come as often as loses the least time, by "
               "what they are measured to cost; 0: not by cost"},
      {.section = c, .name = "keep", .type = integer, .fallback = "2", .low = 1, .high = most_int, .may_change = true,
       .help = "newest checkpoints kept"},
      {.section = c, .name = "keep_every", .type = integer, .fallback = "0", .low = 0, .may_change = true,
       .help = "checkpoints of steps that this divides are kept for ever, besides the newest; 0: none"},
      {.section = c, .name = "keep_best", .type = boolean, .fallback = "no", .may_change = true,
       .help = "a validation with the smallest loss so far is followed by a checkpoint, which is kept until a better one is: "
               "the link best"},
      {.section = c, .name = "asynchronous", .type = choice, .fallback = "no", .choices = {"no", "yes", "auto"},
       .may_change = true,
       .help = "yes: periodic checkpoints stop the training for a copy of the state only, and are written beside it; needs "
               "memory for the copy and an MPI with MPI_THREAD_MULTIPLE; auto: where the hosts have twice that memory free"},
      {.section = c, .name = "on_failure", .type = choice, .fallback = "stop", .choices = {"stop", "continue"},
       .may_change = true,
       .help = "what a periodic checkpoint that cannot be written does: end the run with code 74, or warn, and try again when "
               "the next one is due; the last checkpoint of a run always ends it with 74"},
  };
}

std::vector<Key> make_group() {
  char const* const s = "group";
  return {
      {.section = s, .name = "layers", .type = list, .required = true,
       .help = "glob patterns over layer names; a layer joins the first group that matches it"},
      {.section = s, .name = "method", .type = choice, .help = "how the group's layers move"},
      {.section = s, .name = "norm", .type = choice, .fallback = "spectral",
       .choices = {"spectral", "max-abs", "frobenius", "column", "row", "nuclear", "schatten", "l1", "one-to-one", "inf-to-inf",
                   "ky-fan", "dual-ky-fan"},
       .help = "norm whose ball the step lies in; column and row: the largest 2-norm of a column or a row; l1: of all entries; "
               "one-to-one and inf-to-inf: the largest 1-norm of a column or a row"},
      {.section = s, .name = "schatten_p", .type = real, .fallback = "4", .low = 1.01, .high = 1000, .part_of = "norm",
       .help = "norm schatten: its p (2 is frobenius, large is near spectral, 1.01 near nuclear)"},
      {.section = s, .name = "ky_fan_k", .type = integer, .fallback = "1", .low = 1, .high = most_int, .part_of = "norm",
       .help = "norms ky-fan and dual-ky-fan: how many singular values count, at most the smaller side of a block"},
      {.section = s, .name = "scale", .type = choice, .fallback = "none",
       .choices = {"none", "muon", "rms", "moonlight", "input"},
       .help = "rule that scales the ball with the layer's shape; rms is not for max-abs; l1, one-to-one and inf-to-inf know "
               "none and input only"},
      {.section = s, .name = "factor", .type = real, .fallback = "1", .low = 0, .low_open = true, .part_of = "norm",
       .help = "constant factor of the ball, besides the scale"},
      {.section = s, .name = "radius", .type = real, .required = true, .low = 0, .low_open = true,
       .words = {"lr", "learningrate", "stepsize"},
       .help = "radius t, before the schedule: the step is t LMO(G) over the scaled ball; schedule adaptive: gamma"},
      {.section = s, .name = "row_blocks", .type = integer, .fallback = "1", .low = 1, .high = most_int, .part_of = "norm",
       .help = "equal blocks of rows, each with its own step: 3 for a fused QKV"},
      {.section = s, .name = "col_blocks", .type = integer, .fallback = "1", .low = 1, .high = most_int, .part_of = "norm",
       .help = "equal blocks of columns, each with its own step: the heads of an output projection; with row_blocks a grid"},
      {.section = s, .name = "polar", .type = choice, .fallback = "polar-express",
       .choices = {"muon", "you", "polar-express", "cans", "minimax", "exact", "qdwh"}, .part_of = "norm",
       .help = "norm spectral: polynomial of the polar factor; exact: by an fp64 eigenproblem (precision double: by an SVD) on "
               "the host; qdwh: by a rational iteration in fp64 on the device"},
      {.section = s, .name = "polar_steps", .type = integer, .fallback = "5", .low = 1, .high = 1000, .part_of = "norm",
       .words = {"nssteps", "newtonschulzsteps"},
       .help = "iterations of the polar polynomial; you has 5 only, exact and qdwh have none"},
      {.section = s, .name = "polar_tolerance", .type = real, .fallback = "0", .low = 0, .high = 0.99, .part_of = "norm",
       .help = "above 0: as many iterations as bring the polynomial's error on [polar_lower, 1] below it, instead of "
               "polar_steps; not for muon and you"},
      {.section = s, .name = "polar_lower", .type = real, .fallback = "0.001", .low = 1e-8, .high = 0.99, .part_of = "norm",
       .help = "smallest singular value, after scaling, that polar-express and minimax are made for"},
      {.section = s, .name = "polar_form", .type = choice, .fallback = "auto",
       .choices = {"auto", "standard", "symmetric", "gram"}, .part_of = "norm",
       .help = "how the polynomial is evaluated; auto: the cheaper of symmetric and gram for the shape"},
      {.section = s, .name = "polar_scaling", .type = choice, .fallback = "frobenius", .choices = {"frobenius", "spectral"},
       .part_of = "norm",
       .help = "what the matrix is divided by first: its Frobenius norm, or an upper bound of its spectral norm (closer: saves "
               "one or two iterations)"},
      {.section = s, .name = "polar_half", .type = boolean, .fallback = "no", .part_of = "norm",
       .help = "bfloat16 products with fp32 sums: for GPUs; on a CPU a slow emulation"},
      {.section = s, .name = "uplink", .type = text, .fallback = "identity", .words = {"compressor", "compression"},
       .help = "compressor from worker to server: identity, natural[:stochastic][:coded], bits:B, dither:B, sign, top:F, "
               "rand:F, columns:F, rank:F, damp:G, dropout:P; after + how a selection's values are coded, as "
               "top:0.15+natural:coded"},
      {.section = s, .name = "downlink", .type = text, .fallback = "identity",
       .help = "compressor from server to workers, as uplink"},
      {.section = s, .name = "beta", .type = real, .low = 0, .high = 1, .low_open = true, .inherits = "optimizer.beta",
       .words = {"momentum", "mu", "beta1"}, .help = "weight of the NEW gradient"},
      {.section = s, .name = "weight_decay", .type = real, .low = 0, .inherits = "optimizer.weight_decay",
       .words = {"wd", "decay", "l2"}, .help = "decoupled weight decay d: X becomes (1 - t d) X before the step"},
  };
}

// clang-format on

}  // namespace

std::vector<Key> deck_keys() {
  std::vector<Key> all;
  for (auto const& part : {make_run(), make_optimizer(), make_exchange(), make_group()})
    all.insert(all.end(), part.begin(), part.end());
  return all;
}

}  // namespace kaon
