#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Times of access, before and after a copy.

    access_times.py make DIRECTORY
    access_times.py check DIRECTORY

Makes files, directories with a file in each, and symbolic links, each with its time of
access in its name, and another time of change; looks whether a copy has both. Looks before it
reads: that can change the time.
"""

import os
import sys

SECOND = 10**9
# In nanoseconds: before 1970, around it, now and after 2038, up to where ext4 ends.
STAMPS = (-315619200 * SECOND - 123456789, -3 * SECOND // 2, -1, 0, 1, 1234567890 * SECOND,
          1234567890 * SECOND + 999999999, 0x80000000 * SECOND + 5,
          0x37ffffffe * SECOND + 120000000)
# The time of change. Later than some times of access, so that a mount that notes only the first
# look after a change would note one.
CHANGED = 1500000000 * SECOND + 7


def make():
    """All in the working directory."""
    names = []
    for stamp in STAMPS:
        with open(f"file {stamp}", "wb") as file:
            file.write(b"x" * 10000)
        os.symlink("target", f"link {stamp}")
        os.mkdir(f"directory {stamp}")
        with open(f"directory {stamp}/below {stamp}", "wb"):
            pass
        # The directory comes after what is in it.
        names += [f"file {stamp}", f"link {stamp}", f"directory {stamp}/below {stamp}",
                  f"directory {stamp}"]
    for name in names:
        stamp = int(name.rsplit(" ", maxsplit=1)[1])
        os.utime(name, ns=(stamp, CHANGED), follow_symlinks=False)


def check():
    """What is in the working directory, and how many files."""
    wrong = []
    count = 0
    for stamp in STAMPS:
        for name in (f"file {stamp}", f"link {stamp}", f"directory {stamp}",
                     f"directory {stamp}/below {stamp}"):
            status = os.lstat(name)
            count += 1
            if (status.st_atime_ns, status.st_mtime_ns) != (stamp, CHANGED):
                wrong.append(f"{name}: {status.st_atime_ns}, changed {status.st_mtime_ns}")
    print("\n".join(wrong))
    print(f"{count} files, {len(wrong)} differences")
    sys.exit(1 if wrong else 0)


def main():
    """The command line."""
    os.chdir(sys.argv[2])
    {"make": make, "check": check}[sys.argv[1]]()


if __name__ == "__main__":
    main()
