#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes the prefixed user API headers, and what goes with system calls.

The input is what the kernel's `make headers_install` gives, and the kernel's
source.  Every name that the headers define at file scope gets the prefix lkl_
or LKL_, so that one source file can use libc's headers and these.

Files whose contents would not change are not written, for the sake of make.
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

import calls as syscalls  # noqa: E402
import ctoken  # noqa: E402
import emit  # noqa: E402
import names  # noqa: E402
import rename  # noqa: E402

_HERE = os.path.dirname(os.path.abspath(__file__))
# The socket interface's constants, without what the kernel only uses itself.
_SOCKET_CONSTANTS = (r"(AF|PF|SOL|SCM)_\w+|SOMAXCONN|MSG_(?!CMSG_COMPAT|INTERNAL|SENDPAGE|NO_SHARED"
                     r"|SPLICE)\w+")


def main():
    """Reads the arguments and writes all files."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--headers", required=True,
                        help="the include directory that headers_install made")
    parser.add_argument("--linux", required=True, help="the kernel's source")
    parser.add_argument("--out", required=True, help="include directory to make lkl/ in")
    parser.add_argument("--source", help="C++ file with all lkl_sys_ functions to write")
    parser.add_argument("--states", help="file with every call's state to write, for tests")
    parser.add_argument("--document", help="Markdown table of all calls to write")
    options = parser.parse_args()

    headers = list(read_headers(options.headers))
    defined = names.analyse(headers)
    table = syscalls.read(options.headers, options.linux)
    known = emit.states(os.path.join(_HERE, "states.txt"))
    unknown = set(known) - {call.name for call in table}
    if unknown:
        sys.exit("states.txt names calls that the kernel does not have: " + " ".join(unknown))

    types = read(os.path.join(_HERE, "types.h"))
    constants = emit.constants(read(os.path.join(options.linux, "include/linux/socket.h")),
                               _SOCKET_CONSTANTS)
    socket = read(os.path.join(_HERE, "socket.h.in")).replace("@CONSTANTS@\n", constants + "\n")
    defined.ordinary |= own_names(types) | own_names(socket)

    renamer = rename.Renamer(defined, {header.path for header in headers})
    out = os.path.join(options.out, "lkl")
    written = set()
    for header in headers:
        write(os.path.join(out, header.path), renamer.header(header), written)
    remove_stale(out, {header.path.split("/")[0] for header in headers}, written)

    write(os.path.join(out, "types.h"), types)
    write(os.path.join(out, "socket.h"), socket)
    write(os.path.join(out, "syscalls.h"), emit.syscalls_header(table, headers))
    if options.source:
        write(options.source, emit.syscalls_source(table))
    if options.states:
        write(options.states, emit.states_include(table, known))
    if options.document:
        write(options.document, emit.document(table, known))


def own_names(text):
    """The kernel's names of what a header of ours defines (and uses).  Not size_t:
    the compiler has it.
    """
    found = {rename.unprefixed(token.text) for token in ctoken.tokenize(text)
             if token.kind == ctoken.IDENT}
    return found - {None, "size_t"}


def read(path):
    """A file's text; bytes that are not UTF-8 survive."""
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        return file.read()


def read_headers(root):
    """A names.Header for each header below `root`, in a fixed order."""
    for folder, folders, files in os.walk(root):
        folders.sort()
        for name in sorted(files):
            if name.endswith(".h"):
                path = os.path.join(folder, name)
                yield names.Header(os.path.relpath(path, root), read(path))


def write(path, text, written=None):
    """Writes a file if it is new or different."""
    if written is not None:
        written.add(path)
    os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
    if os.path.exists(path) and read(path) == text:
        return
    with open(path + ".new", "w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text)
    os.replace(path + ".new", path)


def remove_stale(out, roots, written):
    """Removes headers of an earlier run that this kernel does not have."""
    for root in sorted(roots):
        for folder, _, files in os.walk(os.path.join(out, root)):
            for name in files:
                path = os.path.join(folder, name)
                if path not in written:
                    os.unlink(path)


if __name__ == "__main__":
    main()
