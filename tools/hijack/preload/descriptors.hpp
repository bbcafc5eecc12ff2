// SPDX-License-Identifier: GPL-2.0-only
// One number space for descriptors of the host and of our kernel.
//
// What our kernel opens gets a placeholder, a descriptor of the host that can do nothing
// (O_PATH): its number is the program's, so numbers never clash, the lowest free one is
// taken, and FD_CLOEXEC, dup2(), fork() and close_range() keep their meaning. An array
// says for each number whether it is ours, and which descriptor of our kernel it stands
// for.
//
// An entry is written by the thread that opens or closes the number, which alone may do
// so as with any descriptor; any thread reads it. Opening: the placeholder first, which is
// reserved, so that the program cannot close or replace it; then the entry (release), then the
// number is returned. Closing: the entry, then the descriptor of
// our kernel, then the placeholder: as long as the number is in use for the host nobody
// else can get it, so that an entry never tells of somebody else's descriptor.
#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace hijack::descriptors {

// Numbers from here on are never ours.
constexpr int limit = 1 << 20;

// 0: the host's. Else one more than the number in our kernel, in the low bits.
using Entry = uint32_t;
constexpr Entry epoll_bit = 1u << 31;     // an epoll, of the host and perhaps ours too
constexpr Entry internal_bit = 1u << 30;  // this library's own: the program cannot use it
constexpr Entry reserved_bit = 1u << 29;  // with internal_bit: for what is being opened
constexpr Entry number_mask = reserved_bit - 1;

extern std::atomic<Entry> table[limit];

// An argument of a system call: as the host's kernel does, only its low 32 bits count.
inline Entry entry(long fd)
{
    const auto number = static_cast<unsigned>(fd);
    return number < limit ? table[number].load(std::memory_order_acquire) : 0;
}

// The descriptor of our kernel, or -1: the host's.
inline int ours(long fd)
{
    return static_cast<int>(entry(fd) & number_mask) - 1;
}

// A number, `least` at least, for what is about to be opened, or a negative errno; then either
// it gets its descriptor of our kernel, or it is given back. As in the host's kernel it is
// nobody's meanwhile: a child of fork() does not have it, nor does a program that is started
// where it is FD_CLOEXEC. The caller is Inside, as for all below.
int reserve(bool close_on_exec, int least = 0);
void give(int number, int kernel_fd);
void give_back(int number);

// All of these for what is open: `kernel_fd` is closed where there is no number.
int add(int kernel_fd, bool close_on_exec, int least = 0);

// The same under a given number, in the place of what is there; `host_fd` is dup3()ed to
// it (a placeholder or an epoll).
int replace(int number, Entry what, int host_fd, bool close_on_exec);

// Any descriptor but the host's plain ones: closes it on both sides. 0 or negative errno.
int close(int number);

// All from first to last, as close_range(2).
long close_range(unsigned first, unsigned last, unsigned flags);

// Or a negative errno.
int placeholder();

// Calls the function for each descriptor of our kernel that has a number.
void for_each_ours(void (*function)(int kernel_fd));

// The lowest number of a descriptor of our kernel that a program would inherit which is
// started in the place of this one, or -1.
int first_inherited();

// In a child of fork(), whose parent's threads may have reserved numbers.
void forked();

// A descriptor that this process was started with is the library's own from here on.
void keep(int host_fd);

// A duplicate among the library's own descriptors, or a negative errno; and its end (-1 is
// none).
int own_duplicate(int host_fd);
// What a call of the host's has made, or its error, moved there.
int make_own(long made);
void close_own(int host_fd);

// Descriptors that the host opens between construction and destruction are the library's
// own: high numbers, out of the program's way, which it cannot close.
class Own {
public:
    Own();
    ~Own();
    Own(const Own&) = delete;
    Own& operator=(const Own&) = delete;

private:
    void set_fillers(int source);

    int base_;
    std::vector<int> fillers_;
    std::vector<bool> before_;  // which numbers from base_ on were in use
};

}  // namespace hijack::descriptors
