#include <kaon/checkpoint/identity.hpp>

#include <kaon/core/error.hpp>
#include <kaon/files/part.hpp>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <sys/random.h>

#include <algorithm>
#include <cerrno>

namespace kaon {
namespace {

using Json = nlohmann::ordered_json;

constexpr char const* run_key = "run";
constexpr char const* parent_key = "parent";
constexpr int version = 1;

/// Other fields of a file of the same version are left alone; a file that another program wrote is none of ours.
RunIdentity from_json(Json const& j) {
  if (j.at("format") != "kaon-run") throw std::runtime_error("its format is not kaon-run");
  if (j.at("format_version") != version)
    throw std::runtime_error(
        fmt::format("its format_version is {}, and this program knows {}", j.at("format_version").dump(), version));
  RunIdentity out;
  out.run = j.at("run");
  if (auto const& p = j.at("parent"); !p.is_null()) out.parent = Parent{p.at("run"), p.at("step"), p.at("file"), p.at("how")};
  for (auto const& e : j.at("earlier")) out.earlier.push_back({e.at("run"), e.at("until")});
  out.created = j.at("created");
  out.version = j.at("kaon");
  out.git_hash = j.at("git");
  if (j.contains("aside")) {
    auto const& a = j.at("aside");
    out.aside = Aside{a.at("folder"), a.at("step"), a.at("before")};
  }
  if (out.run.empty()) throw std::runtime_error("it names no run");
  return out;
}

}  // namespace

bool RunIdentity::owns(std::string const& of, std::uint64_t step) const {
  return of.empty() || of == run ||
         std::any_of(earlier.begin(), earlier.end(), [&](auto const& e) { return e.run == of && step <= e.until; });
}

std::string RunIdentity::describe() const {
  auto const named = [](std::string const& id) { return fmt::format("run {}", id); };
  auto const text = named(run);
  if (!parent) return text;
  auto const of = parent->run.empty() ? parent->file : named(parent->run);
  if (parent->how == "branch") return fmt::format("{}, a branch of {} at step {}", text, of, parent->step);
  if (parent->how == "weights") return fmt::format("{}, begun with the weights of step {} of {}", text, parent->step, of);
  return fmt::format("{}, begun from step {} of {}", text, parent->step, of);
}

std::string new_run_id() {
  std::uint64_t bits = 0;
  for (;;) {
    auto const n = ::getrandom(&bits, sizeof bits, 0);
    if (n == static_cast<ssize_t>(sizeof bits)) return fmt::format("{:016x}", bits);
    if (n >= 0 || errno != EINTR) files::fail("draw a number from", "the system's random numbers", n < 0 ? errno : EIO);
  }
}

std::string to_json(RunIdentity const& i) {
  Json j;
  j["format"] = "kaon-run";
  j["format_version"] = version;
  j["run"] = i.run;
  j["parent"] = nullptr;
  if (i.parent)
    j["parent"] = {{"run", i.parent->run}, {"step", i.parent->step}, {"file", i.parent->file}, {"how", i.parent->how}};
  j["earlier"] = Json::array();
  for (auto const& e : i.earlier) j["earlier"].push_back({{"run", e.run}, {"until", e.until}});
  j["created"] = i.created;
  j["kaon"] = i.version;
  j["git"] = i.git_hash;
  if (i.aside) j["aside"] = {{"folder", i.aside->folder}, {"step", i.aside->step}, {"before", i.aside->before}};
  return j.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";  // paths may be no UTF-8
}

std::optional<RunIdentity> read_identity(std::string const& directory) {
  auto const path = directory + "/" + RunIdentity::file;
  if (!files::identity(path)) return {};
  try {
    return from_json(Json::parse(files::read_all(path)));
  } catch (Error const&) {
    throw;
  } catch (std::exception const& e) {
    throw InputError(
        fmt::format("{} does not say whose run this is: {}; move it away, and the next start makes one from what the "
                    "checkpoints say",
                    path, e.what()));
  }
}

void write_identity(std::string const& directory, RunIdentity const& identity) {
  files::replace(directory + "/" + RunIdentity::file, to_json(identity));
}

void to_provenance(RunIdentity const& identity, std::map<std::string, std::string>& provenance) {
  provenance[run_key] = identity.run;
  if (identity.parent)
    provenance[parent_key] =
        fmt::format("{} at step {}", identity.parent->run.empty() ? "?" : identity.parent->run, identity.parent->step);
}

std::string run_in(std::map<std::string, std::string> const& provenance) {
  auto const it = provenance.find(run_key);
  return it == provenance.end() ? std::string() : it->second;
}

}  // namespace kaon
