#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""xfstests' generic tests on ext4 images that lklfuse mounts, and that the host mounts.

    xfstests.py BUILD DIRECTORY

DIRECTORY is a checkout of xfstests; one that is not built yet is built in BUILD. Each test
is a run of its `check` of its own. lklfuse is a file system of type fuse.lklfuse to it
(its README.fuse), which mount(8) starts by mount.fuse: another one while this runs.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import mounts
import suites
from suites import FAIL, KERNELS, OURS, PASS, SKIP, TIMEOUT

# mount(8) calls it with "IMAGE DIRECTORY -o OPTIONS -t TYPE", where suid and dev, its own
# defaults, are left out; those of FUSE are the opposite. umount(8) does not wait for the
# server of a mount, which writes the image: until then the next one is told that it is in use.
HELPER = """#!/bin/sh
image=$1 directory=$2
shift 2
while getopts o:t:sfnvN: option; do
    [ "$option" != o ] || options=$OPTARG
done
tries=0
until said=$("%s" "$image" "$directory" -o "suid,dev,$options" 2>&1); do
    code=$?
    case $said in *"in use"*) ;; *) tries=600 ;; esac
    tries=$((tries + 1))
    [ $tries -lt 600 ] || { echo "$said" >&2; exit $code; }
    sleep 0.1
done
"""


def replace_mount_fuse(scratch, build):
    """In this mount namespace alone. What mount(8) runs has another PATH than its caller."""
    helper = scratch / "mount.fuse"
    helper.write_text(HELPER % (pathlib.Path(build).resolve() / "bin" / "lklfuse"),
                      encoding="utf-8")
    helper.chmod(0o755)
    subprocess.run(["mount", "--bind", helper, shutil.which("mount.fuse", path="/sbin:/usr/sbin")],
                   check=True)


def built(directory, build):
    """The directory with fsstress in it, or a copy."""
    for name in ("check", "tests/generic", "common/rc"):
        if not (directory / name).exists():
            suites.give_up(f"{directory}: no {name} there: name a checkout of xfstests "
                           "(git.kernel.org, fs/xfs/xfstests-dev.git)")
    if (directory / "ltp" / "fsstress").exists():
        return directory.resolve()
    work = pathlib.Path(build).resolve() / "suites" / "xfstests"
    suites.need("make", "cc")
    suites.build(directory, work, [["make"]])
    return work


def attach(image, devices):
    """A loop device of the host's; the caller detaches what is in `devices`."""
    device = subprocess.run(["losetup", "--find", "--show", image], check=True,
                            capture_output=True, text=True).stdout.strip()
    devices.append(device)
    return device


def write_config(path, kernel, scratch, devices):
    """The file that `check` reads its devices and options from."""
    lines = []
    for role in ("TEST", "SCRATCH"):
        image, mount = scratch / f"{role}.img", scratch / role
        mounts.make_image(image, "2G")
        mount.mkdir(exist_ok=True)
        device = image if kernel == OURS else attach(image, devices)
        lines += [f"export {role}_DEV={device}",
                  f"export {'TEST_DIR' if role == 'TEST' else 'SCRATCH_MNT'}={mount}"]
    if kernel == OURS:
        lines += ["export FSTYP=fuse", "export FUSE_SUBTYP=.lklfuse",
                  f'export MOUNT_OPTIONS="-o {mounts.FUSE_OPTIONS}"',
                  f'export TEST_FS_MOUNT_OPTS="-o {mounts.FUSE_OPTIONS}"']
    else:
        lines += ["export FSTYP=ext4"]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def status_of(code, output):
    """From the last lines of `check`."""
    if code is None:
        return TIMEOUT
    if re.search(r"^Not run:", output, re.MULTILINE):
        return SKIP
    passed = code == 0 and re.search(r"^Passed all [1-9]", output, re.MULTILINE)
    return PASS if passed else FAIL


def run_all(work, kernel, tests, scratch, results):
    """All of them with one kernel."""
    # Its own results beside the images, not in the source.
    environment = dict(os.environ, HOST_OPTIONS=str(scratch / "config"),
                       RESULT_BASE=str(scratch / "results"),
                       PATH=os.environ["PATH"] + ":/usr/sbin:/sbin")
    devices = []
    try:
        write_config(scratch / "config", kernel, scratch, devices)
        for test in tests:
            code, output = suites.run(["./check", test], 10 * suites.bound(), cwd=work,
                                      env=environment)
            results.add(test, kernel, status_of(code, output), output)
            print(f"{kernel} {results.found[test][kernel]:7}  {test}", flush=True)
            for role in ("TEST", "SCRATCH"):
                # What a test that was ended has left mounted.
                subprocess.run(["umount", "-q", "-l", scratch / role], check=False,
                               stderr=subprocess.DEVNULL)
    finally:
        for device in devices:
            subprocess.run(["losetup", "--detach", device], check=False)


def main():
    """See above."""
    build, directory = sys.argv[1], pathlib.Path(sys.argv[2])
    suites.need("mkfs.ext4", "losetup", "mount", "mount.fuse")
    suites.need_root()
    work = built(directory, build)
    suites.enter_mount_namespace()
    results = suites.Results("xfstests", build)
    tests = [f"generic/{path.name}" for path in sorted((work / "tests" / "generic").iterdir())
             if re.fullmatch(r"\d{3,}", path.name) and suites.is_wanted(f"generic/{path.name}")]
    with tempfile.TemporaryDirectory(prefix="lkl-xfstests-") as scratch:
        replace_mount_fuse(pathlib.Path(scratch), build)
        for kernel in KERNELS:
            run_all(work, kernel, tests, pathlib.Path(scratch), results)
    return results.write()


if __name__ == "__main__":
    sys.exit(main())
