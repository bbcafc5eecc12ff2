// SPDX-License-Identifier: GPL-2.0-only
// A disk that outlives the kernel's use of it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include <lkl/block.hpp>

namespace tools {

// Passes everything on. One at a time may be in use for a disk.
class SharedDisk final : public lkl::BlockBackend {
public:
    // block_size: of its logical blocks at least, bytes; 512 to 4096, a power of two, or 0.
    // What is no whole block at the end is left out.
    explicit SharedDisk(std::shared_ptr<lkl::BlockBackend> disk, uint32_t block_size = 0)
        : disk_(std::move(disk)), block_size_(block_size)
    {
    }

    lkl::BlockInfo info() const override
    {
        lkl::BlockInfo info = disk_->info();
        if (block_size_ > info.logical_block_size) {
            info.logical_block_size = block_size_;
            info.physical_block_size = std::max(info.physical_block_size, block_size_);
            info.capacity -= info.capacity % block_size_;
        }
        return info;
    }
    void submit(std::span<lkl::BlockRequest* const> requests) noexcept override
    {
        disk_->submit(requests);
    }
    int poll_fd() const noexcept override { return disk_->poll_fd(); }
    size_t reap() noexcept override { return disk_->reap(); }

private:
    const std::shared_ptr<lkl::BlockBackend> disk_;
    const uint32_t block_size_;
};

}  // namespace tools
