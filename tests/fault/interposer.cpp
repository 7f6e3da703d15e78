// Stands between a program and MPI (LD_PRELOAD): counts every point-to-point send, and tampers with one. Kaon calls MPI from one
// thread, so there are no locks. Buffers are read on the host.
#include "count.hpp"
#include "tamper.hpp"

#include <unistd.h>

namespace kaon::fault {
namespace {

class Interposer {
 public:
  // Never destroyed: MPI may be called until the very end.
  static Interposer& instance() {
    static auto* const one = new Interposer;
    return *one;
  }

  /// True when the message was taken over and the program's own call is not to be made.
  bool take(void const* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    if (to == MPI_PROC_NULL) return false;
    tend();
    auto const m = message(data, count, type, to, tag, comm);
    auto const packets = packets_in(m);
    counter_.add(m, packets);
    if (tamper_.holds(m)) send(tamper_.due(true));  // MPI keeps the order of messages of one tag, and so does this
    auto const instead = tamper_.replace(m, packets);
    if (instead) send(*instead);
    return instead.has_value();
  }

  void remember(MPI_Request request, void const* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    persistent_[request] = {data, count, to, tag, type, comm};
  }
  void forget(MPI_Request request) { persistent_.erase(request); }
  /// A persistent send that was taken over stays inactive, which MPI_Test and MPI_Wait report as complete.
  bool take(MPI_Request request) {
    auto const it = persistent_.find(request);
    if (it == persistent_.end()) return false;
    auto const& p = it->second;
    return take(p.data, p.count, p.type, p.to, p.tag, p.comm);
  }

  void tend() { send(tamper_.due(false)); }

  /// Before a call that blocks.
  void settle() { send(tamper_.due(true)); }

  void finish() {
    settle();
    for (auto& s : sent_)
      if (s.request != MPI_REQUEST_NULL) {
        int done = 0;
        PMPI_Test(&s.request, &done, MPI_STATUS_IGNORE);
        if (!done) PMPI_Request_free(&s.request);
      }
    int rank = 0;
    PMPI_Comm_rank(MPI_COMM_WORLD, &rank);
    counter_.write(rank);
  }

 private:
  struct Persistent {
    void const* data;
    int count, to, tag;
    MPI_Datatype type;
    MPI_Comm comm;
  };
  struct Sent {
    Bytes bytes;
    MPI_Request request = MPI_REQUEST_NULL;
  };

  static Message message(void const* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {
    int size = 0;
    MPI_Aint lower = 0, extent = 0;
    PMPI_Type_size(type, &size);
    PMPI_Type_get_extent(type, &lower, &extent);
    bool const readable = lower == 0 && extent == size;  // anything else has holes and holds no packets
    return {readable ? static_cast<unsigned char const*>(data) : nullptr,
            static_cast<std::size_t>(size) * static_cast<std::size_t>(count), to, tag, comm};
  }

  void send(std::vector<Tamper::Outgoing> messages) {
    for (auto& m : messages) {
      auto& s = sent_.emplace_back();
      s.bytes = std::move(m.bytes);
      PMPI_Isend(s.bytes.data(), static_cast<int>(s.bytes.size()), MPI_BYTE, m.to.to, m.to.tag, m.to.comm, &s.request);
    }
  }

  Counter counter_;
  Tamper tamper_;
  std::map<MPI_Request, Persistent> persistent_;
  std::list<Sent> sent_;  ///< buffers live until the end
};

Interposer& all() { return Interposer::instance(); }

}  // namespace
}  // namespace kaon::fault

using kaon::fault::all;

#pragma GCC visibility push(default)
extern "C" {

#define KAON_BLOCKING_SEND(name)                                                                                       \
  int MPI_##name(void const* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm) {                     \
    return all().take(data, count, type, to, tag, comm) ? MPI_SUCCESS : PMPI_##name(data, count, type, to, tag, comm); \
  }
KAON_BLOCKING_SEND(Send)
KAON_BLOCKING_SEND(Ssend)
KAON_BLOCKING_SEND(Rsend)
KAON_BLOCKING_SEND(Bsend)

// The null request is complete, whatever the program asks of it.
#define KAON_SEND(name)                                                                                                  \
  int MPI_##name(void const* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) { \
    if (!all().take(data, count, type, to, tag, comm)) return PMPI_##name(data, count, type, to, tag, comm, request);    \
    *request = MPI_REQUEST_NULL;                                                                                         \
    return MPI_SUCCESS;                                                                                                  \
  }
KAON_SEND(Isend)
KAON_SEND(Issend)
KAON_SEND(Irsend)
KAON_SEND(Ibsend)

#define KAON_PERSISTENT_SEND(name)                                                                                       \
  int MPI_##name(void const* data, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request* request) { \
    int const code = PMPI_##name(data, count, type, to, tag, comm, request);                                             \
    all().remember(*request, data, count, type, to, tag, comm);                                                          \
    return code;                                                                                                         \
  }
KAON_PERSISTENT_SEND(Send_init)
KAON_PERSISTENT_SEND(Ssend_init)
KAON_PERSISTENT_SEND(Rsend_init)
KAON_PERSISTENT_SEND(Bsend_init)

int MPI_Start(MPI_Request* request) { return all().take(*request) ? MPI_SUCCESS : PMPI_Start(request); }

int MPI_Startall(int count, MPI_Request* requests) {
  for (int i = 0; i < count; ++i)
    if (int const code = MPI_Start(requests + i); code != MPI_SUCCESS) return code;
  return MPI_SUCCESS;
}

int MPI_Request_free(MPI_Request* request) {
  all().forget(*request);
  return PMPI_Request_free(request);
}

int MPI_Sendrecv(void const* data, int count, MPI_Datatype type, int to, int tag, void* in, int in_count, MPI_Datatype in_type,
                 int from, int in_tag, MPI_Comm comm, MPI_Status* status) {
  if (!all().take(data, count, type, to, tag, comm))
    return PMPI_Sendrecv(data, count, type, to, tag, in, in_count, in_type, from, in_tag, comm, status);
  return PMPI_Recv(in, in_count, in_type, from, in_tag, comm, status);
}

// Calls that a waiting program makes over and over: the time for messages that are held back.
int MPI_Test(MPI_Request* request, int* done, MPI_Status* status) {
  all().tend();
  return PMPI_Test(request, done, status);
}
int MPI_Testall(int count, MPI_Request* requests, int* done, MPI_Status* statuses) {
  all().tend();
  return PMPI_Testall(count, requests, done, statuses);
}
int MPI_Testany(int count, MPI_Request* requests, int* which, int* done, MPI_Status* status) {
  all().tend();
  return PMPI_Testany(count, requests, which, done, status);
}
int MPI_Testsome(int count, MPI_Request* requests, int* completed, int* which, MPI_Status* statuses) {
  all().tend();
  return PMPI_Testsome(count, requests, completed, which, statuses);
}

int MPI_Wait(MPI_Request* request, MPI_Status* status) {
  all().settle();
  return PMPI_Wait(request, status);
}
int MPI_Waitall(int count, MPI_Request* requests, MPI_Status* statuses) {
  all().settle();
  return PMPI_Waitall(count, requests, statuses);
}
int MPI_Waitany(int count, MPI_Request* requests, int* which, MPI_Status* status) {
  all().settle();
  return PMPI_Waitany(count, requests, which, status);
}
int MPI_Waitsome(int count, MPI_Request* requests, int* completed, int* which, MPI_Status* statuses) {
  all().settle();
  return PMPI_Waitsome(count, requests, completed, which, statuses);
}
int MPI_Barrier(MPI_Comm comm) {
  all().settle();
  return PMPI_Barrier(comm);
}

int MPI_Finalize() {
  all().finish();
  return PMPI_Finalize();
}
}
#pragma GCC visibility pop
