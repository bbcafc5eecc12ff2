// SPDX-License-Identifier: GPL-2.0-only
// Sockets of the host's kernel and of ours, through one interface, so that a test can
// put either on either end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include <netinet/in.h>
#include <poll.h>

#include <lkl/kernel.hpp>

namespace lkl::test {

// System calls with the results of the kernel: negative errno. Any thread.
class Stack {
public:
    virtual ~Stack() = default;
    virtual long socket(int domain, int type, int protocol) = 0;
    virtual long bind(long fd, const void* address, socklen_t length) = 0;
    virtual long listen(long fd, int backlog) = 0;
    virtual long accept(long fd) = 0;
    virtual long connect(long fd, const void* address, socklen_t length) = 0;
    virtual long getsockname(long fd, void* address, socklen_t* length) = 0;
    virtual long setsockopt(long fd, int level, int name, int value) = 0;
    virtual long getsockopt(long fd, int level, int name, int* value) = 0;
    virtual long send(long fd, const void* data, size_t size) = 0;
    virtual long recv(long fd, void* data, size_t size) = 0;
    virtual long shutdown(long fd, int how) = 0;
    virtual long ioctl(long fd, unsigned long request, void* argument) = 0;
    virtual long poll(pollfd* fds, unsigned count, int milliseconds) = 0;
    virtual long close(long fd) = 0;

    // Addresses are of IPv4 or of IPv6.

    // A socket that listens on a free port of `address`; the port is stored.
    long listen_on(const std::string& address, uint16_t& port);
    // Connected to it, or a negative errno.
    long connect_to(const std::string& address, uint16_t port);

    // The name of an interface.
    std::string name_of(int ifindex);
    // Gives an interface an address ("10.0.0.1" with 24 bits for the network, "fd09::1"
    // with 64, which is not looked for on the link before), and brings it up. 0 or a
    // negative errno.
    long configure(const std::string& interface, const std::string& address);
    long set_up(const std::string& interface, bool up);
    // IFF_... of an interface.
    int flags_of(const std::string& interface);

    // Exactly so many bytes; false: an error or the end.
    bool send_all(long fd, const void* data, size_t size);
    bool recv_all(long fd, void* data, size_t size);
};

std::unique_ptr<Stack> host_stack();
std::unique_ptr<Stack> our_stack(Kernel& kernel);  // which outlives it

// The calling thread, and those that it starts from now on, get a network namespace of
// their own, with loopback up and its own /sys. False: not allowed.
bool enter_new_namespace();

// A command of the shell, such as ip(8) in the namespace. False: it failed.
bool run(const std::string& command);

}  // namespace lkl::test
