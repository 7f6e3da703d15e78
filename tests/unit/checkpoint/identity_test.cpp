#include "toy.hpp"

#include <kaon/checkpoint/identity.hpp>
#include <kaon/core/error.hpp>

#include <gtest/gtest.h>

namespace {

using namespace kaon;
using namespace kaon::test;

struct Identity : ::testing::Test {
  Communicator comm{MPI_COMM_WORLD};
  TempFolder temp{comm};
};

TEST_F(Identity, ComesBackFromItsFileWhole) {
  RunIdentity id;
  id.run = new_run_id();
  id.parent = Parent{"0123456789abcdef", 4, "/a \"quoted\"\\ folder/step-00000004.h5", "branch"};
  id.earlier = {{"fedcba9876543210", 2}, {"0123456789abcdef", 4}};
  id.created = "2030-01-31T23:59:59Z", id.version = "0.1.0", id.git_hash = "abc";
  id.aside = Aside{"set-aside/x", 4, "{\n  \"run\": 1\n}\n"};
  write_identity(temp.path(), id);
  auto const back = read_identity(temp.path());
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), to_json(id));
  EXPECT_EQ(back->parent->file, id.parent->file);
  EXPECT_EQ(back->aside->before, id.aside->before);
}

TEST_F(Identity, IsNeverTheSameTwice) {
  EXPECT_EQ(new_run_id().size(), 16u);
  EXPECT_NE(new_run_id(), new_run_id());
}

TEST_F(Identity, OwnsItsOwnFilesAndItsPast) {
  RunIdentity id;
  id.run = "b";
  id.earlier = {{"a", 4}};
  EXPECT_TRUE(id.owns("b", 9));
  EXPECT_TRUE(id.owns("a", 4));
  EXPECT_FALSE(id.owns("a", 5)) << "the branch that was left";
  EXPECT_FALSE(id.owns("c", 1));
  EXPECT_TRUE(id.owns("", 9)) << "older than identities";
}

TEST_F(Identity, AFileThatIsNoneIsRefusedWithTheCure) {
  EXPECT_FALSE(read_identity(temp.path()));
  for (char const* text : {"", "{", "[]", "{\"format\": \"other\"}", "{\"format\": \"kaon-run\", \"format_version\": 99}",
                           "{\"format\": \"kaon-run\", \"format_version\": 1, \"run\": 7}"}) {
    put_text(temp / "run.json", text);
    auto const say = message_of<InputError>([&] { read_identity(temp.path()); });
    EXPECT_SAYS(say, temp / "run.json");
    EXPECT_SAYS(say, "move it away");
  }
}

TEST_F(Identity, ProvenanceNamesRunAndParent) {
  RunIdentity id;
  id.run = "b";
  std::map<std::string, std::string> provenance;
  EXPECT_EQ(run_in(provenance), "");
  to_provenance(id, provenance);
  EXPECT_EQ(provenance.count("parent"), 0u);
  id.parent = Parent{"a", 4, "f", "branch"};
  to_provenance(id, provenance);
  EXPECT_EQ(run_in(provenance), "b");
  EXPECT_EQ(provenance["parent"], "a at step 4");
}

}  // namespace
