#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""lklfuse beside fuse2fs and the host's own loop mount, on the same ext4 image.

    sudo bench/mounts.py BUILD-DIRECTORY [ROUNDS]

Prints the median of each figure over the rounds, in which the three take turns. The
image, of 3 GiB and sparse, is made in the directory for temporary files.
"""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

MIB = 1 << 20


def main():
    """Makes the image, measures, prints."""
    lklfuse = os.path.abspath(sys.argv[1]) + "/bin/lklfuse"
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        os.mkdir("mount")
        make_image()
        mounts = {"lklfuse": [lklfuse, "image", "mount"], "fuse2fs": ["fuse2fs", "image", "mount"],
                  "loop": ["mount", "-o", "loop", "image", "mount"]}
        results = {name: [] for name in mounts}
        for _ in range(rounds):
            for name, command in mounts.items():
                results[name].append(measure(command))
        os.chdir("/")
    for figure, unit in (("cold", "GB/s"), ("hot", "GB/s"), ("walk", "s"), ("random", "k/s")):
        median = {name: statistics.median(one[figure] for one in results[name])
                  for name in results}
        print(f"{figure:8}", *(f"{name} {value:.3g} {unit}" for name, value in median.items()),
              f"lklfuse/fuse2fs {median['lklfuse'] / median['fuse2fs']:.2f}",
              f"lklfuse/loop {median['lklfuse'] / median['loop']:.2f}", sep="   ")


def run(*command):
    """Must succeed."""
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


def make_image():
    """1 GiB in one file, and 20,000 small ones."""
    with open("image", "wb") as image:
        image.truncate(3 << 30)
    run("mkfs.ext4", "-q", "image")
    run("mount", "-o", "loop", "image", "mount")
    block = os.urandom(MIB)
    with open("mount/large", "wb") as file:
        for _ in range(1024):
            file.write(block)
    for directory in range(200):
        os.mkdir(f"mount/{directory}")
        for number in range(100):
            with open(f"mount/{directory}/{number}", "wb") as file:
                file.write(block[:2000 + number * 20])
    run("umount", "mount")


def measure(command):
    """Every figure, each cold one with empty caches of the host."""
    result = {}
    with mounted(command):
        result["cold"] = read_large()
        result["hot"] = read_large()
    with mounted(command):
        result["walk"] = walk()
    with mounted(command):
        result["random"] = read_randomly()
    return result


class mounted:  # pylint: disable=invalid-name
    """While it is."""

    def __init__(self, command):
        self.command = command

    def __enter__(self):
        os.sync()
        with open("/proc/sys/vm/drop_caches", "w", encoding="ascii") as file:
            file.write("3")
        run(*self.command)

    def __exit__(self, *_):
        # A server may still be writing when it is unmounted; it has the image's lock.
        run("umount", "mount")
        time.sleep(1)


def read_large():
    """GB/s."""
    buffer = bytearray(MIB)
    begin = time.monotonic()
    file = os.open("mount/large", os.O_RDONLY)
    total = 0
    while count := os.readv(file, [buffer]):
        total += count
    os.close(file)
    return total / (time.monotonic() - begin) / 1e9


def walk():
    """Seconds to list all directories and read all small files."""
    begin = time.monotonic()
    for directory in range(200):
        for name in os.listdir(f"mount/{directory}"):
            with open(f"mount/{directory}/{name}", "rb", buffering=0) as file:
                file.read()
    return time.monotonic() - begin


def read_randomly():
    """Thousands of 4 KiB a second, of eight processes."""
    output = subprocess.run(
        ["fio", "--name=random", "--filename=mount/large", "--rw=randread", "--bs=4k",
         "--numjobs=8", "--time_based", "--runtime=5", "--group_reporting", "--ioengine=psync",
         "--norandommap", "--output-format=json"], check=True, capture_output=True).stdout
    return json.loads(output)["jobs"][0]["read"]["iops"] / 1000


if __name__ == "__main__":
    main()
