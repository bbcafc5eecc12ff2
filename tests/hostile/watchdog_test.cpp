// SPDX-License-Identifier: GPL-2.0-only
// The watchdog of the tools with a kernel that does not come back from a call, and with
// others that are slow for good reasons.
#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <lkl/asm/unistd.h>
#include <lkl/kernel.hpp>

#include "common/watchdog.hpp"

namespace lkl::test {

namespace {

using namespace std::chrono_literals;

constexpr auto period = 20ms;
constexpr unsigned patience = 10;
constexpr auto long_enough = period * patience * 4;

class WatchdogTest : public testing::Test {
protected:
    void SetUp() override
    {
        auto started = Kernel::start();
        ASSERT_TRUE(started) << started.error().what;
        kernel = std::make_unique<Kernel>(*std::move(started));
        ASSERT_EQ(kernel->syscall(__lkl__NR_pipe2, pipe.data(), 0), 0);
    }

    std::unique_ptr<tools::Watchdog> watch(unsigned looks = patience)
    {
        return std::make_unique<tools::Watchdog>(*kernel, looks, period,
                                                 [this](const std::string&) { hung.fetch_add(1); });
    }
    void wait_for_byte()
    {
        char byte = 0;
        EXPECT_EQ(kernel->syscall(__lkl__NR_read, pipe[0], &byte, 1), 1);
    }
    void send_byte() { EXPECT_EQ(kernel->syscall(__lkl__NR_write, pipe[1], "1", 1), 1); }

    std::unique_ptr<Kernel> kernel;
    std::array<int, 2> pipe{};
    std::atomic<int> hung{0};
};

// A disk whose requests take as long as the test likes.
class SlowDisk final : public BlockBackend {
public:
    struct Gate {
        std::mutex mutex;
        bool shut = false;
        std::vector<BlockRequest*> waiting;

        void open()
        {
            std::vector<BlockRequest*> requests;
            {
                const std::lock_guard lock(mutex);
                shut = false;
                requests.swap(waiting);
            }
            for (BlockRequest* request : requests)
                request->complete(0);
        }
    };

    explicit SlowDisk(std::shared_ptr<Gate> gate) : gate_(std::move(gate)) {}
    BlockInfo info() const override
    {
        BlockInfo info;
        info.capacity = 1 << 20;
        return info;
    }
    void submit(std::span<BlockRequest* const> requests) noexcept override
    {
        for (BlockRequest* request : requests) {
            {
                const std::lock_guard lock(gate_->mutex);
                if (gate_->shut) {
                    gate_->waiting.push_back(request);
                    continue;
                }
            }
            request->complete(0);
        }
    }

private:
    const std::shared_ptr<Gate> gate_;
};

}  // namespace

TEST_F(WatchdogTest, TellsOnceThatACallDoesNotEnd)
{
    const auto watchdog = watch();
    std::thread waiting([this] { wait_for_byte(); });
    for (int tries = 0; tries < 1000 && hung == 0; ++tries)
        std::this_thread::sleep_for(period);
    EXPECT_EQ(hung, 1);
    std::this_thread::sleep_for(long_enough);
    EXPECT_EQ(hung, 1);
    send_byte();
    waiting.join();
}

TEST_F(WatchdogTest, AnIdleKernelDoesNotHang)
{
    const auto watchdog = watch();
    std::this_thread::sleep_for(long_enough);
    EXPECT_EQ(hung, 0);
}

TEST_F(WatchdogTest, OneThreadMayWaitWhileOthersGoOn)
{
    constexpr unsigned looks = 250;  // 5 s: a busy host stops a thread for less
    const auto watchdog = watch(looks);
    std::thread waiting([this] { wait_for_byte(); });
    const auto end = std::chrono::steady_clock::now() + period * looks * 2;
    while (std::chrono::steady_clock::now() < end) {
        kernel->syscall(__lkl__NR_getppid);
        std::this_thread::sleep_for(1ms);
    }
    EXPECT_EQ(hung, 0);
    send_byte();
    waiting.join();
}

TEST_F(WatchdogTest, ASlowDiskDoesNotHang)
{
    const auto gate = std::make_shared<SlowDisk::Gate>();
    const auto disk = kernel->add_disk(std::make_unique<SlowDisk>(gate));
    ASSERT_TRUE(disk) << disk.error().what;
    ASSERT_EQ(kernel->syscall(__lkl__NR_mknodat, -100, "/vda", 060600, disk->device), 0);
    const long fd = kernel->syscall(__lkl__NR_openat, -100, "/vda", 0, 0);
    ASSERT_GE(fd, 0);
    {
        const std::lock_guard lock(gate->mutex);
        gate->shut = true;
    }
    std::thread reading([this, fd] {
        std::array<char, 512> sector{};
        EXPECT_EQ(kernel->syscall(__lkl__NR_pread64, fd, sector.data(), sector.size(), 4096),
                  static_cast<long>(sector.size()));
    });
    for (int i = 0; i < 1000 && kernel->activity().disk_requests_under_way == 0; ++i)
        std::this_thread::sleep_for(period);
    const auto watchdog = watch();
    std::this_thread::sleep_for(long_enough);
    EXPECT_EQ(kernel->activity().disk_requests_under_way, 1U);
    EXPECT_EQ(hung, 0);
    gate->open();
    reading.join();
    EXPECT_EQ(kernel->syscall(__lkl__NR_close, fd), 0);
}

}  // namespace lkl::test
