// SPDX-License-Identifier: GPL-2.0-only
#include <core/image.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <lkl/kernel.hpp>

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <platform/posix/mappings.hpp>

#ifndef DT_RELR
#define DT_RELRSZ 35
#define DT_RELR 36
#endif

namespace lkl {

namespace {

constexpr uint64_t page_size = 4096;
constexpr uint64_t page_mask = page_size - 1;
constexpr uint64_t largest_image = 1ull << 30;

bool read_at(int file, uint64_t offset, void* to, size_t size)
{
    return ::pread(file, to, size, static_cast<off_t>(offset)) == static_cast<ssize_t>(size);
}

std::string directory_of(const std::string& path)
{
    const size_t slash = path.rfind('/');
    return slash == std::string::npos ? "." : path.substr(0, slash);
}

bool readable(const std::string& path)
{
    return ::access(path.c_str(), R_OK) == 0;
}

}  // namespace

Result<Image> Image::open(const std::string& path, int descriptor)
{
    Image image;
    image.path_ = path;
    image.file_ = descriptor >= 0 ? ::fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
                                  : ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (image.file_ < 0) {
        const int code = errno;
        return Error{code, "kernel image " + path + ": " + std::strerror(code)};
    }
    if (auto parsed = image.parse(); !parsed)
        return std::move(parsed).error();
    return image;
}

Image::Image(Image&& other) noexcept
    : path_(std::move(other.path_)),
      file_(std::exchange(other.file_, -1)),
      size_(other.size_),
      entry_(other.entry_),
      checkers_memory_(other.checkers_memory_),
      segments_(std::move(other.segments_)),
      relocations_(other.relocations_),
      relocations_size_(other.relocations_size_),
      packed_(other.packed_),
      packed_size_(other.packed_size_)
{
}

Image::~Image()
{
    if (file_ >= 0)
        ::close(file_);
}

Result<void> Image::parse()
{
    const auto bad = [this](const char* why) {
        return Error{ENOEXEC, "kernel image " + path_ + ": " + why};
    };

    Elf64_Ehdr header;
    if (!read_at(file_, 0, &header, sizeof header) ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return bad("not an ELF file");
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64 ||
        header.e_type != ET_DYN || header.e_phentsize != sizeof(Elf64_Phdr) ||
        header.e_phnum == 0 || header.e_phnum > 64)
        return bad("not a position-independent x86-64 image");

    std::vector<Elf64_Phdr> headers(header.e_phnum);
    if (!read_at(file_, header.e_phoff, headers.data(), headers.size() * sizeof headers[0]))
        return bad("truncated program headers");

    struct stat status {};
    if (::fstat(file_, &status) != 0)
        return failed(errno, "its size");
    const auto file_size = static_cast<uint64_t>(status.st_size);
    const Elf64_Phdr* dynamic = nullptr;
    for (const Elf64_Phdr& h : headers) {
        if (h.p_type == PT_DYNAMIC)
            dynamic = &h;
        if (h.p_type == PT_NOTE)
            read_notes(h.p_offset, h.p_filesz);
        if (h.p_type != PT_LOAD || h.p_memsz == 0)
            continue;
        if (h.p_memsz > largest_image || h.p_vaddr > largest_image || h.p_filesz > h.p_memsz ||
            (h.p_vaddr & page_mask) != (h.p_offset & page_mask))
            return bad("bad segment");
        if (h.p_filesz > file_size || h.p_offset > file_size - h.p_filesz)
            return bad("cut off");
        int protection = PROT_READ;
        // Data that is read-only after the kernel's initialisation lies in a
        // read-only segment: all that is not code starts out writable.
        protection |= (h.p_flags & PF_X) ? PROT_EXEC : PROT_WRITE;
        segments_.push_back({h.p_vaddr, h.p_filesz, h.p_memsz, h.p_offset, protection});
        size_ = std::max(size_, (h.p_vaddr + h.p_memsz + page_mask) & ~page_mask);
    }
    entry_ = header.e_entry;
    if (segments_.empty() || entry_ >= size_ || !dynamic)
        return bad("no loadable segments");

    if (dynamic->p_filesz > page_size)
        return bad("bad dynamic section");
    std::vector<Elf64_Dyn> entries(dynamic->p_filesz / sizeof(Elf64_Dyn));
    if (!read_at(file_, dynamic->p_offset, entries.data(), entries.size() * sizeof entries[0]))
        return bad("truncated dynamic section");
    for (const Elf64_Dyn& d : entries) {
        switch (d.d_tag) {
        case DT_RELA:
            relocations_ = d.d_un.d_ptr;
            break;
        case DT_RELASZ:
            relocations_size_ = d.d_un.d_val;
            break;
        case DT_RELR:
            packed_ = d.d_un.d_ptr;
            break;
        case DT_RELRSZ:
            packed_size_ = d.d_un.d_val;
            break;
        case DT_NEEDED:
        case DT_JMPREL:
        case DT_TEXTREL:
            return bad("needs a dynamic linker");
        default:
            break;
        }
    }
    const auto outside = [this](uint64_t at, uint64_t size) {
        return size > size_ || at > size_ - size;
    };
    if (outside(relocations_, relocations_size_) || outside(packed_, packed_size_))
        return bad("bad relocation table");
    return {};
}

void Image::read_notes(uint64_t offset, uint64_t size)
{
    struct {
        Elf64_Nhdr header;
        char name[sizeof LKL_NOTE_NAME];
        uint64_t value;
    } note;
    static_assert(sizeof note == sizeof(Elf64_Nhdr) + sizeof LKL_NOTE_NAME + sizeof(uint64_t));
    const uint64_t end = offset + size;
    const auto aligned = [](uint64_t n) { return (n + 3) & ~3ull; };
    while (end - offset >= sizeof note && read_at(file_, offset, &note, sizeof note)) {
        const Elf64_Nhdr& header = note.header;
        if (header.n_type == LKL_NOTE_CHECKERS_MEMORY && header.n_namesz == sizeof note.name &&
            header.n_descsz == sizeof note.value &&
            std::memcmp(note.name, LKL_NOTE_NAME, sizeof note.name) == 0)
            checkers_memory_ = note.value;
        offset += sizeof header + aligned(header.n_namesz) + aligned(header.n_descsz);
        if (offset > end)
            break;
    }
}

Error Image::failed(int code, const char* what) const
{
    return {code, "kernel image " + path_ + ": " + what + ": " + std::strerror(code)};
}

Result<void> Image::load(uintptr_t base, bool large_pages) const
{
    // Data begins with a block where it is to be in large pages.
    uint64_t code_end = 0;
    uint64_t data = size_;
    for (const Segment& s : segments_) {
        if (s.protection & PROT_WRITE)
            data = std::min(data, s.address);
        else
            code_end = std::max(code_end, s.address + s.memory_size);
    }
    large_pages = large_pages && data % LKL_BLOCK_SIZE == 0 && data >= code_end && data < size_;

    for (const Segment& s : segments_) {
        if (large_pages && (s.protection & PROT_WRITE))
            continue;
        if (auto mapped = map(base, s); !mapped)
            return mapped;
    }
    if (large_pages) {
        if (auto read = read_data(base, data); !read)
            return read;
    }
    return relocate(base);
}

Result<void> Image::map(uintptr_t base, const Segment& s) const
{
    const uint64_t start = s.address & ~page_mask;
    const uint64_t file_end = s.address + s.file_size;
    const uint64_t end = (s.address + s.memory_size + page_mask) & ~page_mask;
    const uint64_t mapped_end = (file_end + page_mask) & ~page_mask;
    void* const at = posix::pointer(base + start);
    if (s.file_size != 0 && ::mmap(at, mapped_end - start, s.protection, MAP_PRIVATE | MAP_FIXED,
                                   file_, static_cast<off_t>(s.offset & ~page_mask)) == MAP_FAILED)
        return failed(errno, "mapping a segment");
    if (end > mapped_end &&
        ::mmap(posix::pointer(base + mapped_end), end - mapped_end, s.protection,
               MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
        return failed(errno, "mapping a segment");
    if (s.file_size != s.memory_size && mapped_end > file_end && (s.protection & PROT_WRITE))
        std::memset(posix::pointer(base + file_end), 0, mapped_end - file_end);
    return {};
}

// All segments of data, from address `start` on.
Result<void> Image::read_data(uintptr_t base, uint64_t start) const
{
    const uint64_t end = (size_ + LKL_BLOCK_SIZE - 1) & ~(LKL_BLOCK_SIZE - 1);
    void* const at = posix::pointer(base + start);
    if (::mmap(at, end - start, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
               0) == MAP_FAILED)
        return failed(errno, "memory for data");
    // Where the host has none, small ones do.
    ::madvise(at, end - start, MADV_HUGEPAGE);
    for (const Segment& s : segments_) {
        errno = EIO;
        if ((s.protection & PROT_WRITE) &&
            !read_at(file_, s.offset, posix::pointer(base + s.address), s.file_size))
            return failed(errno, "reading data");
    }
    return {};
}

Result<void> Image::relocate(uintptr_t base) const
{
    // False: not a word of the image.
    const auto add_base = [&](uint64_t offset, uint64_t value) {
        if (offset > size_ - sizeof value)
            return false;
        *reinterpret_cast<uint64_t*>(posix::pointer(base + offset)) = base + value;
        return true;
    };
    const auto* table = reinterpret_cast<const Elf64_Rela*>(posix::pointer(base + relocations_));
    for (uint64_t i = 0; i < relocations_size_ / sizeof *table; ++i) {
        const Elf64_Rela& r = table[i];
        if (ELF64_R_TYPE(r.r_info) != R_X86_64_RELATIVE ||
            !add_base(r.r_offset, static_cast<uint64_t>(r.r_addend)))
            return failed(ENOEXEC, "unknown relocation");
    }

    // DT_RELR: an even word is the address of a word to relocate, an odd one a bit
    // map of the 63 words that follow the last.
    const auto* packed = reinterpret_cast<const uint64_t*>(posix::pointer(base + packed_));
    const auto move = [&](uint64_t offset) {
        return offset <= size_ - sizeof *packed &&
               add_base(offset, *reinterpret_cast<uint64_t*>(posix::pointer(base + offset)));
    };
    uint64_t next = 0;
    for (uint64_t i = 0; i < packed_size_ / sizeof *packed; ++i) {
        uint64_t entry = packed[i];
        bool good = true;
        if ((entry & 1) == 0) {
            good = move(entry);
            next = entry + sizeof entry;
        } else {
            for (uint64_t at = next; (entry >>= 1) != 0; at += sizeof entry)
                good = good && (!(entry & 1) || move(at));
            next += 63 * sizeof entry;
        }
        if (!good)
            return failed(ENOEXEC, "bad relocation");
    }
    return {};
}

lkl_entry_fn Image::entry(uintptr_t base) const
{
    return reinterpret_cast<lkl_entry_fn>(posix::pointer(base + entry_));
}

std::string default_kernel_image()
{
    if (const char* path = ::secure_getenv("LKL_KERNEL_IMAGE"); path && *path)
        return path;

    Dl_info info;
    if (::dladdr(reinterpret_cast<void*>(&default_kernel_image), &info) && info.dli_fname) {
        const std::string beside = directory_of(info.dli_fname);
        for (const char* relative : {"/lkl/vmlinux", "/../lib/lkl/vmlinux"}) {
            if (readable(beside + relative))
                return beside + relative;
        }
    }
    // Linked statically into a program: argv[0] may be relative to anything.
    char program[4096];
    const ssize_t n = ::readlink("/proc/self/exe", program, sizeof program);
    if (n > 0 && static_cast<size_t>(n) < sizeof program) {
        const std::string beside = directory_of(std::string(program, static_cast<size_t>(n)));
        if (readable(beside + "/../lib/lkl/vmlinux"))
            return beside + "/../lib/lkl/vmlinux";
    }
    return LKL_IMAGE_INSTALL_PATH;
}

}  // namespace lkl
