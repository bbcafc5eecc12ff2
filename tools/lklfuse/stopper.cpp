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

constexpr std::chrono::milliseconds between_looks{10};
constexpr int most_looks = 500;

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
    switch (mounter_.unmount(false)) {
    case Unmounted::yes:
        if (ends_by_itself())
            return;
        tell(escaped(mount_point_) + ": is mounted elsewhere too; what is open there ends");
        break;
    case Unmounted::in_use:
        if (mounter_.ours())
            tell(escaped(mount_point_) + ": in use; what is open there ends");
        break;
    case Unmounted::not_on_top:
        tell(escaped(mount_point_) +
             ": was unmounted, or is hidden by another mount; what is open in it ends");
        break;
    }
    mounter_.write_host_cache();
    mounter_.unmount(true);
    interrupt_loop();
}

// The server's loop does after an unmount, unless there are copies of the mount: bound to
// another place, or in another namespace.
bool Stopper::ends_by_itself() const
{
    const auto ends = [this] { return ended_ || fuse_session_exited(session_) != 0; };
    for (int looks = 0; looks < most_looks && !ends(); looks++)
        std::this_thread::sleep_for(between_looks);
    return ends();
}

// The loop looks whether to end when a signal interrupts it, which may come too early.
void Stopper::interrupt_loop()
{
    fuse_session_exit(session_);
    while (!ended_) {
        pthread_kill(server_, poke);
        std::this_thread::sleep_for(between_looks);
    }
}

}  // namespace tools::lklfuse
