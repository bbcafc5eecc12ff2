// SPDX-License-Identifier: GPL-2.0-only
// Reading through lklfuse, on ext4. The peer is fuse2fs on the same image, which goes
// through FUSE as well; for random reads it is the host's own mount of it over a loop
// device. The image is in the host's page cache all the time, and is mounted anew each
// round, so that nothing of its files is.
#include <filesystem>
#include <functional>
#include <vector>

#include <fcntl.h>
#include <sys/mount.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "figures.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"

namespace bench {

namespace {

namespace fs = std::filesystem;

constexpr size_t buffer_size = size_t{1} << 20;

// Reads a file to its end; its size.
uint64_t read_file(const std::string& path)
{
    static std::vector<char> buffer(buffer_size);
    const Descriptor file = Descriptor::open(path, O_RDONLY);
    uint64_t total = 0;
    for (ssize_t n = 0; (n = ::read(file.get(), buffer.data(), buffer.size())) > 0;)
        total += static_cast<uint64_t>(n);
    return total;
}

double gigabytes_per_second(const std::string& path)
{
    uint64_t total = 0;
    const double time = seconds([&] { total = read_file(path); });
    if (total != data_size)
        throw std::runtime_error("the file was not read to its end");
    return static_cast<double>(total) / time / 1e9;
}

double walk(const std::string& directory)
{
    int files = 0;
    const double time = seconds([&] {
        for (const auto& entry : fs::recursive_directory_iterator(directory)) {
            if (entry.is_regular_file() && read_file(entry.path()) > 0)
                ++files;
        }
    });
    if (files != many_files)
        throw std::runtime_error("not all files were found");
    return time;
}

// Thousands of pages a second, of all jobs together.
double read_randomly(const std::string& path)
{
    const std::string output =
        output_of({"fio", "--name=random", "--filename=" + path, "--readonly", "--rw=randread",
                   "--bs=4k", "--ioengine=psync", "--numjobs=8", "--thread", "--number_ios=4000",
                   "--group_reporting", "--output-format=json"});
    // It may write a note before its results.
    const auto results = nlohmann::json::parse(output.substr(output.find('{')));
    return results.at("jobs").at(0).at("read").at("iops").get<double>() / 1e3;
}

class Fuse {
public:
    Fuse(Run& run, std::string image)
        : run_(run), image_(std::move(image)), directory_(make_directory(run, "mount"))
    {
        warm(image_);
    }

    // function(directory) is measured in a mount of either program.
    void beside_fuse2fs(Row row, const std::function<double(const std::string&)>& function)
    {
        row.peer_name = "fuse2fs with the same image";
        run_.add(
            std::move(row), [&] { return ours(function); },
            [&] {
                const FuseMount mount({"fuse2fs", "-f", "-o", "ro", image_, directory_},
                                      directory_);
                return function(directory_);
            });
    }

    void beside_loop_mount(Row row, const std::function<double(const std::string&)>& function)
    {
        row.peer_name = "the host's loop mount of the same image";
        run_.add(
            std::move(row), [&] { return ours(function); },
            [&] {
                const LoopMount mount(image_, directory_, "ext4", MS_RDONLY);
                return function(directory_);
            });
    }

private:
    double ours(const std::function<double(const std::string&)>& function) const
    {
        const FuseMount mount({run_.programs + "/lklfuse", "-f", "-o", "ro", image_, directory_},
                              directory_);
        return function(directory_);
    }

    Run& run_;
    const std::string image_;
    const std::string directory_;
};

// What the program has at most, while a file is written ten times anew.
void measure_memory(Run& run)
{
    const std::string file = data_file(run);
    const std::string image = empty_image(run, "filled", data_size + data_size / 8);
    const std::string directory = make_directory(run, "mount");
    warm(file);
    const FuseMount mount({run.programs + "/lklfuse", "-f", image, directory}, directory);
    for (int i = 0; i < 10; ++i)
        run_program({"cp", file, directory + "/copy"});
    run.add({.name = "memory of lklfuse while 10 GiB are copied",
             .unit = "MiB",
             .ours = {static_cast<double>(mount.most_resident()) / 1024},
             .target = at_most(150)});
}

}  // namespace

void measure_fuse(Run& run)
{
    need_root();
    need_program("fuse2fs");
    need_program("fio");
    Fuse large(run, data_image(run));
    const auto data = [](const std::string& directory) { return directory + "/data"; };
    large.beside_fuse2fs(
        {.name = "lklfuse, sequential read, cold", .unit = "GB/s", .target = ratio_at_least(1.5)},
        [&data](const std::string& directory) { return gigabytes_per_second(data(directory)); });
    large.beside_fuse2fs(
        {.name = "lklfuse, sequential read, hot", .unit = "GB/s", .target = ratio_at_least(1.0)},
        [&data](const std::string& directory) {
            read_file(data(directory));
            return gigabytes_per_second(data(directory));
        });
    large.beside_loop_mount(
        {.name = "lklfuse, random reads of 4 KiB, fio with 8 jobs",
         .unit = "thousand/s",
         .target = ratio_at_least(0.4)},
        [&data](const std::string& directory) { return read_randomly(data(directory)); });
    Fuse small(run, many_files_image(run));
    small.beside_fuse2fs({.name = "lklfuse, walk and read of 20,000 files of 4 KiB",
                          .unit = "s",
                          .target = ratio_at_most(0.4)},
                         walk);
    measure_memory(run);
}

}  // namespace bench
