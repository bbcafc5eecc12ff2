// SPDX-License-Identifier: GPL-2.0-only
#include "stack.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <arpa/inet.h>
#include <linux/rtnetlink.h>
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

// The name of a socket, whose family is that of the address.
class SocketName {
public:
    SocketName(const std::string& address, uint16_t port)
    {
        const bool is_v6 = address.find(':') != std::string::npos;
        name_.four.sin_family = is_v6 ? AF_INET6 : AF_INET;
        name_.four.sin_port = htons(port);  // at the same place in both
        ::inet_pton(family(), address.c_str(),
                    is_v6 ? static_cast<void*>(&name_.six.sin6_addr) : &name_.four.sin_addr);
    }

    int family() const { return name_.four.sin_family; }
    uint16_t port() const { return ntohs(name_.four.sin_port); }
    const in6_addr& v6_address() const { return name_.six.sin6_addr; }
    void* data() { return &name_; }
    socklen_t length() const { return family() == AF_INET6 ? sizeof name_.six : sizeof name_.four; }

private:
    union {
        sockaddr_in6 six{};
        sockaddr_in four;
    } name_;
};

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

long set_v4_address(Stack& stack, const std::string& interface, const std::string& text)
{
    Control control(stack);
    ifreq request = request_for(interface);
    SocketName address(text, 0);
    std::memcpy(&request.ifr_addr, address.data(), address.length());
    if (const long result = control(SIOCSIFADDR, request); result < 0)
        return result;
    SocketName mask("255.255.255.0", 0);
    std::memcpy(&request.ifr_netmask, mask.data(), mask.length());
    return control(SIOCSIFNETMASK, request);
}

// By rtnetlink(7), where duplicate address detection can be done without: the address is
// good at once.
long add_v6_address(Stack& stack, const std::string& interface, const std::string& text)
{
    ifreq found = request_for(interface);
    if (const long result = Control(stack)(SIOCGIFINDEX, found); result < 0)
        return result;
    struct {
        nlmsghdr header{};
        ifaddrmsg address{};
        rtattr attribute{};
        in6_addr local{};
    } request;
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_NEWADDR;
    request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE;
    request.address.ifa_family = AF_INET6;
    request.address.ifa_prefixlen = 64;
    request.address.ifa_flags = IFA_F_NODAD;
    request.address.ifa_index = static_cast<unsigned>(found.ifr_ifindex);
    request.attribute.rta_type = IFA_LOCAL;
    request.attribute.rta_len = sizeof request.attribute + sizeof request.local;
    request.local = SocketName(text, 0).v6_address();

    struct {
        nlmsghdr header{};
        nlmsgerr result{};
        char more[512];  // words about it, and the request
    } answer;
    const long fd = stack.socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
    if (fd < 0)
        return fd;
    long result = stack.send(fd, &request, sizeof request);
    if (result >= 0)
        result = stack.recv(fd, &answer, sizeof answer);
    stack.close(fd);
    return result < 0 ? result : answer.result.error;
}

}  // namespace

long Stack::listen_on(const std::string& text, uint16_t& port)
{
    SocketName name(text, 0);
    const long fd = socket(name.family(), SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    socklen_t length = name.length();
    long result = bind(fd, name.data(), length);
    if (result == 0)
        result = listen(fd, 4096);
    if (result == 0)
        result = getsockname(fd, name.data(), &length);
    if (result < 0) {
        close(fd);
        return result;
    }
    port = name.port();
    return fd;
}

long Stack::connect_to(const std::string& text, uint16_t port)
{
    SocketName name(text, port);
    const long fd = socket(name.family(), SOCK_STREAM, 0);
    if (fd < 0)
        return fd;
    const long result = connect(fd, name.data(), name.length());
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

long Stack::configure(const std::string& interface, const std::string& address)
{
    const bool is_v6 = SocketName(address, 0).family() == AF_INET6;
    const long result = is_v6 ? add_v6_address(*this, interface, address)
                              : set_v4_address(*this, interface, address);
    return result < 0 ? result : set_up(interface, true);
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
