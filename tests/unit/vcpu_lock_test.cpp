// SPDX-License-Identifier: GPL-2.0-only
// The lock of the virtual CPU: exclusion and doorbell, with the bias coming and
// going.
#include <core/vcpu_lock.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include <pthread.h>

#include <gtest/gtest.h>

namespace {

using lkl::VcpuLock;
using namespace std::chrono_literals;

struct Rig {
    lkl_vcpu vcpu{};
    VcpuLock lock;

    Rig() { lock.attach(&vcpu); }

    void take_interrupts()
    {
        // As lkl_irq_run() does: the doorbell first, the bits second.
        std::atomic_ref(vcpu.word).fetch_and(~LKL_VCPU_PENDING);
        taken += static_cast<uint64_t>(std::atomic_ref(vcpu.pending).exchange(0) != 0);
    }

    // The holder; takes interrupts until it may go.
    void leave(VcpuLock::Holder* holder)
    {
        while (!lock.release(holder))
            take_interrupts();
    }

    // Returns whether somebody has to be sent in.
    bool raise()
    {
        std::atomic_ref(vcpu.pending).fetch_or(1);
        return lock.ring();
    }

    uint64_t taken = 0;    // the holder's
    uint64_t counter = 0;  // the holder's
};

void bind(VcpuLock::Holder& holder)
{
    holder.thread.store(::pthread_self());
}

TEST(VcpuLock, OneHolderAtATime)
{
    Rig rig;
    VcpuLock::Holder a, b;
    ASSERT_TRUE(rig.lock.acquire(&a));
    EXPECT_FALSE(rig.lock.acquire(&b));
    EXPECT_FALSE(rig.lock.acquire(nullptr));
    EXPECT_TRUE(rig.lock.release(&a));
    ASSERT_TRUE(rig.lock.acquire(nullptr));
    EXPECT_FALSE(rig.lock.acquire(&a));
    EXPECT_TRUE(rig.lock.release(nullptr));
}

TEST(VcpuLock, RingTellsWhetherSomebodyIsIn)
{
    Rig rig;
    VcpuLock::Holder a;
    EXPECT_TRUE(rig.raise());
    ASSERT_TRUE(rig.lock.acquire(&a));
    EXPECT_FALSE(rig.lock.release(&a));
    rig.take_interrupts();
    EXPECT_FALSE(rig.raise());
    rig.take_interrupts();
    EXPECT_TRUE(rig.lock.release(&a));
    EXPECT_EQ(rig.taken, 2u);
}

// raise() in two steps, with the holder taking the bit in between: the kernel looks at
// bits alone, and would be asked to take none for ever.
TEST(VcpuLock, ABellWithoutABitDoesNotKeepTheHolder)
{
    Rig rig;
    VcpuLock::Holder holder;
    for (int i = 0; i < 200; ++i) {  // with the bias from some time on
        ASSERT_TRUE(rig.lock.acquire(&holder));
        std::atomic_ref(rig.vcpu.pending).fetch_or(1);
        rig.take_interrupts();
        EXPECT_FALSE(rig.lock.ring());
        EXPECT_FALSE(rig.lock.release(&holder));
        rig.lock.silence();
        EXPECT_TRUE(rig.lock.release(&holder));
    }
    // A bell that rings after it counts.
    rig.taken = 0;
    ASSERT_TRUE(rig.lock.acquire(&holder));
    EXPECT_FALSE(rig.raise());
    EXPECT_FALSE(rig.lock.release(&holder));
    rig.lock.silence();
    EXPECT_FALSE(rig.raise());
    EXPECT_FALSE(rig.lock.release(&holder));
    rig.leave(&holder);
    EXPECT_EQ(rig.taken, 1u);
}

TEST(VcpuLock, AnotherThreadGetsABiasedLock)
{
    Rig rig;
    VcpuLock::Holder a;
    bind(a);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(rig.lock.acquire(&a));
        ASSERT_TRUE(rig.lock.release(&a));
    }
    std::thread([&] {
        VcpuLock::Holder b;
        bind(b);
        ASSERT_TRUE(rig.lock.acquire(&b));
        EXPECT_FALSE(rig.lock.acquire(nullptr));
        EXPECT_TRUE(rig.lock.release(&b));
    }).join();
    ASSERT_TRUE(rig.lock.acquire(&a));
    EXPECT_TRUE(rig.lock.release(&a));
}

TEST(VcpuLock, BiasedHolderIsNotPassedBy)
{
    Rig rig;
    VcpuLock::Holder a;
    bind(a);
    for (int i = 0; i < 1000; ++i) {
        ASSERT_TRUE(rig.lock.acquire(&a));
        ASSERT_TRUE(rig.lock.release(&a));
    }
    ASSERT_TRUE(rig.lock.acquire(&a));
    std::thread([&] {
        EXPECT_FALSE(rig.lock.acquire(nullptr));
        EXPECT_FALSE(rig.raise());
    }).join();
    // The interrupt is the holder's, although it came by the slow way.
    EXPECT_FALSE(rig.lock.release(&a));
    rig.take_interrupts();
    EXPECT_TRUE(rig.lock.release(&a));
    EXPECT_EQ(rig.taken, 1u);
}

// Threads that come in bursts, so that the bias is given and taken all the time;
// a plain counter tells if two were ever in at once.
void hammer(bool bias)
{
    Rig rig;
    if (!bias)
        rig.lock.never_bias();
    std::atomic<bool> stop{false};
    std::atomic<uint64_t> entries{0};
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&, t] {
            VcpuLock::Holder holder;
            bind(holder);
            uint64_t mine = 0;
            while (!stop.load(std::memory_order_relaxed)) {
                for (int i = 0; i < 500; ++i) {
                    if (!rig.lock.acquire(&holder))
                        continue;
                    rig.counter = rig.counter + 1;
                    ++mine;
                    rig.leave(&holder);
                }
                if (t % 2)
                    std::this_thread::sleep_for(100us);
            }
            // Its Holder goes away: nobody may be left to look at it.
            while (!rig.lock.acquire(nullptr))
                std::this_thread::yield();
            rig.leave(nullptr);
            entries += mine;
        });
    }
    std::this_thread::sleep_for(2s);
    stop = true;
    for (std::thread& thread : threads)
        thread.join();
    EXPECT_EQ(rig.counter, entries.load());
    EXPECT_GT(rig.counter, 1000u);
}

TEST(VcpuLock, ExcludesWithBias)
{
    hammer(true);
}
TEST(VcpuLock, ExcludesWithoutBias)
{
    hammer(false);
}

// Every interrupt that is raised is taken, by the holder or by who is sent in.
void ring_all(bool bias)
{
    Rig rig;
    if (!bias)
        rig.lock.never_bias();
    std::atomic<bool> stop{false};
    auto holder = std::make_unique<VcpuLock::Holder>();
    std::thread caller([&] {
        bind(*holder);
        while (!stop.load(std::memory_order_relaxed)) {
            if (rig.lock.acquire(holder.get()))
                rig.leave(holder.get());
        }
    });
    const auto end = std::chrono::steady_clock::now() + 2s;
    uint64_t raised = 0;
    while (std::chrono::steady_clock::now() < end) {
        ++raised;
        if (rig.raise() && rig.lock.acquire(nullptr))
            rig.leave(nullptr);
        // Lost, if nobody takes it although somebody said that he was in.
        const auto limit = std::chrono::steady_clock::now() + 10s;
        while (std::atomic_ref(rig.vcpu.pending).load()) {
            ASSERT_LT(std::chrono::steady_clock::now(), limit) << "interrupt " << raised;
            std::this_thread::yield();
        }
    }
    stop = true;
    caller.join();
    EXPECT_GT(raised, 100u);
}

TEST(VcpuLock, NoInterruptIsLostWithBias)
{
    ring_all(true);
}
TEST(VcpuLock, NoInterruptIsLostWithoutBias)
{
    ring_all(false);
}

}  // namespace
