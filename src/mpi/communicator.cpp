#include <kaon/mpi/communicator.hpp>

#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>

#include <algorithm>
#include <chrono>
#include <thread>

namespace kaon {

void mpi_check(int code, char const* call) {
  if (code == MPI_SUCCESS) return;
  char text[MPI_MAX_ERROR_STRING];
  int length = 0;
  MPI_Error_string(code, text, &length);
  throw IoError(std::string("MPI failed in ") + call + ": " + std::string(text, static_cast<std::size_t>(length)));
}

Communicator::Communicator(MPI_Comm parent) {
  KAON_MPI(MPI_Comm_dup(parent, &comm_));
  KAON_MPI(MPI_Comm_set_errhandler(comm_, MPI_ERRORS_RETURN));
  KAON_MPI(MPI_Comm_rank(comm_, &rank_));
  KAON_MPI(MPI_Comm_size(comm_, &size_));
}

Communicator::~Communicator() {
  if (comm_ != MPI_COMM_NULL) MPI_Comm_free(&comm_);
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
void greet_all(Communicator const& comm) {
  std::vector<MPI_Request> requests;
  std::vector<char> in(static_cast<std::size_t>(comm.size())), out(in.size());
  for (int r = 0; r < comm.size(); ++r) {
    if (r == comm.rank()) continue;
    auto const i = static_cast<std::size_t>(r);
    KAON_MPI(MPI_Irecv(&in[i], 1, MPI_CHAR, r, 0, comm.get(), &requests.emplace_back()));
    KAON_MPI(MPI_Isend(&out[i], 1, MPI_CHAR, r, 0, comm.get(), &requests.emplace_back()));
  }
  wait_all(requests);
}
}  // namespace

void finalize_mpi() {
  constexpr int most = 64;                               // beyond that so many connections cost too much
  constexpr auto rest = std::chrono::milliseconds(100);  // without MPI calls: nobody answers
  {
    Communicator const comm(MPI_COMM_WORLD);
    if (comm.size() > 1 && comm.size() <= most) {
      greet_all(comm);
      comm.barrier();
      std::this_thread::sleep_for(rest);
    }
  }
  MPI_Finalize();
}

void Communicator::barrier() const {
  MPI_Request r;
  KAON_MPI(MPI_Ibarrier(comm_, &r));
  wait(r);
}

void Communicator::broadcast(void* data, std::size_t bytes, int root) const {
  auto* p = static_cast<char*>(data);
  constexpr std::size_t piece = std::size_t(1) << 30;
  for (std::size_t at = 0; at < bytes; at += piece) {
    MPI_Request r;
    KAON_MPI(MPI_Ibcast(p + at, static_cast<int>(std::min(piece, bytes - at)), MPI_BYTE, root, comm_, &r));
    wait(r);
  }
}

namespace {
template <class T>
T reduce(MPI_Comm comm, T mine, MPI_Datatype type, MPI_Op op) {
  T out{};
  MPI_Request r;
  KAON_MPI(MPI_Iallreduce(&mine, &out, 1, type, op, comm, &r));
  wait(r);
  return out;
}
template <class T>
void reduce_each(MPI_Comm comm, std::vector<T>& values, MPI_Datatype type) {
  if (values.empty()) return;
  std::vector<T> out(values.size());
  MPI_Request r;
  KAON_MPI(MPI_Iallreduce(values.data(), out.data(), static_cast<int>(values.size()), type, MPI_SUM, comm, &r));
  wait(r);
  values.swap(out);
}
}  // namespace

PendingSum::~PendingSum() {
  if (request == MPI_REQUEST_NULL) return;
  new std::vector<double>(std::move(mine));
  new std::vector<double>(std::move(total));
}

void Communicator::begin_sum(PendingSum& sum) const {
  sum.total.resize(sum.mine.size());
  KAON_MPI(MPI_Iallreduce(sum.mine.data(), sum.total.data(), static_cast<int>(sum.mine.size()), MPI_DOUBLE, MPI_SUM, comm_,
                          &sum.request));
}

std::vector<int> const& Communicator::nodes() const {
  if (!nodes_.empty()) return nodes_;
  MPI_Comm shared = MPI_COMM_NULL;
  KAON_MPI(MPI_Comm_split_type(comm_, MPI_COMM_TYPE_SHARED, rank_, MPI_INFO_NULL, &shared));
  int lowest = rank_;
  KAON_MPI(MPI_Bcast(&lowest, 1, MPI_INT, 0, shared));
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

void Communicator::sum_each(std::vector<double>& values) const { reduce_each(comm_, values, MPI_DOUBLE); }
void Communicator::sum_each(std::vector<std::int64_t>& values) const { reduce_each(comm_, values, MPI_INT64_T); }

std::string Communicator::broadcast(std::string const& text, int root) const {
  std::uint64_t size = text.size();
  broadcast(&size, sizeof size, root);
  std::string out = rank_ == root ? text : std::string(size, '\0');
  broadcast(out.data(), size, root);
  return out;
}

std::vector<std::string> Communicator::gather(std::string const& mine) const {
  std::vector<std::string> out(static_cast<std::size_t>(size_));
  for (int r = 0; r < size_; ++r) out[static_cast<std::size_t>(r)] = broadcast(mine, r);
  return out;
}

bool Communicator::same_everywhere(std::uint64_t value) const {
  std::uint64_t const lowest = reduce<std::uint64_t>(comm_, value, MPI_UINT64_T, MPI_MIN);
  std::uint64_t const highest = reduce<std::uint64_t>(comm_, value, MPI_UINT64_T, MPI_MAX);
  return lowest == highest;
}

}  // namespace kaon
