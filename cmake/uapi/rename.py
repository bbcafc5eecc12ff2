# SPDX-License-Identifier: GPL-2.0-only
"""Gives every global name of the kernel's user API its lkl_ or LKL_ prefix."""

from cparse import FILE, ENUMERATOR, KEYWORDS, LOCAL, MACRO, MEMBER, PARAM, TAG
from ctoken import IDENT, NEWLINE, SPACE
from names import directive_name, parse_define

# Members that libc has macros for, which would break the structure (or the
# access to it) wherever libc's header is included as well; they are prefixed.
#   st_*time: <sys/stat.h>  sa_handler: <signal.h>  msg_cbytes: <sys/msg.h>
#   arp_op: <netinet/if_ether.h>  d_fileno: <dirent.h>
PREFIXED_MEMBERS = frozenset("""
    st_atime st_mtime st_ctime sa_handler msg_cbytes arp_op d_fileno
""".split())

# Names of the C library that decide what a header defines.  The prefixed ones
# have no need to step back for libc's: with these names replaced, they define
# everything, whatever was included before.  __BYTE_ORDER is defined for them in
# <lkl/types.h>.
FOREIGN_CONDITIONS = frozenset(["__GLIBC__", "__BYTE_ORDER"])

# Defined in corners of the headers, but with libc's own meaning.
STANDARD_NAMES = frozenset(["int8_t", "int16_t", "int32_t", "__inline__"])

# What stands in for libc's headers, where kernel headers include them.
INCLUDES = {
    "endian.h": "lkl/types.h",
    "netinet/if_ether.h": "lkl/linux/if_ether.h",
    "netinet/in.h": "lkl/linux/in6.h",
    "sys/ioctl.h": "lkl/linux/ioctl.h",
    "sys/socket.h": "lkl/socket.h",
    "sys/time.h": "lkl/types.h",
    "sys/types.h": "lkl/types.h",
    "time.h": "lkl/types.h",
}

# What headers use without including it.  Standing in front of the include guard
# it also serves headers that include one another.
MISSING_INCLUDES = {
    "asm-generic/ucontext.h": ["lkl/asm/signal.h", "lkl/asm/sigcontext.h"],
    "linux/cec-funcs.h": ["stddef.h"],
    "linux/errqueue.h": ["lkl/linux/time.h"],
    "linux/hdlc/ioctl.h": ["lkl/linux/if.h"],
    "linux/omapfb.h": ["stddef.h"],
    "linux/phonet.h": ["lkl/socket.h"],
    "linux/sctp.h": ["lkl/socket.h"],
    "linux/sysctl.h": ["stddef.h"],
    "linux/usb/audio.h": ["stddef.h"],
}


def prefixed(name):
    """The prefixed form of a name: `read` lkl_read, `O_RDONLY` LKL_O_RDONLY,
    `AF_DECnet` LKL_AF_DECnet, `Elf64_Addr` lkl_Elf64_Addr, `__u32` __lkl__u32,
    `_IOW` _LKL_IOW.  The part up to the first underscore decides about the case.
    """
    if name.startswith("__"):
        return "__lkl" + name
    bare = name.lstrip("_")
    prefix = "LKL_" if bare.split("_")[0].isupper() else "lkl_"
    return "_" + prefix + bare if name.startswith("_") else prefix + bare


def unprefixed(name):
    """The reverse of prefixed(), or None."""
    for prefix in ("__lkl", "_lkl_", "_LKL_", "lkl_", "LKL_"):
        if name.startswith(prefix):
            bare = name[len(prefix):] if prefix == "__lkl" else \
                "_" * prefix.startswith("_") + name[len(prefix):]
            return bare if prefixed(bare) == name else None
    return None


class _Parameters:
    """How a function-like macro uses its parameters."""

    def __init__(self, macros):
        self.heads = set()      # positions whose argument starts a pasted name
        self.verbatim = set()   # only pasted to the end of a name, or made a string
        plain = set()
        for macro in macros:
            params = [param.text for param in macro.params]
            for index, token in enumerate(macro.body):
                if token.text not in params:
                    continue
                position = params.index(token.text)
                before = macro.body[index - 1].text if index else ""
                after = macro.body[index + 1].text if index + 1 < len(macro.body) else ""
                if before in ("#", "##"):
                    self.verbatim.add(position)
                elif after == "##":
                    self.heads.add(position)
                else:
                    plain.add(position)
        self.verbatim -= plain | self.heads


class Renamer:
    """Renames the names of `names` (a names.Names) in headers."""

    def __init__(self, names, paths):
        self.names = names
        self.paths = paths      # of all headers, relative: what <x> may name
        self.functions = {
            name: _Parameters([m for m in macros if m.params is not None])
            for name, macros in names.macros.items()
            if any(m.params is not None for m in macros)
        }

    def header(self, header):
        """The new text of a header."""
        text = [f"#include <{path}>\n" for path in MISSING_INCLUDES.get(header.path, ())]
        for is_directive, piece in header.pieces:
            name = directive_name(piece) if is_directive else ""
            if name == "include":
                text.append(self._include(piece))
            elif name == "define":
                text.append(self._define(piece))
            elif name in ("error", "warning", "pragma"):
                text.extend(token.text for token in piece)
            else:
                text.append(self.code(piece))
        return "".join(text)

    def _include(self, line):
        text = "".join(token.text for token in line)
        start = text.find("<")
        end = text.find(">", start)
        if start < 0 or end < 0:
            return text
        name = text[start + 1:end]
        if name in self.paths:
            name = "lkl/" + name
        name = INCLUDES.get(name, name)
        return text[:start + 1] + name + text[end:]

    def _define(self, line):
        macro = parse_define(line)
        body_at = line.index(macro.body[0]) if macro.body else len(line)
        head = [self._name(token, ()) for token in line[:body_at]]
        return "".join(head) + self.code(line[body_at:], macro.params or ())

    def code(self, tokens, params=()):
        """Renamed text of tokens; `params` are those of the macro around them."""
        params = {token.text for token in params}
        verbatim = set()
        heads = set()
        real = [i for i, token in enumerate(tokens) if token.kind not in (SPACE, NEWLINE)]
        for at, index in enumerate(real):
            text = tokens[index].text
            following = tokens[real[at + 1]].text if at + 1 < len(real) else ""
            before = tokens[real[at - 1]].text if at else ""
            if before == "##" and tokens[index].kind == IDENT:
                verbatim.add(index)
            elif following == "##" and tokens[index].kind == IDENT and text not in params:
                heads.add(index)
            if following == "(" and text in params:
                # A macro that the caller names: its arguments may be parts of names.
                verbatim.update(index for _, index in _lone_arguments(tokens, real, at + 1))
            elif following == "(" and text in self.functions:
                for position, index in _lone_arguments(tokens, real, at + 1):
                    if position in self.functions[text].verbatim:
                        verbatim.add(index)
                    elif position in self.functions[text].heads:
                        heads.add(index)
        result = []
        for index, token in enumerate(tokens):
            if index in verbatim or token.kind != IDENT:
                result.append(token.text)
            elif index in heads and token.text not in params and token.role != MEMBER:
                result.append(prefixed(token.text))
            else:
                result.append(self._name(token, params))
        return "".join(result)

    def _name(self, token, params):
        text = token.text
        if token.kind != IDENT or text in params or text in STANDARD_NAMES:
            return text
        if text in FOREIGN_CONDITIONS:
            return prefixed(text)
        if token.role in (MEMBER, PARAM, LOCAL):
            return prefixed(text) if text in PREFIXED_MEMBERS else text
        if token.role in (TAG, FILE, ENUMERATOR, MACRO):
            return prefixed(text)
        if text not in KEYWORDS and self.names.is_global(text):
            return prefixed(text)
        return text


def _lone_arguments(tokens, real, at):
    """(position, token index) of each argument that is one identifier, of the
    invocation whose ( is at real[at].
    """
    depth = 0
    position = 0
    argument = []
    for index in real[at:]:
        text = tokens[index].text
        if text in "([{":
            depth += 1
            if depth == 1:
                continue
        elif text in ")]}":
            depth -= 1
        if depth == 0 or (text == "," and depth == 1):
            if len(argument) == 1 and tokens[argument[0]].kind == IDENT:
                yield position, argument[0]
            position += 1
            argument = []
            if depth == 0:
                return
        else:
            argument.append(index)
