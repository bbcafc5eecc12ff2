// SPDX-License-Identifier: GPL-2.0-only
// Whether a flush of the back end would have something to do.
#pragma once

#include <atomic>
#include <cstdint>

namespace lkl::virtio {

// Counts changes of the disk that are complete and not durable. A change that completes
// while a flush is on its way is not covered by it.
class Unflushed {
public:
    // A change is complete; before the driver can know.
    void changed() noexcept { changes_.fetch_add(1); }
    // The changes that a flush covers which is submitted from here on.
    uint64_t changes() const noexcept { return changes_.load(); }
    // It has completed with 0.
    void flushed(uint64_t changes) noexcept
    {
        uint64_t before = flushed_.load();
        while (before < changes && !flushed_.compare_exchange_weak(before, changes)) {}
    }
    bool any() const noexcept { return flushed_.load() != changes_.load(); }

private:
    std::atomic<uint64_t> changes_{0};
    std::atomic<uint64_t> flushed_{0};
};

}  // namespace lkl::virtio
