# SPDX-License-Identifier: GPL-2.0-only
"""An ext4 image, mounted by lklfuse and by the host."""

import contextlib
import os
import pathlib
import subprocess
import time

import suites
from suites import OURS

# As the host mounts for root.
FUSE_OPTIONS = "type=ext4,allow_other,suid,dev"


def make_image(path, size):
    """A new ext4 of `size`, as truncate(1) reads it."""
    path.unlink(missing_ok=True)
    for command in (["truncate", "-s", size, path], ["mkfs.ext4", "-q", "-F", path]):
        subprocess.run(command, check=True)


def wait_for_mount(directory, server, log):
    """Until lklfuse has mounted; gives up when it ends."""
    deadline = time.monotonic() + 60
    while not os.path.ismount(directory):
        if server.poll() is not None or time.monotonic() > deadline:
            suites.give_up(f"lklfuse does not mount: {log.read_text(errors='replace')}")
        time.sleep(0.05)


@contextlib.contextmanager
def mounted(kernel, image, directory, build):
    """The image is mounted with that kernel as long as the block lasts."""
    directory.mkdir(parents=True, exist_ok=True)
    if kernel != OURS:
        subprocess.run(["mount", "-o", "loop", image, directory], check=True)
        try:
            yield
        finally:
            subprocess.run(["umount", directory], check=False)
        return
    log = pathlib.Path(str(directory) + ".log")
    with open(log, "wb") as file, subprocess.Popen(
            [pathlib.Path(build) / "bin" / "lklfuse", image, directory, "-f", "-o", FUSE_OPTIONS],
            stderr=file) as server:
        try:
            wait_for_mount(directory, server, log)
            yield
        finally:
            subprocess.run(["umount", directory], check=False)
            try:
                server.wait(60)
            except subprocess.TimeoutExpired:
                server.kill()
