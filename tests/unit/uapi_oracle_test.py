#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""The prefixed headers declare what the kernel's own headers declare.

Both are given to clang and to the preprocessor.  With the prefix taken off again
every declaration (structures with members, types and offsets' order, enumerators
with values, functions, typedefs) and the full expansion of every macro must be
the same, and no name at file scope may lack its prefix.

usage: uapi_oracle_test.py RAW_INCLUDE LKL_INCLUDE [--all | HEADER...]

Without headers a set that covers the common interface is compared at once.
LKL_INCLUDE also has to find <lkl/api.h>; several directories are separated by
colons.  Exits with 77 where there is no clang.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../../cmake/uapi"))

import ctoken  # noqa: E402
from rename import INCLUDES, PREFIXED_MEMBERS, unprefixed  # noqa: E402

COMMON = """
    linux/fs.h linux/fcntl.h linux/stat.h linux/socket.h linux/if.h linux/in.h linux/in6.h
    linux/ip.h linux/ipv6.h linux/tcp.h linux/udp.h linux/netlink.h linux/rtnetlink.h
    linux/if_link.h linux/if_packet.h linux/if_tun.h linux/bpf.h linux/perf_event.h
    linux/io_uring.h linux/mount.h linux/signal.h linux/time.h linux/eventpoll.h linux/poll.h
    linux/loop.h linux/dm-ioctl.h linux/btrfs.h linux/fuse.h linux/fsverity.h linux/fscrypt.h
    linux/keyctl.h linux/quota.h linux/msg.h linux/sem.h linux/shm.h linux/wait.h linux/futex.h
    linux/netfilter/nf_tables.h linux/nl80211.h linux/ethtool.h linux/pkt_cls.h linux/pkt_sched.h
    linux/virtio_blk.h linux/sched.h linux/prctl.h linux/reboot.h linux/landlock.h linux/openat2.h
    linux/auxvec.h linux/elf.h linux/errno.h linux/utsname.h linux/sysinfo.h linux/un.h
    asm/stat.h asm/statfs.h asm/ioctls.h asm/termios.h asm/resource.h asm/mman.h asm/siginfo.h
    linux/nilfs2_api.h linux/cxl_mem.h linux/tls.h linux/phonet.h linux/raid/md_p.h
""".split()

# Included by kernel headers, without a need for anything in them.
OTHERS = ["stdlib.h", "string.h", "unistd.h"]


def bare(name):
    """A name without its prefix; one without a prefix stays."""
    return unprefixed(name) or name


def bare_text(text):
    """C text without prefixes, blanks made even."""
    words = []
    for token in ctoken.significant(ctoken.tokenize(text)):
        words.append(bare(token.text) if token.kind == ctoken.IDENT else token.text)
    return " ".join(words)


def fake_libc(folder, include):
    """libc's headers as far as the kernel's include them: our own, unprefixed."""
    text = ""
    for name in ("types.h", "socket.h"):
        path = next(p for p in (os.path.join(d, "lkl", name) for d in include)
                    if os.path.exists(p))
        with open(path, encoding="utf-8") as file:
            for line in file:
                if "#include <lkl/" in line:
                    line = line.replace("<lkl/", "<")
                    if line.split("<")[1].startswith(("types.h", "socket.h")):
                        line = ""
                text += re.sub(r"\w+", lambda m: bare(m.group()), line)
    # Of these names the kernel's tree has headers, or the compiler has a type.
    text = text.replace("typedef __kernel_size_t size_t;", "")
    text = "#ifndef FAKE_LIBC\n#define FAKE_LIBC\n#include <linux/ioctl.h>\n" + text + "\n#endif\n"
    for name in list(INCLUDES) + OTHERS:
        path = os.path.join(folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write("#include <stddef.h>\n" if name in OTHERS else text)


class Side:
    """One of the two sets of headers."""

    def __init__(self, flags, prefix, roots):
        self.flags = flags
        self.prefix = prefix
        self.roots = roots
        self.error = ""  # what clang said last

    def ours(self, path):
        """Whether a file belongs to the headers under test."""
        path = os.path.abspath(path)
        return any(path == root or path.startswith(root + "/") for root in self.roots)

    def compile(self, source, *flags):
        """Output of clang, or None when it fails."""
        run = subprocess.run(["clang", "-x", "c", "-std=gnu11", "-w", *self.flags, *flags, source],
                             capture_output=True, text=True, errors="replace", check=False)
        if run.returncode:
            self.error = run.stderr
            return None
        return run.stdout

    def declarations(self, source):
        """{(kind, name): description} of what stands in our headers."""
        text = self.compile(source, "-fsyntax-only", "-Xclang", "-ast-dump=json")
        if text is None:
            return None
        found = {}
        where = [""]
        for node in json.loads(text).get("inner", ()):
            location = node.get("loc", {})
            for place in (location.get("expansionLoc"), location):
                if place and "file" in place:
                    where[0] = place["file"]
                    break
            self._track(node, where)
            if "name" in node and self.ours(where[0]) and \
                    not node["name"].startswith("__builtin_"):
                found[(node["kind"], node["name"])] = describe(node)
        return found

    @staticmethod
    def _track(node, where):
        """clang names a file only when it changes, in whatever place comes first."""
        for place in (node.get("range", {}).get("begin", {}), node.get("range", {}).get("end", {})):
            for part in (place.get("spellingLoc", {}), place.get("expansionLoc", {}), place):
                if "file" in part and "includedFrom" in part:
                    where[0] = part["file"]

    def macros(self, source):
        """{name: parameters or None} of what our headers define."""
        text = self.compile(source, "-E", "-dD")
        if text is None:
            return None
        found = {}
        path = ""
        for line in text.splitlines():
            marker = re.match(r'# \d+ "(.*?)"', line)
            if marker:
                path = marker.group(1)
                continue
            define = re.match(r"#define (\w+)(\(([^)]*)\))?", line)
            if define and self.ours(path):
                params = define.group(3)
                found[define.group(1)] = None if params is None else \
                    [p for p in params.replace(" ", "").split(",") if p]
            undef = re.match(r"#undef (\w+)", line)
            if undef:
                found.pop(undef.group(1), None)
        return found

    def expansions(self, source, macros, folder):
        """{bare name: full expansion} of the macros, arguments being arg1, arg2 …"""
        with open(source, encoding="utf-8") as file:
            text = file.read()
        path = os.path.join(folder, "expand.c")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
            for name, params in macros.items():
                call = name
                if params is not None:
                    call += "(" + ", ".join(f"arg{i}" for i in range(len(params))) + ")"
                file.write(f'\n"BEGIN {bare(name)}" {call}\n"END"\n')
        output = self.compile(path, "-E", "-P")
        return {match.group(1): bare_text(match.group(2)) for match in
                re.finditer(r'"BEGIN (\w+)"(.*?)"END"', output or "", re.S)}


def describe(node):
    """What makes a declaration: types, members, values, in text without prefixes."""
    parts = []
    if "type" in node:
        kind = node["type"]["qualType"]
        # The place of a nameless structure differs, of course.
        kind = re.sub(r"\((unnamed|anonymous)[^)]*\)", "(unnamed)", kind)
        parts.append(bare_text(kind))
    for child in node.get("inner", ()):
        if child["kind"] in ("FieldDecl", "EnumConstantDecl", "RecordDecl", "EnumDecl",
                             "IndirectFieldDecl", "PackedAttr", "AlignedAttr", "ParmVarDecl"):
            name = child.get("name", "")
            name = bare(name) if name in {"lkl_" + m for m in PREFIXED_MEMBERS} or \
                child["kind"] in ("EnumConstantDecl", "RecordDecl", "EnumDecl") else name
            parts.append(f"{child['kind']} {name} {describe(child)}")
        elif child["kind"] in ("ConstantExpr", "IntegerLiteral", "ImplicitCastExpr"):
            parts.append(value_of(child))
    return "; ".join(parts)


def value_of(node):
    """The first constant in an expression."""
    if "value" in node:
        return str(node["value"])
    return " ".join(value_of(child) for child in node.get("inner", ()))


def compare(raw, gen, headers, folder):
    """Compares the headers, included together. Returns (problems, compared)."""
    source = {}
    for side in (raw, gen):
        source[side] = os.path.join(folder, "test.c")
    problems = []
    results = []
    for side in (raw, gen):
        with open(source[side], "w", encoding="utf-8") as file:
            for header in headers:
                file.write(f"#include <{side.prefix}{header}>\n")
        declarations = side.declarations(source[side])
        macros = side.macros(source[side])
        if declarations is None or macros is None:
            results.append(None)
            continue
        results.append((declarations, macros, side.expansions(source[side], macros, folder)))
    if results[0] is None:
        # Headers that the kernel itself cannot compile alone are no fault of ours.
        return ([] if len(headers) == 1 else [f"the kernel's own fail:\n{raw.error}"]), 0
    if results[1] is None:
        return [f"{headers}: only the prefixed form fails:\n{gen.error}"], 0

    for side, (_, macros, expanded) in zip((raw, gen), results):
        if macros and not expanded:
            problems.append(f"<{side.prefix}...>: no macro was expanded:\n{side.error}")
    for _, name in results[1][0]:
        if not unprefixed(name):
            problems.append(f"declared without a prefix: {name}")
    for name in results[1][1]:
        if not unprefixed(name):
            problems.append(f"macro without a prefix: {name}")
    got = {(kind, bare(name)): text for (kind, name), text in results[1][0].items()}
    problems += difference("declaration", results[0][0], got)
    problems += difference("macro", results[0][2], results[1][2])
    return problems, len(got) + len(results[1][2])


def difference(what, want, got):
    """Text for each entry that is not the same on both sides."""
    found = []
    for key in sorted(set(want) | set(got), key=str):
        if want.get(key) != got.get(key):
            found.append(f"{what} {key}:\n    kernel {want.get(key)}\n    lkl    {got.get(key)}")
    return found


def main():
    """Runs the comparison."""
    raw_root = os.path.abspath(sys.argv[1])
    include = [os.path.abspath(path) for path in sys.argv[2].split(":")]
    if not shutil.which("clang"):
        print("skipped: no clang")
        return 77
    with tempfile.TemporaryDirectory() as folder:
        fake = os.path.join(folder, "libc")
        fake_libc(fake, include)
        empty = os.path.join(folder, "empty")
        os.mkdir(empty)
        for name in OTHERS:
            with open(os.path.join(empty, name), "w", encoding="utf-8"):
                pass
        clang = subprocess.run(["clang", "-print-resource-dir"], capture_output=True, text=True,
                               check=True).stdout.strip()
        base = ["-nostdinc"]
        raw = Side(base + ["-isystem", fake, "-isystem", raw_root, "-isystem",
                           os.path.join(clang, "include")], "", [raw_root])
        # stdint.h of the compiler asks for libc's only when hosted.
        raw.flags.append("-ffreestanding")
        gen = Side(base + [flag for path in include for flag in ("-isystem", path)] +
                   ["-isystem", empty, "-isystem", os.path.join(clang, "include"),
                    "-ffreestanding"],
                   "lkl/", [os.path.join(path, "lkl", part) for path in include
                            for part in os.listdir(raw_root)])
        if sys.argv[3:] == ["--all"]:
            groups = [[os.path.relpath(os.path.join(place, name), raw_root)]
                      for place, _, names in os.walk(raw_root) for name in sorted(names)]
        else:
            groups = [sys.argv[3:] or COMMON]
        problems = []
        compared = 0
        for group in groups:
            if len(group) == 1:
                # What it includes is compared on its own.
                raw.roots = [os.path.join(raw_root, group[0])]
                gen.roots = [os.path.join(path, "lkl", group[0]) for path in include]
            found, count = compare(raw, gen, group, folder)
            problems += found
            compared += count
    problems = list(dict.fromkeys(problems))
    for problem in problems:
        print(problem)
    print(f"{len(groups)} sources, {compared} names compared, {len(problems)} differ")
    return 1 if problems or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
