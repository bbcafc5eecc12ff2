// SPDX-License-Identifier: GPL-2.0-only
// What a loss of power leaves of a disk.
//
// Each request takes effect at one moment between its submission and its completion. For
// each unit of it, that moment is drawn, and whether it takes effect at all, unless that
// was promised. What is left of them is laid over the base in the order of the moments:
// so what completed before another was submitted is never the later of the two, and of
// those that were in flight together either may be.
#include <lkl/record.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <optional>
#include <string>

#include <lkl/disk.hpp>

namespace lkl {

namespace {

constexpr uint64_t sector = 512;

// A well mixed number of the cut's seed and two numbers (the finaliser of splitmix64).
uint64_t draw(uint64_t seed, uint64_t a, uint64_t b) noexcept
{
    uint64_t value = seed + 0x9e3779b97f4a7c15 * (a + 1) + 0xd1b54a32d192ed03 * (b + 1);
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
    value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
    return value ^ (value >> 31);
}

// A part of a request that takes effect as a whole.
struct Effect {
    uint64_t moment = 0;  // in the log
    uint64_t tie = 0;     // between those of one moment
    const BlockRecord* record = nullptr;
    uint64_t offset = 0;  // bytes, on the disk
    uint64_t length = 0;  // bytes
    bool noise = false;   // of a discard: else zeroes
};

class Cut {
public:
    Cut(const BlockLog& log, const PowerCut& cut) : log_(log), cut_(cut)
    {
        for (const BlockRecord& record : log.records()) {
            if (record.op == BlockOp::flush && succeeded(record))
                flushed_ = std::max(flushed_, record.submitted);
        }
        // In sixteenths, what is not promised takes effect.
        constexpr std::array<unsigned, 4> chances{8, 15, 1, 8};
        const uint64_t mood = draw(cut.seed, cut.position, 0);
        chance_ = chances[mood % chances.size()];
        whole_ = mood % chances.size() == 3;
    }

    // What took effect, in order.
    std::vector<Effect> effects() const
    {
        std::vector<Effect> result;
        uint64_t number = 0;
        for (const BlockRecord& record : log_.records()) {
            if (record.submitted >= cut_.position)
                break;
            if (record.op != BlockOp::flush && record.length > 0)
                add(record, ++number, result);
        }
        std::sort(result.begin(), result.end(), [](const Effect& one, const Effect& other) {
            return one.moment != other.moment ? one.moment < other.moment : one.tie < other.tie;
        });
        return result;
    }

private:
    bool completed(const BlockRecord& record) const noexcept
    {
        return record.completed < cut_.position;
    }
    bool succeeded(const BlockRecord& record) const noexcept
    {
        return completed(record) && record.result == 0;
    }
    bool promised(const BlockRecord& record) const noexcept
    {
        return succeeded(record) && (record.durable || record.completed < flushed_);
    }
    uint64_t seed(uint64_t number) const noexcept { return draw(cut_.seed, cut_.position, number); }

    void add(const BlockRecord& record, uint64_t number, std::vector<Effect>& to) const
    {
        const uint64_t seed = this->seed(number);
        const uint64_t end = record.offset + record.length;
        // Of long discards, larger pieces: they are as good as many small ones.
        uint64_t unit = cut_.atomic;
        if (record.op != BlockOp::write)
            unit = std::max(unit, std::bit_ceil(record.length / 256));
        for (uint64_t at = record.offset; at < end;) {
            const uint64_t next = whole_ ? end : std::min(end, (at / unit + 1) * unit);
            if (auto effect = decide(record, seed, at))
                append(*effect, next - at, to);
            at = next;
        }
    }

    // Whether and when the unit that begins there takes effect.
    std::optional<Effect> decide(const BlockRecord& record, uint64_t seed, uint64_t at) const
    {
        const uint64_t fate = draw(seed, at, 0);
        if (!promised(record) && fate % 16 >= chance_)
            return std::nullopt;
        Effect effect;
        if (record.op == BlockOp::discard) {
            if (fate >> 8 & 1)
                return std::nullopt;  // promised or not, the old contents are as good
            effect.noise = (fate >> 9 & 1) != 0;
        }
        const uint64_t last = std::min(record.completed, cut_.position);
        effect.moment = record.submitted + (fate >> 16) % (last - record.submitted);
        effect.tie = fate;
        effect.record = &record;
        effect.offset = at;
        return effect;
    }

    // Together with the unit before, if nothing can come between.
    static void append(Effect& effect, uint64_t length, std::vector<Effect>& to)
    {
        effect.length = length;
        if (!to.empty()) {
            Effect& last = to.back();
            if (last.record == effect.record && last.offset + last.length == effect.offset &&
                last.moment == effect.moment && last.noise == effect.noise) {
                last.length += length;
                return;
            }
        }
        to.push_back(effect);
    }

    const BlockLog& log_;
    const PowerCut cut_;
    uint64_t flushed_ = 0;  // when the last flush was submitted that counts
    unsigned chance_ = 0;
    bool whole_ = false;
};

// A write that completes within submit(), as those of an overlay do.
// NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, never deleted as its base
struct Write final : BlockRequest {
    void complete(int value) noexcept override { result = value; }
    int result = -EIO;
};

class Applier {
public:
    Applier(BlockBackend& disk, uint64_t seed) : disk_(disk)
    {
        for (size_t i = 0; i < noise_.size(); ++i)
            noise_[i] = draw(seed, i, 1);
    }

    bool apply(const Effect& effect)
    {
        const std::vector<std::byte>& data = effect.record->data;
        if (effect.record->op == BlockOp::write)
            return write(effect.offset, data.data() + (effect.offset - effect.record->offset),
                         effect.length);
        const auto& fill = effect.noise ? noise_ : zeroes_;
        for (uint64_t done = 0; done < effect.length;) {
            const uint64_t part = std::min<uint64_t>(sizeof fill, effect.length - done);
            if (!write(effect.offset + done, reinterpret_cast<const std::byte*>(fill.data()), part))
                return false;
            done += part;
        }
        return true;
    }

private:
    bool write(uint64_t offset, const std::byte* data, uint64_t length)
    {
        iovec buffer{const_cast<std::byte*>(data), length};
        Write request;
        request.op = BlockOp::write;
        request.offset = offset;
        request.length = length;
        request.iov = {&buffer, 1};
        BlockRequest* const one = &request;
        disk_.submit({&one, 1});
        return request.result == 0;
    }

    BlockBackend& disk_;
    std::array<uint64_t, 8192> zeroes_{};
    std::array<uint64_t, 8192> noise_{};
};

Result<void> check(const BlockBackend* base, const BlockLog& log, const PowerCut& cut)
{
    if (!base)
        return Error{EINVAL, "power cut: there is no disk"};
    if (cut.position > log.position())
        return Error{EINVAL, "power cut: the log ends at " + std::to_string(log.position())};
    if (cut.atomic < sector || cut.atomic > 4096 || !std::has_single_bit(cut.atomic))
        return Error{EINVAL, "power cut: the atomic unit is none of 512 to 4096"};
    const uint64_t capacity = base->info().capacity;
    for (const BlockRecord& record : log.records()) {
        if (record.offset > capacity || record.length > capacity - record.offset)
            return Error{EINVAL, "power cut: the log is of a larger disk"};
    }
    return {};
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> make_cut_disk(std::unique_ptr<BlockBackend> base,
                                                    const BlockLog& log, const PowerCut& cut)
{
    if (auto checked = check(base.get(), log, cut); !checked)
        return std::move(checked).error();
    auto disk = make_overlay_disk(std::move(base));
    if (!disk)
        return disk;
    const auto applier = std::make_unique<Applier>(**disk, cut.seed);
    for (const Effect& effect : Cut(log, cut).effects()) {
        if (!applier->apply(effect))
            return Error{ENOMEM, "power cut: no memory for what was written"};
    }
    return disk;
}

}  // namespace lkl
