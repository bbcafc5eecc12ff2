// SPDX-License-Identifier: GPL-2.0-only
#include "structures.hpp"

#include <cstring>

// The kernel's layouts on x86-64 are those of the host, whose headers have these.
#include <csignal>
#include <linux/if_alg.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

namespace lkl::fuzz {

namespace {

template <typename T>
long as_argument(T& structure)
{
    return reinterpret_cast<long>(&structure);
}

// The bytes of `from` to the front of `to`, the rest of it zero.
template <typename Array, typename T>
long put(Array& to, const T& from)
{
    static_assert(sizeof(T) <= sizeof(Array));
    std::memset(to.data(), 0, sizeof(Array));
    std::memcpy(to.data(), &from, sizeof from);
    return static_cast<long>(sizeof from);
}

}  // namespace

long Structures::vector(void* first, void* second)
{
    const std::array<iovec, 4> parts{iovec{first, 8}, iovec{second, 100}, iovec{first, 0},
                                     iovec{second, 5000}};
    put(vector_, parts);
    return as_argument(vector_);
}

long Structures::message(Input& input, void* first, void* second)
{
    vector(first, second);
    msghdr head{};
    const uint8_t how = input.byte();
    if (how & 1) {
        address(input);
        head.msg_name = address_.data();
        head.msg_namelen = static_cast<socklen_t>(address_size_);
    }
    head.msg_iov = reinterpret_cast<iovec*>(vector_.data());
    head.msg_iovlen = how >> 1 & 3;
    if (how & 8) {
        control_ = {};
        cmsghdr control{};
        control.cmsg_len = sizeof control + (input.byte() & 0xf);
        control.cmsg_level = input.word();
        control.cmsg_type = input.byte();
        put(control_, control);
        head.msg_control = control_.data();
        head.msg_controllen = sizeof control_;
    }
    put(message_, head);
    return as_argument(message_);
}

long Structures::address(Input& input)
{
    switch (input.byte() % 5) {
    case 0: {
        sockaddr_un unix_address{};
        unix_address.sun_family = AF_UNIX;
        std::strcpy(unix_address.sun_path, input.byte() & 1 ? "/tmp/s" : "/d/s");
        address_size_ = put(address_, unix_address);
        break;
    }
    case 1: {
        sockaddr_in internet{};
        internet.sin_family = AF_INET;
        internet.sin_addr.s_addr = htonl(input.byte() & 1 ? INADDR_LOOPBACK : INADDR_ANY);
        internet.sin_port = htons(static_cast<uint16_t>(1000 + input.byte() % 4));
        address_size_ = put(address_, internet);
        break;
    }
    case 2: {
        sockaddr_in6 internet{};
        internet.sin6_family = AF_INET6;
        internet.sin6_addr = input.byte() & 1 ? in6addr_loopback : in6addr_any;
        internet.sin6_port = htons(static_cast<uint16_t>(1000 + input.byte() % 4));
        address_size_ = put(address_, internet);
        break;
    }
    case 3: {
        sockaddr_nl netlink{};
        netlink.nl_family = AF_NETLINK;
        netlink.nl_groups = input.byte();
        address_size_ = put(address_, netlink);
        break;
    }
    default: {
        static constexpr std::array<std::array<const char*, 2>, 4> algorithms{
            {{"hash", "sha256"},
             {"hash", "crc32c"},
             {"skcipher", "cbc(aes)"},
             {"aead", "gcm(aes)"}}};
        sockaddr_alg algorithm{};
        algorithm.salg_family = AF_ALG;
        const auto& names = input.choice(algorithms);
        std::strcpy(reinterpret_cast<char*>(algorithm.salg_type), names[0]);
        std::strcpy(reinterpret_cast<char*>(algorithm.salg_name), names[1]);
        address_size_ = put(address_, algorithm);
    }
    }
    return as_argument(address_);
}

long Structures::soon(Input& input)
{
    time_ = {0, 1000 * input.byte()};
    return as_argument(time_);
}

long Structures::event(Input& input)
{
    static constexpr std::array signals{0, SIGCHLD, SIGURG, SIGWINCH};
    sigevent event{};
    event.sigev_signo = input.choice(signals);
    event.sigev_notify = event.sigev_signo ? SIGEV_SIGNAL : SIGEV_NONE;
    put(event_, event);
    return as_argument(event_);
}

long Structures::operations(Input& input)
{
    std::array<sembuf, 4> operations{};
    for (sembuf& operation : operations) {
        operation.sem_num = input.byte() % 4;
        operation.sem_op = static_cast<int8_t>(input.byte());
        operation.sem_flg = static_cast<int16_t>(IPC_NOWAIT | (input.byte() & 1 ? SEM_UNDO : 0));
    }
    std::memcpy(operations_.data(), operations.data(), sizeof operations);
    return as_argument(operations_);
}

long Structures::timer_place()
{
    timer_ = 0;
    return as_argument(timer_);
}

}  // namespace lkl::fuzz
