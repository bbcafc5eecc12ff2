// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/nested_epolls.hpp"

#include <utility>

#include <lkl/asm/unistd.h>

#include "hijack/calls/epoll_halves.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"
#include "hijack/preload/thread.hpp"

namespace hijack::epolls::nested {

std::vector<std::shared_ptr<Epoll>> all(const Epoll& epoll)
{
    // Lives longer than the lock: it may be the last who knows of one.
    std::vector<std::shared_ptr<Epoll>> inners;
    if (!epoll.has_inners)
        return inners;
    const Holding lock(registry().mutex);
    for (const auto& [number, inner] : epoll.inners)
        if (auto one = inner.epoll.lock())
            inners.push_back(std::move(one));
    return inners;
}

void kernel_started(Epoll& epoll)
{
    for (auto& [number, inner] : epoll.inners) {
        const auto one = inner.epoll.lock();
        if (!one || one->kernel_fd < 0)
            continue;
        // Else the number is another's by now.
        const auto found = registry().by_number.find(number);
        if (found != registry().by_number.end() && found->second == one &&
            host::call(SYS_epoll_ctl, epoll.host_fd, EPOLL_CTL_DEL, number, nullptr) == 0) {
            const Holding lock(epoll.mutex);
            epoll.host_members--;
        }
        epoll.had_ours = true;
        stack::call(__lkl__NR_epoll_ctl, epoll.kernel_fd, EPOLL_CTL_ADD, one->kernel_fd,
                    &inner.event);
        one->watched = true;
        one->gate->follow_edges();
        one->gate->settle();
    }
}

// Our kernel does not start meanwhile (epolls::kernel_started()).
long control(Epoll& epoll, const std::shared_ptr<Epoll>& inner, const long* args)
{
    const auto operation = static_cast<int>(args[1]);
    const auto number = static_cast<int>(args[2]);
    const Holding lock(registry().mutex);
    const bool in_host = inner->kernel_fd < 0 || stack::is_lost();
    if (!in_host)
        epoll.had_ours = true;
    const long result = in_host ? control_host(epoll, args)
                                : stack::call(__lkl__NR_epoll_ctl, epoll.kernel_fd, operation,
                                              inner->kernel_fd, args[3]);
    if (result != 0)
        return result;
    if (operation == EPOLL_CTL_DEL)
        epoll.inners.erase(number);
    else
        epoll.inners[number] = {inner, *host::to_pointer<const epoll_event>(args[3])};
    epoll.has_inners = !epoll.inners.empty();
    return result;
}

}  // namespace hijack::epolls::nested
