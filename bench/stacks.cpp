// SPDX-License-Identifier: GPL-2.0-only
#include "stacks.hpp"

#include <exception>
#include <stdexcept>
#include <string>

#include <arpa/inet.h>
#include <sched.h>

namespace bench {

long must(long result, const char* what)
{
    if (result < 0)
        throw std::runtime_error(std::string(what) + ": " + std::to_string(result));
    return result;
}

sockaddr_in to_address(const char* text, uint16_t port)
{
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    ::inet_pton(AF_INET, text, &address.sin_addr);
    return address;
}

void configure(Stack& stack, const char* interface, const char* text)
{
    const long fd = must(stack.socket(SOCK_DGRAM), "socket");
    ifreq request{};
    std::string(interface).copy(request.ifr_name, sizeof request.ifr_name - 1);
    auto& address = reinterpret_cast<sockaddr_in&>(request.ifr_addr);
    address = to_address(text, 0);
    must(stack.ioctl(fd, SIOCSIFADDR, request), "SIOCSIFADDR");
    address = to_address("255.255.255.0", 0);
    must(stack.ioctl(fd, SIOCSIFNETMASK, request), "SIOCSIFNETMASK");
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    must(stack.ioctl(fd, SIOCSIFFLAGS, request), "SIOCSIFFLAGS");
    stack.close(fd);
}

void in_new_namespace(const std::function<void()>& function)
{
    std::async(std::launch::async, [&function] {
        if (::unshare(CLONE_NEWNET) != 0)
            throw Skipped("needs root");
        function();
    }).get();
}

void join_by_veth(Stack& near, const char* near_address, FarHost& far, const char* far_address)
{
    run_program({"ip", "link", "add", "near", "type", "veth", "peer", "name", "far"});
    run_program({"ip", "link", "set", "far", "netns", far.tid()});
    configure(near, "near", near_address);
    configure(far, "far", far_address);
}

}  // namespace bench
