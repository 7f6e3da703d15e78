#include <kaon/step/agreement.hpp>

#include <chrono>
#include <stdexcept>
#include <thread>
#include <utility>

namespace kaon {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

}  // namespace

Agreement::Countdown::Countdown(double seconds) : end(now() + seconds) {}
bool Agreement::Countdown::over() const { return now() > end; }
void Agreement::Countdown::pause() const { std::this_thread::sleep_for(std::chrono::microseconds(200)); }

void Agreement::add(std::size_t count, Bring bring) {
  brought_ = count;
  bring_ = std::move(bring);
}

void Agreement::clear() {
  sum_.mine.assign(shares_ + numbers + brought_, 0.0);
  begun_ = done_ = false;
}

void Agreement::begin(int still, int turned) {
  sum_.mine[shares_] = still;
  sum_.mine[shares_ + 1] = turned;
  if (bring_) bring_(std::span<double>(sum_.mine).subspan(shares_ + numbers));
  comm_.begin_sum(sum_);
  begun_ = true;
}

void Agreement::post_trouble(Exit code, std::string text) {
  require(!begun_, "Agreement: trouble comes before the step's sum is begun");
  said_ = std::to_string(static_cast<int>(code)) + ' ' + std::move(text);
  sum_.mine[shares_ + 2] = 1;
  comm_.begin_sum(sum_);
  begun_ = true;
}

bool Agreement::done() {
  if (done_ || !begun_) return done_;
  int flag = 0;
  KAON_MPI(MPI_Test(&sum_.request, &flag, MPI_STATUS_IGNORE));
  done_ = flag != 0;
  return done_;
}

bool Agreement::trouble() { return done() && sum_.total[shares_ + 2] > 0; }

void Agreement::tell() const {
  for (auto const& said : comm_.gather(said_))
    if (!said.empty()) {
      auto const space = said.find(' ');
      throw_as(static_cast<Exit>(std::stoi(said.substr(0, space))), said.substr(space + 1));
    }
  throw std::logic_error("kaon: Agreement: no rank is in trouble");
}

void throw_as(Exit code, std::string const& text) {
  switch (code) {
    case Exit::usage:
      throw UsageError(text);
    case Exit::bad_input:
      throw InputError(text);
    case Exit::numerical:
      throw NumericalError(text);
    case Exit::io:
      throw IoError(text);
    default:
      throw std::runtime_error(text);
  }
}

Exit code_of(std::exception const& e) {
  auto const* const known = dynamic_cast<Error const*>(&e);
  return known ? known->code() : Exit{};
}

}  // namespace kaon
