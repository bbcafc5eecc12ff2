// SPDX-License-Identifier: GPL-2.0-only
// A cable between two kernels: a pair of fifos.
#include <cerrno>
#include <string>

#include <fcntl.h>
#include <sys/stat.h>

#include <lkl/net.hpp>

#include <net/error.hpp>
#include <net/stream.hpp>

namespace lkl {

namespace {

constexpr uint8_t header_length = 12;
constexpr int capacity = 1 << 20;  // what the host allows without a privilege

// For both directions (fifo(7)), so that it opens without the other end, and does not end
// when that comes and goes.
Result<posix::Descriptor> open_fifo(const std::string& path)
{
    posix::Descriptor fifo(::open(path.c_str(), O_RDWR | O_CLOEXEC | O_NONBLOCK));
    struct stat status;
    if (!fifo || ::fstat(fifo.get(), &status) != 0)
        return net::host_error("network fifo " + path);
    if (!S_ISFIFO(status.st_mode))
        return Error{EINVAL, "network fifo " + path + ": not a fifo"};
    ::fcntl(fifo.get(), F_SETPIPE_SZ, capacity);
    return fifo;
}

}  // namespace

Result<std::unique_ptr<NetBackend>> open_net_fifos(const std::string& read_path,
                                                   const std::string& write_path)
{
    auto input = open_fifo(read_path);
    if (!input)
        return std::move(input).error();
    auto output = open_fifo(write_path);
    if (!output)
        return std::move(output).error();
    NetInfo info;
    info.name = read_path;
    info.header = header_length;
    info.transmit_offload = info.receive_offload = NetOffload::all;
    return std::unique_ptr<NetBackend>(
        std::make_unique<net::StreamLink>(std::move(info), std::move(*input), std::move(*output)));
}

}  // namespace lkl
