// SPDX-License-Identifier: GPL-2.0-only
#include "host.hpp"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fstream>
#include <system_error>

#include <fcntl.h>
#include <linux/loop.h>
#include <sched.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.hpp"

namespace bench {

namespace {

std::system_error failure(const std::string& what)
{
    return {errno, std::generic_category(), what};
}

Child start(const std::vector<std::string>& arguments)
{
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0)
        throw failure("pipe");
    Child child;
    child.output = Descriptor(ends[0]);
    const Descriptor write_end(ends[1]);

    posix_spawn_file_actions_t actions;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, write_end.get(), STDOUT_FILENO);
    std::vector<char*> words;
    words.reserve(arguments.size() + 1);
    for (const std::string& argument : arguments)
        words.push_back(const_cast<char*>(argument.c_str()));
    words.push_back(nullptr);
    const int error =
        ::posix_spawnp(&child.pid, words[0], &actions, nullptr, words.data(), environ);
    ::posix_spawn_file_actions_destroy(&actions);
    if (error != 0) {
        errno = error;
        throw failure(arguments[0]);
    }
    return child;
}

void wait_for(const Child& child, const std::string& name)
{
    int status = 0;
    while (::waitpid(child.pid, &status, 0) < 0) {
        if (errno != EINTR)
            throw failure("waitpid");
    }
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        throw std::runtime_error(name + " failed (" +
                                 (WIFEXITED(status)
                                      ? "exit code " + std::to_string(WEXITSTATUS(status))
                                      : "signal " + std::to_string(WTERMSIG(status))) +
                                 ")");
}

// Reads up to the end, and hands each piece to the function.
template <typename Function>
void drain(int fd, Function&& function)
{
    std::vector<char> buffer(size_t{1} << 20);
    for (;;) {
        const ssize_t n = ::read(fd, buffer.data(), buffer.size());
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            throw failure("read");
        if (n == 0)
            return;
        function(buffer.data(), static_cast<size_t>(n));
    }
}

}  // namespace

Descriptor::~Descriptor()
{
    if (fd_ >= 0)
        ::close(fd_);
}

Descriptor Descriptor::open(const std::string& path, int flags, unsigned mode)
{
    const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
    if (fd < 0)
        throw failure(path);
    return Descriptor(fd);
}

void need_root()
{
    if (::geteuid() != 0)
        throw Skipped("needs root, for the host's loop mount");
    if (::access("/dev/loop-control", R_OK | W_OK) != 0)
        throw Skipped("needs the host's loop devices");
}

void need_program(const std::string& name)
{
    try {
        run_program({"which", name});
    } catch (const std::exception&) {
        throw Skipped("needs " + name);
    }
}

void make_mounts_private()
{
    if (::geteuid() != 0)
        return;
    if (::unshare(CLONE_NEWNS) != 0 ||
        ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
        throw failure("a mount namespace");
}

void run_program(const std::vector<std::string>& arguments)
{
    const Child child = start(arguments);
    drain(child.output.get(), [](const char*, size_t) {});
    wait_for(child, arguments[0]);
}

std::string output_of(const std::vector<std::string>& arguments)
{
    const Child child = start(arguments);
    std::string text;
    drain(child.output.get(), [&text](const char* data, size_t size) { text.append(data, size); });
    wait_for(child, arguments[0]);
    return text;
}

double time_program(const std::vector<std::string>& arguments)
{
    return seconds([&arguments] { run_program(arguments); });
}

Background::Background(const std::vector<std::string>& arguments) : child_(start(arguments)) {}

bool Background::running()
{
    if (child_.pid > 0 && ::waitpid(child_.pid, nullptr, WNOHANG) != 0)
        child_.pid = -1;
    return child_.pid > 0;
}

Background::~Background()
{
    if (!running())
        return;
    ::kill(child_.pid, SIGTERM);
    while (::waitpid(child_.pid, nullptr, 0) < 0 && errno == EINTR)
        continue;
}

void warm(const std::string& path)
{
    const Descriptor file = Descriptor::open(path, O_RDONLY);
    // What is dirty would be written while something is measured.
    if (::fsync(file.get()) != 0)
        throw failure(path);
    drain(file.get(), [](const char*, size_t) {});
}

LoopMount::LoopMount(const std::string& image, const std::string& directory,
                     const std::string& type, unsigned long flags)
    : directory_(directory)
{
    const bool read_only = (flags & MS_RDONLY) != 0;
    const Descriptor file = Descriptor::open(image, read_only ? O_RDONLY : O_RDWR);
    const Descriptor control = Descriptor::open("/dev/loop-control", O_RDWR);

    loop_config config{};
    config.fd = static_cast<uint32_t>(file.get());
    // The last user's end is the device's end: umount(2), or the end of the
    // process that holds the mount.
    config.info.lo_flags = LO_FLAGS_AUTOCLEAR | (read_only ? LO_FLAGS_READ_ONLY : 0);
    for (;;) {
        const int number = ::ioctl(control.get(), LOOP_CTL_GET_FREE);
        if (number < 0)
            throw failure("a free loop device");
        const std::string path = "/dev/loop" + std::to_string(number);
        const Descriptor device = Descriptor::open(path, read_only ? O_RDONLY : O_RDWR);
        if (::ioctl(device.get(), LOOP_CONFIGURE, &config) != 0) {
            // Somebody else took it in between.
            if (errno == EBUSY)
                continue;
            throw failure(path);
        }
        if (::mount(path.c_str(), directory.c_str(), type.c_str(), flags, nullptr) != 0)
            throw failure("mounting " + image);
        return;
    }
}

LoopMount::~LoopMount()
{
    ::umount2(directory_.c_str(), 0);
}

FuseMount::FuseMount(const std::vector<std::string>& program, const std::string& directory)
    : directory_(directory)
{
    const auto device = [&directory] {
        struct stat status {};
        return ::stat(directory.c_str(), &status) == 0 ? status.st_dev : 0;
    };
    const dev_t before = device();
    child_ = start(program);
    for (int tries = 0; device() == before; ++tries) {
        if (tries == 3000 || ::waitpid(child_.pid, nullptr, WNOHANG) != 0)
            throw std::runtime_error(program[0] + " does not mount");
        ::usleep(10'000);
    }
}

FuseMount::~FuseMount()
{
    ::umount2(directory_.c_str(), 0);
    int status = 0;
    while (::waitpid(child_.pid, &status, 0) < 0 && errno == EINTR)
        continue;
}

uint64_t FuseMount::most_resident() const
{
    std::ifstream status("/proc/" + std::to_string(child_.pid) + "/status");
    for (std::string word; status >> word;) {
        uint64_t kib = 0;
        if (word == "VmHWM:" && status >> kib)
            return kib;
    }
    throw std::runtime_error("no VmHWM");
}

}  // namespace bench
