// SPDX-License-Identifier: GPL-2.0-only
// A network that is the program itself: frames go to a function, and come by another.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <deque>
#include <mutex>

#include <lkl/net.hpp>

namespace lkl {

namespace {

constexpr size_t most_waiting = 1024;   // frames
constexpr size_t longest = 65535 + 18;  // bytes

using Frame = std::vector<std::byte>;
using Receive = std::function<void(std::span<const std::byte>)>;

// What both ends share. NetEvents is called with its lock held, by which stop() waits
// for the call; so the frames have another one.
class Link final : public UserLink {
public:
    bool send(std::span<const std::byte> frame) override
    {
        if (frame.empty() || frame.size() > longest)
            return false;
        {
            const std::lock_guard lock(frames_mutex_);
            if (closed_ || frames_.size() >= most_waiting)
                return false;
            frames_.emplace_back(frame.begin(), frame.end());
        }
        const std::lock_guard lock(events_mutex_);
        if (events_)
            events_->readable(0);
        return true;
    }

    void set_events(NetEvents* events)
    {
        const std::lock_guard lock(events_mutex_);
        events_ = events;
    }
    void close()
    {
        const std::lock_guard lock(frames_mutex_);
        closed_ = true;
        frames_.clear();
    }
    bool take(Frame& frame)
    {
        const std::lock_guard lock(frames_mutex_);
        if (frames_.empty())
            return false;
        frame = std::move(frames_.front());
        frames_.pop_front();
        return true;
    }

private:
    std::mutex events_mutex_;
    NetEvents* events_ = nullptr;
    std::mutex frames_mutex_;
    std::deque<Frame> frames_;
    bool closed_ = false;
};

class UserNet final : public NetBackend {
public:
    UserNet(std::shared_ptr<Link> link, Receive receive)
        : link_(std::move(link)), receive_(std::move(receive))
    {
    }
    ~UserNet() override { link_->close(); }

    NetInfo info() const override
    {
        NetInfo info;
        info.name = "of the program";
        return info;
    }
    bool restorable() const noexcept override { return true; }
    void start(NetEvents& events) noexcept override { link_->set_events(&events); }
    void stop() noexcept override { link_->set_events(nullptr); }

    size_t transmit(unsigned, std::span<const NetPacket> packets) noexcept override
    {
        for (const NetPacket& packet : packets) {
            frame_.clear();
            for (const iovec& part : packet) {
                const auto* from = static_cast<const std::byte*>(part.iov_base);
                frame_.insert(frame_.end(), from, from + part.iov_len);
            }
            receive_(frame_);
        }
        return packets.size();
    }

    ssize_t receive(unsigned, std::span<const iovec> into) noexcept override
    {
        Frame frame;
        if (!link_->take(frame))
            return 0;
        size_t done = 0;
        for (const iovec& part : into) {
            const size_t length = std::min(part.iov_len, frame.size() - done);
            std::memcpy(part.iov_base, frame.data() + done, length);
            done += length;
        }
        return done == frame.size() ? static_cast<ssize_t>(done) : -EMSGSIZE;
    }

private:
    const std::shared_ptr<Link> link_;
    const Receive receive_;
    Frame frame_;  // transmit()'s
};

}  // namespace

std::pair<std::unique_ptr<NetBackend>, std::shared_ptr<UserLink>> make_user_net(Receive receive)
{
    auto link = std::make_shared<Link>();
    auto backend = std::make_unique<UserNet>(link, std::move(receive));
    return {std::move(backend), std::move(link)};
}

}  // namespace lkl
