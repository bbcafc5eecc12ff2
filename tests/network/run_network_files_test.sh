#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# /proc/net, /proc/sys/net and /sys/class/net are our kernel's by any of their names, by
# relative paths, from a working directory in there, and in a program started there.
here=$(dirname "$(realpath "${BASH_SOURCE[0]}")")
# shellcheck source=tests/support/program.sh
. "$here/../support/program.sh"
need ip unshare /usr/bin/python3

# Of the host's stack there is an interface that ours does not have.
alone() {
    # shellcheck disable=SC2016  # the inner shell's "$@"
    timeout 60 unshare -n sh -c 'ip tuntap add hosts mode tap && exec "$@"' sh "$@"
}
run() {
    alone "$LKL_BIN/lkl" run --net tap:t0 --ip 192.0.2.2/24 \
        --sysctl net.ipv4.ip_default_ttl=33 -- "$@"
}

cat >files.py <<'END'
import os, threading

def text(path, **options):
    with open(path, **options) as file:
        return file.read()

def fails(error, function, *args):
    try:
        function(*args)
    except error:
        return True
    return False

me = os.getpid()
thread = threading.get_native_id()
for path in ("/proc/net", "/proc/self/net", "/proc/thread-self/net", f"/proc/{me}/net",
             f"/proc/self/task/{thread}/net", f"/proc/{me}/task/{thread}/net",
             "/proc/sys/../net", "//proc//net/"):
    devices = text(path + "/dev")
    assert "eth0:" in devices and "hosts:" not in devices, path
assert text("/proc/sys/net/ipv4/ip_default_ttl") == "33\n"
assert text("/proc/sys/kernel/ostype") == "Linux\n"
assert "eth0" in os.listdir("/sys/class/net") and "hosts" not in os.listdir("/sys/class/net")

# Where the links lead.
device = os.path.realpath("/sys/class/net/eth0")
assert "/virtio-mmio." in device and device.endswith("/net/eth0"), device
assert text(device + "/mtu") == "1500\n"
assert text(os.path.realpath("/sys/class/net/lo") + "/mtu") == "65536\n"
assert os.path.isdir(device) and os.access("/sys/class/net/eth0/mtu", os.W_OK)
assert os.statvfs("/sys/class/net/eth0").f_bsize > 0
assert os.listxattr("/sys/class/net/eth0") is not None

# Relative to descriptors, of the host's directories and of ours, in and out.
proc = os.open("/proc", os.O_RDONLY | os.O_DIRECTORY)
net = os.open("/proc/sys/net", os.O_RDONLY | os.O_DIRECTORY)
opener = lambda directory: lambda path, flags: os.open(path, flags, dir_fd=directory)
assert "eth0:" in text("net/dev", opener=opener(proc))
assert text("ipv4/ip_default_ttl", opener=opener(net)) == "33\n"
assert text("ipv6/../ipv4/ip_default_ttl", opener=opener(net)) == "33\n"
name = text("/proc/sys/kernel/osrelease")
assert text("../kernel/osrelease", opener=opener(net)) == name
assert os.stat("../kernel", dir_fd=net).st_ino == os.stat("/proc/sys/kernel").st_ino

# From the working directory.
for go in (lambda: os.chdir("/proc/sys/net"), lambda: os.fchdir(net)):
    os.chdir("/")
    go()
    assert os.getcwd() == "/proc/sys/net"
    assert text("ipv4/ip_default_ttl") == "33\n"
    assert text("../kernel/osrelease") == name
    assert "ipv4" in os.listdir(".")
os.chdir("ipv4")
assert text("ip_default_ttl") == "33\n" and text("../ipv4/ip_default_ttl") == "33\n"
os.chdir("/proc/net")
assert "eth0:" in text("dev") and "hosts:" not in text("dev")
os.chdir("/sys/class/net")
assert "eth0" in os.listdir(".") and text("eth0/mtu") == "1500\n"
os.chdir("../../..")
assert os.getcwd() == "/"

# What the host does not have, what is no directory, what is not there.
assert fails(OSError, os.chdir, "/sys/class/net/eth0")
assert fails(NotADirectoryError, os.chdir, "/proc/net/dev")
assert fails(FileNotFoundError, os.chdir, "/proc/sys/net/none")
assert os.getcwd() == "/"
END
run /usr/bin/python3 files.py || fail "python3"

# A program that is started there has the stack, and reads from it; one that is started by a
# process which has it does not get the host's files in place of them.
run /usr/bin/python3 -c '
import os, socket, subprocess
os.chdir("/proc/sys/net/ipv4")
assert subprocess.check_output(["cat", "ip_default_ttl"]) == b"33\n"
os.chdir("/proc/net")
assert b"eth0:" in subprocess.check_output(["cat", "dev"])
socket.socket()
failed = subprocess.run(["cat", "/proc/net/dev"], capture_output=True)
assert failed.returncode == 1 and b"Network is down" in failed.stderr, failed
assert b"hosts:" not in failed.stdout
' || fail "programs that are started"
