# SPDX-License-Identifier: GPL-2.0-only
"""gdb commands for programs, running or in a core file, that hold LKL kernels.

    (gdb) source lkl-gdb.py
    (gdb) lkl symbols        symbols and source lines of every kernel in the process, and
                             the kernel's own commands (lx-ps, lx-dmesg, "apropos lx"),
                             where the image has them
    (gdb) lkl backtrace      the kernel stack of each task that sleeps, the idle task's too;
                             "lkl backtrace PID" of one
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
            adapt_helpers()
            self.has_helpers = True


class NoModules(gdb.Command):
    """Does nothing: this kernel has no modules. "lkl symbols" loads its symbols.

    The kernel's own command of this name throws away all symbols, those of the program too,
    to load a file "vmlinux" for a machine that is all kernel."""

    def __init__(self):
        super().__init__("lx-symbols", gdb.COMMAND_FILES)

    def invoke(self, argument, from_tty):
        print("this kernel has no modules; \"lkl symbols\" loads its symbols")


def adapt_helpers():
    """Gives the kernel's own commands what they know of other architectures alone."""
    # There since the kernel's script was loaded.
    from linux import cpus, interrupts

    # One CPU, whose variables lie where the symbols say. For the script this is an x86
    # machine, as the program is: it looks for that one's variables and interrupts.
    cpus.get_current_cpu = lambda: 0
    cpus.get_current_task = lambda cpu: gdb.parse_and_eval("runqueues.curr").dereference()
    interrupts.arch_show_interrupts = lambda precision: ""
    NoModules()


def tasks():
    """struct task_struct of each task, by the order of the kernel's lists."""
    task = gdb.lookup_type("struct task_struct")
    byte = gdb.lookup_type("char")

    def entries(head, member):
        node = head["next"]
        while node != head.address:
            start = node.cast(byte.pointer()) - task[member].bitpos // 8
            yield start.cast(task.pointer()).dereference()
            node = node["next"]

    init = gdb.parse_and_eval("init_task")
    yield init
    for process in entries(init["tasks"], "tasks"):
        yield from entries(process["signal"]["thread_head"], "thread_node")


def variable_of_kernel(name):
    """The value of a variable, where the program has a type of that name."""
    for objfile in gdb.objfiles():
        if re.search(r"/vmlinux[^/]*\.debug$", objfile.filename or ""):
            symbol = objfile.lookup_global_symbol(name)
            if symbol:
                return symbol.value()
    raise gdb.error("no variable %s" % name)


class Backtrace(gdb.Command):
    """Shows the kernel stack of tasks that sleep: all, or the one with the given PID.

    A task that runs is on the stack of a thread of the program: see "thread apply all
    backtrace"."""

    # Where __lkl_switch_to() and lkl_suspend() (arch/lkl/kernel/switch.S) leave a stack: below
    # the return address the caller's rbp, and below that five more registers.
    FRAME = 5 * 8

    def __init__(self):
        super().__init__("lkl backtrace", gdb.COMMAND_STACK)

    def invoke(self, argument, from_tty):
        try:
            wanted = int(argument) if argument else None
        except ValueError:
            raise gdb.GdbError("lkl backtrace [PID]")
        try:
            current = int(gdb.parse_and_eval("runqueues.curr"))
            suspended = int(variable_of_kernel("lkl_vcpu")["fiber_sp"])
            found = [(task, int(task["thread"]["sp"])) for task in tasks()
                     if wanted in (None, int(task["pid"]))]
        except gdb.error as error:
            raise gdb.GdbError("not with this image (make kernel-trace): %s" % error)
        if not found:
            raise gdb.GdbError("no task has the number %d" % wanted)
        for task, sp in found:
            sleeps = int(task.address) != current
            print("task %d %s%s" % (int(task["pid"]), task["comm"].string(),
                                    "" if sleeps else ", the current one"))
            self.walk(task, sp if sleeps else suspended)

    def walk(self, task, sp):
        """Prints the frames from a stack pointer on, as far as they lie on the task's stack."""
        bottom = int(task["stack"])
        top = bottom + int(gdb.parse_and_eval("sizeof(init_stack)"))
        frame = sp + self.FRAME
        number = 0
        while bottom <= frame < top:
            pc = self.word(frame + 8)
            if not pc:
                break
            self.show(number, pc)
            number += 1
            above = self.word(frame)
            if above <= frame:
                break
            frame = above
        if number == 0:
            print("    runs")

    @staticmethod
    def word(address):
        """The 8 bytes at an address."""
        memory = gdb.selected_inferior().read_memory(address, 8)
        return int.from_bytes(bytes(memory), "little")

    @staticmethod
    def show(number, pc):
        """One frame, by the place that called."""
        place = gdb.find_pc_line(pc - 1)
        symbol = gdb.execute("info symbol %#x" % (pc - 1), to_string=True).split(" ")[0]
        where = " at %s:%d" % (place.symtab.filename, place.line) if place.symtab else ""
        print("    #%-2d %#018x in %s ()%s" % (number, pc, symbol, where))


Lkl()
Symbols()
Backtrace()
