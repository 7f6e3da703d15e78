#ifndef KAON_EXCHANGE_MAILBOX_HPP
#define KAON_EXCHANGE_MAILBOX_HPP

#include <kaon/exchange/message_memory.hpp>
#include <kaon/mpi/communicator.hpp>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace kaon {

/// Buffers that messages leave from and arrive in, made once; all of it nonblocking. Receives are persistent requests. This is
/// the one place where the exchange gives bytes to MPI.
class Mailbox {
 public:
  explicit Mailbox(Communicator const& comm, MessageMemory memory = MessageMemory::host) : comm_(comm), memory_(memory) {}
  /// Cancels what is still under way after an error. What cannot be cancelled keeps its buffer: MPI may still look at it.
  ~Mailbox();
  Mailbox(Mailbox const&) = delete;
  Mailbox& operator=(Mailbox const&) = delete;

  /// A buffer for messages of up to `bytes` bytes from one rank with one tag; `what` names them in errors.
  int add_inbox(int from, int tag, std::size_t bytes, std::string what);
  /// A buffer for messages to up to `copies` ranks at a time; `what` names them in errors.
  int add_outbox(std::size_t bytes, int copies, std::string what);
  /// What arrives in the inbox goes on at once to these ranks, with this tag, from where it lies.
  void pass_on(int inbox, std::vector<int> to, int tag);
  /// To be called once, when all are added.
  void ready();
  /// Another buffer, of `bytes` bytes. Of an inbox whose message has been read, or that was never opened; of an outbox, when what
  /// it sent has left, which is waited for.
  void resize_inbox(int inbox, std::size_t bytes);
  void resize_outbox(int outbox, std::size_t bytes);

  /// Posts the receive of the next message; the bytes of the one before are given up, when they have gone on where they go on to,
  /// which is waited for.
  void open(int inbox);
  bool arrived(int inbox) const { return in(inbox).arrived; }
  /// The message that arrived, in this mailbox's memory, as are all spans here.
  std::span<unsigned char const> message(int inbox) const { return {in(inbox).buffer.data(), in(inbox).size}; }

  /// The step that texts speak of.
  void set_step(std::uint64_t step) { step_ = step; }
  /// "step 12, uplink of worker 3, layer fc, from rank 2".
  std::string name(int inbox) const;

  /// The whole buffer of an outbox. Waits until what was sent from it before has left; throws IoError, as Patience does, when it
  /// does not.
  std::span<unsigned char> writable(int outbox);
  std::span<unsigned char> bytes(int outbox) const;
  void send(int outbox, std::size_t size, int to, int tag);
  /// Waits until everything has left.
  void flush();

  /// Takes note of what has arrived, and lets MPI work. Throws IoError where a message could not be received.
  void poll();

  std::uint64_t bytes_given() const { return bytes_given_; }  ///< to MPI, since the start

 private:
  struct Inbox {
    MessageBuffer buffer;
    std::size_t size = 0;
    bool open = false, arrived = false;
    int from = 0, tag = 0;
    std::string what;
    std::vector<int> on_to;
    int on_tag = 0;
    std::vector<MPI_Request> leaving;
  };
  struct Outbox {
    MessageBuffer buffer;
    std::vector<MPI_Request> leaving;
    int to = 0;  // the last one
    std::string what;
  };
  Inbox const& in(int i) const { return inboxes_[static_cast<std::size_t>(i)]; }
  MPI_Request make_receive(Inbox const& box) const;
  void take(int inbox, MPI_Status const& status);
  [[noreturn]] void refuse(int inbox, int code) const;
  static bool left(std::vector<MPI_Request>& leaving);
  void wait_until_left(std::vector<MPI_Request>& leaving, int to, std::string const& what);

  Communicator const& comm_;
  MessageMemory memory_;
  std::vector<Inbox> inboxes_;
  std::vector<Outbox> outboxes_;
  std::vector<MPI_Request> receives_;  // one per inbox
  std::vector<int> indices_;           // what MPI_Testsome fills
  std::vector<MPI_Status> statuses_;
  int open_ = 0;
  std::uint64_t bytes_given_ = 0;
  std::uint64_t step_ = 0;
};

}  // namespace kaon

#endif
