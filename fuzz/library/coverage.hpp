// SPDX-License-Identifier: GPL-2.0-only
// Coverage: which code of the kernel an execution has reached, for the fuzzer.
#pragma once

#include <cstddef>
#include <cstdint>

#include <lkl/kernel.hpp>

namespace lkl::fuzz {

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

    // Before an execution. What has been reached until then, by preparations for instance,
    // would take the room of the rest.
    void clear();

    // Adds what was reached since clear(), before the restore that forgets it.
    void collect();

private:
    uint64_t* buffer_ = nullptr;  // the number of entries, then these
    uint64_t image_ = 0;          // so that addresses are the same in each process
};

}  // namespace lkl::fuzz
