#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Checks that a kernel image is what the loader takes: one position-independent
ELF file that needs nothing from outside.

    check-image.py IMAGE

Prints every fault and exits with 1 if there is one.  It reads what readelf -hlds
and -r show, and compares the relocations with the segments besides: ld does not
always set DT_TEXTREL.
"""

import struct
import sys
from collections import Counter, namedtuple

ET_DYN, EM_X86_64, ELFCLASS64, ELFDATA2LSB = 3, 62, 2, 1
PT_LOAD, PT_DYNAMIC, PT_INTERP, PT_TLS, PT_GNU_STACK = 1, 2, 3, 7, 0x6474E551
PF_X, PF_W = 1, 2
DT_NEEDED, DT_PLTRELSZ, DT_RELA, DT_RELASZ, DT_REL, DT_TEXTREL = 1, 2, 7, 8, 17, 22
DT_JMPREL, DT_FLAGS, DT_RELRSZ, DT_RELR = 23, 30, 35, 36
DF_TEXTREL = 4
SHT_SYMTAB, SHT_DYNSYM = 2, 11
SHN_UNDEF = 0
R_X86_64_NONE, R_X86_64_RELATIVE = 0, 8
PAGE = 4096

Segment = namedtuple("Segment", "type flags offset vaddr paddr filesz memsz align")
Section = namedtuple("Section", "name type flags addr offset size link info align entsize")


class Image:
    def __init__(self, data):
        self.data = data
        if data[:4] != b"\x7fELF" or data[4] != ELFCLASS64 or data[5] != ELFDATA2LSB:
            raise ValueError("not a 64-bit little-endian ELF file")
        (self.type, self.machine, _, self.entry, phoff, shoff, _, _, phentsize, phnum,
         shentsize, shnum, _) = struct.unpack_from("<HHIQQQIHHHHHH", data, 16)
        self.segments = [Segment(*struct.unpack_from("<IIQQQQQQ", data, phoff + i * phentsize))
                         for i in range(phnum)]
        self.sections = [Section(*struct.unpack_from("<IIQQQQIIQQ", data, shoff + i * shentsize))
                         for i in range(shnum)]
        self.loads = [s for s in self.segments if s.type == PT_LOAD]
        self.dynamic = self.read_dynamic()

    def read_dynamic(self):
        entries = []
        for segment in self.segments:
            if segment.type == PT_DYNAMIC:
                chunk = self.data[segment.offset:segment.offset + segment.filesz]
                for tag, value in struct.iter_unpack("<QQ", chunk):
                    if tag == 0:
                        break
                    entries.append((tag, value))
        return dict(entries)

    def segment_of(self, address):
        for segment in self.loads:
            if segment.vaddr <= address < segment.vaddr + segment.memsz:
                return segment
        return None

    def read(self, address, size):
        segment = self.segment_of(address)
        if segment is None or address + size > segment.vaddr + segment.filesz:
            raise ValueError(f"a dynamic table at {address:#x} lies outside of the file")
        start = segment.offset + address - segment.vaddr
        return self.data[start:start + size]

    def relocations(self):
        """(address, type) of each dynamic relocation."""
        for table, length in ((DT_RELA, DT_RELASZ), (DT_JMPREL, DT_PLTRELSZ)):
            if table in self.dynamic:
                chunk = self.read(self.dynamic[table], self.dynamic.get(length, 0))
                for offset, info, _ in struct.iter_unpack("<QQq", chunk):
                    yield offset, info & 0xFFFFFFFF
        if DT_RELR in self.dynamic:
            yield from self.packed_relocations()

    def packed_relocations(self):
        # An even word is an address; an odd one is a bitmap of the 63 words
        # that follow the last address or bitmap.
        where = 0
        chunk = self.read(self.dynamic[DT_RELR], self.dynamic[DT_RELRSZ])
        for (word,) in struct.iter_unpack("<Q", chunk):
            if word & 1 == 0:
                yield word, R_X86_64_RELATIVE
                where = word + 8
                continue
            for bit in range(63):
                if word >> (bit + 1) & 1:
                    yield where + 8 * bit, R_X86_64_RELATIVE
            where += 63 * 8

    def undefined_symbols(self):
        for section in self.sections:
            if section.type not in (SHT_SYMTAB, SHT_DYNSYM):
                continue
            names = self.sections[section.link].offset
            chunk = self.data[section.offset:section.offset + section.size]
            symbols = struct.iter_unpack("<IBBHQQ", chunk)
            next(symbols, None)  # the empty first symbol
            for name, _, _, index, _, _ in symbols:
                if index == SHN_UNDEF:
                    start = names + name
                    yield self.data[start:self.data.index(b"\0", start)].decode()


def faults(image):
    if image.type != ET_DYN or image.machine != EM_X86_64:
        yield "is not a position-independent x86-64 file"
    if not image.loads:
        yield "has nothing to load"
    entry = image.segment_of(image.entry)
    if image.entry == 0 or entry is None or not entry.flags & PF_X:
        yield f"has no entry point in its text ({image.entry:#x})"

    for segment in image.segments:
        if segment.type == PT_INTERP:
            yield "asks for a program interpreter"
        if segment.type == PT_TLS:
            yield "has thread-local storage"
        if segment.type == PT_GNU_STACK and segment.flags & PF_X:
            yield "asks for an executable stack"
    for segment in image.loads:
        if segment.flags & PF_W and segment.flags & PF_X:
            yield f"has a writable and executable segment at {segment.vaddr:#x}"
        if (segment.offset - segment.vaddr) % PAGE:
            yield f"has a segment at {segment.vaddr:#x} that cannot be mapped from the file"

    if DT_NEEDED in image.dynamic:
        yield "needs a shared library"
    if DT_REL in image.dynamic:
        yield "has relocations of the wrong form (REL)"
    if DT_TEXTREL in image.dynamic or image.dynamic.get(DT_FLAGS, 0) & DF_TEXTREL:
        yield "is marked as having text relocations"

    undefined = sorted(set(image.undefined_symbols()))
    if undefined:
        yield f"has {len(undefined)} undefined symbols: {' '.join(undefined[:20])}"

    kinds = Counter()
    unwritable = []
    for address, kind in image.relocations():
        if kind == R_X86_64_NONE:
            continue
        kinds[kind] += 1
        segment = image.segment_of(address)
        whole = segment is not None and segment is image.segment_of(address + 7)
        if not whole or not segment.flags & PF_W:
            unwritable.append(address)
    foreign = {kind: count for kind, count in kinds.items() if kind != R_X86_64_RELATIVE}
    if foreign:
        yield f"has other relocations than relative ones: {foreign} (type: count)"
    if unwritable:
        places = " ".join(f"{address:#x}" for address in unwritable[:8])
        yield f"has {len(unwritable)} relocations outside of its data: {places}"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    path = sys.argv[1]
    try:
        with open(path, "rb") as file:
            found = list(faults(Image(file.read())))
    except (OSError, ValueError, struct.error, IndexError) as error:
        found = [str(error)]
    for fault in found:
        print(f"{path}: {fault}", file=sys.stderr)
    sys.exit(1 if found else 0)


main()
