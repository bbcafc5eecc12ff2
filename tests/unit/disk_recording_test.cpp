// SPDX-License-Identifier: GPL-2.0-only
// The log of a disk, and what losses of power leave of it.
#include <algorithm>
#include <cerrno>
#include <deque>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include <lkl/disk.hpp>
#include <lkl/record.hpp>

#include "test_disks.hpp"

namespace lkl::test {
namespace {

using Bytes = std::vector<unsigned char>;
constexpr size_t capacity = 64 << 10;
constexpr unsigned char old = 0xb0;
constexpr unsigned tries = 200;  // cuts that differ in their seeds alone

// A recorded disk, the requests of which complete when the test says so.
class DiskRecording : public testing::Test {
protected:
    DiskRecording()
    {
        BlockInfo info;
        info.capacity = capacity;
        info.flush = false;
        info.discard = info.write_zeroes = true;
        held = new HeldDisk(info);
        auto made = make_recording_disk(std::unique_ptr<BlockBackend>(held), log);
        EXPECT_TRUE(made);
        disk = std::move(*made);
    }

    // A request of this disk, submitted. `value`: what is written.
    WaitRequest& submit(BlockOp op, uint64_t offset = 0, size_t length = 0, unsigned char value = 0,
                        bool durable = false)
    {
        std::vector<iovec> buffers;
        if (op == BlockOp::write) {
            data.emplace_back(length, value);
            buffers.push_back({data.back().data(), length});
        }
        WaitRequest& request = buffers.empty() ? requests.emplace_back(op, offset, length)
                                               : requests.emplace_back(op, offset, buffers);
        request.durable = durable;
        BlockRequest* const one = &request;
        disk->submit({&one, 1});
        return request;
    }
    // The same, and it completes.
    void run(BlockOp op, uint64_t offset = 0, size_t length = 0, unsigned char value = 0,
             bool durable = false, int result = 0)
    {
        WaitRequest& request = submit(op, offset, length, value, durable);
        held->finish(held->held() - 1, result);
        EXPECT_EQ(request.wait(), result);
    }
    void write(uint64_t offset, size_t length, unsigned char value)
    {
        run(BlockOp::write, offset, length, value);
    }

    std::unique_ptr<BlockBackend> cut(PowerCut cut)
    {
        auto under = make_memory_disk(std::as_writable_bytes(std::span(base)), {true, "base", 512});
        EXPECT_TRUE(under);
        auto made = make_cut_disk(std::move(*under), log, cut);
        EXPECT_TRUE(made);
        return std::move(*made);
    }
    Bytes bytes(PowerCut where, uint64_t offset = 0, size_t length = capacity)
    {
        const auto left = cut(where);
        Bytes content(length, 0xee);
        EXPECT_EQ(transfer(*left, BlockOp::read, offset, content.data(), length), 0);
        return content;
    }
    // What the sector is found to be over many cuts at the end of the log.
    std::set<unsigned> outcomes(uint64_t offset)
    {
        std::set<unsigned> found;
        for (uint64_t seed = 0; seed < tries; ++seed) {
            const Bytes sector = bytes({log.position(), seed}, offset, 512);
            EXPECT_EQ(sector, Bytes(512, sector[0])) << "a sector is torn";
            found.insert(sector[0]);
        }
        return found;
    }

    Bytes base = Bytes(capacity, old);
    BlockLog log;
    HeldDisk* held = nullptr;
    std::unique_ptr<BlockBackend> disk;
    std::deque<WaitRequest> requests;
    std::deque<Bytes> data;
};

using Set = std::set<unsigned>;

TEST_F(DiskRecording, logs_everything_but_reads)
{
    EXPECT_TRUE(disk->info().flush) << "the guest would not flush";
    write(512, 1024, 7);
    Bytes buffer(512);
    WaitRequest read(BlockOp::read, 0, {{buffer.data(), 512}});
    BlockRequest* const one = &read;
    disk->submit({&one, 1});
    held->finish(0, 0);
    submit(BlockOp::discard, 4096, 8192);
    run(BlockOp::flush, 0, 0, 0, false, -EIO);
    held->finish(0, 0);
    submit(BlockOp::write_zeroes, 0, 512, 0, true);

    ASSERT_EQ(log.records().size(), 4u);
    EXPECT_EQ(log.position(), 7u);
    const BlockRecord& first = log.records()[0];
    EXPECT_EQ(first.op, BlockOp::write);
    EXPECT_EQ(first.offset, 512u);
    EXPECT_EQ(first.length, 1024u);
    EXPECT_EQ(first.data, std::vector(1024, std::byte{7}));
    EXPECT_EQ(first.submitted, 0u);
    EXPECT_EQ(first.completed, 1u);
    const BlockRecord& discard = log.records()[1];
    EXPECT_EQ(discard.op, BlockOp::discard);
    EXPECT_EQ(discard.submitted, 2u);
    EXPECT_EQ(discard.completed, 5u);
    const BlockRecord& flush = log.records()[2];
    EXPECT_EQ(flush.op, BlockOp::flush);
    EXPECT_EQ(flush.submitted, 3u);
    EXPECT_EQ(flush.completed, 4u);
    EXPECT_EQ(flush.result, -EIO);
    const BlockRecord& zeroes = log.records()[3];
    EXPECT_TRUE(zeroes.durable);
    EXPECT_EQ(zeroes.completed, BlockRecord::never);
    held->finish(0, 0);

    log.clear();
    EXPECT_EQ(log.position(), 0u);
    EXPECT_TRUE(log.records().empty());
}

TEST_F(DiskRecording, what_completed_before_a_flush_is_there)
{
    write(0, 512, 1);
    run(BlockOp::flush);
    write(512, 512, 2);
    EXPECT_EQ(outcomes(0), Set({1}));
    EXPECT_EQ(outcomes(512), Set({old, 2}));
    // Before the flush has completed, it promises nothing.
    Set found;
    for (uint64_t seed = 0; seed < tries; ++seed)
        found.insert(bytes({3, seed}, 0, 512)[0]);
    EXPECT_EQ(found, Set({old, 1}));
    EXPECT_EQ(bytes({0, 1}), base) << "from the future";
}

TEST_F(DiskRecording, what_was_in_flight_at_a_flush_may_be_lost)
{
    submit(BlockOp::write, 0, 512, 1);
    run(BlockOp::flush);
    held->finish(0, 0);
    EXPECT_EQ(outcomes(0), Set({old, 1}));
    run(BlockOp::flush);
    EXPECT_EQ(outcomes(0), Set({1}));
}

TEST_F(DiskRecording, durable_writes_need_no_flush)
{
    run(BlockOp::write, 0, 512, 1, true);
    submit(BlockOp::write, 512, 512, 2, true);
    EXPECT_EQ(outcomes(0), Set({1}));
    EXPECT_EQ(outcomes(512), Set({old, 2})) << "has not completed";
    held->finish(0, 0);
    EXPECT_EQ(outcomes(512), Set({2}));
}

TEST_F(DiskRecording, failures_promise_nothing)
{
    run(BlockOp::write, 0, 512, 1, true, -EIO);
    write(512, 512, 2);
    run(BlockOp::flush, 0, 0, 0, false, -EIO);
    EXPECT_EQ(outcomes(0), Set({old, 1}));
    EXPECT_EQ(outcomes(512), Set({old, 2}));
    run(BlockOp::flush);
    EXPECT_EQ(outcomes(0), Set({old, 1}));
    EXPECT_EQ(outcomes(512), Set({2}));
}

TEST_F(DiskRecording, any_of_several_writes_may_be_the_last)
{
    write(0, 512, 1);
    write(0, 512, 2);
    write(0, 512, 3);
    EXPECT_EQ(outcomes(0), Set({old, 1, 2, 3}));
    run(BlockOp::flush);
    write(0, 512, 4);
    write(0, 512, 5);
    EXPECT_EQ(outcomes(0), Set({3, 4, 5}));
    run(BlockOp::write, 0, 512, 6, true);
    EXPECT_EQ(outcomes(0), Set({6})) << "an older write came after a durable one";
}

TEST_F(DiskRecording, writes_in_flight_together_have_no_order)
{
    submit(BlockOp::write, 0, 512, 1);
    submit(BlockOp::write, 0, 512, 2);
    held->finish(0, 0);
    held->finish(0, 0);
    run(BlockOp::flush);
    EXPECT_EQ(outcomes(0), Set({1, 2}));
}

TEST_F(DiskRecording, tears_at_the_atomic_unit)
{
    write(0, 16384, 1);
    bool torn = false;
    for (uint64_t seed = 0; seed < tries; ++seed) {
        const Bytes page = bytes({2, seed}, 0, 4096);
        torn |= page != Bytes(4096, page[0]);
        const Bytes content = bytes({2, seed, 4096}, 0, 16384);
        for (size_t at = 0; at < content.size(); at += 4096)
            EXPECT_EQ(Bytes(4096, content[at]), Bytes(&content[at], &content[at] + 4096));
    }
    EXPECT_TRUE(torn);
}

TEST_F(DiskRecording, a_cut_can_be_repeated)
{
    write(0, 32768, 1);
    write(4096, 32768, 2);
    std::set<Bytes> different;
    for (uint64_t seed = 0; seed < 20; ++seed) {
        const Bytes once = bytes({3, seed});
        EXPECT_EQ(once, bytes({3, seed}));
        different.insert(once);
    }
    EXPECT_GT(different.size(), 15u);
    EXPECT_EQ(base, Bytes(capacity, old)) << "the base was written to";
}

TEST_F(DiskRecording, what_is_left_can_be_written)
{
    write(0, 512, 1);
    run(BlockOp::flush);
    const auto left = cut({4, 1});
    Bytes data(512, 9);
    EXPECT_EQ(transfer(*left, BlockOp::write, 512, data.data(), 512), 0);
    Bytes back(1024);
    EXPECT_EQ(transfer(*left, BlockOp::read, 0, back.data(), 1024), 0);
    EXPECT_EQ(back[0], 1);
    EXPECT_EQ(back[512], 9);
    EXPECT_EQ(base, Bytes(capacity, old));
}

TEST_F(DiskRecording, discards_and_zeroes)
{
    run(BlockOp::write_zeroes, 0, 8192);
    EXPECT_EQ(outcomes(0), Set({old, 0}));
    run(BlockOp::discard, 16384, 8192);
    run(BlockOp::flush);
    EXPECT_EQ(outcomes(0), Set({0}));
    // Old, zeroes, or anything.
    bool was = false;
    bool zero = false;
    bool noise = false;
    for (uint64_t seed = 0; seed < tries; ++seed) {
        const Bytes content = bytes({log.position(), seed}, 16384, 512);
        const bool is_old = content == Bytes(512, old);
        const bool is_zero = content == Bytes(512, 0);
        was |= is_old;
        zero |= is_zero;
        noise |= !is_old && !is_zero;
    }
    EXPECT_TRUE(was && zero && noise);
    // What is written over it counts.
    write(16384, 8192, 3);
    run(BlockOp::flush);
    EXPECT_EQ(outcomes(16384), Set({3}));
}

// Random requests in random order of completion; each outcome is judged by the rules as
// they are written down, request by request.
TEST_F(DiskRecording, agrees_with_the_rules)
{
    std::mt19937 random(11);
    constexpr uint64_t sectors = 6;
    for (unsigned char value = 1; value < 120; ++value) {
        const unsigned kind = random() % 10;
        const uint64_t first = random() % sectors;
        if (kind < 2)
            submit(BlockOp::flush);
        else
            submit(BlockOp::write, first * 512, 512 * (1 + random() % (sectors - first)), value,
                   kind == 2);
        while (held->held() > 0 && random() % 3 != 0)
            held->finish(random() % held->held(), random() % 20 == 0 ? -EIO : 0);
    }
    while (held->held() > 0)
        held->finish(0, 0);

    const auto allowed = [&](uint64_t sector, unsigned char found, uint64_t position) {
        const auto done = [&](const BlockRecord& record) {
            return record.completed < position && record.result == 0;
        };
        const auto promised = [&](const BlockRecord& record) {
            return done(record) &&
                   (record.durable || std::any_of(log.records().begin(), log.records().end(),
                                                  [&](const BlockRecord& flush) {
                                                      return flush.op == BlockOp::flush &&
                                                             done(flush) &&
                                                             record.completed < flush.submitted;
                                                  }));
        };
        const BlockRecord* source = nullptr;  // of what was found; the base completed at 0
        for (const BlockRecord& record : log.records()) {
            if (!record.data.empty() && record.data[0] == std::byte{found})
                source = &record;
        }
        if (source ? source->submitted >= position : found != old)
            return false;
        // Nothing that was promised is later for sure.
        return std::none_of(
            log.records().begin(), log.records().end(), [&](const BlockRecord& record) {
                return record.op == BlockOp::write && record.offset <= sector * 512 &&
                       record.offset + record.length > sector * 512 && promised(record) &&
                       (!source || source->completed < record.submitted);
            });
    };
    for (uint64_t position = 0; position <= log.position(); ++position) {
        for (uint64_t seed = 0; seed < 10; ++seed) {
            const Bytes content = bytes({position, seed}, 0, sectors * 512);
            for (uint64_t sector = 0; sector < sectors; ++sector)
                ASSERT_TRUE(allowed(sector, content[sector * 512], position))
                    << "sector " << sector << ", position " << position << ", seed " << seed;
        }
    }
}

TEST_F(DiskRecording, bad_arguments)
{
    EXPECT_FALSE(make_recording_disk(nullptr, log));
    EXPECT_FALSE(make_cut_disk(nullptr, log, {}));
    write(capacity - 512, 512, 1);
    const auto made = [&](uint64_t size, PowerCut cut) {
        auto under = make_memory_disk(size);
        EXPECT_TRUE(under);
        return make_cut_disk(std::move(*under), log, cut).has_value();
    };
    EXPECT_TRUE(made(capacity, {2, 0}));
    EXPECT_FALSE(made(capacity, {3, 0}));
    EXPECT_FALSE(made(capacity, {2, 0, 256}));
    EXPECT_FALSE(made(capacity, {2, 0, 8192}));
    EXPECT_FALSE(made(capacity, {2, 0, 1000}));
    EXPECT_FALSE(made(capacity / 2, {2, 0}));
}

}  // namespace
}  // namespace lkl::test
