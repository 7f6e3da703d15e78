#include <kaon/run/start/same_problem.hpp>

#include <kaon/checkpoint/ballot.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/mpi/patience.hpp>
#include <kaon/run/stop/leave.hpp>
#include <kaon/run/stop/wall_clock.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace kaon {
namespace {

/// Every rank's number, on every rank.
std::vector<std::int64_t> gather(Communicator const& comm, std::uint64_t mine) {
  std::vector<std::int64_t> all(static_cast<std::size_t>(comm.size()), 0);
  all[static_cast<std::size_t>(comm.rank())] = std::bit_cast<std::int64_t>(mine);
  comm.sum_each(all);
  return all;
}

/// What the checkpoint says, on every rank; nothing where it says nothing that fits its hash: loading it tells more.
std::optional<std::uint64_t> saved_fingerprint(Communicator const& comm, std::string const& path) {
  std::array<std::uint64_t, 2> found{0, 0};
  if (comm.rank() == 0) try {
      CheckpointFile const file(path);
      auto const& fields = file.fields();
      for (std::size_t f = 0; f < fields.size(); ++f) {
        if (fields[f].path != "/data/fingerprint" || fields[f].bytes() != sizeof(std::uint64_t)) continue;
        file.verify(file.table().first[f], file.table().first[f + 1]);
        std::memcpy(&found[1], file.read(fields[f]).data(), sizeof found[1]);
        found[0] = 1;
      }
    } catch (Error const&) {
    }
  comm.broadcast(found.data(), sizeof found, 0);
  return found[0] == 0 ? std::nullopt : std::optional(found[1]);
}

std::string host() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "unknown";
}

}  // namespace

SameProblem::SameProblem(Communicator const& comm, Log const& log, Contents* contents)
    : comm_(comm), log_(log), contents_(contents) {}

/// The ranks of this host that opened the same copy, in rank order.
Communicator SameProblem::sharers() const {
  auto const node = comm_.nodes()[static_cast<std::size_t>(comm_.rank())];
  auto const keys = gather(comm_, text_hash(fmt::format("{} {}", node, contents_->copy())));
  auto const lowest = std::find(keys.begin(), keys.end(), keys[static_cast<std::size_t>(comm_.rank())]) - keys.begin();
  MPI_Comm part = MPI_COMM_NULL;
  KAON_MPI(MPI_Comm_split(comm_.get(), static_cast<int>(lowest), comm_.rank(), &part));
  struct Free {
    MPI_Comm& comm;
    ~Free() { MPI_Comm_free(&comm); }
  } const free{part};
  return Communicator(part);
}

std::vector<std::uint64_t> SameProblem::hash_together() const {
  Communicator const us = sharers();
  auto const blocks = contents_->blocks();
  auto const first = blocks * us.rank() / us.size(), next = blocks * (us.rank() + 1) / us.size();
  std::vector<std::uint64_t> hashes(static_cast<std::size_t>(blocks), 0);
  Ballot ballot(comm_);
  ballot.attempt([&] { contents_->hash(first, next - first, hashes.data() + first); });
  ballot.vote("reading the " + contents_->kind());
  std::vector<std::int64_t> sums(hashes.size());
  std::memcpy(sums.data(), hashes.data(), hashes.size() * sizeof(std::uint64_t));
  us.sum_each(sums);
  std::memcpy(hashes.data(), sums.data(), hashes.size() * sizeof(std::uint64_t));
  return hashes;
}

void SameProblem::settle() {
  if (!contents_) return;
  Doing const doing("reading the " + contents_->kind());
  double const begin = steady_seconds();
  auto const hashes = hash_together();
  auto const mine = contents_->combine(hashes);
  auto const found = gather(comm_, mine);
  auto const odd = std::find_if(found.begin(), found.end(), [&](std::int64_t f) { return f != found.front(); });
  if (odd != found.end()) refuse(hashes, found, static_cast<int>(odd - found.begin()));
  contents_->settle(mine);
  for (auto const& w : contents_->warnings()) log_.warning(w);
  auto const what = contents_->describe();
  log_.line(fmt::format("{}: fingerprint {:016x}{}{}, the same on all ranks, read in {:.2f} s", contents_->kind(), mine,
                        what.empty() ? "" : " of ", what, steady_seconds() - begin));
}

void SameProblem::refuse(std::vector<std::uint64_t> const& hashes, std::vector<std::int64_t> const& found, int odd) const {
  auto const text = fmt::format("{} on host {} (rank {}), fingerprint {:016x}", contents_->where(), host(), comm_.rank(),
                                std::bit_cast<std::uint64_t>(found[static_cast<std::size_t>(comm_.rank())]));
  auto const first = comm_.broadcast(text, 0), other = comm_.broadcast(text, odd);
  std::uint64_t count = hashes.size();
  comm_.broadcast(&count, sizeof count, 0);
  auto theirs = hashes;
  theirs.resize(count);
  comm_.broadcast(theirs.data(), count * sizeof(std::uint64_t), 0);
  std::string place;
  if (comm_.rank() == odd && count == hashes.size() && count > 0) {
    auto const at = std::mismatch(hashes.begin(), hashes.end(), theirs.begin()).first;
    if (at != hashes.end()) place = "; the first difference is in " + contents_->place(at - hashes.begin());
  }
  place = comm_.broadcast(place, odd);
  throw InputError(
      fmt::format("the ranks read different contents, {}: {}, and {}{}. Copy it again to every host, or read it from one place",
                  contents_->kind(), first, other, place));
}

void SameProblem::meet(std::string const& path) {
  if (!contents_) return;
  auto const saved = saved_fingerprint(comm_, path);
  if (!saved || *saved == contents_->fingerprint()) return;
  Doing const doing("reading the " + contents_->kind() + " as earlier versions did");
  Communicator const us = sharers();
  std::array<std::uint64_t, 2> older{0, 0};
  Ballot ballot(comm_);
  if (us.rank() == 0)
    ballot.attempt([&] {
      if (auto const f = contents_->older()) older = {1, *f};
    });
  ballot.vote("reading the " + contents_->kind());
  us.broadcast(older.data(), sizeof older, 0);
  contents_->settle_older(older[0] == 0 ? std::nullopt : std::optional(older[1]));
}

void SameProblem::report() const {
  if (contents_ && !contents_->note().empty()) log_.warning(contents_->note());
}

void SameProblem::confirm(std::string const& newest) {
  if (!contents_) return;
  Ballot ballot(comm_);
  std::string why;
  ballot.attempt([&] { why = contents_->changed(); });
  ballot.vote("looking at the " + contents_->kind());
  auto const lines = comm_.max(static_cast<std::int64_t>(!why.empty())) == 0 ? std::vector<std::string>() : comm_.gather(why);
  if (lines.empty()) return;
  why = *std::find_if(lines.begin(), lines.end(), [](auto const& l) { return !l.empty(); });
  auto const end = newest.empty() ? std::string("no checkpoint is written")
                                  : fmt::format("no checkpoint is written, {} is the last one", newest);
  auto const cure = "put the files back as they were and restart with -r, or start a new run in another folder";
  contents_->look_again();  // before they are read: what is written meanwhile is seen at the next look
  std::uint64_t now = 0;
  try {
    now = contents_->combine(hash_together());
  } catch (InputError const& e) {  // the same on every rank
    throw InputError(fmt::format("{} while the run reads it: {}; {}. Cure: {}", why, e.what(), end, cure));
  }
  if (comm_.max(static_cast<std::int64_t>(now != contents_->fingerprint())) != 0)
    throw InputError(fmt::format(
        "{} while the run reads it: the contents are others now (fingerprint {:016x} instead of {:016x}), and steps since the "
        "last checkpoint may have been trained on them; {}. Cure: {}",
        why, now, contents_->fingerprint(), end, cure));
  if (!warned_) log_.warning(why + " while the run reads it; the contents are the same: the run goes on");
  warned_ = true;
}

}  // namespace kaon
