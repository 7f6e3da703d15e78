// What HDF5 writes is made in memory, and only then comes to the disk, with everything else, through calls whose errors are told.
#include "toy.hpp"

#include <kaon/checkpoint/frame.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>
#include <sys/resource.h>

namespace {

using kaon::Frame;
using kaon::IoError;
using kaon::Slabs;
using namespace kaon::test;

struct OnDisk : ::testing::Test {
  kaon::Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
  Toy toy{comm, 3, true};

  kaon::format::Table table() {
    std::vector<kaon::FieldShape> shapes;
    for (auto const& f : toy.registry()) shapes.push_back({f.path, f.type, f.shape});
    kaon::format::Table t(shapes);
    t.hashes.assign(t.total(), 0);
    return t;
  }
};

TEST_F(OnDisk, AFrameTouchesNoFileUntilItIsFinishedAndNeverTheFieldsData) {
  auto const path = temp / "frame.h5";
  auto const t = table();
  Frame frame(path, toy.info(), t);
  EXPECT_FALSE(std::filesystem::exists(path));
  put_text(path, std::string(100000, 'x'));
  Slabs slabs;
  slabs.open(path);
  frame.finish(toy.info(), t, slabs);
  slabs.close();
  auto const text = file_text(path);
  for (std::size_t i = 0; i < t.fields.size(); ++i)
    EXPECT_EQ(text.substr(frame.offsets()[i], t.fields[i].bytes()), std::string(t.fields[i].bytes(), 'x')) << t.fields[i].path;
  auto const last = text.find_last_not_of('x') + 1;
  EXPECT_LT(last, text.size()) << "beyond its end it leaves the file alone";
  EXPECT_EQ(dataset_offset(path, "/server/X/a"), frame.offsets()[0]) << "what it leaves is HDF5";
}

TEST_F(OnDisk, AFullDiskIsToldWithPathAndReasonAndHdf5GoesOn) {
  auto const t = table();
  Frame frame("/dev/full", toy.info(), t);
  Slabs slabs;
  slabs.open("/dev/full");
  auto const why = message_of<IoError>([&] { frame.finish(toy.info(), t, slabs); });
  EXPECT_SAYS(why, "/dev/full: No space left on device");
  EXPECT_EQ(H5Fget_obj_count(static_cast<hid_t>(H5F_OBJ_ALL), H5F_OBJ_ALL), 0) << "nothing is left open in HDF5";
  kaon::Checkpoints store(comm, temp / "run", 1);
  EXPECT_NO_THROW(store.save(toy.info(), toy.registry()));
}

TEST_F(OnDisk, SlabsSayWhatFailed) {
  Slabs slabs;
  EXPECT_SAYS(message_of<IoError>([&] { slabs.open(temp / "absent"); }), "open " + (temp / "absent: No such file"));
  EXPECT_SAYS(message_of<IoError>([&] { slabs.create(temp.path()); }), "Is a directory");
  slabs.create("/dev/full");
  EXPECT_SAYS(message_of<IoError>([&] { slabs.write("dataset /x", "abc", 3, 0); }),
              "cannot write dataset /x of /dev/full: No space left on device");
  Slabs().close();
}

TEST_F(OnDisk, ALimitOnTheSizeOfFilesIsAnErrorAndNotASignal) {
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  kaon::Checkpoints store(comm, temp / "run", 1);
  store.prepare();
  rlimit const small{4096, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  auto const why = message_of<IoError>([&] { store.save(toy.info(), toy.registry()); });
  setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_SAYS(why, "step-00000003.h5.part: File too large");
  EXPECT_SAYS(why, "ulimit -f");
  EXPECT_NO_THROW(store.save(toy.info(), toy.registry()));
}

}  // namespace
