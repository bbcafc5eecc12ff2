// SPDX-License-Identifier: GPL-2.0-only
// A disk that outlives the kernel's use of it.
#pragma once

#include <memory>
#include <span>
#include <utility>

#include <lkl/block.hpp>

namespace tools {

// Passes everything on. One at a time may be in use for a disk.
class SharedDisk final : public lkl::BlockBackend {
public:
    explicit SharedDisk(std::shared_ptr<lkl::BlockBackend> disk) : disk_(std::move(disk)) {}

    lkl::BlockInfo info() const override { return disk_->info(); }
    void submit(std::span<lkl::BlockRequest* const> requests) noexcept override
    {
        disk_->submit(requests);
    }
    int poll_fd() const noexcept override { return disk_->poll_fd(); }
    size_t reap() noexcept override { return disk_->reap(); }

private:
    const std::shared_ptr<lkl::BlockBackend> disk_;
};

}  // namespace tools
