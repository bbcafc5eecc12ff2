# SPDX-License-Identifier: GPL-2.0-only
"""gdb commands for programs, running or in a core file, that hold LKL kernels.

    (gdb) source lkl-gdb.py
    (gdb) lkl symbols        symbols and source lines of every kernel in the process, and
                             the kernel's own commands (lx-ps, lx-dmesg, "apropos lx"),
                             where the image has them
"""

import os
import re

import gdb

IMAGE = re.compile(r"^\s*(0x[0-9a-f]+)\s+0x[0-9a-f]+\s+0x[0-9a-f]+\s+0x0\s.*?(/.*/vmlinux[^/]*)$")


def mapped_images():
    """(file, base address) of each kernel image that is mapped."""
    found = []
    for line in gdb.execute("info proc mappings", to_string=True).splitlines():
        match = IMAGE.match(line)
        if match:
            found.append((match.group(2), int(match.group(1), 16)))
    return found


class Lkl(gdb.Command):
    """Kernels that run in this process."""

    def __init__(self):
        super().__init__("lkl", gdb.COMMAND_STATUS, prefix=True)


class Symbols(gdb.Command):
    """Loads symbols and source lines of every kernel in the process."""

    def __init__(self):
        super().__init__("lkl symbols", gdb.COMMAND_FILES)
        self.loaded = set()
        self.has_helpers = False

    def invoke(self, argument, from_tty):
        images = mapped_images()
        if not images:
            raise gdb.GdbError("no kernel is mapped")
        inferior = gdb.selected_inferior()
        for path, base in images:
            if (inferior.pid, base) in self.loaded:
                continue
            debug = path + ".debug"
            if not os.path.exists(debug):
                raise gdb.GdbError("no symbols: %s is missing" % debug)
            gdb.execute("add-symbol-file '%s' -o %#x" % (debug, base), to_string=True)
            self.loaded.add((inferior.pid, base))
            print("kernel at %#x: %s" % (base, debug))
            # Where a build directory of this project has the source.
            linux = os.path.join(os.path.dirname(os.path.realpath(path)), "../../linux")
            if os.path.isdir(linux):
                gdb.execute("set substitute-path /usr/src/lkl '%s'" % os.path.realpath(linux))
            self.load_helpers(path + ".gdb/vmlinux-gdb.py")

    def load_helpers(self, script):
        """The kernel's own commands, which find its variables by name: of the first kernel."""
        if not self.has_helpers and os.path.exists(script):
            gdb.execute("source " + script)
            self.has_helpers = True


Lkl()
Symbols()
