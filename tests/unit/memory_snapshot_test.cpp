// SPDX-License-Identifier: GPL-2.0-only
// Memory comes back as it was, by whichever mapping it was changed, with the host's
// tracking of writes and without.
#include <cstring>
#include <random>
#include <string>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <platform/posix/address_space.hpp>
#include <platform/posix/memory_snapshot.hpp>

namespace lkl::test {
namespace {

using posix::AddressSpace;
using posix::MemorySnapshot;

constexpr uint64_t page = AddressSpace::page_size;
constexpr uint64_t image_pages = 16;
constexpr uint64_t memory_pages = 1024;

// They have plans of their own of the addresses of a process.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool addresses_are_taken = true;
#else
constexpr bool addresses_are_taken = false;
#endif

class MemorySnapshotTest : public testing::TestWithParam<bool> {
protected:
    void SetUp() override
    {
        auto created = AddressSpace::create(image_pages * page, memory_pages * page);
        ASSERT_TRUE(created) << created.error().what;
        space = std::move(*created);
        // Of the image: half is code, half is data.
        ASSERT_NE(::mmap(at(space.image() + 8 * page), 8 * page, PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
                  MAP_FAILED);
    }
    void take()
    {
        auto taken = MemorySnapshot::take(space, GetParam());
        ASSERT_TRUE(taken) << taken.error().what;
        snapshot = std::move(*taken);
        // The machines that run the tests have it.
        EXPECT_EQ(snapshot->tracks_writes(), GetParam());
    }
    size_t restore()
    {
        auto restored = snapshot->restore();
        EXPECT_TRUE(restored) << restored.error().what;
        return restored ? *restored : 0;
    }
    static void* at(uintptr_t address) { return reinterpret_cast<void*>(address); }
    static char& byte(uintptr_t address) { return *static_cast<char*>(at(address)); }

    uint64_t physical(uint64_t number) const { return memory(number) - space.image(); }
    uintptr_t memory(uint64_t number) const { return space.memory() + number * page; }
    uintptr_t window(uint64_t number) const { return space.vmalloc_start() + number * page; }
    int map(uint64_t to, uint64_t from, uint64_t pages, int protection = PROT_READ | PROT_WRITE)
    {
        return space.map(window(to), physical(from), pages * page, protection);
    }

    AddressSpace space;
    std::unique_ptr<MemorySnapshot> snapshot;
};

TEST_P(MemorySnapshotTest, WhatIsLeftOutStays)
{
    ASSERT_EQ(map(3, 7, 2), 0);
    ASSERT_EQ(map(5, 20, 1), 0);
    for (const uint64_t number : {6, 7, 8, 9, 20, 21})
        byte(memory(number)) = 'a';
    take();
    EXPECT_FALSE(snapshot->leave_out(window(6), window(7)));
    EXPECT_FALSE(snapshot->leave_out(window(5), window(7)));
    EXPECT_FALSE(snapshot->leave_out(memory(7), memory(8)));
    EXPECT_FALSE(snapshot->leave_out(window(3) + 1, window(4)));
    EXPECT_FALSE(snapshot->leave_out(window(3), window(3)));
    ASSERT_TRUE(snapshot->leave_out(window(4), window(6)));
    for (char value : {'b', 'c'}) {
        // By either address; between them and beside them the rest.
        byte(window(3)) = byte(window(4)) = byte(window(5)) = value;
        for (const uint64_t number : {6, 9, 21})
            byte(memory(number)) = value;
        restore();
        EXPECT_EQ(byte(memory(8)), value);
        EXPECT_EQ(byte(memory(20)), value);
        for (const uint64_t number : {6, 7, 9, 21})
            EXPECT_EQ(byte(memory(number)), 'a') << number;
        byte(memory(8)) = 'd';
        restore();
        EXPECT_EQ(byte(window(4)), 'd');
    }
}

TEST_P(MemorySnapshotTest, PutsBackWhatWasWrittenAndNothingElse)
{
    byte(memory(5)) = 'a';
    byte(space.image() + 9 * page) = 'i';
    take();
    for (int i = 0; i < 3; ++i) {
        byte(memory(5)) = 'b';
        byte(memory(700) + 77) = 'c';  // a page that there was not
        byte(space.image() + 9 * page) = 'j';
        byte(space.image() + 15 * page) = 'k';
        EXPECT_EQ(restore(), 4u);
        EXPECT_EQ(byte(memory(5)), 'a');
        EXPECT_EQ(byte(memory(700) + 77), 0);
        EXPECT_EQ(byte(space.image() + 9 * page), 'i');
        EXPECT_EQ(byte(space.image() + 15 * page), 0);
    }
}

TEST_P(MemorySnapshotTest, SeesWritesThroughWindows)
{
    ASSERT_EQ(map(10, 20, 4), 0);
    byte(memory(21)) = 'a';
    take();
    for (int i = 0; i < 3; ++i) {
        byte(window(11)) = 'b';
        EXPECT_EQ(byte(memory(21)), 'b');
        restore();
        EXPECT_EQ(byte(window(11)), 'a');
        // One that comes and goes before the restore.
        ASSERT_EQ(map(100, 20, 2), 0);
        byte(window(101)) = 'c';
        space.unmap(window(100), 2 * page);
        restore();
        EXPECT_EQ(byte(memory(21)), 'a');
        // One that there was, and is gone.
        byte(window(11)) = 'd';
        space.unmap(window(10), 4 * page);
        restore();
        EXPECT_EQ(byte(window(11)), 'a');
    }
}

TEST_P(MemorySnapshotTest, PutsMappingsBack)
{
    ASSERT_EQ(map(0, 0, 8), 0);
    ASSERT_EQ(map(8, 100, 1, PROT_READ), 0);
    byte(memory(3)) = '3';
    byte(memory(100)) = 'r';
    take();
    for (int i = 0; i < 3; ++i) {
        space.unmap(window(2), 3 * page);
        ASSERT_EQ(map(3, 50, 1), 0);
        ASSERT_EQ(map(8, 51, 1), 0);
        ASSERT_EQ(map(1000, 60, 10), 0);
        byte(window(3)) = 'x';
        byte(window(8)) = 'y';
        restore();
        EXPECT_EQ(byte(window(3)), '3');
        EXPECT_EQ(byte(window(8)), 'r');
        EXPECT_EQ(byte(memory(50)), 0);
        // What is mapped nowhere, or to be read only, cannot be written: write(2) says so.
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        ASSERT_EQ(::write(ends[1], "zz", 2), 2);
        EXPECT_EQ(::read(ends[0], at(window(8)), 1), -1);
        EXPECT_EQ(::read(ends[0], at(window(1000)), 1), -1);
        ::close(ends[0]);
        ::close(ends[1]);
    }
}

// KFENCE takes pages of the memory away at their own addresses, and gives them back.
TEST_P(MemorySnapshotTest, PagesThatAreTakenAwayKeepTheirContents)
{
    const auto protect = [this](uint64_t number, int protection) {
        ASSERT_EQ(space.map(memory(number), physical(number), page, protection), 0);
    };
    const auto reachable = [this](uint64_t number) {
        // mincore(2) and the like know nothing of protections: write(2) does.
        int ends[2];
        EXPECT_EQ(::pipe(ends), 0);
        const bool read = ::write(ends[1], at(memory(number)), 1) == 1;
        ::close(ends[0]);
        ::close(ends[1]);
        return read;
    };
    for (const uint64_t number : {3, 4, 5, 9})
        byte(memory(number)) = 'a';
    protect(3, PROT_NONE);
    protect(5, PROT_NONE);
    take();
    for (int i = 0; i < 3; ++i) {
        // One stays, one is given back and written, one is taken away after it was written.
        protect(5, PROT_READ | PROT_WRITE);
        EXPECT_EQ(byte(memory(5)), 'a');
        byte(memory(5)) = 'b';
        byte(memory(4)) = 'b';
        byte(memory(9)) = 'b';
        protect(9, PROT_NONE);
        restore();
        EXPECT_FALSE(reachable(3));
        EXPECT_TRUE(reachable(4));
        EXPECT_FALSE(reachable(5));
        ASSERT_TRUE(reachable(9));
        EXPECT_EQ(byte(memory(4)), 'a');
        EXPECT_EQ(byte(memory(9)), 'a');
        std::byte hidden{};
        ASSERT_TRUE(space.read_pages(memory(5), &hidden, 1));
        EXPECT_EQ(hidden, std::byte{'a'});
    }
}

TEST_P(MemorySnapshotTest, SeesWritesOfTheHostsKernel)
{
    ASSERT_EQ(map(0, 10, 1), 0);
    take();
    for (const uintptr_t address : {memory(30), window(0), space.image() + 10 * page}) {
        int ends[2];
        ASSERT_EQ(::pipe(ends), 0);
        ASSERT_EQ(::write(ends[1], "x", 1), 1);
        ASSERT_EQ(::read(ends[0], at(address), 1), 1);
        restore();
        EXPECT_EQ(byte(address), 0);
        ::close(ends[0]);
        ::close(ends[1]);
    }
}

TEST_P(MemorySnapshotTest, DiscardsNothing)
{
    byte(memory(5)) = 'a';
    take();
    space.discard(physical(5), page);
    EXPECT_EQ(byte(memory(5)), 'a');
    snapshot.reset();
    space.discard(physical(5), page);
    EXPECT_EQ(byte(memory(5)), 0);
}

// Blocks that the host has turned into large pages before are put back page by page, and
// none is made while there is a snapshot.
TEST_P(MemorySnapshotTest, SeesWritesToLargePages)
{
    if (space.prepare(physical(0), AddressSpace::block_size) != 0)
        GTEST_SKIP() << "the host has no large pages";
    byte(memory(5)) = 'a';
    take();
    for (int i = 0; i < 3; ++i) {
        byte(memory(5)) = 'b';
        byte(memory(300)) = 'c';
        EXPECT_EQ(space.prepare(physical(512), AddressSpace::block_size), 0);
        byte(memory(600)) = 'd';
        EXPECT_EQ(restore(), 3u);
        EXPECT_EQ(byte(memory(5)), 'a');
        EXPECT_EQ(byte(memory(300)), 0);
        EXPECT_EQ(byte(memory(600)), 0);
    }
}

// A model beside it: whatever happens, all bytes and mappings are as they were.
TEST_P(MemorySnapshotTest, RandomChanges)
{
    std::mt19937 random(1);
    constexpr uint64_t places = 200;  // of the window
    std::vector<uint64_t> mapped(places, 0);
    for (uint64_t i = 0; i < places; ++i) {
        if (random() % 2) {
            mapped[i] = 1 + random() % (memory_pages - 1);
            ASSERT_EQ(map(i, mapped[i], 1), 0);
        }
    }
    for (uint64_t i = 0; i < memory_pages; i += 3)
        byte(memory(i) + 9) = static_cast<char>(random());
    const std::string before(static_cast<char*>(at(space.memory())), memory_pages * page);
    take();
    for (int round = 0; round < 100; ++round) {
        auto now = mapped;
        const unsigned changes = round % 10 == 9 ? 3000 : random() % 50;
        for (unsigned i = 0; i < changes; ++i) {
            const uint64_t place = random() % places;
            switch (random() % 4) {
            case 0:
                space.unmap(window(place), page);
                now[place] = 0;
                break;
            case 1:
                now[place] = 1 + random() % (memory_pages - 1);
                ASSERT_EQ(map(place, now[place], 1), 0);
                break;
            case 2:
                if (now[place])
                    byte(window(place) + random() % page) = static_cast<char>(random());
                break;
            default:
                byte(memory(random() % memory_pages) + random() % page) =
                    static_cast<char>(random());
            }
        }
        restore();
        ASSERT_EQ(std::memcmp(at(space.memory()), before.data(), before.size()), 0) << round;
        for (uint64_t i = 0; i < places; ++i) {
            if (mapped[i]) {
                ASSERT_EQ(byte(window(i) + 9), byte(memory(mapped[i]) + 9)) << round << " " << i;
            }
        }
    }
}

// KASAN's shadow: private memory, of which little exists, with pieces of the kernel's memory
// mapped over it.
class ShadowSnapshotTest : public MemorySnapshotTest {
protected:
    static constexpr uintptr_t whole = 0x100000000000;
    static constexpr uintptr_t own = whole + (512ull << 20);
    static constexpr uint64_t own_size = 64 << 20;

    void SetUp() override
    {
        if (addresses_are_taken)
            GTEST_SKIP() << "there is no place for a shadow";
        MemorySnapshotTest::SetUp();
        ASSERT_EQ(space.shadow(whole, 1ull << 30, own, own_size), 0);
    }
    static uintptr_t shadow(uint64_t number) { return own + number * page; }
    int map_shadow(uint64_t to, uint64_t from, uint64_t pages)
    {
        return space.map(shadow(to), physical(from), pages * page, PROT_READ | PROT_WRITE);
    }
};

TEST_P(ShadowSnapshotTest, PutsBackWhatWasWrittenAndMapped)
{
    byte(shadow(0)) = 'a';
    byte(shadow(5000)) = 'b';
    ASSERT_EQ(map_shadow(100, 7, 2), 0);
    byte(whole) = 'w';  // another kernel's
    take();
    for (int i = 0; i < 3; ++i) {
        byte(shadow(0)) = 'c';
        byte(shadow(9000)) = 'd';  // a page that there was not
        byte(shadow(101)) = 'e';
        EXPECT_EQ(byte(memory(8)), 'e');
        ASSERT_EQ(map_shadow(200, 30, 1), 0);
        byte(shadow(200)) = 'f';
        space.unmap(shadow(5000), page);
        byte(whole) = 'x';
        EXPECT_GE(restore(), 4u);
        EXPECT_EQ(byte(shadow(0)), 'a');
        EXPECT_EQ(byte(shadow(9000)), 0);
        EXPECT_EQ(byte(shadow(101)), 0);
        EXPECT_EQ(byte(memory(8)), 0);
        EXPECT_EQ(byte(shadow(200)), 0);
        EXPECT_EQ(byte(memory(30)), 0);
        EXPECT_EQ(byte(shadow(5000)), 'b');
        EXPECT_EQ(byte(whole), 'x');
        // They are private again, and come back again.
        byte(shadow(200)) = 'g';
        byte(shadow(5000)) = 'h';
        EXPECT_EQ(byte(memory(30)), 0);
        restore();
        EXPECT_EQ(byte(shadow(200)), 0);
        EXPECT_EQ(byte(shadow(5000)), 'b');
    }
}

TEST_P(ShadowSnapshotTest, PutsBackMappingsThatWereThere)
{
    ASSERT_EQ(map_shadow(100, 7, 3), 0);
    byte(memory(8)) = 'a';
    take();
    for (int i = 0; i < 3; ++i) {
        space.unmap(shadow(101), page);
        ASSERT_EQ(map_shadow(102, 40, 1), 0);
        byte(shadow(102)) = 'b';
        restore();
        EXPECT_EQ(byte(shadow(101)), 'a');
        byte(shadow(102)) = 'c';
        EXPECT_EQ(byte(memory(9)), 'c');
        EXPECT_EQ(byte(memory(40)), 0);
        restore();
        EXPECT_EQ(byte(memory(9)), 0);
    }
}

// More pages than are put back each time, so that they are protected anew.
TEST_P(ShadowSnapshotTest, ManyPagesComeBackAndBecomeFewAgain)
{
    for (uint64_t i = 0; i < 100; ++i)
        byte(shadow(3 * i)) = 'a';
    take();
    size_t pages = 0;
    for (const uint64_t count : {10u, 8000u, 10u, 10u}) {
        for (uint64_t i = 0; i < count; ++i)
            byte(shadow(i)) = 'b';
        pages = restore();
        for (uint64_t i = 0; i < count; ++i)
            ASSERT_EQ(byte(shadow(i)), i % 3 == 0 && i < 300 ? 'a' : 0) << i;
    }
    EXPECT_LE(pages, 200u);
}

INSTANTIATE_TEST_SUITE_P(Shadow, ShadowSnapshotTest, testing::Values(true, false),
                         [](const auto& mode) { return mode.param ? "Tracked" : "Compared"; });
INSTANTIATE_TEST_SUITE_P(Host, MemorySnapshotTest, testing::Values(true, false),
                         [](const auto& mode) { return mode.param ? "Tracked" : "Compared"; });

}  // namespace
}  // namespace lkl::test
