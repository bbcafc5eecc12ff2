// SPDX-License-Identifier: GPL-2.0-only
// The functions that packetdrill calls. Types, constants and numbers of errors are the
// same in our kernel and on the host, so that most calls are passed on as they are.
#include <cerrno>
#include <cstdarg>
#include <ctime>
#include <new>
#include <string_view>
#include <vector>

#include <lkl/asm/errno.h>
#include <lkl/asm/unistd.h>
#include <lkl/linux/eventpoll.h>
#include <lkl/linux/time_types.h>

#include "packetdrill/interface.h"
#include "packetdrill/socket_options.hpp"
#include "packetdrill/stack.hpp"

namespace packetdrill {

namespace {

static_assert(sizeof(epoll_event) == sizeof(lkl_epoll_event));

Stack& stack_of(void* userdata)
{
    return *static_cast<Stack*>(userdata);
}

// As libc gives it.
template <typename T = int>
T finish(long result)
{
    if (result >= 0)
        return static_cast<T>(result);
    errno = static_cast<int>(-result);
    return -1;
}

// A function of the interface that is one call of the kernel, by its type.
template <typename Function>
struct Forward;

template <typename Result, typename... Args>
struct Forward<Result (*)(void*, Args...)> {
    template <long number>
    static Result call(void* userdata, Args... args)
    {
        return finish<Result>(stack_of(userdata).call(number, args...));
    }
};

template <long number, typename Function>
void forward(Function& function)
{
    function = Forward<Function>::template call<number>;
}

ssize_t call_recv(void* userdata, int fd, void* data, size_t size, int flags)
{
    return finish<ssize_t>(
        stack_of(userdata).call(__lkl__NR_recvfrom, fd, data, size, flags, nullptr, nullptr));
}

// What is sent without a copy is pinned, which the kernel can do with memory of its own alone:
// puts such memory in the place of a piece. 0, or a negative errno.
long pin(Stack& stack, iovec& piece)
{
    if (piece.iov_len == 0)
        return 0;
    const long pinned = stack.pin({static_cast<const std::byte*>(piece.iov_base), piece.iov_len});
    if (pinned < 0)
        return pinned;
    piece.iov_base = reinterpret_cast<void*>(pinned);
    return 0;
}

ssize_t call_sendto(void* userdata, int fd, const void* data, size_t size, int flags,
                    const sockaddr* to, socklen_t length)
{
    Stack& stack = stack_of(userdata);
    iovec piece{const_cast<void*>(data), size};
    if ((flags & MSG_ZEROCOPY) != 0)
        if (const long result = pin(stack, piece); result < 0)
            return finish<ssize_t>(result);
    return finish<ssize_t>(
        stack.call(__lkl__NR_sendto, fd, piece.iov_base, size, flags, to, length));
}

ssize_t call_send(void* userdata, int fd, const void* data, size_t size, int flags)
{
    return call_sendto(userdata, fd, data, size, flags, nullptr, 0);
}

ssize_t call_sendmsg(void* userdata, int fd, const msghdr* given, int flags)
{
    Stack& stack = stack_of(userdata);
    msghdr message = *given;
    std::vector<iovec> pieces;
    if ((flags & MSG_ZEROCOPY) != 0) {
        pieces.assign(message.msg_iov, message.msg_iov + message.msg_iovlen);
        for (iovec& piece : pieces)
            if (const long result = pin(stack, piece); result < 0)
                return finish<ssize_t>(result);
        message.msg_iov = pieces.data();
    }
    return finish<ssize_t>(stack.call(__lkl__NR_sendmsg, fd, &message, flags));
}

int call_fcntl(void* userdata, int fd, int command, ...)
{
    va_list arguments;
    va_start(arguments, command);
    const long argument = va_arg(arguments, long);
    va_end(arguments);
    return finish(stack_of(userdata).call(__lkl__NR_fcntl, fd, command, argument));
}

int call_ioctl(void* userdata, int fd, unsigned long request, ...)
{
    va_list arguments;
    va_start(arguments, request);
    void* const argument = va_arg(arguments, void*);
    va_end(arguments);
    return finish(stack_of(userdata).call(__lkl__NR_ioctl, fd, request, argument));
}

int call_poll(void* userdata, pollfd* fds, nfds_t count, int timeout)
{
    const struct ::__lkl__kernel_timespec time {
        timeout / 1000, timeout % 1000 * 1'000'000LL
    };
    return finish(stack_of(userdata).call(__lkl__NR_ppoll, fds, count,
                                          timeout < 0 ? nullptr : &time, nullptr, 0));
}

int call_epoll_create(void* userdata, int size)
{
    return finish(size > 0 ? stack_of(userdata).call(__lkl__NR_epoll_create1, 0) : -LKL_EINVAL);
}

int call_epoll_wait(void* userdata, int epoll, epoll_event* events, int most, int timeout)
{
    return finish(
        stack_of(userdata).call(__lkl__NR_epoll_pwait, epoll, events, most, timeout, nullptr, 0));
}

int call_pipe(void* userdata, int fds[2])
{
    return finish(stack_of(userdata).call(__lkl__NR_pipe2, fds, 0));
}

// A script's NULL arrives as the address of a zero.
int call_splice(void* userdata, int from, loff_t* from_offset, int to, loff_t* to_offset,
                size_t length, unsigned flags)
{
    const auto given = [](loff_t* offset) { return offset && *offset != 0 ? offset : nullptr; };
    return finish(stack_of(userdata).call(__lkl__NR_splice, from, given(from_offset), to,
                                          given(to_offset), length, flags));
}

int netdev_send(void* userdata, const void* packet, size_t size)
{
    return finish(stack_of(userdata).send({static_cast<const std::byte*>(packet), size}));
}

// Without a packet the length is 0: -1 would make packetdrill ask again, for good.
int netdev_receive(void* userdata, void* packet, size_t* size, long long* microseconds)
{
    const long length =
        stack_of(userdata).receive({static_cast<std::byte*>(packet), *size}, *microseconds);
    *size = length > 0 ? static_cast<size_t>(length) : 0;
    return 0;
}

// Our kernel's clocks are those of the host.
int call_usleep(void*, useconds_t microseconds)
{
    const timespec time{microseconds / 1'000'000, microseconds % 1'000'000 * 1000L};
    return ::nanosleep(&time, nullptr);
}

int call_gettimeofday(void*, timeval* now, struct timezone* zone)
{
    return ::gettimeofday(now, zone);
}

void free_stack(void* userdata)
{
    answer_by(nullptr);
    delete &stack_of(userdata);
}

void fill(packetdrill_interface& all)
{
    all.free = free_stack;
    forward<__lkl__NR_socket>(all.socket);
    forward<__lkl__NR_bind>(all.bind);
    forward<__lkl__NR_listen>(all.listen);
    forward<__lkl__NR_accept>(all.accept);
    forward<__lkl__NR_connect>(all.connect);
    forward<__lkl__NR_read>(all.read);
    forward<__lkl__NR_readv>(all.readv);
    all.recv = call_recv;
    forward<__lkl__NR_recvfrom>(all.recvfrom);
    forward<__lkl__NR_recvmsg>(all.recvmsg);
    forward<__lkl__NR_write>(all.write);
    forward<__lkl__NR_writev>(all.writev);
    all.send = call_send;
    all.sendto = call_sendto;
    all.sendmsg = call_sendmsg;
    all.fcntl = call_fcntl;
    all.ioctl = call_ioctl;
    forward<__lkl__NR_close>(all.close);
    forward<__lkl__NR_shutdown>(all.shutdown);
    forward<__lkl__NR_getsockopt>(all.getsockopt);
    forward<__lkl__NR_setsockopt>(all.setsockopt);
    all.poll = call_poll;
    all.netdev_send = netdev_send;
    all.netdev_receive = netdev_receive;
    all.usleep = call_usleep;
    all.gettimeofday = call_gettimeofday;
    all.epoll_create = call_epoll_create;
    forward<__lkl__NR_epoll_ctl>(all.epoll_ctl);
    all.epoll_wait = call_epoll_wait;
    all.pipe = call_pipe;
    all.splice = call_splice;
}

}  // namespace

}  // namespace packetdrill

[[gnu::visibility("default")]] void packetdrill_interface_init(const char* flags,
                                                               packetdrill_interface* interface)
{
    auto* const stack = new packetdrill::Stack(flags ? flags : "");
    interface->userdata = stack;
    packetdrill::fill(*interface);
    packetdrill::answer_by(stack);
}
