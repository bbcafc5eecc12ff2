// SPDX-License-Identifier: GPL-2.0-only
// The three sets of select(2) as a list for poll(2), and back. Bits are read as the
// kernel's: words of 64, as many as the highest number needs, which may be more than an
// fd_set of libc holds; but no more than the process's table of descriptors has room for,
// whatever the program says: getdtablesize() is a usual way to say "all".
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include <poll.h>
#include <sys/select.h>

#include "hijack/calls/host_status.hpp"
#include "hijack/preload/host.hpp"

namespace hijack::polls {

class PollSets {
public:
    // args: those of select(2).
    explicit PollSets(const long* args) : count_(count_of(static_cast<int>(args[0])))
    {
        for (int i = 0; i < 3; i++)
            sets_[i] = host::to_pointer<uint64_t>(args[1 + i]);
        for (unsigned long fd = 0; fd < count_; fd++) {
            short events = 0;
            for (int i = 0; i < 3; i++)
                if (sets_[i] && (sets_[i][fd / 64] >> (fd % 64) & 1))
                    events = static_cast<short>(events | asked[i]);
            if (events)
                fds_.push_back({static_cast<int>(fd), events, 0});
        }
    }

    std::span<pollfd> fds() { return fds_; }

    // One of them is no descriptor: EBADF to select(2).
    bool has_closed() const
    {
        return std::any_of(fds_.begin(), fds_.end(),
                           [](const pollfd& one) { return one.revents & POLLNVAL; });
    }

    // Writes what is ready; the number of bits, as select(2) returns it.
    long store()
    {
        long bits = 0;
        for (auto* set : sets_)
            for (unsigned long word = 0; set && word < (count_ + 63) / 64; word++)
                set[word] = 0;
        for (const pollfd& one : fds_) {
            for (int i = 0; i < 3; i++) {
                // In the sets that the descriptor was in.
                if ((one.events & asked[i]) != asked[i] || !(one.revents & meant[i]))
                    continue;
                const auto fd = static_cast<unsigned>(one.fd);
                sets_[i][fd / 64] |= 1ull << (fd % 64);
                bits++;
            }
        }
        return bits;
    }

private:
    // What select(2) takes for readable, writable and exceptional, see there.
    static constexpr short asked[3] = {POLLIN | POLLRDNORM | POLLRDBAND,
                                       POLLOUT | POLLWRNORM | POLLWRBAND, POLLPRI};
    static constexpr short meant[3] = {POLLIN | POLLRDNORM | POLLRDBAND | POLLHUP | POLLERR,
                                       POLLOUT | POLLWRNORM | POLLWRBAND | POLLERR, POLLPRI};

    static unsigned long count_of(long asked_for)
    {
        if (asked_for > FD_SETSIZE)
            asked_for = std::min(asked_for, host_status("FDSize", 10).value_or(FD_SETSIZE));
        return static_cast<unsigned long>(std::max(asked_for, 0l));
    }

    uint64_t* sets_[3];
    const unsigned long count_;
    std::vector<pollfd> fds_;
};

}  // namespace hijack::polls
