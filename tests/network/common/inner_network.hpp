// SPDX-License-Identifier: GPL-2.0-only
// What tests of a kernel's own network share: results that have to be values, two hosts
// with a wire between them, and sockets.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <lkl/asm/unistd.h>
#include <lkl/file.hpp>
#include <lkl/linux/in.h>
#include <lkl/linux/in6.h>
#include <lkl/netlink.hpp>
#include <lkl/network_namespace.hpp>
#include <lkl/socket.h>

#include "support/kernel.hpp"
#include "support/must.hpp"

namespace lkl::test {

inline IpAddress ip(std::string_view text)
{
    return must(IpAddress::parse(text));
}
inline IpPrefix prefix(std::string_view text)
{
    return must(IpPrefix::parse(text));
}

// The text of an error, or "" of success.
template <typename T>
std::string error_of(const Result<T>& result)
{
    return result ? std::string() : result.error().what;
}
template <typename T>
int code_of(const Result<T>& result)
{
    return result ? 0 : result.error().code;
}

// A file of the kernel, all of it.
std::string read_proc(Kernel& kernel, const char* path);
// Writes a setting, below /proc/sys, of the calling thread's namespace.
void write_proc(Kernel& kernel, const std::string& path, std::string_view text);

// A socket of the kernel, in the namespace that the thread is in.
class Socket {
public:
    Socket(Kernel& kernel, int family, int type, int protocol = 0);

    long bind(const IpAddress& address, uint16_t port);
    long connect(const IpAddress& address, uint16_t port);
    long listen();
    std::optional<Socket> accept();
    long send(const void* data, size_t size);
    long send(std::string_view text) { return send(text.data(), text.size()); }
    // -EAGAIN after the time-out.
    long receive(void* data, size_t size, std::chrono::milliseconds timeout);
    std::string receive_text(std::chrono::milliseconds timeout = std::chrono::seconds{5});
    void set(int level, int option, int value);
    int descriptor() const { return file_.descriptor(); }

private:
    explicit Socket(File file) : file_(std::move(file)) {}

    File file_;
};

// A kernel with a second network namespace; `near` is in the first and `far` in the
// second one, the two ends of a wire, up.
class TwoHosts : public testing::Test {
protected:
    // Runs a function with the calling thread in the far namespace.
    template <typename Function>
    auto far_away(Function function) -> decltype(function())
    {
        const auto inside = must(InNetworkNamespace::enter(far_space, kernel));
        return function();
    }

    TwoHosts();

    // UDP round trips of one byte from near to far; the fastest in milliseconds, or none
    // where nothing comes back.
    std::optional<double> round_trip(const IpAddress& near_address, const IpAddress& far_address,
                                     int times = 3);

    Kernel kernel = boot();
    NetworkNamespace far_space = must(NetworkNamespace::create(kernel));
    Netlink net = must(Netlink::open(kernel));
    Netlink far_net = far_away([&] { return must(Netlink::open(kernel)); });
    int near = 0;
    int far = 0;
};

}  // namespace lkl::test
