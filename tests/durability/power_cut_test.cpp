// SPDX-License-Identifier: GPL-2.0-only
// ctest: TIMEOUT=7200
// Power is lost while processes change files and have some of them synced. What was
// synced is there, and the real checker finds nothing wrong: docs/durability.md.
//
// Of each workload there is a cut just before and just after the end of each flush, and
// half as many at random between.
//
// LKL_CUTS: how many for each file system at least (40); the last workload is cut to its
// end. LKL_CUT_SEED: of the first workload (1); each next one has the next number. What a failed
// cut left, before it was mounted, and what the disk was asked for are kept in
// results/durability of the build directory.
#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>
#include <thread>

#include <gtest/gtest.h>

#include <common/shared_disk.hpp>
#include <lkl/mount.hpp>
#include <lkl/record.hpp>

#include "durability/common/disk_image.hpp"
#include "durability/common/disks.hpp"
#include "durability/common/file_system.hpp"
#include "durability/common/workload.hpp"
#include "support/kernel.hpp"
#include "support/must.hpp"
#include "support/process.hpp"

namespace lkl::test {
namespace {

constexpr unsigned workers = 3;
// Of each worker, by the workload's seed: about every second makes a flush. All of a short
// one is tried soon, and file systems change their ways in a long one.
constexpr std::array<unsigned, 5> operations{40, 16, 40, 150, 40};
constexpr size_t least_between = 10;  // random cuts
constexpr uint64_t default_cuts = 40;
constexpr uint64_t settled = 10;  // cuts, by when all that is made once is there

uint64_t number_of(const char* variable, uint64_t otherwise)
{
    const char* const text = std::getenv(variable);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

const char* name_of(BlockOp op)
{
    switch (op) {
    case BlockOp::read:
        return "read";
    case BlockOp::write:
        return "write";
    case BlockOp::flush:
        return "flush";
    case BlockOp::discard:
        return "discard";
    case BlockOp::write_zeroes:
        return "write zeroes";
    }
    return "?";
}

// What is wrong after a cut.
struct Violation : std::runtime_error {
    using std::runtime_error::runtime_error;
};

// A kernel in which disks come and go.
class Host {
public:
    Host() : kernel_(boot(options()))
    {
        must(Mount::special(kernel_, "proc", "/proc")).release();
        // What nobody has synced is written soon as well, not after half a minute.
        Calls calls(kernel_);
        for (const char* name : {"dirty_writeback_centisecs", "dirty_expire_centisecs"})
            calls.write_file((std::string("/proc/sys/vm/") + name).c_str(), "10");
    }

    // Mounts the disk, calls f(top), unmounts it and removes it.
    template <typename F>
    void with(std::unique_ptr<BlockBackend> disk, const FileSystem& type,
              const std::string& options, F f)
    {
        const DiskId id = must(kernel_.add_disk(std::move(disk)));
        MountOptions mount_options;
        mount_options.type = type.type;
        mount_options.add(options);
        auto mount = Mount::disk(kernel_, id, mount_options);
        if (!mount) {
            must(kernel_.remove_disk(id));
            throw Violation(mount.error().what);
        }
        f(must(File::open(kernel_, mount->path().c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY)));
        must(mount->unmount());
        must(kernel_.remove_disk(id));
    }

    // Bytes that the kernel could give to somebody.
    uint64_t free_memory()
    {
        Calls calls(kernel_);
        calls.write_file("/proc/sys/vm/drop_caches", "3");
        const std::string text = calls.read_file("/proc/meminfo");
        return std::strtoull(text.c_str() + text.find("MemFree:") + 8, nullptr, 10) << 10;
    }

private:
    static KernelOptions options()
    {
        KernelOptions options;
        options.memory = 128 << 20;
        return options;
    }

    Kernel kernel_;
};

// A workload on one disk, and its cuts.
class Recording {
public:
    // Above the recorder, what is between it and the guest.
    using Above = std::function<std::unique_ptr<BlockBackend>(std::unique_ptr<BlockBackend>)>;

    Recording(Host& host, const FileSystem& type, uint64_t seed, const Above& above)
        : type_(type), way_(type.mounts[seed % type.mounts.size()]), base_(type.size)
    {
        std::string output;
        if (run_command(type.make + ' ' + base_.path(), output) != 0)
            throw std::runtime_error(type.make + ": " + output);
        host.with(base_.disk(false), type, {}, make_directories);
        auto late = std::make_unique<LateDisk>(base_.copy(), seed);
        auto disk = must(make_recording_disk(std::move(late), log_));
        host.with(above(std::move(disk)), type, way_.options,
                  [&](const File& top) { work(top, seed); });
    }

    const BlockLog& log() const { return log_; }
    const std::string& options() const { return way_.options; }

    std::unique_ptr<BlockBackend> cut(const PowerCut& where) const
    {
        return must(make_cut_disk(base_.disk(true), log_, where));
    }

    // Throws Violation.
    void judge(const File& top, uint64_t moment) const
    {
        for (size_t number = 0; number < workers_.size(); ++number) {
            const std::string name = directory(number);
            const FoundTree tree = [&] {
                try {
                    return read_tree(must(top.open_at(name.c_str(), LKL_O_RDONLY)));
                } catch (const std::runtime_error& error) {
                    throw Violation(name + ": " + error.what());
                }
            }();
            const History& history = workers_[number].history();
            const std::string wrong = history.check(
                {moment, kept(moment), way_.names, way_.keeps_renamed, type_.tails, type_.rewrites},
                tree);
            if (!wrong.empty())
                throw Violation(name + ": " + wrong +
                                "\nbefore:" + workers_[number].history().tell(moment));
        }
    }

    // Moments just before and after the ends of flushes.
    std::vector<uint64_t> boundaries() const
    {
        std::vector<uint64_t> result;
        for (const BlockRecord& record : log_.records()) {
            if (record.op == BlockOp::flush && record.completed != BlockRecord::never) {
                result.push_back(record.completed);
                result.push_back(record.completed + 1);
            }
        }
        return result;
    }

    // What the disk was asked for, a line each, in the order of submission.
    std::string tell() const
    {
        std::ostringstream text;
        for (const BlockRecord& record : log_.records()) {
            text << record.submitted << " to ";
            if (record.completed == BlockRecord::never)
                text << "never";
            else
                text << record.completed;
            text << ": " << name_of(record.op) << (record.durable ? ", durable, " : " ")
                 << record.length << " bytes at " << record.offset << '\n';
        }
        return text.str();
    }

private:
    // Promises that were given up to then hold after a cut at this moment. Where they are
    // late: all that was in flight when they were given had completed when a flush was
    // submitted, which has completed.
    uint64_t kept(uint64_t moment) const
    {
        if (!type_.late)
            return moment;
        uint64_t last = 0;
        for (const BlockRecord& flush : log_.records()) {
            if (flush.op != BlockOp::flush || flush.completed >= moment)
                continue;
            uint64_t until = flush.submitted;
            for (const BlockRecord& record : log_.records()) {
                if (record.op != BlockOp::flush && record.submitted < until &&
                    record.completed > flush.submitted)
                    until = record.submitted;
            }
            last = std::max(last, until);
        }
        return last;
    }

    static std::string directory(size_t worker) { return "worker" + std::to_string(worker); }

    static void make_directories(const File& top)
    {
        for (size_t number = 0; number < workers; ++number) {
            must(top.make_directory_at(directory(number).c_str(), 0755));
            for (const char* name : Worker::directories)
                must(top.make_directory_at((directory(number) + '/' + name).c_str(), 0755));
        }
    }

    void work(const File& top, uint64_t seed)
    {
        for (size_t number = 0; number < workers; ++number)
            workers_.emplace_back(
                must(top.open_at(directory(number).c_str(), LKL_O_RDONLY | LKL_O_DIRECTORY)), log_,
                seed * workers + number);
        std::vector<std::string> errors(workers);
        {
            Crew crew;
            crew.add(workers, [&](int number) {
                try {
                    workers_[static_cast<size_t>(number)].run(operations[seed % operations.size()]);
                } catch (const std::exception& error) {
                    errors[static_cast<size_t>(number)] = error.what();
                }
            });
        }
        for (Worker& worker : workers_)
            worker.close();
        for (const std::string& error : errors) {
            if (!error.empty())
                throw std::runtime_error(error);
        }
    }

    const FileSystem& type_;
    const MountWay& way_;
    DiskImage base_;
    BlockLog log_;
    std::deque<Worker> workers_;
};

class PowerCuts : public testing::TestWithParam<FileSystem> {
protected:
    const FileSystem& type() const { return GetParam(); }

    // Throws Violation.
    void try_cut(const Recording& recording, const PowerCut& where)
    {
        const std::shared_ptr<BlockBackend> left = recording.cut(where);
        host_.with(std::make_unique<tools::SharedDisk>(left), type(), recording.options(),
                   [&](const File& top) { recording.judge(top, where.position); });
        image_.take(*left);
        std::string output;
        const int code = run_command(type().check + ' ' + image_.path(), output);
        const bool complains =
            !type().complaint.empty() && std::regex_search(output, std::regex(type().complaint));
        if (code != 0 || complains)
            throw Violation(type().check + " ends with " + std::to_string(code) + ":\n" + output);
    }

    void keep(const Recording& recording, const PowerCut& where, uint64_t seed)
    {
        const char* const build = std::getenv("LKL_BUILD");
        const std::string directory =
            build ? build + std::string("/results/durability") : testing::TempDir();
        std::filesystem::create_directories(directory);
        const std::string path = directory + '/' + type().type + '-' + std::to_string(seed) + '-' +
                                 std::to_string(where.position) + '-' + std::to_string(where.seed);
        image_.take(*recording.cut(where));
        image_.save(path + ".img");
        std::ofstream(path + ".log") << recording.tell();
        std::printf("what the cut left is in %s.img, what the disk was asked for in %s.log\n",
                    path.c_str(), path.c_str());
    }

    // When to cut: at all boundaries of flushes, and between.
    static std::vector<uint64_t> moments(const Recording& recording, std::mt19937_64& random)
    {
        std::vector<uint64_t> result = recording.boundaries();
        const size_t between = std::max(least_between, result.size() / 2);
        for (size_t number = 0; number < between; ++number)
            result.push_back(random() % (recording.log().position() + 1));
        return result;
    }

    // Calls f(recording, cut, seed of the workload) for all cuts of as many workloads as it
    // takes to have that many cuts.
    template <typename F>
    void for_each_cut(uint64_t cuts, const Recording::Above& above, F f)
    {
        uint64_t seed = number_of("LKL_CUT_SEED", 1);
        uint64_t number = 0;
        while (number < cuts) {
            const Recording recording(host_, type(), seed, above);
            std::mt19937_64 random(seed);
            for (const uint64_t moment : moments(recording, random)) {
                PowerCut where;
                where.seed = random();
                where.atomic = type().atomic;
                where.position = moment;
                ++number;
                if (!f(recording, where, seed))
                    return;
            }
            ++seed;
        }
    }

    static std::unique_ptr<BlockBackend> nothing(std::unique_ptr<BlockBackend> disk)
    {
        return disk;
    }

    Host host_;
    DiskImage image_{type().size};
};

TEST_P(PowerCuts, lose_nothing_that_was_synced)
{
    const uint64_t cuts = number_of("LKL_CUTS", default_cuts);
    unsigned failed = 0;
    uint64_t done = 0;
    uint64_t events = 0;
    std::map<uint64_t, std::set<uint64_t>> positions;  // of the cuts of each workload
    std::map<uint64_t, std::vector<uint64_t>> boundaries;
    uint64_t memory = 0;
    size_t descriptors = 0;
    for_each_cut(cuts, nothing,
                 [&](const Recording& recording, const PowerCut& where, uint64_t seed) {
                     try {
                         try_cut(recording, where);
                     } catch (const Violation& violation) {
                         ADD_FAILURE() << type().type << " (" << recording.options()
                                       << "), workload " << seed << ", cut at " << where.position
                                       << " of " << recording.log().position() << ", seed "
                                       << where.seed << ": " << violation.what();
                         keep(recording, where, seed);
                         ++failed;
                     }
                     positions[seed].insert(where.position);
                     boundaries.try_emplace(seed, recording.boundaries());
                     if (done++ == settled)
                         memory = host_.free_memory();
                     if (descriptors == 0)
                         descriptors = count_descriptors();
                     EXPECT_EQ(count_descriptors(), descriptors);
                     if (where.position > events)
                         events = where.position;
                     return failed < 10;
                 });
    size_t flushes = 0;
    if (failed == 0) {
        EXPECT_GE(done, cuts);
        for (const auto& [seed, all] : boundaries) {
            for (const uint64_t boundary : all)
                EXPECT_TRUE(positions[seed].contains(boundary)) << seed << ": " << boundary;
            flushes += all.size() / 2;
        }
        EXPECT_GT(flushes, 0u);
    }
    // Disks come and go, and leave nothing behind in the kernel and the process.
    const uint64_t left = host_.free_memory();
    std::printf(
        "%llu cuts, around all of %zu flushes and between, up to event %llu; free in the kernel: "
        "%llu KiB, then %llu KiB\n",
        static_cast<unsigned long long>(done), flushes, static_cast<unsigned long long>(events),
        static_cast<unsigned long long>(memory >> 10), static_cast<unsigned long long>(left >> 10));
    EXPECT_GT(left + (4 << 20), memory);
}

// The test can fail: a disk that forgets flushes is found out.
TEST_P(PowerCuts, of_a_disk_that_forgets_flushes_are_found_out)
{
    constexpr uint64_t most_cuts = 100;
    std::string found;
    uint64_t cuts = 0;
    for_each_cut(
        most_cuts,
        [](std::unique_ptr<BlockBackend> disk) {
            return std::make_unique<ForgetfulDisk>(std::move(disk), [] { return true; });
        },
        [&](const Recording& recording, const PowerCut& where, uint64_t) {
            ++cuts;
            try {
                try_cut(recording, where);
            } catch (const Violation& violation) {
                found = violation.what();
            }
            return found.empty();
        });
    EXPECT_FALSE(found.empty());
    std::printf("found out by cut %llu: %s\n", static_cast<unsigned long long>(cuts),
                found.c_str());
}

INSTANTIATE_TEST_SUITE_P(, PowerCuts, testing::ValuesIn(file_systems()),
                         [](const auto& info) { return info.param.type; });

}  // namespace
}  // namespace lkl::test
