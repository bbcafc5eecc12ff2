// SPDX-License-Identifier: GPL-2.0-only
// Random reads of 4 KiB, 32 at a time, from a file of 1 GiB on ext4: thousands of
// reads a second. No page is read twice in a round and each round mounts anew, so
// that each read goes to the disk: the image in the host's page cache. The peer is
// the host's loop mount of the same image, read in the same way:
//
//   32 threads   each with pread(2)
//   io_uring     one thread, 32 reads in flight
#include <algorithm>
#include <array>
#include <atomic>
#include <barrier>
#include <random>
#include <stdexcept>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <lkl/asm/unistd.h>
#include <lkl/linux/fcntl.h>

#include "figures.hpp"
#include "guest.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"
#include "ring.hpp"

namespace bench {

namespace {

constexpr size_t page = 4096;
constexpr size_t depth = 32;
constexpr size_t reads = 32'000;

// The first pages of a random order of all, another one each time.
std::vector<uint64_t> random_offsets()
{
    static std::mt19937_64 random{1};
    static std::vector<uint64_t> offsets = [] {
        std::vector<uint64_t> all(data_size / page);
        for (size_t i = 0; i < all.size(); ++i)
            all[i] = i * page;
        return all;
    }();
    for (size_t i = 0; i < reads; ++i)
        std::swap(offsets[i], offsets[i + random() % (offsets.size() - i)]);
    return {offsets.begin(), offsets.begin() + reads};
}

// read(buffer, offset) reads a page. Thousands of reads a second.
template <typename Read>
double by_threads(const Read& read)
{
    const std::vector<uint64_t> offsets = random_offsets();
    std::barrier start(depth + 1);
    std::atomic<bool> good{true};
    std::vector<std::thread> threads;
    for (size_t t = 0; t < depth; ++t)
        threads.emplace_back([&, t] {
            alignas(page) std::array<char, page> buffer;
            // Its first call makes the kernel's task for a thread.
            if (read(buffer.data(), offsets[t]) != page)
                good = false;
            start.arrive_and_wait();
            for (size_t i = t + depth; i < offsets.size(); i += depth) {
                if (read(buffer.data(), offsets[i]) != page)
                    good = false;
            }
        });
    start.arrive_and_wait();
    const double time = seconds([&threads] {
        for (std::thread& thread : threads)
            thread.join();
    });
    if (!good)
        throw std::runtime_error("a read failed");
    return static_cast<double>(reads - depth) / time / 1e3;
}

template <typename Calls>
double by_ring(Calls calls, int file)
{
    const std::vector<uint64_t> offsets = random_offsets();
    std::vector<char> buffers(depth * page);
    Ring<Calls> ring(calls, depth);
    size_t next = 0, done = 0;
    const auto add = [&](size_t slot) {
        ring.read(file, &buffers[slot * page], page, offsets[next++], slot);
    };
    const double time = seconds([&] {
        for (size_t slot = 0; slot < depth; ++slot)
            add(slot);
        while (done < offsets.size()) {
            ring.submit_and_wait();
            ring.reap([&](uint64_t slot, int result) {
                if (result != static_cast<int>(page))
                    throw std::runtime_error("a read failed");
                ++done;
                if (next < offsets.size())
                    add(slot);
            });
        }
    });
    return static_cast<double>(reads) / time / 1e3;
}

// A kernel with the file open, mounted anew by fresh().
class OurFile {
public:
    explicit OurFile(const std::string& image) { guest_.add_disk(image, true); }
    int fresh()
    {
        if (fd_ >= 0)
            guest_.call("close", __lkl__NR_close, fd_);
        guest_.remount("ext4", true);
        const std::string path = guest_.path() + "/data";
        fd_ = static_cast<int>(
            guest_.call("open", __lkl__NR_openat, LKL_AT_FDCWD, path.c_str(), LKL_O_RDONLY));
        return fd_;
    }
    lkl::Kernel& kernel() { return guest_.kernel(); }

private:
    Guest guest_;
    int fd_ = -1;
};

}  // namespace

void measure_random(Run& run)
{
    need_root();
    const std::string image = data_image(run);
    const std::string directory = make_directory(run, "mount");
    const std::string host_file = directory + "/data";
    const std::string peer_name = "the same on the host's loop mount";
    warm(image);

    OurFile ours(image);
    run.add(
        {.name = "random 4 KiB reads, 32 threads",
         .unit = "1000/s",
         .peer_name = peer_name,
         .target = ratio_at_least(0.7)},
        [&ours] {
            const int fd = ours.fresh();
            return by_threads([&ours, fd](char* to, uint64_t offset) {
                return static_cast<size_t>(
                    ours.kernel().syscall(__lkl__NR_pread64, fd, to, page, offset));
            });
        },
        [&] {
            const LoopMount mount(image, directory, "ext4", MS_RDONLY);
            const Descriptor file = Descriptor::open(host_file, O_RDONLY);
            return by_threads([&file](char* to, uint64_t offset) {
                return static_cast<size_t>(
                    ::pread(file.get(), to, page, static_cast<off_t>(offset)));
            });
        });
    run.add(
        {.name = "random 4 KiB reads, io_uring, 32 deep",
         .unit = "1000/s",
         .peer_name = peer_name,
         .target = ratio_at_least(0.7)},
        [&ours] {
            const int fd = ours.fresh();
            return by_ring(OurCalls{ours.kernel()}, fd);
        },
        [&] {
            const LoopMount mount(image, directory, "ext4", MS_RDONLY);
            const Descriptor file = Descriptor::open(host_file, O_RDONLY);
            return by_ring(HostCalls{}, file.get());
        });
}

}  // namespace bench
