// SPDX-License-Identifier: GPL-2.0-only
// An idle kernel: how often its host threads are woken, and how many there are.
// lkl-bench-boot starts a kernel, mounts a file system where it says so, reads the
// file, waits 12 seconds for what this left behind (a socket's or a file's last
// work; ext4 looks after a mount for up to 10), and then counts for some seconds the
// voluntary context switches of all threads of the process but its own, which
// sleeps. Without a peer: the aim is 0. Linux has two timers that never end, dm-bufio's
// of 30 seconds and connection tracking's of 60. Five seconds are over before either: they
// show what else there is, and a whole minute the two.
#include <sstream>
#include <string>

#include "figures.hpp"
#include "harness.hpp"
#include "host.hpp"
#include "images.hpp"

namespace bench {

namespace {

void measure(Run& run, const std::string& state, int seconds, std::vector<std::string> arguments,
             bool has_target)
{
    arguments.insert(arguments.begin(),
                     {run.programs + "/lkl-bench-boot", "--idle", std::to_string(seconds)});
    std::istringstream answer(output_of(arguments));
    double wakeups = 0, threads = 0;
    if (!(answer >> wakeups >> threads))
        throw std::runtime_error("unexpected answer of lkl-bench-boot");
    const auto target = [has_target](double limit) {
        return has_target ? std::optional(at_most(limit)) : std::nullopt;
    };
    run.add({.name = "wake-ups of an idle kernel" + state,
             .unit = "1/s",
             .ours = {wakeups},
             .target = target(0)});
    run.add({.name = "host threads of an idle kernel" + state,
             .unit = "threads",
             .ours = {threads},
             .target = target(2)});
}

}  // namespace

void measure_idle(Run& run)
{
    measure(run, "", 5, {}, true);
    measure(run, ", ext4 mounted", 5, {small_image(run), "ext4", "first"}, true);
    measure(run, ", over a minute", 60, {}, false);
}

}  // namespace bench
