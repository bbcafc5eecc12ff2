# SPDX-License-Identifier: GPL-2.0-only
"""The system calls of the kernel: numbers, names, and prototypes."""

import glob
import os
import re

import ctoken
from cparse import KEYWORDS
from ctoken import significant
from rename import prefixed

# Types that C has itself; all other names of types are prefixed.
_OWN_TYPES = frozenset(["size_t", "uint32_t"])
# The kernel's short names of types, in the form that its user API has.
_USER_TYPES = {"u32": "__u32", "u64": "__u64", "s32": "__s32", "s64": "__s64",
               "rwf_t": "__kernel_rwf_t"}

# Parameters whose type in <linux/syscalls.h> is not what a caller passes.
# What the kernel only reads:
_READ_ONLY = frozenset("""
    bind.umyaddr connect.uservaddr futex_waitv.waiters init_module.umod mount.data mount.dev_name
    mount.dir_name mount.type mount_setattr.uattr mq_timedsend.msg_ptr msgsnd.msgp
    nanosleep.rqtp openat2.how perf_event_open.attr_uptr ppoll.tsp pselect6.sig pselect6.tsp
    rt_sigprocmask.set rt_sigqueueinfo.uinfo rt_sigsuspend.unewset rt_tgsigqueueinfo.uinfo
    pidfd_send_signal.info sched_setaffinity.user_mask_ptr sched_setattr.attr
    sched_setparam.param sched_setscheduler.param semop.sops semtimedop.sops sendmsg.msg
    sendto.addr sendto.buff setdomainname.name setgroups.grouplist sethostname.name
    setitimer.value setrlimit.rlim settimeofday.tv settimeofday.tz signalfd4.user_mask
    timer_create.timer_event_spec umount2.name utimensat.utimes
""".split())
# What is not text but any bytes, and the System V structures: a 64-bit kernel
# uses the 64-bit ones (ipc/util.h: IPC_64).
_TYPES = {
    "getrandom.buf": "void *",
    "getsockopt.optval": "void *",
    "msgctl.buf": "struct msqid64_ds *",
    "pread64.buf": "void *",
    "pwrite64.buf": "const void *",
    "read.buf": "void *",
    "setsockopt.optval": "const void *",
    "shmat.shmaddr": "const void *",
    "shmctl.buf": "struct shmid64_ds *",
    "shmdt.shmaddr": "const void *",
    "write.buf": "const void *",
}
# Calls that take no parameters from a program, whatever the prototype says.
_NO_PARAMETERS = frozenset(["rt_sigreturn"])

# Parameters that would collide with a keyword of C++ or a macro of libc.
_CPLUSPLUS = frozenset(["new", "old", "this", "class", "template", "delete", "unix", "linux"])


class Call:
    """One system call: its number, name, and [(type, name)] of its parameters."""

    def __init__(self, number, name, entry, params):
        self.number = number
        self.name = name
        self.entry = entry      # the kernel's function, sys_ni_syscall for none
        self.params = params

    def declaration(self):
        """`long lkl_sys_NAME(...)` without a semicolon."""
        params = ", ".join(_join(kind, name) for kind, name in self.params)
        return f"long lkl_sys_{self.name}({params or 'void'})"


def _join(kind, name):
    return kind + name if kind.endswith("*") else f"{kind} {name}"


def read(include, linux):
    """All calls of the kernel in directory `linux` that the installed headers in
    `include` give a number.
    """
    table = _table(os.path.join(linux, "scripts/syscall.tbl"))
    prototypes = {}
    for path in ("include/linux/syscalls.h", "include/asm-generic/syscalls.h"):
        with open(os.path.join(linux, path), encoding="utf-8") as file:
            prototypes.update(_prototypes(file.read()))
    calls = []
    for name, number in _numbers(os.path.join(include, "asm/unistd_64.h")):
        entry = table[(number, name)]
        params = prototypes.get(entry, []) if name not in _NO_PARAMETERS else []
        if any(param_name is None for _, param_name in params):
            params = _definition(linux, entry, len(params)) or params
        calls.append(Call(number, name, entry, _finish(name, params)))
    return sorted(calls, key=lambda call: call.number)


def _numbers(path):
    with open(path, encoding="utf-8") as file:
        return [(name, int(number))
                for name, number in re.findall(r"^#define __NR_(\w+)\s+(\d+)$", file.read(), re.M)
                if name != "syscalls"]


def _table(path):
    """(number, name) -> entry, of the lines that a 64-bit kernel may take."""
    table = {}
    with open(path, encoding="utf-8") as file:
        for line in file:
            fields = line.split("#")[0].split()
            if len(fields) >= 4 and fields[1] not in ("32", "time32", "stat64"):
                table[(int(fields[0]), fields[2])] = fields[3]
    return table


def _prototypes(text):
    """entry -> [(type, name or None)].  Where there are several, the last one is
    that of architectures without a peculiarity.
    """
    tokens = [t.text for t in significant(ctoken.tokenize(text))]
    found = {}
    for index, word in enumerate(tokens):
        if word == "(" and tokens[index - 1].startswith("sys_") and "asmlinkage" in \
                tokens[max(0, index - 4):index]:
            end = tokens.index(")", index)
            found[tokens[index - 1]] = [_parameter(words)
                                        for words in _split(tokens[index + 1:end])]
    return found


def _split(words):
    piece = []
    for word in words:
        if word == ",":
            yield piece
            piece = []
        elif word != "__user":
            piece.append(word)
    if piece and piece != ["void"]:
        yield piece


def _parameter(words):
    """(type words, name or None)"""
    last = words[-1]
    named = len(words) > 1 and re.match(r"[A-Za-z_]", last) and last not in KEYWORDS \
        and words[-2] not in ("struct", "union", "enum", "const")
    return (words[:-1], last) if named else (words, None)


def _definition(linux, entry, count):
    """The parameters as SYSCALL_DEFINEn in the kernel's source names them."""
    pattern = re.compile(r"^SYSCALL_DEFINE%d\(%s,([^)]*)\)" % (count, entry[len("sys_"):]), re.M)
    for path in _sources(linux):
        with open(path, encoding="utf-8", errors="replace") as file:
            match = pattern.search(file.read())
        if match:
            pieces = list(_split([t.text for t in significant(ctoken.tokenize(match.group(1)))]))
            return [(pieces[i], pieces[i + 1][0]) for i in range(0, len(pieces), 2)]
    return None


_source_list = []


def _sources(linux):
    if not _source_list:
        for folder in ("fs", "kernel", "net", "mm", "ipc"):
            _source_list.extend(sorted(glob.glob(os.path.join(linux, folder, "*.c"))))
    return _source_list


def _finish(call, params):
    result = []
    for index, (words, name) in enumerate(params):
        name = name or f"arg{index + 1}"
        key = f"{call}.{name}"
        if key in _TYPES:
            words = _TYPES[key].split()
        if key in _READ_ONLY and words[0] != "const":
            words = ["const"] + words
        if name in _CPLUSPLUS:
            name += "_"
        result.append((_type(words), name))
    return result


def _type(words):
    words = [_USER_TYPES.get(word, word) for word in words]
    words = [prefixed(word) if word not in KEYWORDS and word not in _OWN_TYPES and word != "*"
             else word for word in words]
    return re.sub(r"\* (?=\*)", "*", " ".join(words))
