// What a checkpoint file survives, and what it must not: every kind of damage is told, with the dataset's name.
#include "toy.hpp"

#include <kaon/checkpoint/h5.hpp>
#include <kaon/checkpoint/reader.hpp>
#include <kaon/checkpoint/rules.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

#include <cstdio>

namespace {

using kaon::CheckpointFile;
using kaon::InputError;
using namespace kaon::test;

struct File : ::testing::Test {
  kaon::Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
  kaon::Checkpoints store{comm, temp / "checkpoints", 3};
  std::string save(std::uint64_t version = 12, bool small = false) {
    Toy toy(comm, version, small);
    return store.save(toy.info(), toy.registry());
  }
  std::string why(std::string const& path) {
    return message_of<InputError>([&] { CheckpointFile(path).verify(); });
  }
};

TEST_F(File, GivesBackEveryBitAndWhatItSaysOfItself) {
  auto const path = save();
  Toy back(comm, 12);
  auto const got = store.load(path, back.registry());
  EXPECT_EQ(back.wrong_bytes(), 0u);
  EXPECT_EQ(got.info, back.info());
  EXPECT_EQ(store.peek(path), back.info());
  EXPECT_TRUE(got.warnings.empty());
  Toy other(comm, 13);
  store.load(path, other.registry());
  EXPECT_GT(other.wrong_bytes(), 1000u) << "the comparison itself must be able to fail";
}

TEST_F(File, EmptyTextsAreFine) {
  Toy toy(comm, 1, true);
  kaon::CheckpointInfo bare;
  bare.step = 1;
  bare.workers = toy_workers;
  auto const path = store.save(bare, toy.registry());
  auto const back = store.peek(path);
  EXPECT_EQ(back.deck, "");
  EXPECT_EQ(back.method, "");
  EXPECT_EQ(back.problem, "");
  EXPECT_EQ(back.created.size(), 20u) << "created is filled in";
}

TEST_F(File, FlippedByteInADatasetNamesDatasetAndBlock) {
  auto const path = save();
  flip_byte(path, dataset_offset(path, "/workers/G/a") + 4 * 1000 * 300 * 2 + 5);
  EXPECT_SAYS(why(path), "/workers/G/a");
  EXPECT_SAYS(why(path), "block 4");
  EXPECT_NO_THROW(CheckpointFile{path}) << "the header itself is sound";
}

TEST_F(File, FlippedByteInDeckTableAttributeOrProvenanceIsSeen) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  for (auto const* name : {"/deck", "/integrity"}) {
    put_text(path, good);
    flip_byte(path, dataset_offset(path, name) + 1);
    EXPECT_NE(why(path), "NO EXCEPTION") << name;
  }
  put_text(path, good);
  flip_byte(path, good.find("abc"));
  EXPECT_SAYS(why(path), "/provenance");
  for (auto const* name : {"step", "workers", "seed"}) {
    put_text(path, good);
    edit(path, [&](hid_t file) {
      std::uint64_t const other = 99;
      hid_t const a = H5Aopen(file, name, H5P_DEFAULT);
      H5Awrite(a, H5T_NATIVE_UINT64, &other);
      H5Aclose(a);
    });
    EXPECT_SAYS(why(path), "seal");
  }
}

// What a field says of another number of workers, what the method is and which problem: nothing that counts is unsealed.
TEST_F(File, ChangedTextsOfTheRootAndOfAFieldAreSeen) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  auto const changed = [&](char const* where, char const* name, char const* text) {
    put_text(path, good);
    edit(path, [&](hid_t file) {
      hid_t const object = H5Oopen(file, where, H5P_DEFAULT);
      EXPECT_GE(H5Adelete(object, name), 0) << where << ' ' << name;
      if (*text != '\0') kaon::h5::write_text(object, name, text, path);
      H5Oclose(object);
    });
    return why(path);
  };
  EXPECT_SAYS(changed("/", "method", "adamw"), "seal");
  EXPECT_SAYS(changed("/", "method", ""), "'method'");
  EXPECT_SAYS(changed("/", "problem", "0123456789012346"), "seal");
  EXPECT_SAYS(changed("/", "problem", ""), "seal");
  EXPECT_SAYS(changed("/workers/G/a", "resize", "copied"), "seal");
  EXPECT_SAYS(changed("/workers/G/a", "resize", ""), "attribute 'resize' of dataset /workers/G/a");
  EXPECT_SAYS(changed("/server/W/b", "of", "/workers/M/a"), "seal");
  EXPECT_SAYS(changed("/server/W/b", "of", ""), "seal");
}

TEST_F(File, FieldsSayHowTheyAreResized) {
  CheckpointFile const file(save(12, true));
  Toy toy(comm, 12, true);
  for (auto const& f : toy.registry()) {
    EXPECT_EQ(file.find(f.path)->rule, kaon::rules::name_of(f.resize)) << f.path;
    EXPECT_EQ(file.find(f.path)->of, f.of) << f.path;
  }
  EXPECT_EQ(file.find("/server/wide")->rule, "refused") << "what says nothing";
}

// One flipped bit anywhere: the file is refused, or nothing that Kaon reads has changed.
TEST_F(File, NoFlippedBitPassesUnseen) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  int refused = 0, harmless = 0;
  for (std::size_t at = 0; at < good.size(); at += at < 6000 ? 7 : 97) {
    auto bad = good;
    bad[at] = static_cast<char>(bad[at] ^ (1 << (at % 8)));
    put_text(path, bad);
    Toy back(comm, 12, true);
    try {
      auto const got = store.load(path, back.registry());
      EXPECT_EQ(back.wrong_bytes(), 0u) << "byte " << at;
      EXPECT_EQ(got.info, back.info()) << "byte " << at;
      ++harmless;
    } catch (InputError const&) {
      EXPECT_TRUE(back.untouched()) << "byte " << at;
      ++refused;
    }
  }
  std::printf("flipped bits: %d refused, %d in unused bytes, of a file of %zu bytes\n", refused, harmless, good.size());
  EXPECT_GT(refused, 50);
}

TEST_F(File, EveryTruncationIsSeen) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  for (std::size_t part = 0; part < 20; ++part) {
    put_text(path, good.substr(0, good.size() * part / 20));
    EXPECT_SAYS(why(path), path);
  }
  put_text(path, good.substr(0, good.size() - 1));
  EXPECT_SAYS(why(path), path);
}

TEST_F(File, WrongMagicNewerVersionAndStrangersAreToldApart) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  edit(path, [](hid_t file) { H5Adelete(file, "format"); });
  EXPECT_SAYS(why(path), "not a Kaon checkpoint");
  put_text(path, good);
  edit(path, [](hid_t file) {
    std::uint64_t const newer = 4;
    hid_t const a = H5Aopen(file, "format_version", H5P_DEFAULT);
    H5Awrite(a, H5T_NATIVE_UINT64, &newer);
    H5Aclose(a);
  });
  EXPECT_SAYS(why(path), "format version 4, this Kaon reads versions up to 3: use a newer Kaon");
  put_text(path, "once upon a time");
  EXPECT_SAYS(why(path), "as HDF5");
  EXPECT_SAYS(why(temp / "absent.h5"), "No such file");
}

TEST_F(File, AnotherStepsFileUnderThisNameIsRefusedAndAnyOtherNameIsFine) {
  auto const seven = save(7, true), twelve = save(12, true);
  put_text(twelve, file_text(seven));
  EXPECT_SAYS(why(twelve), "step-00000012.h5 holds step 7");
  put_text(temp / "step-7.h5", file_text(seven));
  EXPECT_SAYS(why(temp / "step-7.h5"), "cure: step-00000007.h5");
  put_text(temp / "kept.h5", file_text(seven));
  put_text(temp / "step-of-mine.h5", file_text(seven));
  EXPECT_EQ(why(temp / "kept.h5"), "NO EXCEPTION");
  EXPECT_EQ(why(temp / "step-of-mine.h5"), "NO EXCEPTION");
}

TEST_F(File, MissingAndStrangeDatasetsAreNamed) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  edit(path, [](hid_t file) { H5Ldelete(file, "/server/W/b", H5P_DEFAULT); });
  EXPECT_SAYS(why(path), "/server/W/b");
  put_text(path, good);
  edit(path, [](hid_t file) { H5Lmove(file, "/server/W/b", file, "/server/W/c", H5P_DEFAULT, H5P_DEFAULT); });
  EXPECT_SAYS(why(path), "/server/W/b");
  put_text(path, good);
  edit(path, [](hid_t file) {
    hid_t const space = H5Screate(H5S_SCALAR);
    H5Dclose(H5Dcreate2(file, "/server/guest", H5T_IEEE_F32LE, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT));
    H5Sclose(space);
  });
  EXPECT_SAYS(why(path), "/server/guest");
}

/// Makes a dataset of this file anew, as `how` says.
void remake(hid_t file, char const* name, hid_t type, std::vector<hsize_t> const& shape, hid_t how) {
  H5Ldelete(file, name, H5P_DEFAULT);
  hid_t const space =
      shape.empty() ? H5Screate(H5S_SCALAR) : H5Screate_simple(static_cast<int>(shape.size()), shape.data(), nullptr);
  H5Dclose(H5Dcreate2(file, name, type, space, H5P_DEFAULT, how, H5P_DEFAULT));
  H5Sclose(space);
}

TEST_F(File, SizesThatAreOnlyClaimedAreNotBelieved) {
  auto const path = save(12, true);
  auto const good = file_text(path);
  edit(path, [](hid_t file) {
    hid_t const type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, std::size_t(1) << 30);
    remake(file, "/deck", type, {}, H5P_DEFAULT);
    H5Tclose(type);
  });
  EXPECT_SAYS(why(path), "dataset /deck");
  EXPECT_SAYS(why(path), "cut short");
  put_text(path, good);
  edit(path, [](hid_t file) {  // the product of its sizes overflows to 8
    hid_t const how = H5Pcreate(H5P_DATASET_CREATE);
    hsize_t const chunk[] = {1, 8};
    H5Pset_chunk(how, 2, chunk);
    remake(file, "/server/W/b", H5T_IEEE_F64LE, {(hsize_t(1) << 60) + 1, 16}, how);
    H5Pclose(how);
  });
  EXPECT_SAYS(why(path), "dataset /server/W/b");
  EXPECT_SAYS(why(path), "not in one piece of this file");
}

TEST_F(File, DataInAnotherFileAreNotItsOwn) {
  auto const path = save(12, true), other = temp / "other.h5";
  auto const good = file_text(path);
  put_text(other, good);
  edit(path, [&](hid_t file) {
    H5Ldelete(file, "/server/W/b", H5P_DEFAULT);
    H5Lcreate_external(other.c_str(), "/server/W/b", file, "/server/W/b", H5P_DEFAULT, H5P_DEFAULT);
  });
  EXPECT_SAYS(why(path), "dataset /server/W/b (a link)");
  put_text(path, good);
  auto const at = dataset_offset(path, "/server/W/b");
  edit(path, [&](hid_t file) {
    hid_t const how = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_external(how, other.c_str(), static_cast<off_t>(at), 7 * 5 * sizeof(double));
    remake(file, "/server/W/b", H5T_IEEE_F64LE, {7, 5}, how);
    H5Pclose(how);
  });
  EXPECT_SAYS(why(path), "not in one piece of this file");
}

TEST_F(File, ARunOfAnotherShapePrecisionOrSetOfFieldsIsRefusedWithBothValues) {
  auto const path = save(12, true);
  auto const refusal = [&](auto const& change) {
    Toy toy(comm, 12, true);
    change(toy);
    auto const text = message_of<InputError>([&] { store.load(path, toy.registry()); });
    EXPECT_TRUE(toy.untouched());
    return text;
  };
  EXPECT_SAYS(refusal([](Toy& t) { t.field("/server/X/a").shape = {4, 4}; }), "/server/X/a has shape 3×4, this run needs 4×4");
  EXPECT_SAYS(refusal([](Toy& t) { t.field("/server/X/a").type = kaon::ElementType::f64; }),
              "/server/X/a is float32, this run needs float64");
  EXPECT_SAYS(refusal([](Toy& t) { t.field("/server/X/a").path = "/server/X/z"; }), "missing: dataset /server/X/z");
  EXPECT_SAYS(refusal([](Toy& t) { t.registry().pop_back(); }), "/counters/up (1) is not part of this run's state");
}

TEST_F(File, PartsAreReadByBox) {
  auto const path = save(12, true);
  CheckpointFile const file(path);
  Toy toy(comm, 12, true);
  kaon::Part const whole{{0, 0}, {7, 5}}, box{{2, 1}, {3, 2}};
  std::vector<double> all(35), some(6);
  auto const field =
      std::find_if(file.fields().begin(), file.fields().end(), [](auto const& f) { return f.path == "/server/W/b"; });
  file.read(*field, whole, all.data());
  file.read(*field, box, some.data());
  for (std::size_t i = 0; i < 3; ++i)
    for (std::size_t j = 0; j < 2; ++j) EXPECT_EQ(some[i * 2 + j], all[(i + 2) * 5 + j + 1]);
}

}  // namespace
