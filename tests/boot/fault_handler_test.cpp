// SPDX-License-Identifier: GPL-2.0-only
// The library's handler of faults: which faults are a system call's, and where all
// others go.
#include <algorithm>
#include <array>
#include <atomic>
#include <csetjmp>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "boot/bad_pointers.hpp"

namespace lkl::test {
namespace {

// The program's own handler, which goes back to where the test waits.
sigjmp_buf back;
std::atomic<void*> fault_address{nullptr};
std::atomic<int> faults_seen{0};

void own_handler(int, siginfo_t* info, void*)
{
    fault_address = info->si_addr;
    ++faults_seen;
    ::siglongjmp(back, 1);
}

void counting_handler(int, siginfo_t*, void*)
{
    ++faults_seen;
}

class OwnHandler {
public:
    explicit OwnHandler(void (*handler)(int, siginfo_t*, void*))
    {
        struct sigaction action {};
        action.sa_sigaction = handler;
        action.sa_flags = SA_SIGINFO | SA_ONSTACK;
        faults_seen = 0;
        ::sigaction(SIGSEGV, &action, &segv_);
        ::sigaction(SIGBUS, &action, &bus_);
    }
    ~OwnHandler()
    {
        ::sigaction(SIGSEGV, &segv_, nullptr);
        ::sigaction(SIGBUS, &bus_, nullptr);
    }
    OwnHandler(const OwnHandler&) = delete;
    OwnHandler& operator=(const OwnHandler&) = delete;

private:
    struct sigaction segv_, bus_;
};

__attribute__((no_sanitize("address"))) bool faults_at(volatile uint8_t* address)
{
    if (::sigsetjmp(back, 1) == 0) {
        *address = 1;
        return false;
    }
    return fault_address == address;
}

TEST(FaultHandler, TheProgramsOwnFaultsReachItsOwnHandler)
{
    const OwnHandler own(own_handler);
    Edge edge;
    {
        Kernel kernel = boot(opted_in());
        const Side side(kernel);
        EXPECT_TRUE(faults_at(edge.forbidden()));
        EXPECT_EQ(faults_seen, 1);
        EXPECT_EQ(side(NUMBER(uname), edge.forbidden()), -EFAULT);
        EXPECT_EQ(faults_seen, 1);
        EXPECT_TRUE(faults_at(edge.forbidden() + 8));
        EXPECT_EQ(side(NUMBER(uname), edge.forbidden()), -EFAULT);
        EXPECT_EQ(faults_seen, 2);
    }
    // Without a kernel it is the only one again.
    struct sigaction now {};
    ASSERT_EQ(::sigaction(SIGSEGV, nullptr, &now), 0);
    EXPECT_EQ(now.sa_sigaction, own_handler);
    EXPECT_TRUE(faults_at(edge.forbidden()));
}

// Of no signal at all.
TEST(FaultHandler, IsNotInstalledUnlessAskedFor)
{
    const auto handlers = [] {
        std::array<sighandler_t, NSIG> all{};
        for (int signal = 1; signal < NSIG; signal++) {
            struct sigaction action {};
            if (::sigaction(signal, nullptr, &action) == 0)
                all[static_cast<size_t>(signal)] = action.sa_handler;
        }
        return all;
    };
    const auto before = handlers();
    {
        Kernel kernel = boot();
        EXPECT_EQ(handlers(), before);
    }
    EXPECT_EQ(handlers(), before);
    Kernel kernel = boot(opted_in());
    EXPECT_NE(handlers(), before);
}

// A signal that somebody sends is no fault, wherever it comes.
TEST(FaultHandler, SignalsThatAreSentGoToTheProgram)
{
    const Watchdog watchdog{60s, "signals"};
    const OwnHandler own(counting_handler);
    Kernel kernel = boot(opted_in());
    ASSERT_EQ(::raise(SIGSEGV), 0);
    EXPECT_EQ(faults_seen, 1);

    std::atomic<bool> stop{false};
    std::atomic<bool> started{false};
    std::thread thread([&] {
        std::vector<uint8_t> data(1 << 20);
        started = true;
        while (!stop)
            EXPECT_EQ(kernel.syscall(__lkl__NR_getrandom, data.data(), data.size(), 0),
                      static_cast<long>(data.size()));
    });
    while (!started)
        std::this_thread::yield();
    for (int i = 0; i < 500; ++i) {
        EXPECT_EQ(::pthread_kill(thread.native_handle(), i % 2 ? SIGSEGV : SIGBUS), 0);
        std::this_thread::sleep_for(200us);
        // Another of the same number would be lost while this one is pending.
        while (faults_seen < 2 + i)
            std::this_thread::yield();
    }
    stop = true;
    thread.join();
    EXPECT_EQ(faults_seen, 501);
    EXPECT_EQ(kernel.panic_message(), "");
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), 1);
}

class FaultHandlerDeath : public testing::Test {
protected:
    void SetUp() override { testing::FLAGS_gtest_death_test_style = "threadsafe"; }

    // In the child: the default actions, and no core.
    static void plain()
    {
        ::signal(SIGSEGV, SIG_DFL);
        ::signal(SIGBUS, SIG_DFL);
        const rlimit none{};
        ::setrlimit(RLIMIT_CORE, &none);
    }
};

TEST_F(FaultHandlerDeath, AFaultOfTheProgramKillsIt)
{
    EXPECT_EXIT(
        {
            plain();
            Kernel kernel = boot(opted_in());
            Edge edge;
            *static_cast<volatile uint8_t*>(edge.forbidden()) = 1;
            std::exit(0);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(FaultHandlerDeath, ASignalThatIsSentKillsToo)
{
    EXPECT_EXIT(
        {
            plain();
            Kernel kernel = boot(opted_in());
            ::kill(::getpid(), SIGSEGV);
            std::this_thread::sleep_for(5s);
            std::exit(0);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

TEST_F(FaultHandlerDeath, WithoutItABadPointerIsAFault)
{
    EXPECT_EXIT(
        {
            plain();
            Kernel kernel = boot();
            Edge edge;
            Side{kernel}(NUMBER(uname), edge.forbidden());
            std::exit(0);
        },
        testing::KilledBySignal(SIGSEGV), "");
}

// The one mapping of all of the kernel's memory.
struct Memory {
    uint8_t* start = nullptr;
    size_t size = 0;
};

Memory kernel_memory()
{
    Memory memory;
    std::ifstream maps("/proc/self/maps");
    std::string line;
    while (std::getline(maps, line)) {
        uintptr_t start, end;
        char dash;
        std::istringstream in(line);
        in >> std::hex >> start >> dash >> end;
        if (line.find("/memfd:lkl") != std::string::npos && end - start > memory.size)
            memory = {reinterpret_cast<uint8_t*>(start), end - start};
    }
    return memory;
}

void expect_panic(Kernel& kernel, const char* words)
{
    EXPECT_NE(kernel.panic_message().find(words), std::string::npos) << kernel.panic_message();
    EXPECT_EQ(kernel.syscall(__lkl__NR_getpid), -LKL_EIO);
    const auto halted = kernel.halt();
    ASSERT_FALSE(halted);
    EXPECT_EQ(halted.error().code, EIO);
    // The process is none the worse for it.
    EXPECT_EQ(boot(opted_in()).syscall(__lkl__NR_getpid), 1);
}

// A page of the kernel's memory is taken away: the next access is a fault that no
// system call answers for.
TEST(FaultHandler, AFaultOfTheKernelEndsItWithItsLog)
{
    Kernel kernel = boot(opted_in());
    const Side side(kernel);
    const auto file = side(NUMBER(memfd_create), "oops", 0);
    ASSERT_GE(file, 0);
    std::vector<uint8_t> pattern(page);
    for (size_t i = 0; i < page; ++i)
        pattern[i] = static_cast<uint8_t>(i * i + 3 * i + 0x35);
    ASSERT_EQ(side(NUMBER(write), file, pattern.data(), page), static_cast<long>(page));

    const Memory memory = kernel_memory();
    ASSERT_GT(memory.size, 32u << 20);
    uint8_t* found = nullptr;
    for (size_t at = 0; at < memory.size && !found; at += page) {
        if (std::equal(pattern.begin(), pattern.end(), memory.start + at))
            found = memory.start + at;
    }
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(::mprotect(found, page, PROT_READ), 0);
    // Clears the rest of the page.
    EXPECT_EQ(side(NUMBER(ftruncate), file, 100), -EIO);
    expect_panic(kernel, "unable to handle access");
    EXPECT_NE(kernel.panic_message().find("shmem"), std::string::npos) << kernel.panic_message();
}

// All of it: even telling what happened is a fault.
TEST(FaultHandler, AFaultWhileAFaultIsReportedEndsTheKernel)
{
    Kernel kernel = boot(opted_in());
    const Memory memory = kernel_memory();
    ASSERT_GT(memory.size, 32u << 20);
    ASSERT_EQ(::mprotect(memory.start, memory.size, PROT_NONE), 0);
    EXPECT_EQ(Calls(kernel).open("/somewhere", LKL_O_RDONLY), -LKL_EIO);
    expect_panic(kernel, "fault");
}

}  // namespace
}  // namespace lkl::test
