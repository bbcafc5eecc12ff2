// SPDX-License-Identifier: GPL-2.0-only
// Writes what passes to a file in the pcap format (draft-ietf-opsawg-pcap).
#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <mutex>
#include <string>

#include <fcntl.h>
#include <pthread.h>
#include <sys/stat.h>

#include <lkl/net.hpp>

#include <net/error.hpp>
#include <platform/posix/descriptor.hpp>

namespace lkl {

namespace {

constexpr uint32_t magic_nanoseconds = 0xa1b23c4d;
constexpr uint32_t link_ethernet = 1;

struct FileHeader {
    uint32_t magic = magic_nanoseconds;
    uint16_t major = 2;
    uint16_t minor = 4;
    uint32_t reserved[2] = {};
    uint32_t snap_length = 0;
    uint32_t link_type = link_ethernet;
};
static_assert(sizeof(FileHeader) == 24);

struct RecordHeader {
    uint32_t seconds;
    uint32_t nanoseconds;
    uint32_t captured;
    uint32_t length;
};
static_assert(sizeof(RecordHeader) == 16);

bool is_pipe(int fd)
{
    struct stat status;
    return ::fstat(fd, &status) == 0 && S_ISFIFO(status.st_mode);
}

ssize_t write_to(int fd, std::span<const iovec> record)
{
    return ::writev(fd, record.data(), static_cast<int>(record.size()));
}

// A reader that has left, a Wireshark that is closed, is no signal for the program.
ssize_t write_to_pipe(int fd, std::span<const iovec> record)
{
    sigset_t broken;
    sigset_t pending;
    sigset_t before;
    ::sigemptyset(&broken);
    ::sigaddset(&broken, SIGPIPE);
    ::sigpending(&pending);
    ::pthread_sigmask(SIG_BLOCK, &broken, &before);
    const ssize_t result = write_to(fd, record);
    if (result < 0 && errno == EPIPE && !::sigismember(&pending, SIGPIPE)) {
        constexpr timespec at_once{};
        ::sigtimedwait(&broken, nullptr, &at_once);
    }
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return result;
}

class Pcap final : public NetBackend {
public:
    Pcap(std::unique_ptr<NetBackend> base, posix::Descriptor file, uint32_t snap_length)
        : base_(std::move(base)),
          file_(std::move(file)),
          header_(base_->info().header),
          pipe_(is_pipe(file_.get())),
          snap_length_(snap_length)
    {
    }

    NetInfo info() const override { return base_->info(); }
    void set_receive_offload(uint32_t offload) noexcept override
    {
        base_->set_receive_offload(offload);
    }
    void set_queue_pairs(unsigned count) noexcept override { base_->set_queue_pairs(count); }
    void start(NetEvents& events) noexcept override { base_->start(events); }
    void stop() noexcept override { base_->stop(); }
    void forget(unsigned queue) noexcept override { base_->forget(queue); }
    // The file has what was before and what came after.
    bool restorable() const noexcept override { return base_->restorable(); }
    int poll_fd(unsigned queue) const noexcept override { return base_->poll_fd(queue); }
    int write_fd(unsigned queue) const noexcept override { return base_->write_fd(queue); }
    uint64_t refused() const noexcept override { return base_->refused(); }

    // One by one: only what was taken is written, and the base may change the elements.
    size_t transmit(unsigned queue, std::span<const NetPacket> packets) noexcept override
    {
        for (size_t i = 0; i < packets.size(); ++i) {
            const std::lock_guard lock(mutex_);
            size_t length = 0;
            for (const iovec& part : packets[i])
                length += part.iov_len;
            const size_t count = cut(packets[i], length - header_);
            if (base_->transmit(queue, packets.subspan(i, 1)) == 0)
                return i;
            write(count, length - header_);
        }
        return packets.size();
    }

    ssize_t receive(unsigned queue, std::span<const iovec> into) noexcept override
    {
        const ssize_t length = base_->receive(queue, into);
        if (length > header_) {
            const std::lock_guard lock(mutex_);
            const size_t frame = static_cast<size_t>(length) - header_;
            write(cut(into, frame), frame);
        }
        return length;
    }

private:
    // The elements of the frame without the header, from record_[1] on, as far as they
    // are written. Returns how many.
    size_t cut(std::span<const iovec> packet, size_t frame) noexcept
    {
        size_t left = std::min<size_t>(frame, snap_length_);
        if (header_ != 0)
            packet = packet.subspan(1);
        size_t count = 0;
        for (const iovec& part : packet) {
            if (left == 0 || count + 1 == record_.size())
                break;
            const size_t length = std::min(part.iov_len, left);
            record_[++count] = {part.iov_base, length};
            left -= length;
        }
        return count;
    }

    // Whole records alone: after a partial one, for want of space, there is no other.
    void write(size_t count, size_t frame) noexcept
    {
        if (full_)
            return;
        timespec now;
        ::clock_gettime(CLOCK_REALTIME, &now);
        RecordHeader header{static_cast<uint32_t>(now.tv_sec), static_cast<uint32_t>(now.tv_nsec),
                            0, static_cast<uint32_t>(frame)};
        for (size_t i = 1; i <= count; ++i)
            header.captured += static_cast<uint32_t>(record_[i].iov_len);
        record_[0] = {&header, sizeof header};
        const auto whole = static_cast<ssize_t>(sizeof header + header.captured);
        const std::span record = std::span(record_).first(count + 1);
        full_ =
            (pipe_ ? write_to_pipe(file_.get(), record) : write_to(file_.get(), record)) != whole;
    }

    const std::unique_ptr<NetBackend> base_;
    const posix::Descriptor file_;
    const uint8_t header_;
    const bool pipe_;
    const uint32_t snap_length_;

    std::mutex mutex_;  // everything below
    bool full_ = false;
    std::array<iovec, max_elements> record_;
};

// Each record is one write(2) at the end of the file, wherever that is by then.
Result<posix::Descriptor> open_file(const std::string& path, const PcapOptions& options)
{
    const std::string what = "pcap file " + path;
    const int flags = options.append ? O_RDWR : O_WRONLY | O_TRUNC;
    posix::Descriptor file(::open(path.c_str(), flags | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
    if (!file)
        return net::host_error(what);
    FileHeader header;
    const ssize_t size = options.append ? ::pread(file.get(), &header, sizeof header, 0) : 0;
    if (size == 0) {
        header.snap_length = options.snap_length;
        if (::write(file.get(), &header, sizeof header) != sizeof header)
            return net::host_error(what);
    } else if (size < 0) {
        return net::host_error(what);
    } else if (size != sizeof header || header.magic != magic_nanoseconds ||
               header.link_type != link_ethernet) {
        return Error{EINVAL, what + ": it holds something else"};
    }
    return file;
}

}  // namespace

Result<std::unique_ptr<NetBackend>> make_pcap(std::unique_ptr<NetBackend> base,
                                              const std::string& path, const PcapOptions& options)
{
    auto file = open_file(path, options);
    if (!file)
        return std::move(file).error();
    return std::unique_ptr<NetBackend>(
        std::make_unique<Pcap>(std::move(base), *std::move(file), options.snap_length));
}

}  // namespace lkl
