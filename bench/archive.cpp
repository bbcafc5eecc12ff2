// SPDX-License-Identifier: GPL-2.0-only
// fs2tar of 20,000 files of 4 KiB on ext4, from the start of the program to its end,
// boot and mount included; the archive goes through a pipe to this program, which
// drops it. The peer is GNU tar on the host's loop mount, mounted anew each round,
// where mounting does not count: tar alone. Both image and programs are in the
// host's page cache.
#include <sys/mount.h>

#include "figures.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"

namespace bench {

void measure_archive(Run& run)
{
    need_root();
    const std::string image = many_files_image(run);
    const std::string directory = make_directory(run, "mount");
    warm(image);
    run.add(
        {.name = "fs2tar of 20,000 files of 4 KiB",
         .unit = "s",
         .peer_name = "GNU tar on the host's loop mount",
         .target = ratio_at_most(1.0)},
        [&] {
            return time_program({run.programs + "/fs2tar", "-q", image, "-"});
        },
        [&] {
            const LoopMount mount(image, directory, "ext4", MS_RDONLY);
            // With what fs2tar keeps by default.
            return time_program({"tar", "--xattrs", "--acls", "--selinux", "--format=pax", "-C",
                                 directory, "-cf", "-", "."});
        });
}

}  // namespace bench
