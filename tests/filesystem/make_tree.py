#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes a directory with every odd kind of file that tar can hold.

    make_tree.py DIRECTORY [--without KIND]...

KIND leaves out what a file system cannot store: xattr (which covers ACLs,
capabilities and labels), deep (paths past 4096 bytes), huge (files past 8 GiB),
odd-names (bytes that are not UTF-8, a newline), longest-names (255 bytes),
nanoseconds and old (times before 1970), owner (user IDs past 16 bits).
"""

import argparse
import os
import random
import socket
import stat
import struct

KINDS = ("xattr", "deep", "huge", "odd-names", "longest-names", "nanoseconds", "old", "owner")


def main():
    """Makes everything below the directory, which exists."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("directory")
    parser.add_argument("--without", action="append", default=[], choices=KINDS)
    options = parser.parse_args()
    without = set(options.without)
    os.umask(0o022)
    os.chdir(options.directory)

    plain_files()
    names(without)
    links()
    special_files()
    sparse_files(without)
    modes_and_owners(without)
    if "xattr" not in without:
        attributes()
    if "deep" not in without:
        deep_path()
    times(without)


def write(name, data):
    """A file with these bytes."""
    with open(name, "wb") as file:
        file.write(data)


def plain_files():
    """Sizes around every boundary that a tar writer has."""
    os.mkdir("sizes")
    source = random.Random(1)
    for size in (0, 1, 511, 512, 513, 4095, 4096, 4097, 10240, 65536, 1048575, 1048576, 1048577,
                 5000000):
        write(f"sizes/{size}", source.randbytes(size))
    write("sizes/zeros-that-are-stored", bytes(300000))
    os.mkdir("empty-directory")
    os.makedirs("many")
    for number in range(3000):
        write(f"many/file-{number:05}", b"%d\n" % number)


def names(without):
    """Names of every length around the limits of ustar's fields, and any byte."""
    os.mkdir("names")
    for length in (98, 99, 100, 101, 154, 155, 156, 254, 255):
        if length == 255 and "longest-names" in without:
            continue
        write("names/" + "n" * length, b"")
        os.makedirs(f"names/{length}-dir/" + "d" * length)
        write(f"names/{length}-dir/" + "d" * length + "/f", b"x")
    for name in ("blank in it", " blank first", "-dash", "~tilde", "back\\slash", "star*", "quote\"'",
                 "ü-umlaut", "日本語", "e\u0301-combining", "percent%3D", "equals=sign"):
        write("names/" + name, name.encode())
        os.symlink(name, "names/to " + name)
    long_part = "p" * 80
    os.makedirs(f"names/{long_part}/{long_part}/{long_part}")
    write(f"names/{long_part}/{long_part}/{long_part}/end", b"end")
    if "odd-names" not in without:
        for name in (b"new\nline", b"tab\there", b"caf\xe9", b"\xff\xfe\x01", b"\xc3", b"cut-\xe6\x97",
                     b"escape\x1b[31m"):
            write(b"names/" + name, name)
            os.symlink(name, b"names/to-" + name)
            os.mkdir(b"names/dir-" + name)


def links():
    """Hard links in one directory and across, of several kinds of files."""
    os.makedirs("links/other")
    write("links/first", b"three names\n")
    os.link("links/first", "links/second")
    os.link("links/first", "links/other/third")
    os.symlink("first", "links/symbolic")
    os.link("links/symbolic", "links/symbolic-again", follow_symlinks=False)
    os.mkfifo("links/fifo")
    os.link("links/fifo", "links/fifo-again")
    os.symlink("nowhere/at/all", "links/dangling")
    os.symlink("/etc/passwd", "links/absolute")
    for length in (99, 100, 101, 1000):
        os.symlink("t" * length, f"links/target-{length}")
    name = "l" * 200
    write("links/" + name, b"long name\n")
    os.link("links/" + name, "links/other/to-a-long-name")


def special_files():
    """What has no data."""
    os.mkdir("special")
    os.mkfifo("special/fifo")
    os.mknod("special/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.mknod("special/disk", 0o660 | stat.S_IFBLK, os.makedev(8, 17))
    os.mknod("special/large-numbers", 0o600 | stat.S_IFCHR, os.makedev(511, 262143))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("special/socket")


def sparse_files(without):
    """Holes at the start, in the middle, at the end, everywhere."""
    os.mkdir("sparse")

    def sparse(name, size, *parts):
        with open("sparse/" + name, "wb") as file:
            file.truncate(size)
            for offset, data in parts:
                file.seek(offset)
                file.write(data)

    block = b"data" * 16384
    sparse("nothing-but-a-hole", 1 << 20)
    sparse("hole-first", 1 << 20, ((1 << 20) - len(block), block))
    sparse("hole-last", 1 << 20, (0, block))
    sparse("hole-in-the-middle", 1 << 20, (0, block), (1 << 19, block))
    sparse("odd-size", 1000003, (655360, block))
    sparse("many-holes", 64 << 20, *((n << 18, block) for n in range(200)))
    sparse("long-name-" + "s" * 150, 1 << 20, (1 << 19, block))
    if "odd-names" not in without:
        with open(b"sparse/caf\xe9", "wb") as file:
            file.truncate(1 << 20)
    if "huge" not in without:
        # Past what ustar's size field holds, with data behind it.
        sparse("nine-gigabytes", 9 << 30, (0, b"start"), ((9 << 30) - 70000, block))


def modes_and_owners(without):
    """Permission bits, and user IDs past what ustar's field holds."""
    os.mkdir("modes")
    for mode in (0o000, 0o400, 0o644, 0o755, 0o777, 0o4755, 0o2755, 0o1777, 0o7777):
        write(f"modes/{mode:04o}", b"")
        os.chmod(f"modes/{mode:04o}", mode)
        os.mkdir(f"modes/{mode:04o}-dir")
        os.chmod(f"modes/{mode:04o}-dir", mode)
    os.mkdir("owners")
    owners = [0, 1, 1000, 65534]
    if "owner" not in without:
        owners += [65536, 0o7777777, 0o7777777 + 1, 0x7ffffffe, 0xfffffffe]
    for owner in owners:
        write(f"owners/{owner}", b"")
        os.chown(f"owners/{owner}", owner, owner // 2)
        os.symlink("x", f"owners/link-{owner}")
        os.lchown(f"owners/link-{owner}", owner, owner)


def acl(*entries):
    """The kernel's form of a POSIX ACL: (tag, permissions, id)..."""
    return struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)


def attributes():
    """Extended attributes of every class that a file system stores."""
    os.mkdir("attributes")
    os.chdir("attributes")
    for name in ("user", "several", "binary", "empty-value", "large", "odd-names", "trusted",
                 "capability", "label", "acl", "acl-with-mask"):
        write(name, name.encode())
    os.setxattr("user", "user.comment", "grüße".encode())
    for number in range(20):
        os.setxattr("several", f"user.number.{number}", str(number).encode())
    os.setxattr("binary", "user.binary", bytes(range(256)) + b"\n20 mtime=1\n")
    os.setxattr("empty-value", "user.empty", b"")
    os.setxattr("large", "user.large", b"v" * 2500)
    for name in ("user.equals=sign", "user.percent%3D", "user.blank in it", "user.ü"):
        os.setxattr("odd-names", name, name.encode())
    os.setxattr("trusted", "trusted.overlay.opaque", b"y")
    # cap_net_raw=ep, version 2 of the structure.
    os.setxattr("capability", "security.capability",
                struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0))
    label = b"system_u:object_r:etc_t:s0\0"
    os.setxattr("label", "security.selinux", label)
    os.mkdir("labelled-directory")
    os.setxattr("labelled-directory", "security.selinux", b"system_u:object_r:var_t:s0\0")
    os.symlink("label", "labelled-symlink")
    os.setxattr("labelled-symlink", "security.selinux", b"system_u:object_r:lnk_t:s0\0",
                follow_symlinks=False)
    os.mknod("labelled-device", 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    os.setxattr("labelled-device", "security.selinux", b"system_u:object_r:dev_t:s0\0",
                follow_symlinks=False)
    os.symlink("trusted", "trusted-symlink")
    os.setxattr("trusted-symlink", "trusted.on.link", b"link", follow_symlinks=False)
    os.link("user", "linked-user")

    os.setxattr("acl", "system.posix_acl_access", acl(
        (1, 6, 0xffffffff), (2, 4, 1234), (4, 4, 0xffffffff), (8, 6, 4321), (16, 6, 0xffffffff),
        (32, 0, 0xffffffff)))
    # The mode's group bits are the mask then, not what the group may do.
    os.setxattr("acl-with-mask", "system.posix_acl_access", acl(
        (1, 7, 0xffffffff), (2, 7, 70000), (4, 0, 0xffffffff), (16, 5, 0xffffffff),
        (32, 1, 0xffffffff)))
    os.mkdir("acl-default")
    os.setxattr("acl-default", "system.posix_acl_default", acl(
        (1, 7, 0xffffffff), (2, 5, 1234), (4, 5, 0xffffffff), (16, 5, 0xffffffff),
        (32, 0, 0xffffffff)))
    os.mkdir("acl-both")
    for kind in ("access", "default"):
        os.setxattr("acl-both", "system.posix_acl_" + kind, acl(
            (1, 7, 0xffffffff), (2, 7, 1), (4, 5, 0xffffffff), (16, 7, 0xffffffff),
            (32, 5, 0xffffffff)))
    os.chdir("..")


def deep_path():
    """Directories whose path is longer than any system call takes."""
    os.mkdir("deep")
    here = os.open("deep", os.O_RDONLY | os.O_DIRECTORY)
    for level in range(100):
        name = f"{level:03}-" + "d" * 96
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
        if level % 10 == 9:
            file = os.open("file", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here)
            os.write(file, b"at level %d\n" % level)
            os.close(file)
            os.symlink("to", "link", dir_fd=here)
        if level % 25 == 24:
            os.mkdir("zz-after", dir_fd=here)
            after = os.open("zz-after", os.O_RDONLY | os.O_DIRECTORY, dir_fd=here)
            os.close(os.open("file", os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=after))
            os.close(after)
        os.close(here)
        here = below
    os.link("links/first", "linked-from-the-bottom", dst_dir_fd=here)
    os.close(here)


def times(without):
    """Time stamps of every kind; last, since making files changes directories."""
    os.mkdir("times")
    second = 10**9
    stamps = [0, 1, 1234567890 * second, 0x7fffffff * second]
    if "nanoseconds" not in without:
        stamps += [1234567890 * second + 1, 1234567890 * second + 999999999, 500000000,
                   1600000000 * second + 120000000]
    if "old" not in without:
        stamps += [-second, -2 * second, -315619200 * second]
        if "nanoseconds" not in without:
            stamps += [-1, -second // 2, -3 * second // 2, -315619200 * second - 123456789]
    for stamp in stamps:
        name = f"times/{stamp}"
        write(name, b"")
        os.utime(name, ns=(stamp, stamp))
        os.mkdir(name + "-dir")
        os.utime(name + "-dir", ns=(stamp, stamp))
        os.symlink("x", name + "-link")
        os.utime(name + "-link", ns=(stamp, stamp), follow_symlinks=False)


if __name__ == "__main__":
    main()
