// SPDX-License-Identifier: GPL-2.0-only
// An image and a library of different versions of the contract refuse each other.
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include <elf.h>

#include <core/image.hpp>
#include <lkl/contract.h>
#include <platform/posix/address_space.hpp>

#include <support/kernel.hpp>
#include <unit/temp_file.hpp>

namespace lkl::test {
namespace {

// A copy of the image under test that has other code where it is entered.
class PatchedImage {
public:
    explicit PatchedImage(const std::vector<unsigned char>& code) : file_(0)
    {
        std::ifstream in(default_kernel_image(), std::ios::binary);
        std::vector<unsigned char> image{std::istreambuf_iterator<char>(in), {}};
        EXPECT_GT(image.size(), sizeof(Elf64_Ehdr));
        Elf64_Ehdr header;
        std::memcpy(&header, image.data(), sizeof header);
        bool found = false;
        for (size_t i = 0; i < header.e_phnum; ++i) {
            Elf64_Phdr segment;
            std::memcpy(&segment, image.data() + header.e_phoff + i * sizeof segment,
                        sizeof segment);
            if (segment.p_type != PT_LOAD || header.e_entry < segment.p_vaddr ||
                header.e_entry + code.size() > segment.p_vaddr + segment.p_filesz)
                continue;
            std::memcpy(image.data() + segment.p_offset + (header.e_entry - segment.p_vaddr),
                        code.data(), code.size());
            found = true;
        }
        EXPECT_TRUE(found) << "no code at the entry point";
        file_.write(0, image);
    }
    const std::string& path() const { return file_.path(); }

private:
    TempFile file_;
};

void expect_refused(const std::string& path)
{
    const auto kernel = Kernel::start({.image = path});
    ASSERT_FALSE(kernel);
    EXPECT_EQ(kernel.error().code, ENOEXEC);
    EXPECT_EQ(kernel.error().what,
              "kernel image " + path + ": made for another version of the library");
}

TEST(Contract, AnImageThatRefusesTheLibraryIsNotStarted)
{
    // mov $-EINVAL, %eax; ret
    const PatchedImage image({0xb8, 0xea, 0xff, 0xff, 0xff, 0xc3});
    expect_refused(image.path());
}

TEST(Contract, AnImageOfAnotherVersionIsNotStarted)
{
    static_assert(offsetof(lkl_kernel_ops, version) == 0);
    // movl $VERSION, (%rdx); xor %eax, %eax; ret
    const PatchedImage image({0xc7, 0x02, LKL_CONTRACT_VERSION + 1, 0, 0, 0, 0x31, 0xc0, 0xc3});
    expect_refused(image.path());
}

TEST(Contract, TheImageRefusesALibraryOfAnotherVersion)
{
    const auto image = Image::open(default_kernel_image());
    ASSERT_TRUE(image) << image.error().what;
    auto space = posix::AddressSpace::create(image->size(), 16ull << 20);
    ASSERT_TRUE(space) << space.error().what;
    ASSERT_TRUE(image->load(space->image(), false));
    const auto entry = image->entry(space->image());

    lkl_host_ops host{};
    lkl_boot_info info{};
    lkl_kernel_ops kernel{};
    const auto fill = [&] {
        host.version = LKL_CONTRACT_VERSION;
        host.size = sizeof host;
        info.size = sizeof info;
        kernel = {};
        kernel.size = sizeof kernel;
        // Of checkers' kernels, which ask for it here.
        host.shadow = [](void*, unsigned long, unsigned long, unsigned long, unsigned long) {
            return -ENOMEM;
        };
    };
    for (unsigned* const what : {&host.version, &host.size, &info.size, &kernel.size}) {
        for (const int change : {-1, 1}) {
            fill();
            *what += static_cast<unsigned>(change);
            EXPECT_EQ(entry(&host, &info, &kernel), -EINVAL);
            EXPECT_EQ(kernel.boot, nullptr);
        }
    }
    // Nothing else is wrong with them.
    fill();
    EXPECT_NE(entry(&host, &info, &kernel), -EINVAL);
}

}  // namespace
}  // namespace lkl::test
