#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Images and seeds for the fuzz targets, made by the distribution's own mkfs programs.

    corpus.py BASES SEEDS TARGET...

For each file system type, BASES gets images TYPE-N.img, small ones with the same few
files, of mkfs with different features; they are what inputs change. SEEDS/TARGET gets
inputs to start from, in the form that fuzz/library describes.
"""

import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile

MIB = 1 << 20

# Of each type: commands, with {image} and {source}, a directory; the size of the empty
# image before, in MiB, or 0 where the program makes it. The types that cannot be made
# from a directory are filled through our kernel, by cptofs.
COMMANDS = {
    "ext4": [(4, "mkfs.ext4 -q -F -b 1024 -N 64 -E lazy_itable_init=0 -d {source} {image}"),
             (4, "mkfs.ext4 -q -F -b 1024 -N 64 -O ^metadata_csum,inline_data,^has_journal"
                 " -E lazy_itable_init=0 -d {source} {image}"),
             (8, "mkfs.ext4 -q -F -b 4096 -O bigalloc,quota,project,encrypt,verity,casefold"
                 " -E lazy_itable_init=0 -d {source} {image}")],
    "xfs": [(16, "{xfs} -q -m crc=0 {image}"),
            (16, "{xfs} -q -m rmapbt=1,reflink=1 {image}")],
    "btrfs": [(16, "mkfs.btrfs -q -M --shrink -r {source} {image}"),
              (16, "mkfs.btrfs -q -M -n 4096 -r {source} {image}")],
    "f2fs": [(64, "mkfs.f2fs -q {image}"),
             (64, "mkfs.f2fs -q -O extra_attr,inode_checksum,inode_crtime,compression {image}")],
    "vfat": [(1, "mkfs.fat -F 12 {image}"), (16, "mkfs.fat -F 16 {image}"),
             (34, "mkfs.fat -F 32 -s 1 {image}")],
    "exfat": [(4, "mkfs.exfat {image}")],
    "ntfs3": [(4, "mkfs.ntfs -q -F -Q -c 4096 {image}"),
              (4, "mkfs.ntfs -q -F -Q -c 512 {image}")],
    "squashfs": [(0, f"mksquashfs {{source}} {{image}} -noappend -quiet -no-progress {options}")
                 for options in ("-comp zstd", "-noI -noD -noF -noX", "-comp lz4 -no-fragments")],
    "erofs": [(0, "mkfs.erofs -d0 {image} {source}"),
              (0, "mkfs.erofs -d0 -zlz4hc -Efragments,dedupe {image} {source}")],
    "iso9660": [(0, "genisoimage -quiet -R -J -iso-level 3 -o {image} {source}"),
                (0, "genisoimage -quiet -R -z -o {image} {source}")],
    "jfs": [(16, "mkfs.jfs -q {image}")],
    "nilfs2": [(16, "mkfs.nilfs2 -q -b 1024 -B 16 {image}")],
    "udf": [(8, "mkudffs -b 2048 {image}"), (8, "mkudffs -b 512 -r 1.02 {image}")],
    "hfs": [(4, "hformat {image}")],
    "gfs2": [(32, "mkfs.gfs2 -q -O -p lock_nolock -J 8 {image}")],
    "ocfs2": [(64, "mkfs.ocfs2 -q -F -M local -N 1 -J size=4M {image}")],
    "reiserfs": [(40, "mkfs.reiserfs -q -f -f -s 513 {image}")],
    "minix": [(2, "mkfs.minix -1 {image}"), (2, "mkfs.minix -2 {image}"),
              (2, "mkfs.minix -3 {image}")],
    "cramfs": [(0, "mkfs.cramfs {source} {image}")],
    "romfs": [(0, "genromfs -d {source} -f {image}")],
    "ufs": [(0, "makefs -t ffs -b 20% -o version=1 {image} {source}")],
    "bfs": [(1, "mkfs.bfs {image}")],
}

# Those that know neither links nor FIFOs, and those without directories, which stay empty.
PLAIN = ("vfat", "exfat", "hfs")
EMPTY = ("bfs",)


def mkfs_xfs():
    """Images of less than 300 MiB are for tests alone, says mkfs.xfs."""
    return ("env TEST_DIR=1 TEST_DEV=1 QA_CHECK_FS=1 mkfs.xfs")


def fill(directory, links):
    """The files whose names fuzz/library/file_operations.cpp knows."""
    os.makedirs(f"{directory}/dir/deeper")
    contents = {"a": b"a\n", "dir/b": b"b" * 700, "dir/deeper/c": b"c" * 5000,
                "dir/large": random.Random(0).randbytes(40_000),
                "dir/compressed": b"again and again " * 4000}
    for number in range(36):
        contents[f"dir/file{number}"] = b"%d\n" % number * number
    for name, data in contents.items():
        with open(f"{directory}/{name}", "wb") as file:
            file.write(data)
    with open(f"{directory}/dir/sparse", "wb") as file:
        file.truncate(100_000)
        file.write(b"start")
        file.seek(60_000)
        file.write(b"middle")
    if links:
        os.symlink("dir/b", f"{directory}/link")
        os.link(f"{directory}/a", f"{directory}/hard")
        os.mkfifo(f"{directory}/fifo")


def run(command):
    """The command's own words only if it fails."""
    environment = {**os.environ, "PATH": os.environ["PATH"] + ":/sbin:/usr/sbin"}
    done = subprocess.run(command, shell=True, check=False, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}")


def make_bases(kind, bases, work):
    """The images of one type."""
    source = f"{work}/{'plain' if kind in PLAIN else 'links'}"
    for number, (size, command) in enumerate(COMMANDS[kind]):
        image = f"{work}/image"
        with open(image, "wb") as file:
            file.truncate(size * MIB)
        if not size:
            os.unlink(image)
        run(command.format(image=image, source=source, xfs=mkfs_xfs()))
        if "{source}" not in command and kind not in EMPTY:
            cptofs = os.path.join(os.environ.get("LKL_BIN", ""), "cptofs")
            run(f"{cptofs} -q -t {kind} -i {image} {source}/. /")
        # Sparse as it was.
        run(f"cp --sparse=always {image} {bases}/{kind}-{number}.img")
        os.unlink(image)


def image_seeds(kind):
    """Inputs of an image target: base, options, changes, operations."""
    generator = random.Random(kind)
    for base in range(len(COMMANDS[kind])):
        # Sound images, each operation of the list once, and a walk.
        yield bytes([base, 0, 0, 8, 5, 8, 1, 1, 2, 9, 0, 9, 3, 20, 1, 0])
        for start in range(0, 24, 4):
            operations = b"".join(bytes([number, generator.randrange(18), 3, 5, 1, 7])
                                  for number in range(start, start + 4))
            yield bytes([base, start // 4, 0]) + operations
        # A few fields of the first sectors that hold something, checksums made right.
        for sector in range(8):
            change = bytes([sector, 0, generator.randrange(256), generator.randrange(2), 0,
                            generator.randrange(256)])
            yield bytes([base, 0, 0x81]) + change + bytes([8, 5, 8, 1, 1, 2])


def call_seeds():
    """Inputs of the system call target: what is done with a file of each name, one of each
    call, and a few after each other."""
    word = struct.Struct("<H").pack
    # As many as system_calls.cpp has paths.
    for path in range(13):
        for access in range(3):
            # open, write 8 bytes, lseek to the start, read 100, close
            yield (bytes([0, path]) + word(access) + word(0o644) + bytes([3, 0, 1]) + b"1\n\0\0" +
                   word(8) + bytes([6, 0, 0, 128, 0]) + bytes([2, 0, 0]) + word(100) +
                   bytes([1, 0]))
    generator = random.Random(0)
    # As many as system_calls.cpp has calls.
    for number in range(86):
        yield bytes([number]) + generator.randbytes(12)
    for _ in range(20):
        yield generator.randbytes(100)


def main():
    """Makes all."""
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    bases, seeds, targets = sys.argv[1], sys.argv[2], sys.argv[3:]
    os.makedirs(bases, exist_ok=True)
    with tempfile.TemporaryDirectory() as work:
        os.umask(0o022)
        fill(f"{work}/links", True)
        fill(f"{work}/plain", False)
        for target in targets:
            shutil.rmtree(f"{seeds}/{target}", ignore_errors=True)
            os.makedirs(f"{seeds}/{target}")
            if target in COMMANDS:
                make_bases(target, bases, work)
            made = image_seeds(target) if target in COMMANDS else call_seeds()
            for number, seed in enumerate(made):
                with open(f"{seeds}/{target}/{number:03}", "wb") as file:
                    file.write(seed)


main()
