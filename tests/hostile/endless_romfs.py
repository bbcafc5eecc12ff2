#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Makes a directory of a romfs image endless.

    endless_romfs.py IMAGE NAME BACK

In the directory that has the file NAME, the last file is followed by the one that stands
BACK places before it (0: by itself). All checksums are right.
"""

import struct
import sys

HEADER = 16


def name_end(data, at):
    """The end of the name that begins there, padded to 16 bytes."""
    return (data.index(0, at) // 16 + 1) * 16


def set_checksum(data, start, end, word):
    """Lets the words from start to end add up to 0, by the one at `word`."""
    data[word : word + 4] = bytes(4)
    total = sum(struct.unpack(f">{(end - start) // 4}I", data[start:end]))
    struct.pack_into(">I", data, word, -total & 0xFFFFFFFF)


def chain(data, first):
    """The places of the files of a directory, in their order."""
    places = []
    at = first
    while at:
        places.append(at)
        at = struct.unpack_from(">I", data, at)[0] & ~15
    return places


def find(data, first, name):
    """The chain of the directory, of those below this one, that has a file of the name."""
    places = chain(data, first)
    if any(data.startswith(name + b"\0", at + HEADER) for at in places):
        return places
    for at in places:
        following, below = struct.unpack_from(">2I", data, at)
        dots = data[at + HEADER : at + HEADER + 2] in (b".\0", b"..")
        if following & 7 == 1 and not dots and below:
            if found := find(data, below, name):
                return found
    return None


def main():
    """See above."""
    path, name, back = sys.argv[1:]
    with open(path, "rb") as file:
        data = bytearray(file.read())
    assert data.startswith(b"-rom1fs-")
    places = find(data, name_end(data, HEADER), name.encode())
    assert places, f"no directory has {name}"
    last = places[-1]
    kind = struct.unpack_from(">I", data, last)[0] & 15
    struct.pack_into(">I", data, last, places[-1 - int(back)] | kind)
    set_checksum(data, last, name_end(data, last + HEADER), last + 12)
    size = struct.unpack_from(">I", data, 8)[0]
    set_checksum(data, 0, min(size, 512), 12)
    with open(path, "wb") as file:
        file.write(data)


main()
