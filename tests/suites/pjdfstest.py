#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""pjdfstest on an ext4 image that lklfuse mounts, and that the host mounts.

    pjdfstest.py BUILD DIRECTORY

DIRECTORY is a checkout of pjdfstest, the one in C and shell. It is built in BUILD. Each
file below tests/ runs in a directory of its own, and each of its lines of TAP is a test.
"""

import pathlib
import re
import sys
import tempfile

import mounts
import suites
from suites import FAIL, KERNELS, PASS, SKIP, TIMEOUT


def built(directory, build):
    """A copy with the program in it."""
    for name in ("pjdfstest.c", "configure.ac", "tests"):
        if not (directory / name).exists():
            suites.give_up(f"{directory}: no {name} there: name a checkout of pjdfstest "
                           "(github.com/pjd/pjdfstest)")
    work = pathlib.Path(build).resolve() / "suites" / "pjdfstest"
    suites.need("autoreconf", "make", "cc")
    suites.build(directory, work, [["autoreconf", "-ifs"], ["./configure"], ["make", "pjdfstest"]])
    return work


def read_tap(output, code):
    """Number of a test -> status; 0 is the file as a whole, when it does not keep its plan."""
    found = {}
    for line in output.splitlines():
        match = re.match(r"(not )?ok (\d+)(.*)", line)
        if match:
            todo = re.search(r"#\s*(TODO|SKIP)", match.group(3), re.IGNORECASE)
            found[int(match.group(2))] = SKIP if todo else FAIL if match.group(1) else PASS
    plan = re.search(r"^1\.\.(\d+)", output, re.MULTILINE)
    if code is None:
        found[0] = TIMEOUT
    elif not plan or set(range(1, int(plan.group(1)) + 1)) != set(found):
        found[0] = FAIL
    return found


def run_file(test, place, results, name, kernel):
    """All tests of one file."""
    place.mkdir()
    code, output = suites.run(["sh", str(test)], suites.bound(), cwd=place)
    for number, status in read_tap(output, code).items():
        results.add(f"{name}:{number}" if number else f"{name} as a whole", kernel, status, output)


def main():
    """See above."""
    build, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    suites.need("mkfs.ext4", "openssl", "mount", "fusermount3")
    suites.need_root()
    work = built(directory, build)
    suites.enter_mount_namespace()
    results = suites.Results("pjdfstest", build)
    tests = [test for test in sorted((work / "tests").rglob("*.t"))
             if suites.is_wanted(str(test.relative_to(work / "tests")))]
    with tempfile.TemporaryDirectory(prefix="lkl-pjdfstest-") as scratch:
        for kernel in KERNELS:
            image, mount = pathlib.Path(scratch) / "image", pathlib.Path(scratch) / kernel
            mounts.make_image(image, "512M")
            with mounts.mounted(kernel, image, mount, build):
                for number, test in enumerate(tests):
                    name = str(test.relative_to(work / "tests"))
                    run_file(test, mount / f"t{number}", results, name, kernel)
                    print(f"{kernel}: {name}", flush=True)
    return results.write()


if __name__ == "__main__":
    sys.exit(main())
