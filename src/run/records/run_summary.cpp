#include <kaon/checkpoint/info.hpp>
#include <kaon/files/system.hpp>
#include <kaon/files/utf8.hpp>
#include <kaon/run/records/byte_columns.hpp>
#include <kaon/run/records/run_summary.hpp>

#include <nlohmann/json.hpp>

#include <cstdlib>
#include <exception>

namespace kaon {
namespace {

using Json = nlohmann::ordered_json;
using files::utf8;

/// `start` is what the batch script that began this start calls it, so that the script knows its own summary.
Json opening(RunState const& s) {
  Json out;
  out["state"] = s.state;
  if (s.exit_code) out["exit_code"] = *s.exit_code;
  out["run"] = s.run;
  out["parent"] = s.parent ? Json{{"run", s.parent->run}, {"step", s.parent->step}} : Json();
  char const* const start = std::getenv("KAON_START_ID");
  out["start"] = utf8(start ? start : "");
  out["written"] = utc_now();
  out["steps"] = s.steps;
  out["steps_asked"] = s.steps_asked;
  return out;
}

void close(Json& out, RunState const& s) { out["checkpoint"] = s.checkpoint.empty() ? Json() : Json(utf8(s.checkpoint)); }

Json bytes_of(ByteCount const& c) {
  Json out = Json::object();
  for (auto const& column : byte_columns) out[column.name] = c.*column.of;
  return out;
}

Json phases_of(PhaseSummary const& phases) {
  Json out = Json::object();
  for (std::size_t p = 0; p < phase_count; ++p) out[short_name(static_cast<Phase>(p))] = phases.mean.seconds[p];
  out["exposed"] = phases.exposed;
  return out;
}

/// The names in the order of `phases`, then those that only earlier versions knew.
Json whole_run(EarlierStarts const& taken, Json const& order) {
  Json phases = Json::object();
  for (auto const& [name, ignored] : order.items())
    if (auto const it = taken.phases.find(name); it != taken.phases.end()) phases[name] = it->second;
  for (auto const& [name, seconds] : taken.phases) phases[name] = seconds;
  return {{"starts", taken.starts + 1}, {"seconds_in_steps", taken.seconds_in_steps}, {"phases", std::move(phases)}};
}

Json groups_of(std::vector<RunSummary::Group> const& groups) {
  Json out = Json::object();
  for (auto const& g : groups) {
    Json entry = {{"method", g.method}, {"radius", g.radius}};
    for (auto const& [key, text] :
         {std::pair("norm", &g.norm), {"scale", &g.scale}, {"uplink", &g.uplink}, {"downlink", &g.downlink}})
      if (!text->empty()) entry[key] = *text;
    entry.update(bytes_of(g.bytes));
    out[utf8(g.name)] = std::move(entry);
  }
  return out;
}

Json layers_of(std::vector<RunSummary::Layer> const& layers) {
  Json out = Json::array();
  for (auto const& l : layers)
    out.push_back({{"name", utf8(l.name)}, {"group", utf8(l.group)}, {"rows", l.rows}, {"cols", l.cols}});
  return out;
}

}  // namespace

std::string to_json(RunSummary const& s) {
  Totals const& t = s.totals;
  Json out = opening(s.state);
  out["samples"] = t.samples;
  out["validation_loss"] = s.validation;
  out.update(bytes_of(t.bytes));
  out["ranks"] = s.ranks;
  out["workers"] = s.workers;
  out["precision"] = s.precision;
  out["topology"] = s.topology;
  out["messages"] = s.messages;
  out["seconds_in_steps"] = s.seconds_in_steps;
  out["samples_per_second"] = s.seconds_in_steps > 0 ? Json(static_cast<double>(s.samples_here) / s.seconds_in_steps) : Json();
  out["phases"] = phases_of(s.phases);
  out["whole_run"] = whole_run(with_this_start(s.earlier, s.seconds_in_steps, s.phases), out["phases"]);
  out["groups"] = groups_of(s.groups);
  out["layers"] = layers_of(s.layers);
  out["deck"] = "deck.resolved";
  out["deck_hash"] = s.deck_hash;
  out["log_complete"] = s.log_complete;
  out["warnings"] = Json::array();
  for (auto const& w : s.warnings) out["warnings"].push_back(utf8(w));
  close(out, s.state);
  return out.dump(2) + "\n";
}

std::string to_json(RunState const& state, EarlierStarts const& taken) {
  Json out = opening(state);
  out["whole_run"] = whole_run(taken, phases_of({}));
  close(out, state);
  return out.dump(2) + "\n";
}

EarlierStarts with_this_start(EarlierStarts earlier, double seconds_in_steps, PhaseSummary const& phases) {
  earlier.seconds_in_steps += seconds_in_steps;
  for (std::size_t p = 0; p < phase_count; ++p) earlier.phases[short_name(static_cast<Phase>(p))] += phases.mean.seconds[p];
  earlier.phases["exposed"] += phases.exposed;
  return earlier;
}

EarlierStarts earlier_starts(std::string const& path) {
  EarlierStarts earlier;
  try {
    if (!files::identity(path)) return {};
    auto const before = Json::parse(files::read_all(path));
    Json const& whole = before.contains("whole_run") ? before["whole_run"] : before;  // files of before had one start only
    earlier.phases = whole.at("phases").get<std::map<std::string, double>>();
    earlier.seconds_in_steps = whole.at("seconds_in_steps").get<double>();
    earlier.starts = whole.value("starts", std::int64_t{1});
    return earlier;
  } catch (std::exception const& e) {
    return {0, 0, {}, e.what()};
  }
}

}  // namespace kaon
