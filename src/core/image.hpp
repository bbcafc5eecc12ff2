// SPDX-License-Identifier: GPL-2.0-only
// The kernel image: an ELF file that is mapped and relocated, as often as one
// likes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <lkl/contract.h>
#include <lkl/result.hpp>

namespace lkl {

// An open image file. Immutable after open(); any thread may load from it.
class Image {
public:
    // Errors: the errno of open(2); ENOEXEC, when the file is not a
    // position-independent image for this machine, or names a relocation or a
    // symbol that nobody resolves.
    // descriptor: of the open file, which is duplicated; the path is for errors then.
    static Result<Image> open(const std::string& path, int descriptor = -1);

    Image(Image&& other) noexcept;
    Image& operator=(Image&&) = delete;
    ~Image();

    // What it was opened by, for messages.
    const std::string& path() const { return path_; }

    // Bytes from the first to the last address, a multiple of the page size.
    uint64_t size() const { return size_; }

    // Bytes of memory that the kernel's checkers take (LKL_NOTE_CHECKERS_MEMORY); 0 without.
    uint64_t checkers_memory() const { return checkers_memory_; }

    // Maps the image at `base`, a reserved range of size() bytes, and applies its
    // relocations. large_pages: its data is read into large pages of the host in place of
    // being mapped, page by page, when it is touched; the range then is rounded up to
    // LKL_BLOCK_SIZE, and `base` a multiple of that. Errors: ENOMEM, EIO.
    Result<void> load(uintptr_t base, bool large_pages) const;

    // The entry point of an image loaded at `base`.
    lkl_entry_fn entry(uintptr_t base) const;

private:
    struct Segment {
        uint64_t address, file_size, memory_size, offset;
        int protection;
    };

    Image() = default;
    Result<void> parse();
    void read_notes(uint64_t offset, uint64_t size);
    Result<void> map(uintptr_t base, const Segment& segment) const;
    Result<void> read_data(uintptr_t base, uint64_t start) const;
    Result<void> relocate(uintptr_t base) const;
    Error failed(int code, const char* what) const;

    std::string path_;
    int file_ = -1;
    uint64_t size_ = 0;
    uint64_t entry_ = 0;
    uint64_t checkers_memory_ = 0;
    std::vector<Segment> segments_;
    uint64_t relocations_ = 0;       // address of the table
    uint64_t relocations_size_ = 0;  // bytes
    uint64_t packed_ = 0;            // the same for DT_RELR
    uint64_t packed_size_ = 0;
};

}  // namespace lkl
