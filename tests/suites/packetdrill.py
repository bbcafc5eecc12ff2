#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""packetdrill's TCP scripts on our kernel's stack and on the host's.

    packetdrill.py BUILD DIRECTORY

DIRECTORY is a checkout of packetdrill, or a directory in it: that of the program is enough
(gtests/net/packetdrill). The program is taken as it is, or built in BUILD. Each script of
gtests/net/tcp runs as packetdrill's run_all.py runs it, for IPv4, IPv6 and IPv4 by an IPv6
socket, in a network namespace of its own; and so do those of the kernel's own source, where
BUILD has it, which are for IPv4 and IPv6. Scripts say to the millisecond what happens when:
one passes if it does so once in three times.
"""

import functools
import os
import pathlib
import sys

import suites
from suites import FAIL, KERNELS, OURS, PASS, TIMEOUT

TRIES = 3

IPV4 = ("--local_ip=192.168.0.2", "--gateway_ip=192.168.0.1", "--netmask_ip=255.255.0.0",
        "--remote_ip=192.0.2.1", "-D", "TFO_COOKIE=de4f234f0f433a55")
IPV6 = ("--mtu=1520", "--local_ip=fd3d:fa7b:d17d::0", "--gateway_ip=fd3d:fa7b:d17d:8888::0",
        "--remote_ip=2001:DB8::1", "-D", "TFO_COOKIE=6aa6ae70c288023b")
CONTROL = "-D CMSG_LEVEL_IP=SOL_IP{0} -D CMSG_TYPE_RECVERR=IP{0}_RECVERR"
VARIANTS = {
    "ipv4": ("--ip_version=ipv4", *IPV4, *CONTROL.format("").split()),
    "ipv4-mapped-ipv6": ("--ip_version=ipv4-mapped-ipv6", *IPV4, *CONTROL.format("V6").split()),
    "ipv6": ("--ip_version=ipv6", *IPV6, *CONTROL.format("V6").split()),
}
# By the end of a script's name: what it is not for.
LEAVES_OUT = {"v6.pkt": ("ipv4", "ipv4-mapped-ipv6"), "v4.pkt": ("ipv6",)}

# A congestion control that does as the scripts expect of cubic, which is not allowed in every
# host's namespaces.
RENO = "sysctl -qw net.ipv4.tcp_congestion_control=reno && "
# A namespace. Of our kernel's runs the scripts' commands (tc, ip) find an interface of the
# name that packetdrill gives its own.
SPACE = RENO + 'ip link set lo up && exec "$@"'
SPACE_OURS = "ip tuntap add dev tun0 mode tun && ip link set tun0 up && " + SPACE


def find_net(directory):
    """gtests/net, wherever in it the given directory is."""
    for path in (directory / "gtests" / "net", directory, directory.parent):
        if (path / "packetdrill").is_dir() and (path / "tcp").is_dir():
            return path.resolve()
    return suites.give_up(f"{directory}: no packetdrill/ beside tcp/ there: name a checkout of "
                          "packetdrill (github.com/google/packetdrill)")


def program(net, build):
    """The path of packetdrill; made if need be."""
    made = net / "packetdrill" / "packetdrill"
    if made.is_file() and os.access(made, os.X_OK):
        return made
    suites.need("make", "cc", "bison", "flex")
    work = pathlib.Path(build) / "suites" / "packetdrill"
    configure = (["./configure"],) if (net / "packetdrill" / "configure").is_file() else ()
    makefile = () if configure else ("-f", "Makefile.Linux")
    # Without the warnings of a compiler that is newer than the source.
    suites.build(net / "packetdrill", work,
                 [*configure, ["make", *makefile, "CFLAGS=-g -O2 -w", "packetdrill"]])
    return work.resolve() / "packetdrill"


@functools.cache
def options_of(packetdrill):
    """What all runs are given. A buffer that is sent without a copy is used again by the
    program itself, unless it knows how not to."""
    return [option for option in ("--send_omit_free",)
            if option[2:].encode() in packetdrill.read_bytes()]


def command_of(packetdrill, library, kernel, variant, script):
    """What runs a script."""
    command = ["unshare", "--net", "sh", "-c", SPACE_OURS if kernel == OURS else SPACE, "sh",
               str(packetdrill), *VARIANTS[variant], *options_of(packetdrill)]
    if kernel == OURS:
        # A script that waits for a packet that never comes ends before it is ended.
        flags = [f"timeout={max(suites.bound() - 5, 1)}"]
        if variant == "ipv6":
            flags.append("mtu=1520")
        command += [f"--so_filename={library}", "--so_flags=" + ",".join(flags)]
        # What code in scripts is told is the stack's own then.
        at = command.index(str(packetdrill))
        command[at:at] = ["env", f"LD_PRELOAD={library}"]
    return command + [script.name]


def run_script(command, script):
    """(status, what was said)."""
    said = ""
    for _ in range(TRIES):
        code, output = suites.run(command, suites.bound(), cwd=script.parent)
        if code == 0:
            return PASS, ""
        said += output + f"\n{' '.join(command)}: {code}\n"
        if code is None:
            return TIMEOUT, said
    return FAIL, said


def all_scripts(net, build):
    """(script, its name, its variants)."""
    for script in sorted((net / "tcp").rglob("*.pkt")):
        left_out = next((all_of_it for end, all_of_it in LEAVES_OUT.items()
                         if script.name.endswith(end)), ())
        yield script, str(script.relative_to(net)), [
            variant for variant in VARIANTS if variant not in left_out]
    own = pathlib.Path(build).resolve() / "linux/source/tools/testing/selftests/net/packetdrill"
    for script in sorted(own.glob("*.pkt")):
        yield script, f"linux/{script.name}", ["ipv4", "ipv6"]


def main():
    """See above."""
    build, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    suites.need("unshare", "ip", "tc", "sysctl")
    suites.need_root()
    if not os.path.exists("/dev/net/tun"):
        suites.give_up("there is no /dev/net/tun")
    net = find_net(directory)
    packetdrill = program(net, build)
    library = pathlib.Path(build).resolve() / "lib" / "liblkl-packetdrill.so"
    results = suites.Results("packetdrill", build)
    for script, title, variants in all_scripts(net, build):
        if not suites.is_wanted(title):
            continue
        for variant in variants:
            name = f"{title} {variant}"
            for kernel in KERNELS:
                results.add(name, kernel, *run_script(
                    command_of(packetdrill, library, kernel, variant, script), script))
            results.say(name)
    return results.write()


if __name__ == "__main__":
    sys.exit(main())
