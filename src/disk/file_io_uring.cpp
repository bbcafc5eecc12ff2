// SPDX-License-Identifier: GPL-2.0-only
// The io_uring engine. docs/decisions/0002-disk-engine.md has the measurements
// that the choices below rest on.
//
// What goes where:
//   data in the host's page cache    preadv2(RWF_NOWAIT): within submit(), or by the
//                                    pool where it takes long
//   other reads, and all O_DIRECT    the ring, many at a time
//   buffered writes, flush, discard  a pool of threads: io_uring would hand them
//                                    to threads of its own, at a higher price
//
// The ring can transfer data of the disk's file and nothing else: io_uring has
// operations that open files and sockets, past what filters of system calls see. So a
// program that shuts itself in may keep it.
//
// The ring belongs to one thread, and only that one submits to it. It must not be
// the carrier, an application's thread: io_uring finishes requests on the thread
// that submitted them, for which it interrupts that thread's system calls
// (epoll_wait() in the application fails with EINTR), and it cancels requests when
// their thread ends.
#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <mutex>

#include <liburing.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <disk/file_engine.hpp>
#include <disk/origin.hpp>
#include <disk/thread.hpp>
#include <disk/worker_pool.hpp>

namespace lkl::disk {

namespace {

constexpr unsigned ring_entries = 256;
constexpr unsigned pool_threads = 4;

// How long to wait before trying again when the host has no memory for requests.
constexpr int retry_milliseconds = 1;

class UringDisk final : public BlockBackend {
public:
    explicit UringDisk(OpenFile& open)
        : file_(std::move(open.file)),
          info_(open.info),
          pool_(*file_, pool_threads, writers(*file_, pool_threads),
                [this](BlockRequest& request) { enqueue(request); })
    {
    }
    ~UringDisk() override;

    // 0 or a negative errno. Before anything else; the destructor works after a
    // failure as well.
    int init() noexcept;
    std::unique_ptr<HostFile> take_file() noexcept { return std::move(file_); }

    BlockInfo info() const override { return info_; }
    void submit(std::span<BlockRequest* const> requests) noexcept override;

private:
    bool for_ring(const BlockRequest& request) const noexcept;
    void enqueue(RequestList requests) noexcept;
    void enqueue(BlockRequest& request) noexcept;
    bool start() noexcept;

    int restrict() noexcept;
    void stop() noexcept;

    // The ring's thread.
    void work() noexcept;
    void fetch() noexcept;
    void push() noexcept;
    size_t collect() noexcept;
    void settle(BlockRequest& request, int result) noexcept;
    bool wait() noexcept;

    const Origin made_;
    std::unique_ptr<HostFile> file_;
    const BlockInfo info_;
    WorkerPool pool_;

    // The ring's thread's alone, or everybody's while there is none.
    io_uring ring_{};
    bool has_ring_ = false;
    bool has_file_ = false;
    unsigned in_ring_ = 0;  // requests that the ring has
    RequestList backlog_;   // requests that it could not take yet

    int event_ = -1;  // wakes the ring's thread out of poll()
    std::mutex mutex_;
    RequestList inbox_;
    pthread_t thread_{};
    Origin started_;  // where the thread is
    bool joinable_ = false;
    bool running_ = false;
    bool asleep_ = false;  // in poll(), or about to be: needs event_
    bool stop_ = false;
};

int UringDisk::init() noexcept
{
    event_ = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event_ < 0)
        return -errno;
    // The kernel's word for what works is a ring that was made and asked. It is
    // made with CLOEXEC.
    io_uring_params parameters{};
    parameters.flags = IORING_SETUP_CLAMP | IORING_SETUP_R_DISABLED;
    if (const int error = io_uring_queue_init_params(ring_entries, &ring_, &parameters))
        return error;
    has_ring_ = true;
    io_uring_probe* const probe = io_uring_get_probe_ring(&ring_);
    const bool good = probe && io_uring_opcode_supported(probe, IORING_OP_READV) &&
                      io_uring_opcode_supported(probe, IORING_OP_WRITEV);
    std::free(probe);
    if (!good)
        return -ENOSYS;
    const int fd = file_->fd();
    if (const int error = io_uring_register_files(&ring_, &fd, 1))
        return error;
    has_file_ = true;
    return restrict();
}

// Turns the ring on, for good restricted to what is used here (Linux 5.10).
int UringDisk::restrict() noexcept
{
    std::array<io_uring_restriction, 5> allowed{};
    allowed[0].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[0].sqe_op = IORING_OP_READV;
    allowed[1].opcode = IORING_RESTRICTION_SQE_OP;
    allowed[1].sqe_op = IORING_OP_WRITEV;
    allowed[2].opcode = IORING_RESTRICTION_SQE_FLAGS_ALLOWED;
    allowed[2].sqe_flags = IOSQE_FIXED_FILE;
    allowed[3].opcode = IORING_RESTRICTION_SQE_FLAGS_REQUIRED;
    allowed[3].sqe_flags = IOSQE_FIXED_FILE;
    allowed[4].opcode = IORING_RESTRICTION_REGISTER_OP;
    allowed[4].register_op = IORING_UNREGISTER_FILES;
    // Debian's liburing declares functions for both, and does not have them.
    const auto call = [this](unsigned operation, void* argument, unsigned count) {
        return ::syscall(SYS_io_uring_register, ring_.ring_fd, operation, argument, count) < 0
                   ? -errno
                   : 0;
    };
    if (const int error = call(IORING_REGISTER_RESTRICTIONS, allowed.data(), allowed.size()))
        return error;
    return call(IORING_REGISTER_ENABLE_RINGS, nullptr, 0);
}

UringDisk::~UringDisk()
{
    // First: a thread of the pool may still be on its way out of enqueue().
    pool_.stop();
    if (started_.is_here())
        stop();
    if (has_ring_) {
        // The kernel takes a ring apart later; the file must not stay open (and a
        // device not in use) until then. In a child of fork() the ring is the parent's.
        if (has_file_ && made_.is_here())
            io_uring_unregister_files(&ring_);
        io_uring_queue_exit(&ring_);
    }
    if (event_ >= 0)
        ::close(event_);
}

void UringDisk::stop() noexcept
{
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    if (event_ >= 0)
        ::eventfd_write(event_, 1);
    if (joinable_)
        pthread_join(thread_, nullptr);
}

bool UringDisk::for_ring(const BlockRequest& request) const noexcept
{
    return request.op == BlockOp::read || (request.op == BlockOp::write && file_->shape().direct);
}

void UringDisk::submit(std::span<BlockRequest* const> requests) noexcept
{
    RequestList long_reads;
    RequestList ring;
    RequestList pool;
    for (BlockRequest* const request : requests) {
        if (file_->worth_a_thread(*request))
            long_reads.push(*request);
        else if (const auto result = file_->run_now(*request))
            request->complete(*result);
        else
            (for_ring(*request) ? ring : pool).push(*request);
    }
    if (!long_reads.empty())
        pool_.copy(std::move(long_reads));
    if (!ring.empty())
        enqueue(std::move(ring));
    if (!pool.empty())
        pool_.add(std::move(pool));
}

void UringDisk::enqueue(RequestList requests) noexcept
{
    bool wake = false;
    {
        const std::lock_guard lock(mutex_);
        if (running_ || start()) {
            inbox_.append(requests);
            wake = asleep_;
            asleep_ = false;
        }
    }
    if (wake)
        ::eventfd_write(event_, 1);
    // No thread could be had: the pool may still have some, or else does it here.
    if (!requests.empty())
        pool_.add(std::move(requests));
}

void UringDisk::enqueue(BlockRequest& request) noexcept
{
    RequestList one;
    one.push(request);
    enqueue(std::move(one));
}

bool UringDisk::start() noexcept
{
    if (joinable_)
        pthread_join(thread_, nullptr);
    const auto function = [](void* argument) -> void* {
        static_cast<UringDisk*>(argument)->work();
        return nullptr;
    };
    started_ = Origin();
    joinable_ = running_ = start_thread(thread_, function, this) == 0;
    return running_;
}

void UringDisk::work() noexcept
{
    for (;;) {
        fetch();
        push();
        if (collect() == 0 && !wait())
            return;
    }
}

// Takes over what was submitted.
void UringDisk::fetch() noexcept
{
    const std::lock_guard lock(mutex_);
    backlog_.append(inbox_);
}

// Gives the ring what it has room for, with one call. No more requests than
// submission entries, so that the completion queue, twice as large, never
// overflows. What the kernel does not take at present, for want of memory, stays
// in the ring for the next call.
void UringDisk::push() noexcept
{
    while (in_ring_ < ring_entries && !backlog_.empty()) {
        io_uring_sqe* const entry = io_uring_get_sqe(&ring_);
        if (!entry)
            break;
        BlockRequest& request = *backlog_.pop();
        constexpr int fd = 0;  // the place among the ring's files
        const auto count = static_cast<unsigned>(std::min(request.iov.size(), max_buffers));
        const uint64_t position = file_->position(request);
        if (request.op == BlockOp::read)
            io_uring_prep_readv2(entry, fd, request.iov.data(), count, position, 0);
        else
            io_uring_prep_writev2(entry, fd, request.iov.data(), count, position,
                                  request.durable ? RWF_DSYNC : 0);
        entry->flags |= IOSQE_FIXED_FILE;
        io_uring_sqe_set_data(entry, &request);
        ++in_ring_;
    }
    if (io_uring_sq_ready(&ring_) != 0)
        io_uring_submit(&ring_);
}

size_t UringDisk::collect() noexcept
{
    size_t count = 0;
    io_uring_cqe* entry = nullptr;
    while (io_uring_peek_cqe(&ring_, &entry) == 0) {
        auto& request = *static_cast<BlockRequest*>(io_uring_cqe_get_data(entry));
        const int result = entry->res;
        io_uring_cqe_seen(&ring_, entry);
        --in_ring_;
        ++count;
        settle(request, result);
    }
    return count;
}

void UringDisk::settle(BlockRequest& request, int result) noexcept
{
    // EAGAIN: the descriptor was given to us with O_NONBLOCK; EINVAL: buffers that
    // O_DIRECT cannot take. Both are what run() can deal with.
    if (result == -EAGAIN || (result == -EINVAL && file_->shape().direct)) {
        RequestList one;
        one.push(request);
        pool_.add(std::move(one));
        return;
    }
    if (const auto done = file_->account(request, result))
        request.complete(*done);
    else
        backlog_.push(request);
}

// Waits for completions or new requests. False: the thread is to end.
bool UringDisk::wait() noexcept
{
    const bool idle = in_ring_ == 0 && backlog_.empty();
    {
        const std::lock_guard lock(mutex_);
        if (!inbox_.empty())
            return true;
        if (stop_ && idle)
            return false;
        asleep_ = true;
    }
    pollfd events[] = {{ring_.ring_fd, POLLIN, 0}, {event_, POLLIN, 0}};
    int timeout = -1;
    if (io_uring_sq_ready(&ring_) != 0)
        timeout = retry_milliseconds;
    else if (idle)
        timeout = static_cast<int>(std::chrono::milliseconds(thread_linger).count());
    const int ready = ::poll(events, 2, timeout);
    if (ready > 0 && events[1].revents != 0) {
        eventfd_t value = 0;
        ::eventfd_read(event_, &value);
    }
    const std::lock_guard lock(mutex_);
    asleep_ = false;
    if (ready != 0 || !idle || !inbox_.empty())
        return true;
    running_ = false;
    return false;
}

}  // namespace

Result<std::unique_ptr<BlockBackend>> make_io_uring_disk(OpenFile& open)
{
    auto disk = std::make_unique<UringDisk>(open);
    if (const int error = disk->init(); error != 0) {
        open.file = disk->take_file();
        return Error{ENOSYS, open.name + ": io_uring is not available on this host (error " +
                                 std::to_string(-error) + ")"};
    }
    return std::unique_ptr<BlockBackend>(std::move(disk));
}

}  // namespace lkl::disk
