// SPDX-License-Identifier: GPL-2.0-only
// Base64 (RFC 4648), of data of a known size.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace lkl::netlink {

std::string to_base64(std::span<const uint8_t> bytes);

// Fills all of `bytes`; false where the text is not the one that to_base64() gives for
// this many.
bool from_base64(std::string_view text, std::span<uint8_t> bytes);

}  // namespace lkl::netlink
