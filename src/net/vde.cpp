// SPDX-License-Identifier: GPL-2.0-only
// Switches of VDE, Virtual Distributed Ethernet. The interface of libvdeplug 4 is
// declared here, so that it need not be there to build.
#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string>

#include <fcntl.h>
#include <sys/types.h>

#include <lkl/net.hpp>

#include <net/error.hpp>
#include <net/library.hpp>

namespace lkl {

namespace {

constexpr int interface_version = 1;

// VDE_ETHBUFSIZE: more than the longest frame of a switch.
constexpr size_t longest = 9216 + 14 + 4;

struct Connection;

struct Vde {
    Vde() : library("libvdeplug.so.2")
    {
        library.find(open, "vde_open_real");
        library.find(recv, "vde_recv");
        library.find(send, "vde_send");
        library.find(data_fd, "vde_datafd");
        library.find(close, "vde_close");
    }

    net::Library library;
    Connection* (*open)(char* url, char* description, int version, void* arguments) = nullptr;
    ssize_t (*recv)(Connection*, void* buffer, size_t length, int flags) = nullptr;
    ssize_t (*send)(Connection*, const void* buffer, size_t length, int flags) = nullptr;
    int (*data_fd)(Connection*) = nullptr;
    int (*close)(Connection*) = nullptr;
};

const Vde& vde()
{
    static const Vde instance;
    return instance;
}

class VdeNet final : public NetBackend {
public:
    VdeNet(Connection* connection, std::string url) : connection_(connection)
    {
        info_.name = std::move(url);
        const int fd = vde().data_fd(connection_);
        ::fcntl(fd, F_SETFL, ::fcntl(fd, F_GETFL) | O_NONBLOCK);
    }
    ~VdeNet() override { vde().close(connection_); }

    NetInfo info() const override { return info_; }
    int poll_fd(unsigned) const noexcept override { return vde().data_fd(connection_); }
    uint64_t refused() const noexcept override { return refused_.load(std::memory_order_relaxed); }

    size_t transmit(unsigned, std::span<const NetPacket> packets) noexcept override
    {
        for (size_t i = 0; i < packets.size(); ++i) {
            size_t length = 0, whole = 0;
            for (const iovec& part : packets[i]) {
                const size_t fits = std::min(part.iov_len, frame_out_.size() - length);
                std::memcpy(frame_out_.data() + length, part.iov_base, fits);
                length += fits;
                whole += part.iov_len;
            }
            // No switch takes it, and a part of it is no frame.
            const bool sent =
                whole == length && vde().send(connection_, frame_out_.data(), length, 0) >= 0;
            if (!sent && whole == length && errno == EAGAIN)
                return i;
            if (!sent)
                refused_.fetch_add(1, std::memory_order_relaxed);
        }
        return packets.size();
    }

    ssize_t receive(unsigned, std::span<const iovec> into) noexcept override
    {
        errno = EAGAIN;
        const ssize_t length = vde().recv(connection_, frame_in_.data(), frame_in_.size(), 0);
        if (length < 0)
            return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        if (length <= 1)
            return -EMSGSIZE;  // the library's way to say that the frame is not for us
        auto left = static_cast<size_t>(length);
        const std::byte* from = frame_in_.data();
        for (const iovec& part : into) {
            const size_t fits = std::min(part.iov_len, left);
            std::memcpy(part.iov_base, from, fits);
            from += fits;
            left -= fits;
        }
        return left == 0 ? length : -EMSGSIZE;
    }

private:
    Connection* const connection_;
    NetInfo info_;
    std::atomic<uint64_t> refused_{0};
    std::array<std::byte, longest> frame_out_;
    std::array<std::byte, longest> frame_in_;
};

}  // namespace

Result<std::unique_ptr<NetBackend>> open_vde(const std::string& url)
{
    if (!vde().library.good())
        return vde().library.missing();
    std::string name = url;
    std::string description = "lkl";
    errno = 0;
    Connection* const connection =
        vde().open(name.data(), description.data(), interface_version, nullptr);
    if (!connection)
        return net::host_error("VDE switch " + url, errno != 0 ? errno : ENOENT);
    return std::unique_ptr<NetBackend>(std::make_unique<VdeNet>(connection, url));
}

}  // namespace lkl
