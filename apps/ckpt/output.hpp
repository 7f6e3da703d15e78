#ifndef KAON_APPS_CKPT_OUTPUT_HPP
#define KAON_APPS_CKPT_OUTPUT_HPP

#include <string>

namespace kaon::ckpt {

/// Throws UsageError unless a command that reads `input` may write `out`: nothing stands there, or with `force` a file that is
/// neither the input, by whatever name, nor a Kaon checkpoint. Nothing is ever written into a run's folder `checkpoints`: a run
/// would take it for its own, or clear it away.
void require_free(std::string const& out, std::string const& input, bool force);

/// Whether a path would lead out of the folder that it is put below: a part of it is "..". Backslashes part too, as where other
/// systems unpack an archive.
bool leads_out(std::string const& path);

}  // namespace kaon::ckpt

#endif
