// SPDX-License-Identifier: GPL-2.0-only
// A layer that logs what passes through it.
//
// The order of the log is what makes it true: an event is logged before anybody can act
// on it. The guest learns of a completion when it is in the log, so a flush that it sends
// because of it comes behind; the base learns of a submission when it is in the log.
#include <lkl/record.hpp>

#include <cerrno>
#include <cstring>
#include <new>

namespace lkl {

namespace {

class RecordingDisk final : public BlockBackend {
public:
    RecordingDisk(std::unique_ptr<BlockBackend> base, BlockLog& log)
        : base_(std::move(base)), info_(base_->info()), log_(log)
    {
        info_.flush = !info_.read_only;
    }

    BlockInfo info() const override { return info_; }
    int poll_fd() const noexcept override { return base_->poll_fd(); }
    size_t reap() noexcept override { return base_->reap(); }
    void submit(std::span<BlockRequest* const> requests) noexcept override;

private:
    // Takes the place of the guest's request below.
    // NOLINTNEXTLINE(cppcoreguidelines-virtual-class-destructor): final, never deleted as its base
    struct Passed final : BlockRequest {
        void complete(int result) noexcept override { owner->finish(*this, result); }

        RecordingDisk* owner = nullptr;
        BlockRequest* request = nullptr;
        size_t record = 0;
        Passed* next_free = nullptr;
        std::vector<iovec> buffers;  // the base may use up the spans it is given
    };

    Passed& take();
    bool pass(BlockRequest& request) noexcept;
    void finish(Passed& passed, int result) noexcept;

    const std::unique_ptr<BlockBackend> base_;
    BlockInfo info_;
    BlockLog& log_;

    std::mutex mutex_;  // guards what follows: requests finish on threads of the base
    std::deque<Passed> passed_;
    Passed* free_ = nullptr;

    std::vector<BlockRequest*> batch_;  // submit()'s
};

RecordingDisk::Passed& RecordingDisk::take()
{
    const std::lock_guard lock(mutex_);
    if (!free_) {
        free_ = &passed_.emplace_back();
        free_->owner = this;
    }
    Passed& passed = *free_;
    free_ = passed.next_free;
    passed.next_free = nullptr;
    return passed;
}

// Adds the request to batch_. False: out of memory.
bool RecordingDisk::pass(BlockRequest& request) noexcept
{
    Passed* passed = nullptr;
    try {
        batch_.reserve(batch_.size() + 1);
        if (request.op != BlockOp::read) {
            passed = &take();
            passed->buffers.assign(request.iov.begin(), request.iov.end());
            passed->record = log_.submitted(request);
        }
    } catch (const std::bad_alloc&) {
        if (passed) {
            const std::lock_guard lock(mutex_);
            passed->next_free = free_;
            free_ = passed;
        }
        return false;
    }
    if (!passed) {
        batch_.push_back(&request);
        return true;
    }
    passed->op = request.op;
    passed->unmap = request.unmap;
    passed->durable = request.durable;
    passed->offset = request.offset;
    passed->length = request.length;
    passed->iov = passed->buffers;
    passed->request = &request;
    batch_.push_back(passed);
    return true;
}

void RecordingDisk::finish(Passed& passed, int result) noexcept
{
    BlockRequest& request = *passed.request;
    log_.completed(passed.record, result);
    {
        const std::lock_guard lock(mutex_);
        passed.next_free = free_;
        free_ = &passed;
    }
    request.complete(result);
}

void RecordingDisk::submit(std::span<BlockRequest* const> requests) noexcept
{
    batch_.clear();
    for (BlockRequest* const request : requests) {
        if (!pass(*request))
            request->complete(-EIO);
    }
    if (!batch_.empty())
        base_->submit(batch_);
}

}  // namespace

uint64_t BlockLog::position() const
{
    const std::lock_guard lock(mutex_);
    return position_;
}

void BlockLog::clear()
{
    const std::lock_guard lock(mutex_);
    records_.clear();
    position_ = 0;
}

size_t BlockLog::submitted(const BlockRequest& request)
{
    BlockRecord record;
    record.op = request.op;
    record.unmap = request.unmap;
    record.durable = request.durable;
    record.offset = request.offset;
    record.length = request.length;
    record.data.reserve(request.op == BlockOp::write ? request.length : 0);
    for (const iovec& buffer : request.iov) {
        const auto* const bytes = static_cast<const std::byte*>(buffer.iov_base);
        record.data.insert(record.data.end(), bytes, bytes + buffer.iov_len);
    }
    const std::lock_guard lock(mutex_);
    record.submitted = position_;
    records_.push_back(std::move(record));
    ++position_;
    return records_.size() - 1;
}

void BlockLog::completed(size_t record, int result) noexcept
{
    const std::lock_guard lock(mutex_);
    records_[record].result = result;
    records_[record].completed = position_++;
}

Result<std::unique_ptr<BlockBackend>> make_recording_disk(std::unique_ptr<BlockBackend> base,
                                                          BlockLog& log)
{
    if (!base)
        return Error{EINVAL, "recording: there is no disk to record"};
    return std::unique_ptr<BlockBackend>(std::make_unique<RecordingDisk>(std::move(base), log));
}

}  // namespace lkl
