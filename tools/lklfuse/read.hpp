// SPDX-License-Identifier: GPL-2.0-only
// Reading the data of an open file.
#pragma once

#include <cstddef>

#include <fuse_lowlevel.h>
#include <sys/types.h>

namespace tools::lklfuse {

class FileSystem;

struct ReadData {
    std::byte* bytes;  // of the calling thread, until it reads again
    long result;       // how many, up to the end of the file; or a negative errno
};

// size: at most `most_read`. An error counts for all that was asked for: the host's
// kernel would take what is missing for zeroes.
ReadData read_file(FileSystem& fs, fuse_ino_t ino, long file, size_t size, off_t offset);

}  // namespace tools::lklfuse
