#include <kaon/exchange/mailbox.hpp>

#include <kaon/core/error.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/mpi/pending.hpp>

namespace kaon {

Mailbox::~Mailbox() {
  for (std::size_t i = 0; i < receives_.size(); ++i) {
    if (receives_[i] == MPI_REQUEST_NULL) continue;
    int done = 1;
    auto& leaving = inboxes_[i].leaving;
    if (!leaving.empty()) MPI_Testall(static_cast<int>(leaving.size()), leaving.data(), &done, MPI_STATUSES_IGNORE);
    if (!done) leave_to_mpi(new MessageBuffer(inboxes_[i].buffer));
    done = 1;
    if (inboxes_[i].open && !inboxes_[i].arrived) {
      MPI_Cancel(&receives_[i]);
      MPI_Test(&receives_[i], &done, MPI_STATUS_IGNORE);
    }
    if (done)
      MPI_Request_free(&receives_[i]);
    else
      leave_to_mpi(new MessageBuffer(inboxes_[i].buffer));
  }
  for (auto& box : outboxes_) {
    int done = 1;
    if (!box.leaving.empty()) MPI_Testall(static_cast<int>(box.leaving.size()), box.leaving.data(), &done, MPI_STATUSES_IGNORE);
    if (!done) leave_to_mpi(new MessageBuffer(box.buffer));
  }
}

MPI_Request Mailbox::make_receive(Inbox const& box) const {
  MPI_Request request = MPI_REQUEST_NULL;
  KAON_MPI(
      MPI_Recv_init(box.buffer.data(), static_cast<int>(box.buffer.size()), MPI_BYTE, box.from, box.tag, comm_.get(), &request));
  return request;
}

int Mailbox::add_inbox(int from, int tag, std::size_t bytes, std::string what) {
  Inbox box;
  box.buffer = MessageBuffer(memory_, "kaon::exchange::inbox", bytes);
  box.from = from;
  box.tag = tag;
  box.what = std::move(what);
  receives_.push_back(make_receive(box));
  inboxes_.push_back(std::move(box));
  return static_cast<int>(inboxes_.size()) - 1;
}

int Mailbox::add_outbox(std::size_t bytes, int copies, std::string what) {
  Outbox box;
  box.buffer = MessageBuffer(memory_, "kaon::exchange::outbox", bytes);
  box.what = std::move(what);
  box.leaving.reserve(static_cast<std::size_t>(copies));
  outboxes_.push_back(std::move(box));
  return static_cast<int>(outboxes_.size()) - 1;
}

void Mailbox::pass_on(int inbox, std::vector<int> to, int tag) {
  auto& box = inboxes_[static_cast<std::size_t>(inbox)];
  box.leaving.reserve(to.size());
  box.on_to = std::move(to);
  box.on_tag = tag;
}

void Mailbox::ready() {
  indices_.resize(receives_.size());
  statuses_.resize(receives_.size());
}

void Mailbox::resize_inbox(int inbox, std::size_t bytes) {
  auto& box = inboxes_[static_cast<std::size_t>(inbox)];
  auto& receive = receives_[static_cast<std::size_t>(inbox)];
  require(!box.open || box.arrived, "Mailbox: a message is awaited in the buffer that is to be resized");
  if (box.buffer.size() == bytes) return;
  KAON_MPI(MPI_Request_free(&receive));
  box.buffer = {};  // goes before the other one comes
  box.buffer = MessageBuffer(memory_, "kaon::exchange::inbox", bytes);
  box.size = 0;
  box.open = box.arrived = false;
  receive = make_receive(box);
}

void Mailbox::resize_outbox(int outbox, std::size_t bytes) {
  if (writable(outbox).size() == bytes) return;
  auto& box = outboxes_[static_cast<std::size_t>(outbox)];
  box.buffer = {};
  box.buffer = MessageBuffer(memory_, "kaon::exchange::outbox", bytes);
}

void Mailbox::open(int inbox) {
  auto& box = inboxes_[static_cast<std::size_t>(inbox)];
  if (box.open && !box.arrived) return;
  if (!box.leaving.empty()) wait_until_left(box.leaving, box.on_to.back(), box.what);
  KAON_MPI(MPI_Start(&receives_[static_cast<std::size_t>(inbox)]));
  box.open = true;
  box.arrived = false;
  ++open_;
}

std::span<unsigned char> Mailbox::bytes(int outbox) const {
  auto const& b = outboxes_[static_cast<std::size_t>(outbox)].buffer;
  return {b.data(), b.size()};
}

bool Mailbox::left(std::vector<MPI_Request>& leaving) {
  if (leaving.empty()) return true;
  int done = 0;
  KAON_MPI(MPI_Testall(static_cast<int>(leaving.size()), leaving.data(), &done, MPI_STATUSES_IGNORE));
  if (done) leaving.clear();
  return done != 0;
}

void Mailbox::wait_until_left(std::vector<MPI_Request>& leaving, int to, std::string const& what) {
  if (left(leaving)) return;
  auto const awaited = [&] {
    return "step " + std::to_string(step_) + ", rank " + std::to_string(to) + " to take a message (" + what + ')';
  };
  for (Patience patience(awaited); !left(leaving); patience.pause()) poll();
}

std::span<unsigned char> Mailbox::writable(int outbox) {
  auto& box = outboxes_[static_cast<std::size_t>(outbox)];
  wait_until_left(box.leaving, box.to, box.what);
  return bytes(outbox);
}

void Mailbox::send(int outbox, std::size_t size, int to, int tag) {
  auto& box = outboxes_[static_cast<std::size_t>(outbox)];
  MPI_Request r;
  KAON_MPI(MPI_Isend(box.buffer.data(), static_cast<int>(size), MPI_BYTE, to, tag, comm_.get(), &r));
  box.leaving.push_back(r);
  box.to = to;
  bytes_given_ += size;
}

void Mailbox::flush() {
  for (std::size_t i = 0; i < outboxes_.size(); ++i) writable(static_cast<int>(i));
  for (auto& box : inboxes_)
    if (!box.leaving.empty()) wait_until_left(box.leaving, box.on_to.back(), box.what);
}

std::string Mailbox::name(int inbox) const {
  auto const& box = in(inbox);
  return "step " + std::to_string(step_) + ", " + box.what + ", from rank " + std::to_string(box.from);
}

void Mailbox::refuse(int inbox, int code) const {
  char text[MPI_MAX_ERROR_STRING];
  int length = 0, kind = 0;
  MPI_Error_string(code, text, &length);
  MPI_Error_class(code, &kind);
  auto const why = kind == MPI_ERR_TRUNCATE
                       ? "it is longer than the " + std::to_string(in(inbox).buffer.size()) + " bytes that it can have"
                       : std::string("MPI could not receive it");
  throw IoError("refused a packet: " + why + " (expected " + name(inbox) +
                "): " + std::string(text, static_cast<std::size_t>(length)));
}

void Mailbox::take(int inbox, MPI_Status const& status) {
  int count = 0;
  KAON_MPI(MPI_Get_count(&status, MPI_BYTE, &count));
  auto& box = inboxes_[static_cast<std::size_t>(inbox)];
  box.size = static_cast<std::size_t>(count);
  box.arrived = true;
  --open_;
  for (int const to : box.on_to) {
    auto& request = box.leaving.emplace_back(MPI_REQUEST_NULL);
    KAON_MPI(MPI_Isend(box.buffer.data(), count, MPI_BYTE, to, box.on_tag, comm_.get(), &request));
    bytes_given_ += box.size;
  }
}

void Mailbox::poll() {
  if (open_ == 0) {  // nothing awaited; what is being sent needs MPI to work all the same
    int any = 0;
    KAON_MPI(MPI_Iprobe(MPI_ANY_SOURCE, MPI_ANY_TAG, comm_.get(), &any, MPI_STATUS_IGNORE));
    return;
  }
  int count = 0;
  int const code = MPI_Testsome(static_cast<int>(receives_.size()), receives_.data(), &count, indices_.data(), statuses_.data());
  if (code == MPI_ERR_IN_STATUS) {
    for (int i = 0; i < count; ++i)
      if (auto const e = statuses_[static_cast<std::size_t>(i)].MPI_ERROR; e != MPI_SUCCESS && e != MPI_ERR_PENDING)
        refuse(indices_[static_cast<std::size_t>(i)], e);
  }
  mpi_check(code, "MPI_Testsome");
  if (count == MPI_UNDEFINED) return;
  for (int i = 0; i < count; ++i) take(indices_[static_cast<std::size_t>(i)], statuses_[static_cast<std::size_t>(i)]);
}

}  // namespace kaon
