#ifndef KAON_APPS_CKPT_SAID_ELSEWHERE_HPP
#define KAON_APPS_CKPT_SAID_ELSEWHERE_HPP

#include <kaon/checkpoint/reader.hpp>

#include <string>

namespace kaon::ckpt {

/// The dataset of the same file that says what this one says, where Kaon has come to keep one of the two alone: X of a layer
/// whose downlink is the identity is W; G_j and G of one whose uplink is are M_j and its mean. Empty: it says something of its
/// own, or is none of these.
std::string said_elsewhere(CheckpointFile const& file, FieldShape const& field);

}  // namespace kaon::ckpt

#endif
