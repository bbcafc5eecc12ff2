// SPDX-License-Identifier: GPL-2.0-only
// lkl-bench-boot: the program whose life lkl-bench measures.
//
//   lkl-bench-boot [--resident | --idle SECONDS] [IMAGE TYPE FILE]
//
// Starts a kernel with 64 MiB, mounts the image read-only and reads the file, and
// ends. --resident: prints the largest resident memory in MiB. --idle: leaves the
// kernel alone for 12 seconds, then counts for SECONDS, and prints the wake-ups a
// second of the threads that are not the program's own, and their number.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include <lkl/disk.hpp>
#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/linux/fcntl.h>
#include <lkl/linux/mount.h>
#include <lkl/mount.hpp>
#include <unistd.h>

namespace {

[[noreturn]] void fail(const std::string& why)
{
    std::fprintf(stderr, "lkl-bench-boot: %s\n", why.c_str());
    std::exit(1);
}

template <typename T>
T value_of(lkl::Result<T> result)
{
    if (!result)
        fail(result.error().what);
    return std::move(result).value();
}

// The number behind a word of a /proc file.
double number_of(const std::string& path, const char* word)
{
    std::ifstream file(path);
    std::string line;
    while (std::getline(file, line)) {
        if (line.rfind(word, 0) == 0)
            return std::strtod(line.c_str() + std::strlen(word), nullptr);
    }
    fail(std::string("no ") + word + " in " + path);
}

struct Threads {
    double switches = 0;  // voluntary ones: a thread slept and was woken
    int count = 0;
};

Threads other_threads()
{
    Threads threads;
    const std::string self = std::to_string(::getpid());
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task")) {
        if (entry.path().filename() == self)
            continue;
        threads.switches += number_of(entry.path() / "status", "voluntary_ctxt_switches:");
        ++threads.count;
    }
    return threads;
}

void count_wakeups(unsigned duration)
{
    ::sleep(12);
    const Threads before = other_threads();
    ::sleep(duration);
    const Threads after = other_threads();
    std::printf("%g %d\n", (after.switches - before.switches) / duration, after.count);
}

void read_file(lkl::Kernel& kernel, const std::string& path)
{
    const lkl::File file = value_of(lkl::File::open(kernel, path.c_str(), LKL_O_RDONLY));
    std::vector<std::byte> buffer(4096);
    if (value_of(file.read(buffer)) == 0)
        fail(path + " is empty");
}

}  // namespace

int main(int argc, char** argv)
{
    std::vector<std::string> arguments(argv + 1, argv + argc);
    bool resident = false;
    unsigned idle = 0;
    if (!arguments.empty() && arguments[0] == "--resident") {
        resident = true;
        arguments.erase(arguments.begin());
    } else if (arguments.size() >= 2 && arguments[0] == "--idle") {
        idle = static_cast<unsigned>(std::strtoul(arguments[1].c_str(), nullptr, 10));
        arguments.erase(arguments.begin(), arguments.begin() + 2);
    }
    if (!arguments.empty() && arguments.size() != 3)
        fail("usage: lkl-bench-boot [--resident | --idle SECONDS] [IMAGE TYPE FILE]");

    lkl::KernelOptions options;
    options.memory = uint64_t{64} << 20;
    lkl::Kernel kernel = value_of(lkl::Kernel::start(options));
    std::optional<lkl::Mount> mount;
    if (!arguments.empty()) {
        lkl::FileDiskOptions disk_options;
        disk_options.read_only = true;
        const lkl::DiskId disk =
            value_of(kernel.add_disk(value_of(lkl::open_file_disk(arguments[0], disk_options))));
        lkl::MountOptions mount_options;
        mount_options.type = arguments[1];
        mount_options.flags = LKL_MS_RDONLY;
        mount = value_of(lkl::Mount::disk(kernel, disk, mount_options));
        read_file(kernel, mount->path() + "/" + arguments[2]);
    }
    if (idle != 0)
        count_wakeups(idle);
    mount.reset();
    if (const auto halted = kernel.halt(); !halted)
        fail(halted.error().what);
    if (resident)
        std::printf("%g\n", number_of("/proc/self/status", "VmHWM:") / 1024);
    return 0;
}
