// SPDX-License-Identifier: GPL-2.0-only
// Images that are damaged are refused with a reason before their code runs.
#include <algorithm>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <vector>

#include <elf.h>

#include <core/image.hpp>

#include <support/kernel.hpp>
#include <unit/temp_file.hpp>

namespace lkl::test {
namespace {

// The bytes of the image under test, to be changed.
class Copy {
public:
    Copy()
    {
        std::ifstream in(default_kernel_image(), std::ios::binary);
        bytes.assign(std::istreambuf_iterator<char>(in), {});
        Elf64_Ehdr header;
        std::memcpy(&header, bytes.data(), sizeof header);
        headers_.resize(header.e_phnum);
        std::memcpy(headers_.data(), bytes.data() + header.e_phoff,
                    headers_.size() * sizeof headers_[0]);
    }

    // Where the file has what is at an address of the image.
    size_t offset_of(uint64_t address) const
    {
        for (const Elf64_Phdr& h : headers_) {
            if (h.p_type == PT_LOAD && address >= h.p_vaddr && address < h.p_vaddr + h.p_filesz)
                return h.p_offset + (address - h.p_vaddr);
        }
        throw std::runtime_error("no such address in the image");
    }
    // Where the file ends, as far as it is loaded.
    size_t end() const
    {
        size_t end = 0;
        for (const Elf64_Phdr& h : headers_) {
            if (h.p_type == PT_LOAD)
                end = std::max<size_t>(end, h.p_offset + h.p_filesz);
        }
        return end;
    }
    // The value of an entry of the dynamic section.
    uint64_t dynamic(Elf64_Sxword tag) const
    {
        for (const Elf64_Phdr& h : headers_) {
            for (size_t at = 0; h.p_type == PT_DYNAMIC && at < h.p_filesz;
                 at += sizeof(Elf64_Dyn)) {
                Elf64_Dyn entry;
                std::memcpy(&entry, bytes.data() + h.p_offset + at, sizeof entry);
                if (entry.d_tag == tag)
                    return entry.d_un.d_val;
            }
        }
        throw std::runtime_error("no such entry in the dynamic section");
    }
    void put(uint64_t address, uint64_t value)
    {
        std::memcpy(bytes.data() + offset_of(address), &value, sizeof value);
    }

    std::vector<unsigned char> bytes;

private:
    std::vector<Elf64_Phdr> headers_;
};

void expect_refused(const std::vector<unsigned char>& bytes, const std::string& why)
{
    TempFile file(0);
    file.write(0, bytes);
    const auto kernel = Kernel::start({.image = file.path()});
    ASSERT_FALSE(kernel) << why;
    EXPECT_EQ(kernel.error().code, ENOEXEC);
    EXPECT_TRUE(kernel.error().what.starts_with("kernel image " + file.path() + ": " + why))
        << kernel.error().what;
}

TEST(DamagedImage, CutOffAnywhereItIsRefused)
{
    const Copy copy;
    const auto first = [&](size_t size) {
        return std::vector(copy.bytes.begin(), copy.bytes.begin() + static_cast<ptrdiff_t>(size));
    };
    expect_refused({}, "not an ELF file");
    expect_refused(first(10), "not an ELF file");
    expect_refused(first(sizeof(Elf64_Ehdr)), "truncated program headers");
    for (const size_t size : {size_t{8192}, copy.end() / 2, copy.end() - 4096, copy.end() - 1})
        expect_refused(first(size), "cut off");
    // What follows is for debuggers.
    TempFile whole(0);
    whole.write(0, first(copy.end()));
    EXPECT_TRUE(Kernel::start({.image = whole.path()}));
}

TEST(DamagedImage, RelocationsOutsideOfItAreRefused)
{
    const Copy copy;
    const auto image = Image::open(default_kernel_image());
    ASSERT_TRUE(image) << image.error().what;
    const uint64_t table = copy.dynamic(36);  // DT_RELR
    ASSERT_GE(copy.dynamic(35), 2 * sizeof(uint64_t));

    for (const uint64_t address :
         {uint64_t{image->size()}, image->size() - 6, uint64_t{1} << 40, ~uint64_t{1}}) {
        Copy damaged = copy;
        damaged.put(table, address);
        expect_refused(damaged.bytes, "bad relocation");
    }
    // A bit map that goes on behind the last word, and one that begins far away.
    Copy damaged = copy;
    damaged.put(table, image->size() - sizeof(uint64_t));
    damaged.put(table + sizeof(uint64_t), ~uint64_t{0});
    expect_refused(damaged.bytes, "bad relocation");
}

}  // namespace
}  // namespace lkl::test
