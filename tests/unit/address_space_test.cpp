// SPDX-License-Identifier: GPL-2.0-only
// The kernel's addresses and the memory file behind them.
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <platform/posix/address_space.hpp>

namespace lkl::test {
namespace {

using posix::AddressSpace;

constexpr uint64_t page = AddressSpace::page_size;
constexpr uint64_t block = AddressSpace::block_size;

class Space : public testing::Test {
protected:
    void SetUp() override
    {
        auto created = AddressSpace::create(3 * page, 16 * block);
        ASSERT_TRUE(created) << created.error().what;
        space = *std::move(created);
    }
    char* memory(uint64_t offset) const { return at(space.memory() + offset); }
    char* at(uintptr_t address) const { return reinterpret_cast<char*>(address); }
    uint64_t physical(uint64_t offset) const { return space.memory() - space.image() + offset; }

    AddressSpace space;
};

// An error, and no SIGXFSZ.
TEST(SpaceLimits, MemoryBeyondTheLimitForFilesIsAnError)
{
    rlimit before{};
    ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit limit{16 * block - 1, before.rlim_max};
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto refused = AddressSpace::create(3 * page, 16 * block);
    const auto created = AddressSpace::create(3 * page, 15 * block);
    ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &before), 0);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, EFBIG);
    EXPECT_TRUE(created) << created.error().what;
}

TEST_F(Space, ImageAndMemoryStartAtBlocks)
{
    EXPECT_EQ(space.image() % block, 0u);
    EXPECT_EQ(space.memory() % block, 0u);
    EXPECT_EQ(space.memory_end() - space.memory(), 16 * block);
    // What is left before and behind memory can be read past its end.
    EXPECT_EQ(*at(space.image() + 3 * page), 0);
    EXPECT_EQ(*memory(-1ull), 0);
    EXPECT_EQ(*at(space.memory_end()), 0);
}

// So that a debugger comes from a kernel's stack to that of a thread that begins later.
TEST_F(Space, WhatIsMappedLaterLiesAbove)
{
    // Larger than a gap that was there before.
    constexpr uint64_t size = 8ull << 30;
    void* const stack =
        mmap(nullptr, size, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ASSERT_NE(stack, MAP_FAILED);
    EXPECT_GT(reinterpret_cast<uintptr_t>(stack), space.memory_end());
    munmap(stack, size);
}

TEST_F(Space, MapsMemoryASecondTime)
{
    std::strcpy(memory(5 * page), "first");
    ASSERT_EQ(space.map(space.vmalloc_start(), physical(5 * page), page, PROT_READ | PROT_WRITE),
              0);
    EXPECT_STREQ(at(space.vmalloc_start()), "first");
    std::strcpy(at(space.vmalloc_start()), "second");
    EXPECT_STREQ(memory(5 * page), "second");

    EXPECT_EQ(space.map(space.vmalloc_start(), 0, page, PROT_READ), -EINVAL);
    EXPECT_EQ(space.map(space.vmalloc_start(), physical(16 * block), page, PROT_READ), -EINVAL);
}

TEST_F(Space, PreparedBlocksKeepContentsAndMappings)
{
    std::strcpy(memory(block + 7 * page), "kept");
    ASSERT_EQ(
        space.map(space.vmalloc_start(), physical(block + 7 * page), page, PROT_READ | PROT_WRITE),
        0);
    std::strcpy(at(space.vmalloc_start()) + 100, "kept too");
    const int error = space.prepare(physical(block), 2 * block);
    if (error == -EINVAL || error == -ENOMEM || error == -EAGAIN || error == -EBUSY)
        GTEST_SKIP() << "the host cannot";
    ASSERT_EQ(error, 0);
    EXPECT_STREQ(memory(block + 7 * page), "kept");
    EXPECT_STREQ(memory(block + 7 * page) + 100, "kept too");
    std::strcpy(memory(block + 7 * page), "new");
    EXPECT_STREQ(at(space.vmalloc_start()), "new");
    // Twice does no harm.
    EXPECT_EQ(space.prepare(physical(block), block), 0);
    EXPECT_STREQ(memory(block + 7 * page), "new");
}

TEST_F(Space, DiscardedMemoryReadsAsZeroes)
{
    std::strcpy(memory(0), "kept");
    std::strcpy(memory(block), "gone");
    std::strcpy(memory(2 * block), "kept");
    space.prepare(physical(0), 3 * block);
    space.discard(physical(block), block);
    EXPECT_STREQ(memory(0), "kept");
    EXPECT_STREQ(memory(block), "");
    EXPECT_STREQ(memory(2 * block), "kept");
}

}  // namespace
}  // namespace lkl::test
