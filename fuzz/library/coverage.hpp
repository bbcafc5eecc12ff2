// SPDX-License-Identifier: GPL-2.0-only
// Coverage: which code of the kernel an execution has reached, for the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>

#include <lkl/kernel.hpp>
#include <lkl/snapshot.hpp>

namespace lkl::fuzz {

// Of a value with a number that is in the kernel's code, as KCOV tells it.
struct Comparison {
    uint64_t place;  // in the code
    uint64_t constant;
    uint64_t value;
};

// By the kernel's own KCOV (Documentation/dev-tools/kcov.rst): the program counters of
// the calling thread's system calls. They become hit counts of pairs of successive ones,
// in libFuzzer's table of extra counters (__libfuzzer_extra_counters) and, where the
// target was linked by AFL++, in its map.
//
// Used by the thread that makes the calls.
class Coverage {
public:
    // Switches it on for the calling thread, before a snapshot: it is on after each
    // restore. False: this kernel has no KCOV.
    bool start(Kernel& kernel);

    // After the snapshot: the buffers need not come back with it, and would be most of what does.
    void leave_out_of(Snapshot& snapshot);

    // Before an execution. What has been reached until then, by preparations for instance,
    // would take the room of the rest.
    void clear();

    // Adds what was reached since clear() or the last collect(), before the restore that
    // forgets it. True: some of that was not reached before in this process.
    bool collect();

    // Whether the kernel records comparisons (CONFIG_KCOV_ENABLE_COMPARISONS).
    bool compares() const { return comparisons_ != nullptr; }

    // If it does, has it do that from here on instead of recording what is reached, until a
    // restore.
    void watch_comparisons(Kernel& kernel);

    // Adds what was recorded since then or the last time, those that found both equal left out.
    void take_comparisons(std::vector<Comparison>& found);

private:
    // The number of entries, then these, in the kernel's memory. Both are empty before what is
    // to be recorded.
    uint64_t* buffer_ = nullptr;
    uint64_t* comparisons_ = nullptr;
    long trace_ = -1;  // descriptors of the kernel
    long compare_ = -1;
    uint64_t image_ = 0;  // so that addresses are the same in each process
};

}  // namespace lkl::fuzz
