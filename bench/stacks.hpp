// SPDX-License-Identifier: GPL-2.0-only
// TCP sockets of the host's kernel and of ours, with the same calls. Results are those of
// the calls, negative where they fail.
#pragma once

#include <functional>
#include <future>
#include <string>
#include <thread>

#include <lkl/asm/unistd.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "guest.hpp"
#include "harness.hpp"
#include "host.hpp"

namespace bench {

// The result, which throws std::runtime_error where the call has failed.
long must(long result, const char* what);

// Sockets of one kernel, and of one namespace of it.
class Stack {
public:
    virtual ~Stack() = default;
    virtual long socket(int type) = 0;
    virtual long bind(long fd, const sockaddr_in& address) = 0;
    virtual long listen(long fd) = 0;
    virtual long accept(long fd) = 0;
    virtual long connect(long fd, const sockaddr_in& address) = 0;
    virtual long send(long fd, const char* data, size_t size) = 0;
    virtual long recv(long fd, char* data, size_t size) = 0;
    virtual long set(long fd, int level, int name, const void* value, unsigned size) = 0;
    virtual long ioctl(long fd, unsigned long request, ifreq& argument) = 0;
    virtual long close(long fd) = 0;

    long no_delay(long fd)
    {
        const int on = 1;
        return set(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    }
};

class Host final : public Stack {
public:
    long socket(int type) override { return ::socket(AF_INET, type | SOCK_CLOEXEC, 0); }
    long bind(long fd, const sockaddr_in& address) override
    {
        return ::bind(static_cast<int>(fd), reinterpret_cast<const sockaddr*>(&address),
                      sizeof address);
    }
    long listen(long fd) override { return ::listen(static_cast<int>(fd), 8); }
    long accept(long fd) override { return ::accept(static_cast<int>(fd), nullptr, nullptr); }
    long connect(long fd, const sockaddr_in& address) override
    {
        return ::connect(static_cast<int>(fd), reinterpret_cast<const sockaddr*>(&address),
                         sizeof address);
    }
    long set(long fd, int level, int name, const void* value, unsigned size) override
    {
        return ::setsockopt(static_cast<int>(fd), level, name, value, size);
    }
    long send(long fd, const char* data, size_t size) override
    {
        return ::send(static_cast<int>(fd), data, size, MSG_NOSIGNAL);
    }
    long recv(long fd, char* data, size_t size) override
    {
        return ::recv(static_cast<int>(fd), data, size, 0);
    }
    long ioctl(long fd, unsigned long request, ifreq& argument) override
    {
        return ::ioctl(static_cast<int>(fd), request, &argument);
    }
    long close(long fd) override { return ::close(static_cast<int>(fd)); }
};

class Ours final : public Stack {
public:
    explicit Ours(lkl::Kernel& kernel) : kernel_(kernel) {}
    long socket(int type) override { return kernel_.syscall(__lkl__NR_socket, AF_INET, type, 0); }
    long bind(long fd, const sockaddr_in& address) override
    {
        return kernel_.syscall(__lkl__NR_bind, fd, &address, sizeof address);
    }
    long listen(long fd) override { return kernel_.syscall(__lkl__NR_listen, fd, 8); }
    long accept(long fd) override
    {
        return kernel_.syscall(__lkl__NR_accept, fd, nullptr, nullptr);
    }
    long connect(long fd, const sockaddr_in& address) override
    {
        return kernel_.syscall(__lkl__NR_connect, fd, &address, sizeof address);
    }
    long set(long fd, int level, int name, const void* value, unsigned size) override
    {
        return kernel_.syscall(__lkl__NR_setsockopt, fd, level, name, value, size);
    }
    long send(long fd, const char* data, size_t size) override
    {
        return kernel_.syscall(__lkl__NR_sendto, fd, data, size, MSG_NOSIGNAL, nullptr, 0);
    }
    long recv(long fd, char* data, size_t size) override
    {
        return kernel_.syscall(__lkl__NR_recvfrom, fd, data, size, 0, nullptr, nullptr);
    }
    long ioctl(long fd, unsigned long request, ifreq& argument) override
    {
        return kernel_.syscall(__lkl__NR_ioctl, fd, request, &argument);
    }
    long close(long fd) override { return kernel_.syscall(__lkl__NR_close, fd); }

private:
    lkl::Kernel& kernel_;
};

sockaddr_in to_address(const char* text, uint16_t port);

// Gives an interface an address of a network of 24 bits and sets it up. Throws.
void configure(Stack& stack, const char* interface, const char* text);

// A connection, and the socket that listened for it.
struct Connection {
    Connection(Stack& from_stack, Stack& to_stack, const char* text)
        : from(from_stack), to(to_stack)
    {
        static uint16_t port = 20'000;
        const sockaddr_in address = to_address(text, ++port);
        const long listener = must(to.socket(SOCK_STREAM), "socket");
        must(to.bind(listener, address), "bind");
        must(to.listen(listener), "listen");
        near = must(from.socket(SOCK_STREAM), "socket");
        must(from.connect(near, address), "connect");
        far = must(to.accept(listener), "accept");
        to.close(listener);
        from.no_delay(near);
        to.no_delay(far);
    }
    ~Connection()
    {
        from.close(near);
        to.close(far);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;

    Stack& from;
    Stack& to;
    long near = -1;
    long far = -1;
};

// Sockets of another namespace than the calling thread's, made by a thread that is in it:
// they stay in the namespace that they were made in. Throws Skipped without root.
class FarHost final : public Stack {
public:
    FarHost() : thread_([this] { work(); })
    {
        if (!ready_.get_future().get())
            throw Skipped("needs root");
    }
    ~FarHost() override
    {
        done_.set_value();
        thread_.join();
    }
    // Its number, for ip(8).
    std::string tid() const { return std::to_string(tid_); }

    long socket(int type) override { return type == SOCK_STREAM ? stream_ : control_; }
    long bind(long fd, const sockaddr_in& address) override { return host_.bind(fd, address); }
    long listen(long fd) override { return host_.listen(fd); }
    long accept(long fd) override { return host_.accept(fd); }
    long connect(long fd, const sockaddr_in& address) override
    {
        return host_.connect(fd, address);
    }
    long set(long fd, int level, int name, const void* value, unsigned size) override
    {
        return host_.set(fd, level, name, value, size);
    }
    long send(long fd, const char* data, size_t size) override
    {
        return host_.send(fd, data, size);
    }
    long recv(long fd, char* data, size_t size) override { return host_.recv(fd, data, size); }
    long ioctl(long fd, unsigned long request, ifreq& argument) override
    {
        return host_.ioctl(fd, request, argument);
    }
    long close(long fd) override { return host_.close(fd); }

private:
    void work()
    {
        const bool good = ::unshare(CLONE_NEWNET) == 0;
        tid_ = ::gettid();
        stream_ = host_.socket(SOCK_STREAM);
        control_ = host_.socket(SOCK_DGRAM);
        ready_.set_value(good);
        done_.get_future().wait();
    }

    Host host_;
    pid_t tid_ = 0;
    long stream_ = -1;  // for one connection
    long control_ = -1;
    std::promise<bool> ready_;
    std::promise<void> done_;
    std::thread thread_;  // last: it uses everything above
};

// Calls the function in a thread whose network namespace is new, and ends with it. Throws
// what the function throws, and Skipped without root.
void in_new_namespace(const std::function<void()>& function);

// A pair of veth interfaces, "near" here and "far" there, with an address each. Throws.
void join_by_veth(Stack& near, const char* near_address, FarHost& far, const char* far_address);

}  // namespace bench
