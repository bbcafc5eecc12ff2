// SPDX-License-Identifier: GPL-2.0-only
// A FUSE server inside the program, by the protocol of <linux/fuse.h>: a directory of the host
// becomes a file system of our kernel.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>

#include <lkl/kernel.hpp>
#include <lkl/linux/fuse.h>

namespace lkl::test {

constexpr uint32_t most_fuse_data = 1 << 20;  // bytes a request or an answer

// What of the protocol is used.
struct FuseOptions {
    const char* name = "plain";
    uint32_t flags = 0;                   // FUSE_... of INIT, in so far as the kernel has them
    uint32_t open_flags = 0;              // FOPEN_... of each file
    uint32_t seconds = 1;                 // for which names and attributes are kept
    int threads = 1;                      // that serve, each with a descriptor of its own
    uint32_t max_write = most_fuse_data;  // bytes a request
    // Requests go through a pipe, so that they may be anywhere in memory. Otherwise they are
    // in memory that the kernel has mapped, and halt() takes that away under a thread.
    bool splices = false;
};

// A descriptor of /dev/fuse of the kernel, or a negative errno.
long open_fuse_device(Kernel& kernel);

class FuseServer {
public:
    // What is done with requests.
    enum class Manner {
        serves,
        writes_slowly,
        ignores,  // takes them, and does not answer
        leaves,   // at the next one, by closing the device
    };

    // `directory` is the host's.
    FuseServer(Kernel& kernel, const std::string& directory, const FuseOptions& options = {});
    // Ends what waits for it.
    ~FuseServer();
    FuseServer(const FuseServer&) = delete;
    FuseServer& operator=(const FuseServer&) = delete;

    // Mounts it, and serves from now on. 0 or a negative errno.
    long mount(const std::string& where);
    void set_manner(Manner manner) { manner_ = manner; }
    // How long each write takes with Manner::writes_slowly.
    void set_slowness(std::chrono::milliseconds time) { slowness_ = time; }
    // Waits until all threads that serve have ended. The result by which the last one did.
    long join();

    // How many requests of a kind have come.
    unsigned count(uint32_t opcode) const { return counts_.at(opcode); }
    // FUSE_... of those that were asked for.
    uint32_t agreed_flags() const { return agreed_flags_; }

private:
    static constexpr size_t buffer_size = most_fuse_data + 4096;

    // A file of the host, as long as the kernel knows it.
    struct Node {
        int fd = -1;  // O_PATH
        uint64_t lookups = 0;
        std::pair<uint64_t, uint64_t> identity;  // device and inode
    };
    // A thread, and what it works with.
    struct Worker {
        std::thread thread;
        long device = -1;
        int pipe[2] = {-1, -1};
        char* in = nullptr;
        char* out = nullptr;
    };
    struct Request;

    long prepare(Worker& worker);
    long receive(Worker& worker);
    long send(Worker& worker, size_t size);
    void serve(Worker& worker);
    // Bytes of the answer behind its header, or a negative errno.
    long answer(Request& request);
    long initialize(Request& request);
    long enter(Request& request, int fd);
    long look_up(Request& request, const char* name);
    long describe(Request& request, int fd);
    long change(Request& request);
    long make(Request& request);
    long open(Request& request);
    long rename(Request& request);
    long read_directory(Request& request, bool with_entries);
    long count_space(Request& request);
    void forget(uint64_t number, uint64_t lookups);
    int descriptor(uint64_t number);

    Kernel& kernel_;
    const FuseOptions options_;
    std::string where_;
    std::atomic<Manner> manner_{Manner::serves};
    std::atomic<std::chrono::milliseconds> slowness_{std::chrono::milliseconds{50}};
    std::array<std::atomic<unsigned>, 64> counts_{};
    std::atomic<long> last_result_{0};
    std::atomic<uint32_t> agreed_flags_{0};
    std::mutex mutex_;  // of what follows
    std::map<uint64_t, Node> nodes_;
    std::map<std::pair<uint64_t, uint64_t>, uint64_t> numbers_;
    uint64_t next_number_ = LKL_FUSE_ROOT_ID + 1;
    std::list<Worker> workers_;
};

}  // namespace lkl::test
