// SPDX-License-Identifier: GPL-2.0-only
// A minimal io_uring of either kernel: the same code over two sets of system calls,
// so that only the kernels differ.
#pragma once

#include <atomic>
#include <cerrno>
#include <cstring>
#include <stdexcept>

#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>

namespace bench {

// Each call gives the result or a negative errno.
struct HostCalls {
    template <typename... Args>
    long operator()(long number, Args... args) const
    {
        const long result = ::syscall(number, args...);
        return result < 0 ? -errno : result;
    }
    static constexpr long setup = SYS_io_uring_setup;
    static constexpr long enter = SYS_io_uring_enter;
    static constexpr long mmap = SYS_mmap;
    static constexpr long munmap = SYS_munmap;
    static constexpr long close = SYS_close;
};

struct OurCalls {
    lkl::Kernel& kernel;

    template <typename... Args>
    long operator()(long number, Args... args) const
    {
        return kernel.syscall(number, args...);
    }
    static constexpr long setup = __lkl__NR_io_uring_setup;
    static constexpr long enter = __lkl__NR_io_uring_enter;
    static constexpr long mmap = __lkl__NR_mmap;
    static constexpr long munmap = __lkl__NR_munmap;
    static constexpr long close = __lkl__NR_close;
};

template <typename Calls>
class Ring {
public:
    Ring(Calls calls, unsigned entries) : calls_(calls)
    {
        io_uring_params params{};
        params.flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN;
        fd_ = good(calls_(Calls::setup, entries, &params), "io_uring_setup");
        if (!(params.features & IORING_FEAT_SINGLE_MMAP))
            throw std::runtime_error("an io_uring of before Linux 5.4");
        ring_size_ = params.cq_off.cqes + params.cq_entries * sizeof(io_uring_cqe);
        ring_size_ = std::max<size_t>(ring_size_,
                                      params.sq_off.array + params.sq_entries * sizeof(unsigned));
        sqes_size_ = params.sq_entries * sizeof(io_uring_sqe);
        ring_ = map(ring_size_, IORING_OFF_SQ_RING);
        sqes_ = reinterpret_cast<io_uring_sqe*>(map(sqes_size_, IORING_OFF_SQES));
        sq_tail_ = word(params.sq_off.tail);
        sq_mask_ = *word(params.sq_off.ring_mask);
        sq_array_ = word(params.sq_off.array);
        cq_head_ = word(params.cq_off.head);
        cq_tail_ = word(params.cq_off.tail);
        cq_mask_ = *word(params.cq_off.ring_mask);
        cqes_ = reinterpret_cast<io_uring_cqe*>(ring_ + params.cq_off.cqes);
    }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;
    ~Ring()
    {
        calls_(Calls::munmap, ring_, ring_size_);
        calls_(Calls::munmap, sqes_, sqes_size_);
        calls_(Calls::close, fd_);
    }

    // Puts a read into the queue; submit() tells the kernel.
    void read(int file, void* to, unsigned size, uint64_t offset, uint64_t tag)
    {
        const unsigned tail = *sq_tail_;
        io_uring_sqe& sqe = sqes_[tail & sq_mask_];
        std::memset(&sqe, 0, sizeof sqe);
        sqe.opcode = IORING_OP_READ;
        sqe.fd = file;
        sqe.addr = reinterpret_cast<uint64_t>(to);
        sqe.len = size;
        sqe.off = offset;
        sqe.user_data = tag;
        sq_array_[tail & sq_mask_] = tail & sq_mask_;
        std::atomic_ref(*sq_tail_).store(tail + 1, std::memory_order_release);
        ++queued_;
    }

    // Submits what is queued and waits for at least one completion.
    void submit_and_wait()
    {
        const long taken = calls_(Calls::enter, fd_, queued_, 1, IORING_ENTER_GETEVENTS, 0, 0);
        queued_ -= static_cast<unsigned>(good(taken, "io_uring_enter"));
    }

    // Calls completed(tag, result) for each completion that is there.
    template <typename Completed>
    void reap(Completed&& completed)
    {
        unsigned head = *cq_head_;
        const unsigned tail = std::atomic_ref(*cq_tail_).load(std::memory_order_acquire);
        for (; head != tail; ++head) {
            const io_uring_cqe cqe = cqes_[head & cq_mask_];
            std::atomic_ref(*cq_head_).store(head + 1, std::memory_order_release);
            completed(cqe.user_data, cqe.res);
        }
    }

private:
    static long good(long result, const char* what)
    {
        if (result < 0)
            throw std::runtime_error(std::string(what) + ": " +
                                     std::strerror(static_cast<int>(-result)));
        return result;
    }
    char* map(size_t size, uint64_t offset)
    {
        const long address = calls_(Calls::mmap, 0, size, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_POPULATE, fd_, offset);
        // The last page of addresses are errors.
        if (address < 0 && address > -4096)
            good(address, "mmap of an io_uring");
        // NOLINTNEXTLINE(performance-no-int-to-ptr): a call gives an address or an error
        return reinterpret_cast<char*>(address);
    }
    unsigned* word(unsigned offset) { return reinterpret_cast<unsigned*>(ring_ + offset); }

    Calls calls_;
    long fd_ = -1;
    size_t ring_size_ = 0, sqes_size_ = 0;
    char* ring_ = nullptr;
    io_uring_sqe* sqes_ = nullptr;
    unsigned *sq_tail_ = nullptr, *sq_array_ = nullptr, *cq_head_ = nullptr, *cq_tail_ = nullptr;
    unsigned sq_mask_ = 0, cq_mask_ = 0, queued_ = 0;
    io_uring_cqe* cqes_ = nullptr;
};

}  // namespace bench
