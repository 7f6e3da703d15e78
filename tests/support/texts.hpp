#ifndef KAON_SUPPORT_TEXTS_HPP
#define KAON_SUPPORT_TEXTS_HPP

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace kaon::test {

/// Every one of `parts` must stand in `message`.
inline void expect_parts(std::string const& message, std::vector<std::string> const& parts) {
  for (auto const& part : parts)
    EXPECT_NE(message.find(part), std::string::npos) << "'" << part << "' is missing in: " << message;
}

}  // namespace kaon::test

#endif
