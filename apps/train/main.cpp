#include <kaon/run/train_main.hpp>

#include <kaon_build_info.hpp>

int main(int argc, char** argv) {
  return kaon::train_main(argc, argv, {.build = {KAON_VERSION, KAON_GIT_HASH, KAON_COMPILER, KAON_BUILD_FLAGS}});
}
