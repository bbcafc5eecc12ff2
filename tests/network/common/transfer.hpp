// SPDX-License-Identifier: GPL-2.0-only
// Bytes through a TCP connection, all of which are looked at on the other side.
#pragma once

#include <cstdint>
#include <string>

#include "stack.hpp"

namespace lkl::test {

// Where one side listens, and by what address the other reaches it.
struct Place {
    Place(const char* address) : listens(address), reached(address) {}
    Place(std::string listening, std::string reaching)
        : listens(std::move(listening)), reached(std::move(reaching))
    {
    }
    std::string listens;
    std::string reached;
};

// `bytes` from one stack to the other, where the connection is made to. Empty, or what
// went wrong.
std::string transfer(Stack& from, Stack& to, const Place& place, uint64_t bytes);

// Single bytes there and back; empty, or what went wrong.
std::string ping_pong(Stack& from, Stack& to, const Place& place, int times);

}  // namespace lkl::test
