// SPDX-License-Identifier: GPL-2.0-only
// BaseImage: an image of a real mkfs, and what an input makes of it.
//
// Inputs are small: they do not hold an image, but name places of it and what comes
// there. Only sectors that hold something count as places, so that an input of a few
// bytes hits metadata rather than empty space.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include <lkl/block.hpp>
#include <lkl/result.hpp>

#include "checksums.hpp"
#include "input.hpp"

namespace lkl::fuzz {

// Not thread safe. Outlives the disk that is made of it.
class BaseImage {
public:
    // Errors: those of open(2); EINVAL, when it is empty. The file must not change.
    static Result<BaseImage> load(const std::string& path);

    // The image as a disk of a kernel, once.
    Result<std::unique_ptr<BlockBackend>> disk();

    // Reads a list of changes off the input and makes them; sometimes, as the input
    // wants, checksums of what was changed are made right.
    //   1 byte    how many changes (the low 6 bits); the highest bit: repair checksums
    //   each:     2 bytes sector (of those that are not empty), 2 bytes place inside,
    //             1 byte length (the low 4 bits), and that many bytes
    void change(Input& input);
    // Takes the changes back. What the kernel has written is not known here, see
    // lkl::Snapshot.
    void undo();
    // All is as in the file, whoever changed it.
    void reset();

private:
    struct Range {
        uint64_t offset;
        size_t length;
    };

    void change_one(Input& input);
    void repair_checksums();

    struct Unmap {
        size_t size;
        void operator()(std::byte* start) const;
    };
    using Mapping = std::unique_ptr<std::byte, Unmap>;

    std::span<std::byte> memory() { return {memory_.get(), memory_.get_deleter().size}; }

    // The file as it is, and a private copy, of which only what changes takes memory.
    Mapping file_;
    Mapping memory_;
    std::vector<uint32_t> sectors_;  // that are not empty
    std::vector<ChecksummedBlock> checksums_;
    std::vector<Range> changed_;
};

}  // namespace lkl::fuzz
