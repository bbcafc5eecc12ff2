# SPDX-License-Identifier: GPL-2.0-only
"""The kernel's own kunit.py runs its tests in a kernel of ours, without qemu:

    cd linux-with-arch-lkl
    tools/testing/kunit/kunit.py run --qemu_config=.../share/lkl/kunit/lkl.py [suite]

The program that kunit.py takes for qemu lies beside this file.
"""

import os

# kunit.py takes this file for a module of its package.
from ..qemu_config import QemuArchParams  # pylint: disable=relative-beyond-top-level

os.environ["PATH"] = os.path.dirname(os.path.abspath(__file__)) + os.pathsep + os.environ["PATH"]

QEMU_ARCH = QemuArchParams(
    linux_arch="lkl",
    kconfig="",
    qemu_arch="lkl",
    kernel_path="vmlinux",
    kernel_command_line="",
    extra_qemu_params=[],
)
