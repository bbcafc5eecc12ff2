// SPDX-License-Identifier: GPL-2.0-only
#include "lklfuse/stopper.hpp"

#include <cerrno>
#include <chrono>
#include <csignal>

#include "common/report.hpp"
#include "lklfuse/messages.hpp"

namespace tools::lklfuse {

namespace {

// Interrupts the thread that serves, and the one that waits for signals.
constexpr int poke = SIGUSR1;

sigset_t stop_signals()
{
    sigset_t signals;
    sigemptyset(&signals);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP})
        sigaddset(&signals, signal);
    return signals;
}

}  // namespace

void block_signals()
{
    const sigset_t signals = stop_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    struct sigaction nothing {};
    nothing.sa_handler = [](int) {};
    sigaction(poke, &nothing, nullptr);  // without SA_RESTART
}

Stopper::Stopper(fuse_session* session, Mounter& mounter, const std::string& mount_point)
    : session_(session),
      mounter_(mounter),
      mount_point_(mount_point),
      server_(pthread_self()),
      thread_([this] { wait(); })
{
}

Stopper::~Stopper()
{
    ended_ = true;
    // NOLINTNEXTLINE(bugprone-bad-signal-to-kill-thread): it is blocked, and waited for
    pthread_kill(thread_.native_handle(), SIGTERM);
    thread_.join();
}

void Stopper::wait()
{
    const sigset_t signals = stop_signals();
    int signal = 0;
    while (sigwait(&signals, &signal) != 0 && !ended_)
        continue;
    if (!ended_)
        end_session();
}

void Stopper::end_session()
{
    mounter_.write_host_cache();
    // The server's loop ends by itself when it succeeds.
    if (mounter_.unmount(false))
        return;
    if (mounter_.ours())
        tell(escaped(mount_point_) + ": in use; what is open there ends");
    mounter_.write_host_cache();
    mounter_.unmount(true);
    interrupt_loop();
}

// The loop looks whether to end when a signal interrupts it, which may come too early.
void Stopper::interrupt_loop()
{
    fuse_session_exit(session_);
    while (!ended_) {
        pthread_kill(server_, poke);
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
}

}  // namespace tools::lklfuse
