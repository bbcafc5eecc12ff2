// SPDX-License-Identifier: GPL-2.0-only
// Mutations by what the kernel compares: where it finds a value that is in the input other than
// a number of its own, the number is put in the value's place. A magic number, a command of an
// ioctl or a length is found so that chance would not find in years.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <span>
#include <unordered_map>
#include <vector>

#include "coverage.hpp"
#include "machine.hpp"

namespace lkl::fuzz {

// Used by one thread.
class Hints {
public:
    // Those that libFuzzer's mutations take (hints.cpp).
    static Hints& instance();

    // The target was linked by libFuzzer; nobody else takes them.
    static bool wanted();

    // What the comparisons of an execution say of its input.
    void add(std::span<const uint8_t> input, const std::vector<Comparison>& comparisons);

    // Takes an input into `data`, which has room for `most` bytes; 0: there is none. By turns
    // the last that came, so that what was just found leads on, and the first, so that none
    // waits for ever.
    size_t take(uint8_t* data, size_t most);

private:
    void add(std::span<const uint8_t> input, uint64_t value, uint64_t constant, size_t width);

    std::deque<std::vector<uint8_t>> inputs_;
    bool newest_ = false;
    std::unordered_map<uint64_t, unsigned> tries_;  // by place in the code and constant
};

// Runs an input on a target, which has run(input) and machine(). One that reaches something
// new is run once more for its hints.
template <typename Target>
void run_with_hints(Target& target, std::span<const uint8_t> input)
{
    target.run(input);
    Machine& machine = target.machine();
    if (!machine.reached_new() || !Hints::wanted() || !machine.watch_comparisons())
        return;
    target.run(input);
    Hints::instance().add(input, machine.comparisons());
}

}  // namespace lkl::fuzz
