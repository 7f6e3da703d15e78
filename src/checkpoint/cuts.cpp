#include <kaon/checkpoint/cuts.hpp>

#include <kaon/mpi/pending.hpp>

#include <algorithm>
#include <limits>
#include <list>

namespace kaon {
namespace {

constexpr int tag = 17;

/// Leading indices [a, b) that both a cut and a block hold.
struct Overlap {
  std::uint64_t a, b;
  bool empty() const { return a >= b; }
};
Overlap overlap(Cut const& c, Part const& box) {
  return {std::max(c.first, box.offset[0]), std::min(c.first + c.count, box.offset[0] + box.count[0])};
}

std::uint64_t row_bytes(Field const& field) {
  std::uint64_t bytes = size_of(field.type);
  for (std::size_t d = 1; d < field.shape.size(); ++d) bytes *= field.shape[d];
  return bytes;
}

}  // namespace

Cuts::Cuts(Communicator const& comm, Registry const& registry) : fields_(registry.size()) {
  struct Exchanged {
    std::vector<Cut> mine, all;
  };
  std::vector<Cut> mine;
  for (auto const& f : registry) mine.push_back(f.written.elements() == 0 ? Cut{} : Cut{f.written.offset[0], f.written.count[0]});
  Pending<Exchanged> cuts(mine, std::vector<Cut>(mine.size() * static_cast<std::size_t>(comm.size())));
  int const numbers = static_cast<int>(2 * mine.size());
  KAON_MPI(MPI_Iallgather(cuts->mine.data(), numbers, MPI_UINT64_T, cuts->all.data(), numbers, MPI_UINT64_T, comm.get(),
                          cuts.request()));
  cuts.wait();
  all_ = std::move(cuts->all);
}

std::vector<Cut> Cuts::of(std::size_t field) const {
  std::vector<Cut> cuts;
  for (std::size_t at = field; at < all_.size(); at += fields_) cuts.push_back(all_[at]);
  return cuts;
}

bool covers(std::vector<Cut> cuts, std::uint64_t extent) {
  std::sort(cuts.begin(), cuts.end(), [](Cut const& a, Cut const& b) { return a.first < b.first; });
  std::uint64_t next = 0;
  for (auto const& c : cuts) {
    if (c.count == 0) continue;
    if (c.first != next || c.count > extent - next) return false;
    next += c.count;
  }
  return next == extent;
}

std::vector<BlockPart> block_parts(Blocks const& blocks, Field const& field, Cut const& slab) {
  std::vector<BlockPart> parts;
  std::uint64_t const row = row_bytes(field);
  auto const [begin, end] = blocks.touching(slab.first, slab.count);
  parts.reserve(end - begin);
  std::uint64_t at = 0;
  for (auto b = begin; b < end; ++b) {
    Part const box = blocks.box(b);
    std::uint64_t const whole = box.elements() * size_of(field.type);
    std::uint64_t bytes = whole;
    if (blocks.cut() == 0) {
      Overlap const part = overlap(slab, box);
      bytes = (part.b - part.a) * row;
    }
    parts.push_back({b, at, bytes, bytes == whole});
    at += bytes;
  }
  return parts;
}

void hash_shared_blocks(Communicator const& comm, Blocks const& blocks, Field const& field, std::vector<Cut> const& cuts,
                        std::vector<unsigned char> const& mine, std::uint64_t* hashes) {
  Cut const& own = cuts[static_cast<std::size_t>(comm.rank())];
  std::uint64_t const row = row_bytes(field);
  struct Shared {
    std::uint64_t block;
    Part box;
    std::vector<unsigned char> bytes;
  };
  struct Traffic {
    std::list<Shared> assembling;
    std::list<std::vector<unsigned char>> leaving;
  };
  Pending<Traffic> traffic;
  auto& assembling = traffic->assembling;
  unsigned char const* from = mine.data();
  for (auto const& part : block_parts(blocks, field, own)) {
    if (part.complete) continue;
    Part const box = blocks.box(part.block);
    if (own.first <= box.offset[0]) {
      assembling.push_back({part.block, box, std::vector<unsigned char>(box.elements() * size_of(field.type))});
      std::copy_n(from, part.bytes, assembling.back().bytes.data());
    } else {
      auto const holder = std::find_if(
          cuts.begin(), cuts.end(), [&](Cut const& c) { return c.first <= box.offset[0] && box.offset[0] < c.first + c.count; });
      auto const& piece = traffic->leaving.emplace_back(from, from + part.bytes);
      KAON_MPI(MPI_Isend(piece.data(), static_cast<int>(part.bytes), MPI_BYTE, static_cast<int>(holder - cuts.begin()), tag,
                         comm.get(), traffic.request()));
    }
    from += part.bytes;
  }
  for (auto& shared : assembling)
    for (std::size_t r = 0; r < cuts.size(); ++r) {
      Overlap const part = overlap(cuts[r], shared.box);
      if (part.empty() || static_cast<int>(r) == comm.rank()) continue;
      KAON_MPI(MPI_Irecv(shared.bytes.data() + (part.a - shared.box.offset[0]) * row, static_cast<int>((part.b - part.a) * row),
                         MPI_BYTE, static_cast<int>(r), tag, comm.get(), traffic.request()));
    }
  traffic.wait();
  for (auto const& shared : assembling) hashes[shared.block] = xxh3(shared.bytes.data(), shared.bytes.size());
}

void combine(Communicator const& comm, std::vector<std::uint64_t>& hashes) {
  constexpr std::size_t piece = std::numeric_limits<int>::max() / 2;
  for (std::size_t at = 0; at < hashes.size(); at += piece) {
    auto* const here = hashes.data() + at;
    auto const n = std::min(piece, hashes.size() - at);
    Pending<std::vector<std::uint64_t>> part(here, here + n);
    KAON_MPI(MPI_Iallreduce(MPI_IN_PLACE, part->data(), static_cast<int>(n), MPI_UINT64_T, MPI_BOR, comm.get(), part.request()));
    part.wait();
    std::copy(part->begin(), part->end(), here);
  }
}

}  // namespace kaon
