// SPDX-License-Identifier: GPL-2.0-only
// Starting: from before a program is started to after it has ended, as a shell
// would see it. The program is lkl-bench-boot: it links liblkl.so and does what its
// arguments say.
//
//   boot         starts the installed kernel (the full configuration) with 64 MiB,
//                halts it. The peer is /bin/true: what starting any program costs.
//   debug boot   the same of the kernel that checks itself (debug_defconfig), where it is
//                built.
//   first file   the same with an ext4 image: mounts it, reads a file of 4 KiB,
//                unmounts, halts. The peer is the host: mount(8) over a loop
//                device, cat, umount.
//   lkl ls       of the same image, its sandbox included. The peer is the host as
//                well: mount(8), ls, umount.
//
// Resident memory is the largest that the program ever had (VmHWM), as the program
// itself reads it at its end: what wait4(2) tells includes the memory of the parent
// from before exec.
#include <filesystem>
#include <string>

#include "figures.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"

namespace bench {

namespace {

double milliseconds(const std::vector<std::string>& arguments)
{
    return time_program(arguments) * 1e3;
}

// The peer runs its command between a mount and an unmount; it needs root.
void beside_the_host(Run& run, const std::string& name, const std::vector<std::string>& ours,
                     const std::vector<std::string>& command)
{
    const std::string image = small_image(run);
    const std::string directory = make_directory(run, "mount");
    Row row{.name = name,
            .unit = "ms",
            .peer_name = "mount -o loop, " + command[0] + ", umount of the host",
            .target = at_most(60)};
    const auto measured = [&ours] { return milliseconds(ours); };
    try {
        need_root();
    } catch (const Skipped&) {
        row.peer_name = "";
        run.add(row, measured);
        return;
    }
    run.add(row, measured, [&] {
        return milliseconds({"mount", "-o", "loop,ro", "-t", "ext4", image, directory}) +
               milliseconds(command) + milliseconds({"umount", directory});
    });
}

}  // namespace

void measure_boot(Run& run)
{
    const std::string program = run.programs + "/lkl-bench-boot";
    // Short, so more often.
    constexpr int times = 5;
    const auto average = [](const std::vector<std::string>& arguments) {
        double sum = 0;
        for (int i = 0; i < times; ++i)
            sum += milliseconds(arguments);
        return sum / times;
    };
    run.add(
        {.name = "program start, boot, halt (64 MiB)",
         .unit = "ms",
         .peer_name = "start of /bin/true",
         .target = at_most(40)},
        [&] { return average({program}); }, [&] { return average({"/bin/true"}); });
    run.add({.name = "resident memory of that", .unit = "MiB", .target = at_most(30)}, [&program] {
        return std::stod(output_of({program, "--resident"}));
    });
}

void measure_debug_boot(Run& run)
{
    const std::string image = run.programs + "/../lib/lkl/vmlinux-debug";
    if (!std::filesystem::exists(image))
        throw Skipped("needs the debug kernel: make test-debug");
    const std::string variable = "LKL_KERNEL_IMAGE=" + image;
    run.add(
        {.name = "program start, boot, halt of the debug configuration",
         .unit = "ms",
         .peer_name = "start of /bin/true",
         .target = at_most(1000)},
        [&] {
            return milliseconds({"env", variable, run.programs + "/lkl-bench-boot"});
        },
        [&] { return milliseconds({"/bin/true"}); });
}

void measure_first_file(Run& run)
{
    const std::string image = small_image(run);
    const std::string directory = make_directory(run, "mount");
    beside_the_host(run, "program start, mount ext4, first file, exit",
                    {run.programs + "/lkl-bench-boot", image, "ext4", "first"},
                    {"cat", directory + "/first"});
    beside_the_host(run, "lkl ls of an ext4 image", {run.programs + "/lkl", "ls", image},
                    {"ls", directory});
}

}  // namespace bench
