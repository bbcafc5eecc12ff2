# SPDX-License-Identifier: GPL-2.0-only
"""Runs a command on a host that seems to have no syscall user dispatch.

    without_dispatch.py COMMAND...

Its prctl(PR_SET_SYSCALL_USER_DISPATCH) fails as before Linux 5.11, by a filter of seccomp.
"""

import ctypes
import errno
import os
import struct
import sys

PRCTL, USER_DISPATCH = 157, 59
LOAD, JUMP_IF_EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, FAIL = 0x7FFF0000, 0x00050000 | errno.EINVAL
NUMBER, FIRST_ARGUMENT = 0, 16


def main():
    """Installs the filter, and becomes the command."""
    program = b"".join(struct.pack("HBBI", *one) for one in (
        (LOAD, 0, 0, NUMBER), (JUMP_IF_EQUAL, 0, 3, PRCTL),
        (LOAD, 0, 0, FIRST_ARGUMENT), (JUMP_IF_EQUAL, 0, 1, USER_DISPATCH),
        (RETURN, 0, 0, FAIL), (RETURN, 0, 0, ALLOW)))
    code = ctypes.create_string_buffer(program, len(program))
    rule = ctypes.create_string_buffer(
        struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(code)))
    libc = ctypes.CDLL(None, use_errno=True)
    no_new_privileges, set_seccomp, by_filter = 38, 22, 2
    for request in ((no_new_privileges, 1), (set_seccomp, by_filter, rule)):
        if libc.prctl(*request, *[0] * (5 - len(request))) != 0:
            raise SystemExit(os.strerror(ctypes.get_errno()))
    os.execvp(sys.argv[1], sys.argv[1:])


if __name__ == "__main__":
    main()
