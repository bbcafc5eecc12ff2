// SPDX-License-Identifier: GPL-2.0-only
#include "faulty_net.hpp"

#include <condition_variable>
#include <map>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

namespace lkl::test {

namespace {

using Clock = std::chrono::steady_clock;
using Packet = std::vector<std::byte>;

class FaultyNet final : public NetBackend {
public:
    FaultyNet(std::unique_ptr<NetBackend> base, const Faults& faults, FaultCounts& counts)
        : base_(std::move(base)),
          header_(base_->info().header),
          faults_(faults),
          counts_(counts),
          random_(faults.seed),
          thread_([this] { work(); })
    {
    }
    ~FaultyNet() override
    {
        {
            const std::lock_guard lock(mutex_);
            stop_ = true;
        }
        changed_.notify_one();
        thread_.join();
    }

    NetInfo info() const override { return base_->info(); }
    int poll_fd(unsigned queue) const noexcept override { return base_->poll_fd(queue); }
    int write_fd(unsigned) const noexcept override { return -1; }
    ssize_t receive(unsigned queue, std::span<const iovec> into) noexcept override
    {
        return base_->receive(queue, into);
    }

    size_t transmit(unsigned, std::span<const NetPacket> packets) noexcept override
    {
        const std::lock_guard lock(mutex_);
        for (const NetPacket& packet : packets) {
            if (happens(faults_.loss)) {
                ++counts_.lost;
                continue;
            }
            const bool twice = happens(faults_.duplication);
            counts_.doubled += twice;
            for (int i = 0; i <= twice; ++i) {
                auto due = Clock::now() + faults_.delay;
                if (happens(faults_.reordering)) {
                    ++counts_.reordered;
                    due += faults_.late;
                }
                waiting_.emplace(due, copy(packet));
            }
        }
        changed_.notify_one();
        return packets.size();
    }

private:
    bool happens(double probability)
    {
        return std::uniform_real_distribution<>(0, 1)(random_) < probability;
    }

    static Packet copy(const NetPacket& from)
    {
        Packet packet;
        for (const iovec& part : from) {
            const auto* at = static_cast<const std::byte*>(part.iov_base);
            packet.insert(packet.end(), at, at + part.iov_len);
        }
        return packet;
    }

    void work()
    {
        std::unique_lock lock(mutex_);
        while (!stop_) {
            if (waiting_.empty()) {
                changed_.wait(lock);
                continue;
            }
            const auto first = waiting_.begin();
            if (first->first > Clock::now()) {
                changed_.wait_until(lock, first->first);
                continue;
            }
            Packet packet = std::move(first->second);
            waiting_.erase(first);
            lock.unlock();
            send(packet);
            lock.lock();
        }
    }

    // A full cable loses the packet, as one more fault.
    void send(Packet& packet)
    {
        iovec parts[] = {{packet.data(), header_},
                         {packet.data() + header_, packet.size() - header_}};
        const NetPacket one = header_ != 0 ? NetPacket(parts) : NetPacket(parts).subspan(1);
        if (base_->transmit(0, {&one, 1}) == 0)
            base_->forget(0);
    }

    const std::unique_ptr<NetBackend> base_;
    const uint8_t header_;
    const Faults faults_;
    FaultCounts& counts_;

    std::mutex mutex_;  // everything below
    std::condition_variable changed_;
    std::mt19937_64 random_;
    std::multimap<Clock::time_point, Packet> waiting_;
    bool stop_ = false;
    std::thread thread_;
};

}  // namespace

std::unique_ptr<NetBackend> make_faulty(std::unique_ptr<NetBackend> base, const Faults& faults,
                                        FaultCounts& counts)
{
    return std::make_unique<FaultyNet>(std::move(base), faults, counts);
}

}  // namespace lkl::test
