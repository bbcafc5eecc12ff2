// SPDX-License-Identifier: GPL-2.0-only
// Copying 20,000 files of 4 KiB, and one of 4 GiB, into an empty ext4 image and out of a full one,
// from the start of the program to its end, boot, mount and unmount included. The peer is cp -a on
// the host's loop mount, where mounting and unmounting do not count; into the image it counts until
// all is written back, which cptofs does too. Images, tree and programs are in the host's page
// cache; what is mounted is mounted anew each round.
#include <filesystem>

#include <sys/mount.h>

#include "figures.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"

namespace bench {

namespace {

constexpr uint64_t large_size = uint64_t{4} << 30;

std::string fresh_directory(const Run& run, const std::string& name)
{
    const std::string path = make_directory(run, name);
    std::filesystem::remove_all(path);
    return make_directory(run, name);
}

void measure_into(Run& run)
{
    const std::string tree = many_files_tree(run);
    const std::string directory = make_directory(run, "mount");
    run.add(
        {.name = "cptofs of 20,000 files of 4 KiB",
         .unit = "s",
         .peer_name = "cp -a and sync to the host's loop mount",
         .target = ratio_at_most(0.7)},
        [&] {
            const std::string image = empty_image(run, "ours");
            return time_program({run.programs + "/cptofs", "-q", "-i", image, tree + "/.", "/"});
        },
        [&] {
            const std::string image = empty_image(run, "theirs");
            const LoopMount mount(image, directory, "ext4", 0);
            return time_program({"cp", "-a", tree + "/.", directory}) +
                   time_program({"sync", "-f", directory});
        });
}

void measure_out_of(Run& run)
{
    const std::string image = many_files_image(run);
    const std::string directory = make_directory(run, "mount");
    warm(image);
    run.add(
        {.name = "cpfromfs of 20,000 files of 4 KiB, cold",
         .unit = "s",
         .peer_name = "cp -a from the host's loop mount",
         .target = ratio_at_most(1.0)},
        [&] {
            const std::string out = fresh_directory(run, "ours");
            return time_program({run.programs + "/cpfromfs", "-q", "-i", image, "/", out});
        },
        [&] {
            const std::string out = fresh_directory(run, "theirs");
            const LoopMount mount(image, directory, "ext4", MS_RDONLY);
            return time_program({"cp", "-a", directory + "/.", out});
        });
}

void measure_large_file_into(Run& run)
{
    const std::string file = data_file(run, large_size);
    const std::string directory = make_directory(run, "mount");
    constexpr uint64_t size = large_size + large_size / 8;
    warm(file);
    run.add(
        {.name = "cptofs of one file of 4 GiB",
         .unit = "s",
         .peer_name = "cp -a and sync to the host's loop mount",
         .target = ratio_at_most(1.0)},
        [&] {
            const std::string image = empty_image(run, "ours", size);
            return time_program({run.programs + "/cptofs", "-q", "-i", image, file, "/"});
        },
        [&] {
            const std::string image = empty_image(run, "theirs", size);
            const LoopMount mount(image, directory, "ext4", 0);
            return time_program({"cp", "-a", file, directory}) +
                   time_program({"sync", "-f", directory});
        });
}

void measure_large_file_out_of(Run& run)
{
    const std::string image = data_image(run, large_size);
    const std::string directory = make_directory(run, "mount");
    warm(image);
    run.add(
        {.name = "cpfromfs of one file of 4 GiB, cold",
         .unit = "s",
         .peer_name = "cp -a from the host's loop mount",
         .target = ratio_at_most(1.0)},
        [&] {
            const std::string out = fresh_directory(run, "ours");
            return time_program({run.programs + "/cpfromfs", "-q", "-i", image, "/data", out});
        },
        [&] {
            const std::string out = fresh_directory(run, "theirs");
            const LoopMount mount(image, directory, "ext4", MS_RDONLY);
            return time_program({"cp", "-a", directory + "/data", out});
        });
}

}  // namespace

void measure_copy(Run& run)
{
    need_root();
    measure_large_file_into(run);
    measure_large_file_out_of(run);
    measure_into(run);
    measure_out_of(run);
}

}  // namespace bench
