// SPDX-License-Identifier: GPL-2.0-only
// The host's network through libslirp, a TCP/IP stack that uses sockets of the host. It
// runs in a thread, at the other end of a pair of sockets.
#include <lkl/net.hpp>

#include <net/error.hpp>

#if __has_include(<slirp/libslirp.h>)

#include <algorithm>
#include <array>
#include <ctime>
#include <list>
#include <string>

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <slirp/libslirp.h>
#include <sys/socket.h>

#include <net/library.hpp>
#include <net/packet_files.hpp>
#include <platform/posix/thread.hpp>

namespace lkl {

namespace {

constexpr size_t longest = 65536;  // bytes of a frame
constexpr int frames_in_turn = 64;

struct Functions {
    Functions() : library("libslirp.so.0")
    {
        library.find(create, "slirp_new");
        library.find(cleanup, "slirp_cleanup");
        library.find(fill, "slirp_pollfds_fill");
        library.find(poll, "slirp_pollfds_poll");
        library.find(input, "slirp_input");
        library.find(handle_timer, "slirp_handle_timer");
        library.find(forward, "slirp_add_hostfwd");
    }

    net::Library library;
    decltype(slirp_new)* create = nullptr;
    decltype(slirp_cleanup)* cleanup = nullptr;
    decltype(slirp_pollfds_fill)* fill = nullptr;
    decltype(slirp_pollfds_poll)* poll = nullptr;
    decltype(slirp_input)* input = nullptr;
    decltype(slirp_handle_timer)* handle_timer = nullptr;
    decltype(slirp_add_hostfwd)* forward = nullptr;
};

const Functions& slirp()
{
    static const Functions instance;
    return instance;
}

int64_t now_ns()
{
    timespec now;
    ::clock_gettime(CLOCK_MONOTONIC, &now);
    return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

in_addr address(const char* text)
{
    in_addr result{};
    ::inet_pton(AF_INET, text, &result);
    return result;
}

// The stack and its thread, which ends when the other end of the socket is closed.
class Stack {
public:
    explicit Stack(posix::Descriptor socket) : socket_(std::move(socket)) {}
    ~Stack()
    {
        if (running_)
            ::pthread_join(thread_, nullptr);
        if (slirp_)
            slirp().cleanup(slirp_);
    }
    Stack(const Stack&) = delete;
    Stack& operator=(const Stack&) = delete;

    Result<void> start(const SlirpOptions& options);

private:
    struct Timer {
        SlirpTimerId id;
        void* argument;
        int64_t milliseconds;  // when; -1: not set
    };

    SlirpCb callbacks() const;
    void work();
    bool pass_frames();
    void run_timers();
    static int add(int fd, int events, void* self);
    static int found(int index, void* self);

    const posix::Descriptor socket_;
    Slirp* slirp_ = nullptr;
    SlirpCb callbacks_ = callbacks();
    std::list<Timer> timers_;
    std::vector<pollfd> fds_;
    std::array<std::byte, longest> frame_;
    pthread_t thread_{};
    bool running_ = false;
};

// Called by the stack's thread, and before that by who makes it.
SlirpCb Stack::callbacks() const
{
    SlirpCb table{};
    table.send_packet = [](const void* frame, size_t length, void* self) {
        return ::send(static_cast<Stack*>(self)->socket_.get(), frame, length, MSG_NOSIGNAL);
    };
    table.guest_error = [](const char*, void*) {};
    table.clock_get_ns = [](void*) { return now_ns(); };
    table.timer_new_opaque = [](SlirpTimerId id, void* argument, void* self) -> void* {
        return &static_cast<Stack*>(self)->timers_.emplace_back(Timer{id, argument, -1});
    };
    table.timer_free = [](void* timer, void* self) {
        static_cast<Stack*>(self)->timers_.remove_if(
            [timer](const Timer& one) { return &one == timer; });
    };
    table.timer_mod = [](void* timer, int64_t milliseconds, void*) {
        static_cast<Timer*>(timer)->milliseconds = milliseconds;
    };
    table.register_poll_fd = [](int, void*) {};
    table.unregister_poll_fd = [](int, void*) {};
    table.notify = [](void*) {};
    table.init_completed = [](Slirp*, void*) {};
    return table;
}

Result<void> Stack::start(const SlirpOptions& options)
{
    SlirpConfig config{};
    config.version = 4;
    config.restricted = options.restricted;
    config.in_enabled = true;
    config.vnetwork = address("10.0.2.0");
    config.vnetmask = address("255.255.255.0");
    config.vhost = address("10.0.2.2");
    config.vdhcp_start = address("10.0.2.15");
    config.vnameserver = address("10.0.2.3");
    config.in6_enabled = true;
    ::inet_pton(AF_INET6, "fec0::", &config.vprefix_addr6);
    config.vprefix_len = 64;
    ::inet_pton(AF_INET6, "fec0::2", &config.vhost6);
    ::inet_pton(AF_INET6, "fec0::3", &config.vnameserver6);
    slirp_ = slirp().create(&config, &callbacks_, this);
    if (!slirp_)
        return Error{ENOMEM, "slirp: no stack could be made"};
    for (const SlirpOptions::Forward& forward : options.forwards) {
        if (slirp().forward(slirp_, forward.udp, address(forward.host_address.c_str()),
                            forward.host_port, config.vdhcp_start, forward.port) != 0)
            return net::host_error("slirp: forwarding " + forward.host_address + ":" +
                                   std::to_string(forward.host_port));
    }
    const auto function = [](void* self) -> void* {
        static_cast<Stack*>(self)->work();
        return nullptr;
    };
    const int error = posix::start_thread(thread_, "lkl-net", function, this);
    running_ = error == 0;
    if (error)
        return net::host_error("slirp: a thread", error);
    return {};
}

int Stack::add(int fd, int events, void* self)
{
    int wanted = 0;
    wanted |= events & SLIRP_POLL_IN ? POLLIN : 0;
    wanted |= events & SLIRP_POLL_OUT ? POLLOUT : 0;
    wanted |= events & SLIRP_POLL_PRI ? POLLPRI : 0;
    auto& fds = static_cast<Stack*>(self)->fds_;
    fds.push_back({fd, static_cast<short>(wanted), 0});
    return static_cast<int>(fds.size() - 1);
}

int Stack::found(int index, void* self)
{
    const int found = static_cast<Stack*>(self)->fds_[static_cast<size_t>(index)].revents;
    int events = 0;
    events |= found & POLLIN ? SLIRP_POLL_IN : 0;
    events |= found & POLLOUT ? SLIRP_POLL_OUT : 0;
    events |= found & POLLPRI ? SLIRP_POLL_PRI : 0;
    events |= found & POLLERR ? SLIRP_POLL_ERR : 0;
    events |= found & POLLHUP ? SLIRP_POLL_HUP : 0;
    return events;
}

void Stack::work()
{
    do {
        fds_.assign(1, {socket_.get(), POLLIN, 0});
        uint32_t timeout = UINT32_MAX;
        const int64_t now = now_ns() / 1'000'000;
        for (const Timer& timer : timers_) {
            if (timer.milliseconds >= 0)
                timeout = static_cast<uint32_t>(
                    std::clamp<int64_t>(timer.milliseconds - now, 0, timeout));
        }
        // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): no Stack without all functions
        slirp().fill(slirp_, &timeout, add, this);
        const int wait = timeout > INT32_MAX ? -1 : static_cast<int>(timeout);
        const int result = ::poll(fds_.data(), fds_.size(), wait);
        slirp().poll(slirp_, result < 0, found, this);
        run_timers();
    } while (pass_frames());
}

void Stack::run_timers()
{
    const int64_t now = now_ns() / 1'000'000;
    for (Timer& timer : timers_) {
        if (timer.milliseconds >= 0 && timer.milliseconds <= now) {
            timer.milliseconds = -1;
            // NOLINTNEXTLINE(clang-analyzer-core.CallAndMessage): as above
            slirp().handle_timer(slirp_, timer.id, timer.argument);
        }
    }
}

// Frames of the kernel; false: there is no kernel any more.
bool Stack::pass_frames()
{
    for (int i = 0; i < frames_in_turn; ++i) {
        const ssize_t length = ::recv(socket_.get(), frame_.data(), frame_.size(), MSG_DONTWAIT);
        if (length == 0)
            return false;
        if (length < 0)
            return errno == EAGAIN || errno == EINTR;
        slirp().input(slirp_, reinterpret_cast<const uint8_t*>(frame_.data()),
                      static_cast<int>(length));
    }
    return true;
}

class SlirpNet final : public NetBackend {
public:
    SlirpNet(std::unique_ptr<Stack> stack, NetInfo info, posix::Descriptor socket)
        : stack_(std::move(stack))
    {
        std::vector<posix::Descriptor> files;
        files.push_back(std::move(socket));
        link_ = std::make_unique<net::PacketFiles>(std::move(info), std::move(files));
    }
    // The stack's thread ends with the socket.
    ~SlirpNet() override { link_.reset(); }

    NetInfo info() const override { return link_->info(); }
    int poll_fd(unsigned queue) const noexcept override { return link_->poll_fd(queue); }
    uint64_t refused() const noexcept override { return link_->refused(); }
    size_t transmit(unsigned queue, std::span<const NetPacket> packets) noexcept override
    {
        return link_->transmit(queue, packets);
    }
    ssize_t receive(unsigned queue, std::span<const iovec> into) noexcept override
    {
        return link_->receive(queue, into);
    }

private:
    std::unique_ptr<Stack> stack_;
    std::unique_ptr<NetBackend> link_;
};

}  // namespace

Result<std::unique_ptr<NetBackend>> open_slirp(const SlirpOptions& options)
{
    if (!slirp().library.good())
        return slirp().library.missing();
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        return net::host_error("slirp: a pair of sockets");
    posix::Descriptor ours(ends[0]);
    auto stack = std::make_unique<Stack>(posix::Descriptor(ends[1]));
    if (auto started = stack->start(options); !started)
        return std::move(started).error();
    NetInfo info;
    info.name = "slirp";
    return std::unique_ptr<NetBackend>(
        std::make_unique<SlirpNet>(std::move(stack), std::move(info), std::move(ours)));
}

}  // namespace lkl

#else

namespace lkl {

Result<std::unique_ptr<NetBackend>> open_slirp(const SlirpOptions&)
{
    return Error{EOPNOTSUPP, "slirp: this library was built without the headers of libslirp"};
}

}  // namespace lkl

#endif
