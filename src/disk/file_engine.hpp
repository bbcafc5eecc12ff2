// SPDX-License-Identifier: GPL-2.0-only
// The engines that serve a HostFile. Internal; programs use open_file_disk().
#pragma once

#include <memory>
#include <string>

#include <lkl/block.hpp>
#include <lkl/result.hpp>

#include <disk/host_file.hpp>

namespace lkl::disk {

struct OpenFile {
    std::unique_ptr<HostFile> file;
    BlockInfo info;
    std::string name;  // for error texts
};

// Both take what is in `open`.

// Threads alone. Cannot fail but for memory.
std::unique_ptr<BlockBackend> make_threads_disk(OpenFile& open);

// io_uring. On failure `open` is as before, so that the other engine can have it.
// Errors: ENOSYS (the host does not have it, forbids it, or lacks an operation).
Result<std::unique_ptr<BlockBackend>> make_io_uring_disk(OpenFile& open);

// How many threads may write at once: Linux has one lock for buffered writes to
// a regular file, for which a second thread would only wait.
unsigned writers(const HostFile& file, unsigned threads) noexcept;

}  // namespace lkl::disk
