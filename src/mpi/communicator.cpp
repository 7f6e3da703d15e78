#include <kaon/mpi/communicator.hpp>

#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/mpi/pending.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <limits>
#include <mutex>
#include <thread>

namespace kaon {

void mpi_check(int code, char const* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw IoError(std::string("MPI failed in ") + call + ": " + std::string(text, static_cast<std::size_t>(length)));
}

Communicator::Communicator(MPI_Comm parent) : exceptions_(std::uncaught_exceptions()) {
  KAON_MPI(MPI_Comm_dup(parent, &comm_));
  KAON_MPI(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
  KAON_MPI(MPI_Comm_rank(comm_, &rank_));
  KAON_MPI(MPI_Comm_size(comm_, &size_));
}

Communicator::Communicator(Communicator const& whole, int part) : exceptions_(std::uncaught_exceptions()) {
  KAON_MPI(MPI_Comm_split(whole.get(), part, whole.rank(), &comm_));
  KAON_MPI(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
  KAON_MPI(MPI_Comm_rank(comm_, &rank_));
  KAON_MPI(MPI_Comm_size(comm_, &size_));
}

Communicator::~Communicator() {
  if (comm_ != MPI_COMM_NULL && std::uncaught_exceptions() <= exceptions_) MPI_Comm_free(&comm_);
}

void wait(MPI_Request& request, MPI_Status* status) {
  int done = 0;
  // Whoever waits for a message knows more than those that wait for everybody: it gives up first.
  auto const everybody = [] { return std::string("the other ranks, in a collective operation"); };
  for (Patience patience(everybody, 1.25);; patience.pause()) {
    KAON_MPI(MPI_Test(&request, &done, status));
    if (done) return;
  }
}

void wait_all(std::vector<MPI_Request>& requests) {
  for (auto& r : requests) wait(r);
  requests.clear();
}

namespace {

std::mutex left_mutex;
std::vector<void const*>& left() {  // reachable for ever: no leak to whoever looks for leaks
  static auto* const memory = new std::vector<void const*>;
  return *memory;
}

// Something from every rank to every other, on the world itself: a new communicator would wait for a rank that never comes,
// without patience, and might meet what an error has left behind. Nothing else in Kaon sends there.
void greet_all(int rank, int ranks, int tag) {
  struct Greetings {
    std::vector<char> in, out;
  };
  std::vector<char> const room(static_cast<std::size_t>(ranks));
  Pending<Greetings> greetings(room, room);
  for (int r = 0; r < ranks; ++r) {
    if (r == rank) continue;
    auto const i = static_cast<std::size_t>(r);
    KAON_MPI(MPI_Irecv(&greetings->in[i], 1, MPI_CHAR, r, tag, MPI_COMM_WORLD, greetings.request()));
    KAON_MPI(MPI_Isend(&greetings->out[i], 1, MPI_CHAR, r, tag, MPI_COMM_WORLD, greetings.request()));
  }
  greetings.wait();
}

}  // namespace

void meet_before_finalize() {
  constexpr int most = 64;                               // beyond that so many connections cost too much
  constexpr auto rest = std::chrono::milliseconds(100);  // without MPI calls: nobody answers
  constexpr int tag = 29471;
  int rank = 0, ranks = 1;
  KAON_MPI(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN));
  KAON_MPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  KAON_MPI(MPI_Comm_size(MPI_COMM_WORLD, &ranks));
  if (ranks == 1 || ranks > most) return;
  Doing const doing("leaving MPI");
  greet_all(rank, ranks, tag);
  greet_all(rank, ranks, tag + 1);  // all have been greeted by all
  std::this_thread::sleep_for(rest);
}

void leave_to_mpi(void const* memory) noexcept {
  try {
    std::lock_guard const lock(left_mutex);
    left().push_back(memory);
  } catch (...) {  // it stays all the same
  }
}

std::size_t left_to_mpi() {
  std::lock_guard const lock(left_mutex);
  return left().size();
}

void finalize_mpi() {
  try {
    meet_before_finalize();
  } catch (Error const& e) {
    int rank = 0;
    MPI_Comm_rank(MPI_COMM_WORLD, &rank);
    std::fprintf(stderr, "kaon: error (rank %d): %s\n", rank, e.what());
    std::fflush(stderr);
    usleep(300000);  // a launcher that is told of the end may drop what it has not yet read: the message goes first
    MPI_Abort(MPI_COMM_WORLD, static_cast<int>(e.code()));
  }
  MPI_Finalize();
}

void Communicator::barrier() const {
  MPI_Request r;
  KAON_MPI(MPI_Ibarrier(comm_, &r));
  wait(r);
}

namespace {

constexpr std::size_t piece_bytes = std::size_t(16) << 20;  // of what travels in one call

int count_of(std::size_t n) {
  require(n <= static_cast<std::size_t>(std::numeric_limits<int>::max()), "Communicator: too many numbers for one call");
  return static_cast<int>(n);
}

using Piece = std::vector<char>;

template <class Body>
void by_pieces(std::size_t bytes, Body&& body) {
  for (std::size_t at = 0; at < bytes; at += piece_bytes) body(at, std::min(piece_bytes, bytes - at));
}

template <class T>
struct Reduction {
  std::vector<T> mine, out;
};

template <class T>
std::vector<T> reduce_each(MPI_Comm comm, std::vector<T> mine, MPI_Datatype type, MPI_Op op) {
  if (mine.empty()) return mine;
  int const count = count_of(mine.size());
  Pending<Reduction<T>> sum(std::move(mine), std::vector<T>(static_cast<std::size_t>(count)));
  KAON_MPI(MPI_Iallreduce(sum->mine.data(), sum->out.data(), count, type, op, comm, sum.request()));
  sum.wait();
  return std::move(sum->out);
}

template <class T>
T reduce(MPI_Comm comm, T mine, MPI_Datatype type, MPI_Op op) {
  return reduce_each<T>(comm, std::vector<T>(1, mine), type, op).front();
}

}  // namespace

void Communicator::broadcast(void* data, std::size_t bytes, int root) const {
  by_pieces(bytes, [&](std::size_t at, std::size_t n) {
    auto* const from = static_cast<char*>(data) + at;
    Pending<Piece> piece(from, from + n);
    KAON_MPI(MPI_Ibcast(piece->data(), static_cast<int>(n), MPI_BYTE, root, comm_, piece.request()));
    piece.wait();
    if (rank_ != root) std::copy(piece->begin(), piece->end(), from);
  });
}

void Communicator::send(void const* data, std::size_t bytes, int to, int tag) const {
  by_pieces(bytes, [&](std::size_t at, std::size_t n) {
    auto const* const from = static_cast<char const*>(data) + at;
    Pending<Piece> piece(from, from + n);
    KAON_MPI(MPI_Isend(piece->data(), static_cast<int>(n), MPI_BYTE, to, tag, comm_, piece.request()));
    piece.wait();
  });
}

void Communicator::receive(void* data, std::size_t bytes, int from, int tag) const {
  by_pieces(bytes, [&](std::size_t at, std::size_t n) {
    auto* const to = static_cast<char*>(data) + at;
    Pending<Piece> piece(to, to + n);
    KAON_MPI(MPI_Irecv(piece->data(), static_cast<int>(n), MPI_BYTE, from, tag, comm_, piece.request()));
    piece.wait();
    std::copy(piece->begin(), piece->end(), to);
  });
}

PendingSum::~PendingSum() {
  if (request == MPI_REQUEST_NULL) return;
  leave_to_mpi(new std::vector<double>(std::move(mine)));
  leave_to_mpi(new std::vector<double>(std::move(total)));
}

void Communicator::begin_sum(PendingSum& sum) const {
  sum.total.resize(sum.mine.size());
  KAON_MPI(
      MPI_Iallreduce(sum.mine.data(), sum.total.data(), count_of(sum.mine.size()), MPI_DOUBLE, MPI_SUM, comm_, &sum.request));
}

std::vector<int> const& Communicator::nodes() const {
  if (!nodes_.empty()) return nodes_;
  Doing const doing("finding out which ranks share a node");
  barrier();  // the next call knows no patience: whoever does not come is missed here
  MPI_Comm shared = MPI_COMM_NULL;
  KAON_MPI(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &shared));
  int lowest = rank_;  // rank 0 of `shared` has the lowest, for its ranks are in the order of these
  KAON_MPI(MPI_Comm_set_errhandler(shared, MPI_ERRORS_RETURN));
  {
    Pending<int> first(rank_);
    KAON_MPI(MPI_Ibcast(&*first, 1, MPI_INT, 0, shared, first.request()));
    first.wait();
    lowest = *first;
  }
  MPI_Comm_free(&shared);
  std::vector<std::int64_t> all(static_cast<std::size_t>(size_), 0);
  all[static_cast<std::size_t>(rank_)] = lowest;
  sum_each(all);
  nodes_.assign(all.begin(), all.end());
  return nodes_;
}

bool Communicator::all(bool mine) const { return reduce<int>(comm_, mine ? 1 : 0, MPI_INT, MPI_MIN) == 1; }
std::int64_t Communicator::max(std::int64_t mine) const { return reduce<std::int64_t>(comm_, mine, MPI_INT64_T, MPI_MAX); }
double Communicator::max(double mine) const { return reduce<double>(comm_, mine, MPI_DOUBLE, MPI_MAX); }
std::int64_t Communicator::sum(std::int64_t mine) const { return reduce<std::int64_t>(comm_, mine, MPI_INT64_T, MPI_SUM); }

void Communicator::sum_each(std::vector<double>& values) const { values = reduce_each(comm_, values, MPI_DOUBLE, MPI_SUM); }
void Communicator::sum_each(std::vector<std::int64_t>& values) const {
  values = reduce_each(comm_, values, MPI_INT64_T, MPI_SUM);
}

std::string Communicator::broadcast(std::string const& text, int root) const {
  std::uint64_t size = text.size();
  broadcast(&size, sizeof size, root);
  std::string out = rank_ == root ? text : std::string(size, '\0');
  broadcast(out.data(), size, root);
  return out;
}

std::vector<std::string> Communicator::gather(std::string const& mine) const {
  std::vector<std::int64_t> sizes(static_cast<std::size_t>(size_), 0);
  sizes[static_cast<std::size_t>(rank_)] = static_cast<std::int64_t>(mine.size());
  sum_each(sizes);
  struct Texts {
    std::string mine, all;
    std::vector<int> counts, places;
  };
  Pending<Texts> texts(mine, std::string(), std::vector<int>(), std::vector<int>());
  std::int64_t total = 0;
  for (auto const n : sizes) {
    texts->places.push_back(count_of(static_cast<std::size_t>(total)));
    texts->counts.push_back(count_of(static_cast<std::size_t>(n)));
    total += n;
  }
  texts->all.resize(static_cast<std::size_t>(count_of(static_cast<std::size_t>(total))));
  KAON_MPI(MPI_Iallgatherv(texts->mine.data(), count_of(mine.size()), MPI_CHAR, texts->all.data(), texts->counts.data(),
                           texts->places.data(), MPI_CHAR, comm_, texts.request()));
  texts.wait();
  std::vector<std::string> out;
  for (std::size_t r = 0; r < sizes.size(); ++r)
    out.push_back(texts->all.substr(static_cast<std::size_t>(texts->places[r]), static_cast<std::size_t>(texts->counts[r])));
  return out;
}

bool Communicator::same_everywhere(std::uint64_t value) const {
  std::uint64_t const lowest = reduce<std::uint64_t>(comm_, value, MPI_UINT64_T, MPI_MIN);
  std::uint64_t const highest = reduce<std::uint64_t>(comm_, value, MPI_UINT64_T, MPI_MAX);
  return lowest == highest;
}

}  // namespace kaon
