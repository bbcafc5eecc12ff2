// SPDX-License-Identifier: GPL-2.0-only
// A copy-on-write layer in memory over another disk.
//
// A block of the layer knows for each of its sectors whether it was written, so
// that a write never has to read the base. A read of which a part is in the layer
// goes to the base as a whole, and the written sectors are laid over it when it
// has come back. A read that runs beside a write of the same sectors may find
// either contents, as on any disk.
#include <algorithm>
#include <bitset>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <unordered_map>
#include <vector>

#include <lkl/disk.hpp>

namespace lkl {

namespace {

constexpr uint64_t sector = 512;
constexpr uint64_t block_size = 4096;
constexpr uint64_t sectors_per_block = block_size / sector;

struct Block {
    std::bitset<sectors_per_block> written;
    std::byte data[block_size];
};

class OverlayDisk final : public BlockBackend {
public:
    OverlayDisk(std::unique_ptr<BlockBackend> base, const OverlayOptions& options)
        : base_(std::move(base)), info_(base_->info()), limit_(options.limit / block_size)
    {
        info_.read_only = false;
        info_.flush = false;  // nothing can be made durable
        info_.discard = false;
        info_.write_zeroes = false;
    }

    BlockInfo info() const override { return info_; }
    int poll_fd() const noexcept override { return base_->poll_fd(); }
    size_t reap() noexcept override { return base_->reap(); }
    void submit(std::span<BlockRequest* const> requests) noexcept override;
    bool keep_contents() noexcept override;
    void restore_contents() noexcept override;
    void forget_contents() noexcept override;

private:
    // A read of the base on behalf of a request.
    // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, never deleted as its base
    struct Read final : BlockRequest {
        void complete(int result) noexcept override { owner->finish(*this, result); }

        OverlayDisk* owner = nullptr;
        BlockRequest* request = nullptr;
        Read* next_free = nullptr;
        std::vector<iovec> buffers;  // the base may use up the spans it is given
    };

    enum class Cover : uint8_t { none, part, all };

    Cover cover(uint64_t offset, uint64_t length) const noexcept;
    void lay_over(const BlockRequest& request) noexcept;
    int write(const BlockRequest& request) noexcept;
    Block* writable(uint64_t index) noexcept;
    void note_before(uint64_t index);
    bool start_read(BlockRequest& request, bool merge) noexcept;
    void finish(Read& read, int result) noexcept;

    const std::unique_ptr<BlockBackend> base_;
    BlockInfo info_;
    const uint64_t limit_;  // blocks

    // Guards what follows: reads finish on threads of the base.
    std::mutex mutex_;
    std::unordered_map<uint64_t, std::unique_ptr<Block>> blocks_;
    std::vector<std::unique_ptr<Read>> reads_;
    Read* free_ = nullptr;
    // What blocks were before they changed, since keep_contents(); null: not there.
    bool keeping_ = false;
    std::unordered_map<uint64_t, std::unique_ptr<Block>> before_;

    std::vector<BlockRequest*> batch_;  // submit()'s
};

// Calls f(position on the disk, host address, length) for every piece of the
// request's buffers that lies in one sector, until it returns false.
template <typename F>
bool for_each_piece(const BlockRequest& request, F f)
{
    uint64_t position = request.offset;
    for (const iovec& buffer : request.iov) {
        auto* at = static_cast<std::byte*>(buffer.iov_base);
        for (size_t left = buffer.iov_len; left > 0;) {
            const size_t part = std::min<uint64_t>(left, sector - position % sector);
            if (!f(position, at, part))
                return false;
            position += part;
            at += part;
            left -= part;
        }
    }
    return true;
}

OverlayDisk::Cover OverlayDisk::cover(uint64_t offset, uint64_t length) const noexcept
{
    bool some = false;
    bool all = true;
    if (blocks_.empty())
        return Cover::none;
    for (uint64_t at = offset; at < offset + length && (all || !some);) {
        const auto found = blocks_.find(at / block_size);
        const uint64_t end = std::min(offset + length, (at / block_size + 1) * block_size);
        for (; at < end; at += sector) {
            const bool written =
                found != blocks_.end() && found->second->written[at % block_size / sector];
            some |= written;
            all &= written;
        }
    }
    if (!some)
        return Cover::none;
    return all ? Cover::all : Cover::part;
}

void OverlayDisk::lay_over(const BlockRequest& request) noexcept
{
    uint64_t index = ~0ull;
    const Block* block = nullptr;
    for_each_piece(request, [&](uint64_t position, std::byte* at, size_t length) {
        if (position / block_size != index) {
            index = position / block_size;
            const auto found = blocks_.find(index);
            block = found == blocks_.end() ? nullptr : found->second.get();
        }
        const uint64_t inside = position % block_size;
        if (block && block->written[inside / sector])
            std::memcpy(at, block->data + inside, length);
        return true;
    });
}

Block* OverlayDisk::writable(uint64_t index) noexcept
{
    try {
        if (keeping_)
            note_before(index);
        const auto found = blocks_.find(index);
        if (found != blocks_.end())
            return found->second.get();
        if (blocks_.size() >= limit_)
            return nullptr;
        return blocks_.emplace(index, std::make_unique_for_overwrite<Block>()).first->second.get();
    } catch (const std::bad_alloc&) {
        return nullptr;
    }
}

// Throws std::bad_alloc.
void OverlayDisk::note_before(uint64_t index)
{
    if (before_.contains(index))
        return;
    const auto found = blocks_.find(index);
    before_.emplace(index,
                    found == blocks_.end() ? nullptr : std::make_unique<Block>(*found->second));
}

bool OverlayDisk::keep_contents() noexcept
{
    const std::lock_guard lock(mutex_);
    before_.clear();
    keeping_ = true;
    return true;
}

void OverlayDisk::restore_contents() noexcept
{
    const std::lock_guard lock(mutex_);
    for (auto& [index, block] : before_) {
        if (block)
            *blocks_.find(index)->second = *block;
        else
            blocks_.erase(index);
    }
    before_.clear();
}

void OverlayDisk::forget_contents() noexcept
{
    const std::lock_guard lock(mutex_);
    before_.clear();
    keeping_ = false;
}

int OverlayDisk::write(const BlockRequest& request) noexcept
{
    uint64_t index = ~0ull;
    Block* block = nullptr;
    const bool done = for_each_piece(request, [&](uint64_t position, std::byte* at, size_t length) {
        if (position / block_size != index) {
            index = position / block_size;
            block = writable(index);
        }
        if (!block)
            return false;
        const uint64_t inside = position % block_size;
        std::memcpy(block->data + inside, at, length);
        block->written.set(inside / sector);
        return true;
    });
    return done ? 0 : -ENOSPC;
}

// Adds what the base has to read to batch_. False: out of memory.
bool OverlayDisk::start_read(BlockRequest& request, bool merge) noexcept
{
    try {
        if (!merge) {
            batch_.push_back(&request);
            return true;
        }
        batch_.reserve(batch_.size() + 1);
        if (!free_) {
            reads_.push_back(std::make_unique<Read>());
            reads_.back()->owner = this;
            free_ = reads_.back().get();
        }
        Read& read = *free_;
        read.buffers.assign(request.iov.begin(), request.iov.end());
        free_ = read.next_free;
        read.next_free = nullptr;
        read.op = BlockOp::read;
        read.offset = request.offset;
        read.length = request.length;
        read.iov = read.buffers;
        read.request = &request;
        batch_.push_back(&read);
        return true;
    } catch (const std::bad_alloc&) {
        return false;
    }
}

void OverlayDisk::finish(Read& read, int result) noexcept
{
    BlockRequest& request = *read.request;
    {
        const std::lock_guard lock(mutex_);
        if (result == 0)
            lay_over(request);
        read.next_free = free_;
        free_ = &read;
    }
    request.complete(result);
}

void OverlayDisk::submit(std::span<BlockRequest* const> requests) noexcept
{
    batch_.clear();
    for (BlockRequest* const request : requests) {
        int result = 0;
        switch (request->op) {
        case BlockOp::read: {
            const std::lock_guard lock(mutex_);
            const Cover cover = this->cover(request->offset, request->length);
            if (cover == Cover::all) {
                lay_over(*request);
                break;
            }
            if (start_read(*request, cover == Cover::part))
                continue;
            result = -EIO;
            break;
        }
        case BlockOp::write: {
            const std::lock_guard lock(mutex_);
            result = write(*request);
            break;
        }
        case BlockOp::flush:
            break;
        case BlockOp::discard:
        case BlockOp::write_zeroes:
            result = -EOPNOTSUPP;
            break;
        }
        request->complete(result);
    }
    if (!batch_.empty())
        base_->submit(batch_);
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> make_overlay_disk(std::unique_ptr<BlockBackend> base,
                                                        const OverlayOptions& options)
{
    if (!base)
        return Error{EINVAL, "overlay: there is no disk to lay it over"};
    return std::unique_ptr<BlockBackend>(std::make_unique<OverlayDisk>(std::move(base), options));
}

}  // namespace lkl
