// SPDX-License-Identifier: GPL-2.0-only
#include "common/doomed_file.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <csignal>
#include <cstring>
#include <mutex>

#include <unistd.h>

namespace tools {

namespace {

constexpr std::array signals{SIGINT, SIGTERM, SIGHUP};

// What the signal handler may look at: directory and name are written before `doomed` says
// that they are there.
struct Slot {
    std::atomic<bool> doomed = false;
    int directory = -1;
    std::array<char, PATH_MAX> name;
    bool taken = false;
};
std::array<Slot, DoomedFile::most> slots;
std::mutex lock;  // of all `taken`, and the handlers

// The signal that ends the process, and how many files are being created. The handler writes
// the first and reads the second, who creates counts and then reads the first, in one order
// for all (seq_cst): either the handler sees who creates and leaves the end to him, or he
// sees that the end has come. The last one of several ends the process.
std::atomic<int> ending = 0;
std::atomic<int> creating = 0;

// All of it is async-signal-safe.
void remove_and_die(int signal_number)
{
    remove_doomed_files();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

extern "C" void handle(int signal_number)
{
    ending = signal_number;
    if (creating == 0)
        remove_and_die(signal_number);
}

void end_creation()
{
    if (creating.fetch_sub(1) > 1 || ending == 0)
        return;
    // Not in the handler, and maybe in a thread that has it blocked.
    sigset_t signal;
    sigemptyset(&signal);
    sigaddset(&signal, ending);
    pthread_sigmask(SIG_UNBLOCK, &signal, nullptr);
    remove_and_die(ending);
}

void set_handlers()
{
    for (const int number : signals) {
        struct sigaction action {};
        // nohup and shells in the background ignore signals on purpose.
        if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == SIG_DFL) {
            action = {};
            action.sa_handler = handle;
            sigaction(number, &action, nullptr);
        }
    }
}

void reset_handlers()
{
    for (const int number : signals) {
        struct sigaction action {};
        if (sigaction(number, nullptr, &action) == 0 && action.sa_handler == handle)
            signal(number, SIG_DFL);
    }
}

}  // namespace

DoomedFile::DoomedFile()
{
    const std::lock_guard guard(lock);
    for (size_t i = 0; i < slots.size() && slot_ == most; i++) {
        if (!slots[i].taken)
            slot_ = i;
    }
    if (slot_ == most)
        return;
    slots[slot_].taken = true;
    set_handlers();
}

DoomedFile::~DoomedFile()
{
    if (slot_ == most)
        return;
    clear();
    const std::lock_guard guard(lock);
    slots[slot_].taken = false;
    for (const Slot& slot : slots) {
        if (slot.taken)
            return;
    }
    reset_handlers();
}

void DoomedFile::set(int directory, const std::string& name)
{
    if (slot_ == most || name.size() >= PATH_MAX)
        return;
    Slot& slot = slots[slot_];
    slot.doomed = false;
    slot.directory = directory;
    std::memcpy(slot.name.data(), name.c_str(), name.size() + 1);
    slot.doomed = true;
}

void DoomedFile::clear()
{
    if (slot_ != most)
        slots[slot_].doomed = false;
}

CreationOfDoomedFile::CreationOfDoomedFile() noexcept
{
    ++creating;
    if (ending == 0)
        return;
    // Nothing is created any more.
    end_creation();
    for (;;)
        sleep(1);
}

CreationOfDoomedFile::~CreationOfDoomedFile()
{
    end_creation();
}

void remove_doomed_files() noexcept
{
    const int error = errno;
    for (Slot& slot : slots) {
        if (slot.doomed)
            unlinkat(slot.directory, slot.name.data(), 0);
    }
    errno = error;
}

}  // namespace tools
