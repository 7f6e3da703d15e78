#include <kaon/deck/synonyms.hpp>

#include <algorithm>
#include <iterator>

namespace kaon {

namespace {

struct Synonym {
  std::string_view word;  // lower case, without - and _
  std::string_view key;   // "group.…": of the group that the word was written in
};

// clang-format off
constexpr Synonym table[] = {
    {"lr", "group.radius"}, {"learningrate", "group.radius"}, {"stepsize", "group.radius"},
    {"momentum", "group.beta"}, {"mu", "group.beta"}, {"beta1", "group.beta"},
    {"wd", "group.weight_decay"}, {"decay", "group.weight_decay"}, {"l2", "group.weight_decay"},
    {"compressor", "group.uplink"}, {"compression", "group.uplink"}, {"nssteps", "group.polar_steps"},
    {"newtonschulzsteps", "group.polar_steps"},
    {"scheduler", "optimizer.schedule"}, {"lrscheduler", "optimizer.schedule"}, {"lrschedule", "optimizer.schedule"},
    {"warmup", "optimizer.warmup_steps"}, {"warmupiters", "optimizer.warmup_steps"}, {"minlr", "optimizer.schedule_floor"},
    {"numworkers", "optimizer.workers"}, {"nworkers", "optimizer.workers"}, {"clients", "optimizer.workers"},
    {"batchsize", "gpt.batch"}, {"bs", "gpt.batch"}, {"gradientaccumulationsteps", "gpt.micro_batches"},
    {"gradaccum", "gpt.micro_batches"}, {"accumulation", "gpt.micro_batches"},
    {"blocksize", "gpt.context"}, {"seqlen", "gpt.context"}, {"sequencelength", "gpt.context"}, {"maxseqlen", "gpt.context"},
    {"nctx", "gpt.context"}, {"nlayer", "gpt.layers"}, {"nlayers", "gpt.layers"}, {"numlayers", "gpt.layers"},
    {"depth", "gpt.layers"}, {"nhead", "gpt.heads"}, {"nheads", "gpt.heads"}, {"numheads", "gpt.heads"},
    {"nembd", "gpt.width"}, {"dmodel", "gpt.width"}, {"hiddensize", "gpt.width"}, {"embeddim", "gpt.width"},
    {"vocabsize", "gpt.vocab"}, {"tieweights", "gpt.tied"}, {"tiedembeddings", "gpt.tied"},
    {"maxsteps", "run.steps"}, {"maxiters", "run.steps"}, {"iterations", "run.steps"}, {"numiterations", "run.steps"},
    {"trainsteps", "run.steps"}, {"totalsteps", "run.steps"}, {"randomseed", "run.seed"}, {"dtype", "run.precision"},
    {"outdir", "run.directory"}, {"outputdir", "run.directory"}, {"output", "run.directory"}, {"folder", "run.directory"},
    {"evalevery", "run.validate_every"}, {"evalinterval", "run.validate_every"}, {"valevery", "run.validate_every"},
    {"loginterval", "run.log_every"}, {"saveevery", "checkpoint.every"}, {"saveinterval", "checkpoint.every"},
    {"checkpointinterval", "checkpoint.every"}, {"ckptevery", "checkpoint.every"},
    {"dataset", "data.train"}, {"corpus", "data.train"}, {"trainfile", "data.train"}, {"trainfiles", "data.train"},
    {"valfile", "data.validation"}, {"valfiles", "data.validation"}, {"valdata", "data.validation"},
};
// clang-format on

}  // namespace

std::string synonym(std::string_view key) {
  auto const dot = key.rfind('.');
  std::string word;
  for (char const c : key.substr(dot + 1))
    if (c != '-' && c != '_') word += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  auto const* const at = std::find_if(std::begin(table), std::end(table), [&](Synonym const& s) { return s.word == word; });
  if (at == std::end(table)) return {};
  constexpr std::string_view group = "group.";
  if (at->key.substr(0, group.size()) != group) return std::string(at->key);
  bool const in_group = dot != std::string_view::npos && key.substr(0, group.size()) == group && dot > group.size();
  return (in_group ? std::string(key.substr(0, dot)) : std::string("group.NAME")) + '.' +
         std::string(at->key.substr(group.size()));
}

}  // namespace kaon
