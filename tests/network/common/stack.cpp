// SPDX-License-Identifier: GPL-2.0-only
#include "stack.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <lkl/asm-generic/unistd.h>

namespace lkl::test {

namespace {

long result_of(long value)
{
    return value < 0 ? -errno : value;
}

class HostStack final : public Stack {
public:
    long socket(int domain, int type, int protocol) override
    {
        return result_of(::socket(domain, type | SOCK_CLOEXEC, protocol));
    }
    long bind(long fd, const void* address, socklen_t length) override
    {
        return result_of(::bind(to_int(fd), static_cast<const sockaddr*>(address), length));
    }
    long listen(long fd, int backlog) override { return result_of(::listen(to_int(fd), backlog)); }
    long accept(long fd) override
    {
        return result_of(::accept4(to_int(fd), nullptr, nullptr, SOCK_CLOEXEC));
    }
    long connect(long fd, const void* address, socklen_t length) override
    {
        return result_of(::connect(to_int(fd), static_cast<const sockaddr*>(address), length));
    }
    long getsockname(long fd, void* address, socklen_t* length) override
    {
        return result_of(::getsockname(to_int(fd), static_cast<sockaddr*>(address), length));
    }
    long setsockopt(long fd, int level, int name, int value) override
    {
        return result_of(::setsockopt(to_int(fd), level, name, &value, sizeof value));
    }
    long getsockopt(long fd, int level, int name, int* value) override
    {
        socklen_t length = sizeof *value;
        return result_of(::getsockopt(to_int(fd), level, name, value, &length));
    }
    long send(long fd, const void* data, size_t size) override
    {
        return result_of(::send(to_int(fd), data, size, MSG_NOSIGNAL));
    }
    long recv(long fd, void* data, size_t size) override
    {
        return result_of(::recv(to_int(fd), data, size, 0));
    }
    long shutdown(long fd, int how) override { return result_of(::shutdown(to_int(fd), how)); }
    long ioctl(long fd, unsigned long request, void* argument) override
    {
        return result_of(::ioctl(to_int(fd), request, argument));
    }
    long poll(pollfd* fds, unsigned count, int milliseconds) override
    {
        return result_of(::poll(fds, count, milliseconds));
    }
    long close(long fd) override { return result_of(::close(to_int(fd))); }

private:
    static int to_int(long fd) { return static_cast<int>(fd); }
};

class OurStack final : public Stack {
public:
    explicit OurStack(Kernel& kernel) : kernel_(kernel) {}

    long socket(int domain, int type, int protocol) override
    {
        return kernel_.syscall(__lkl__NR_socket, domain, type, protocol);
    }
    long bind(long fd, const void* address, socklen_t length) override
    {
        return kernel_.syscall(__lkl__NR_bind, fd, address, length);
    }
    long listen(long fd, int backlog) override
    {
        return kernel_.syscall(__lkl__NR_listen, fd, backlog);
    }
    long accept(long fd) override
    {
        return kernel_.syscall(__lkl__NR_accept4, fd, nullptr, nullptr, 0);
    }
    long connect(long fd, const void* address, socklen_t length) override
    {
        return kernel_.syscall(__lkl__NR_connect, fd, address, length);
    }
    long getsockname(long fd, void* address, socklen_t* length) override
    {
        return kernel_.syscall(__lkl__NR_getsockname, fd, address, length);
    }
    long setsockopt(long fd, int level, int name, int value) override
    {
        return kernel_.syscall(__lkl__NR_setsockopt, fd, level, name, &value, sizeof value);
    }
    long getsockopt(long fd, int level, int name, int* value) override
    {
        socklen_t length = sizeof *value;
        return kernel_.syscall(__lkl__NR_getsockopt, fd, level, name, value, &length);
    }
    long send(long fd, const void* data, size_t size) override
    {
        return kernel_.syscall(__lkl__NR_sendto, fd, data, size, MSG_NOSIGNAL, nullptr, 0);
    }
    long recv(long fd, void* data, size_t size) override
    {
        return kernel_.syscall(__lkl__NR_recvfrom, fd, data, size, 0, nullptr, nullptr);
    }
    long shutdown(long fd, int how) override
    {
        return kernel_.syscall(__lkl__NR_shutdown, fd, how);
    }
    long ioctl(long fd, unsigned long request, void* argument) override
    {
        return kernel_.syscall(__lkl__NR_ioctl, fd, request, argument);
    }
    long poll(pollfd* fds, unsigned count, int milliseconds) override
    {
        const timespec limit{milliseconds / 1000, milliseconds % 1000 * 1'000'000L};
        return kernel_.syscall(__lkl__NR_ppoll, fds, count, milliseconds < 0 ? nullptr : &limit,
                               nullptr, 0);
    }
    long close(long fd) override { return kernel_.syscall(__lkl__NR_close, fd); }

private:
    Kernel& kernel_;
};

sockaddr_in to_address(const std::string& text, uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, text.c_str(), &address.sin_addr);
    return address;
}

ifreq request_for(const std::string& interface)
{
    ifreq request{};
    std::strncpy(request.ifr_name, interface.c_str(), sizeof request.ifr_name - 1);
    return request;
}

// A socket for the ioctls of interfaces, as long as the object.
class Control {
public:
    explicit Control(Stack& stack) : stack_(stack), fd_(stack.socket(AF_INET, SOCK_DGRAM, 0)) {}
    ~Control() { stack_.close(fd_); }
    Control(const Control&) = delete;
    Control& operator=(const Control&) = delete;

    long operator()(unsigned long request, ifreq& argument)
    {
        return fd_ < 0 ? fd_ : stack_.ioctl(fd_, request, &argument);
    }

private:
    Stack& stack_;
    const long fd_;
};

}  // namespace

long Stack::listen_on(const std::string& text, uint16_t& port)
{
    sockaddr_in address = to_address(text, 0);
    const long fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    socklen_t length = sizeof address;
    long result = bind(fd, &address, length);
    if (result == 0)
        result = listen(fd, 4096);
    if (result == 0)
        result = getsockname(fd, &address, &length);
    if (result < 0) {
        close(fd);
        return result;
    }
    port = ntohs(address.sin_port);
    return fd;
}

long Stack::connect_to(const std::string& text, uint16_t port)
{
    const sockaddr_in address = to_address(text, port);
    const long fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    const long result = connect(fd, &address, sizeof address);
    if (result == 0)
        return fd;
    close(fd);
    return result;
}

std::string Stack::name_of(int ifindex)
{
    ifreq request{};
    request.ifr_ifindex = ifindex;
    return Control(*this)(SIOCGIFNAME, request) == 0 ? request.ifr_name : "";
}

long Stack::configure(const std::string& interface, const std::string& text)
{
    Control control(*this);
    ifreq request = request_for(interface);
    const sockaddr_in address = to_address(text, 0);
    std::memcpy(&request.ifr_addr, &address, sizeof address);
    if (const long result = control(SIOCSIFADDR, request); result < 0)
        return result;
    const sockaddr_in mask = to_address("255.255.255.0", 0);
    std::memcpy(&request.ifr_netmask, &mask, sizeof mask);
    if (const long result = control(SIOCSIFNETMASK, request); result < 0)
        return result;
    return set_up(interface, true);
}

long Stack::set_up(const std::string& interface, bool up)
{
    Control control(*this);
    ifreq request = request_for(interface);
    if (const long result = control(SIOCGIFFLAGS, request); result < 0)
        return result;
    const int flags = up ? request.ifr_flags | IFF_UP : request.ifr_flags & ~IFF_UP;
    request.ifr_flags = static_cast<short>(flags);
    return control(SIOCSIFFLAGS, request);
}

int Stack::flags_of(const std::string& interface)
{
    ifreq request = request_for(interface);
    return Control(*this)(SIOCGIFFLAGS, request) == 0 ? request.ifr_flags : 0;
}

bool Stack::send_all(long fd, const void* data, size_t size)
{
    const auto* at = static_cast<const char*>(data);
    while (size != 0) {
        const long sent = send(fd, at, size);
        if (sent <= 0)
            return false;
        at += sent;
        size -= static_cast<size_t>(sent);
    }
    return true;
}

bool Stack::recv_all(long fd, void* data, size_t size)
{
    auto* at = static_cast<char*>(data);
    while (size != 0) {
        const long received = recv(fd, at, size);
        if (received <= 0)
            return false;
        at += received;
        size -= static_cast<size_t>(received);
    }
    return true;
}

std::unique_ptr<Stack> host_stack()
{
    return std::make_unique<HostStack>();
}

std::unique_ptr<Stack> our_stack(Kernel& kernel)
{
    return std::make_unique<OurStack>(kernel);
}

bool enter_new_namespace()
{
    return ::unshare(CLONE_NEWNET | CLONE_NEWNS) == 0 &&
           ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
           ::mount("sysfs", "/sys", "sysfs", 0, nullptr) == 0 &&
           host_stack()->set_up("lo", true) == 0;
}

bool run(const std::string& command)
{
    // NOLINTNEXTLINE(concurrency-mt-unsafe,cert-env33-c): the commands are the tests' own
    return std::system(command.c_str()) == 0;
}

}  // namespace lkl::test
