// SPDX-License-Identifier: GPL-2.0-only
// The file system images that figures share, made by mkfs in the run's directory
// when they are first asked for.
#pragma once

#include <cstdint>
#include <string>

namespace bench {

class Run;

// A directory below the run's, made if it is not there.
std::string make_directory(const Run& run, const std::string& name);

// ext4 of 64 MiB with the file "first" of 4 KiB.
std::string small_image(const Run& run);

// ext4 with the file "data" of so many random bytes.
constexpr uint64_t data_size = uint64_t{1} << 30;
std::string data_image(const Run& run, uint64_t size = data_size);
// The same on XFS; needs root.
std::string data_image_xfs(const Run& run);

// ext4 with many_files files of 4 KiB in directories of 100.
constexpr int many_files = 20'000;
std::string many_files_image(const Run& run);
// The same files in a directory of the host.
std::string many_files_tree(const Run& run);

// A file of the host of so many random bytes.
std::string data_file(const Run& run, uint64_t size = data_size);

// An empty ext4 of 256 MiB, or another size, made anew each time.
std::string empty_image(const Run& run, const std::string& name,
                        uint64_t size = uint64_t{256} << 20);

// ext4 of 256 MiB with the file "log" of log_size bytes, in the run's directory or
// another one.
constexpr uint64_t log_size = uint64_t{16} << 20;
std::string writable_image(const std::string& directory);

}  // namespace bench
