// SPDX-License-Identifier: GPL-2.0-only
// Laid under a program, it writes a line to the file CONGESTION_RECORD for each TCP connection
// that the program closes: its own port, what controls its congestion, and the bandwidth in
// bytes a second that BBR has measured, or 0.
#include <cstdio>
#include <cstdlib>

#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace {

using Close = decltype(&close);

void record(int socket, Close real_close)
{
    int listens = 0;
    socklen_t size = sizeof listens;
    if (getsockopt(socket, SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || listens)
        return;
    char name[64] = {};
    size = sizeof name - 1;
    sockaddr_in address{};
    socklen_t address_size = sizeof address;
    if (getsockopt(socket, IPPROTO_TCP, TCP_CONGESTION, name, &size) != 0 ||
        getsockname(socket, reinterpret_cast<sockaddr*>(&address), &address_size) != 0)
        return;
    tcp_cc_info state{};
    size = sizeof state;
    unsigned long long bandwidth = 0;
    if (getsockopt(socket, IPPROTO_TCP, TCP_CC_INFO, &state, &size) == 0 &&
        size >= sizeof state.bbr)
        bandwidth =
            static_cast<unsigned long long>(state.bbr.bbr_bw_hi) << 32 | state.bbr.bbr_bw_lo;
    char line[128];
    const int length =
        std::snprintf(line, sizeof line, "%u %s %llu\n", ntohs(address.sin_port), name, bandwidth);
    const int file = open(std::getenv("CONGESTION_RECORD"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    // What is not written is missed by the test.
    if (file < 0)
        return;
    (void)!write(file, line, static_cast<size_t>(length));
    real_close(file);
}

}  // namespace

extern "C" int close(int descriptor)
{
    static const auto next = reinterpret_cast<Close>(dlsym(RTLD_NEXT, "close"));
    record(descriptor, next);
    return next(descriptor);
}
