#ifndef KAON_MPI_PATIENCE_HPP
#define KAON_MPI_PATIENCE_HPP

namespace kaon {

/// How to wait for messages. MPI's own blocking calls spin, which starves the other ranks of a host that runs more ranks and
/// threads than cores.
enum class Waiting {
  spin,   ///< test again at once, and yield the core now and then: every rank has a core of its own
  yield,  ///< yield the core after every test, and sleep a little when it takes long
};

/// The default is yield.
void set_waiting(Waiting how);
Waiting waiting();

/// This thread yields from now on, whatever the others do: it works beside them and has no core of its own.
void always_yield_here();

/// One wait: pause() between two tests.
class Patience {
 public:
  void pause();

 private:
  int pauses_ = 0;
};

}  // namespace kaon

#endif
