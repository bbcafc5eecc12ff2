#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares two tar archives: do they describe the same files?

    compare_tar.py EXPECTED ACTUAL [--ignore KIND]...

Everything that a pax archive says of a file counts: type, data, size, owner,
mode, times to the nanosecond, link targets, device numbers, extended
attributes, ACLs, labels, and which names are hard links of one file. What does
not: the order of members, "./" in front of names, which of several hard links
comes first, how an ACL is written, and hard links of special files. ACTUAL must store a file sparsely when
EXPECTED does.

KIND: atime, ctime, mtime, xattr, owner, mode, sparse, links, directory-mtime.
"""

import argparse
import decimal
import grp
import hashlib
import pwd
import re
import sys
import tarfile

KINDS = ("atime", "ctime", "mtime", "xattr", "owner", "mode", "sparse", "links",
         "directory-mtime")
_BLOCK = 4096
_TYPES = {tarfile.REGTYPE: "file", tarfile.AREGTYPE: "file", tarfile.GNUTYPE_SPARSE: "file",
          tarfile.SYMTYPE: "symlink", tarfile.CHRTYPE: "character device",
          tarfile.BLKTYPE: "block device", tarfile.DIRTYPE: "directory", tarfile.FIFOTYPE: "fifo",
          tarfile.LNKTYPE: "hard link"}


def main():
    """Prints each difference; exits with 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("expected")
    parser.add_argument("actual")
    parser.add_argument("--ignore", action="append", default=[], choices=KINDS)
    options = parser.parse_args()

    expected = read_archive(options.expected)
    actual = read_archive(options.actual)
    differences = compare(expected, actual, set(options.ignore))
    for line in differences[:50]:
        print(line.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace"))
    if len(differences) > 50:
        print(f"... and {len(differences) - 50} more")
    if len(expected) < 2:
        print("the expected archive is empty: nothing was compared")
        differences.append("empty")
    print(f"{len(expected)} members expected, {len(actual)} found, "
          f"{len(differences)} differences")
    sys.exit(1 if differences else 0)


def compare(expected, actual, ignore):
    """A list of differences as text."""
    differences = []
    for name in sorted(expected.keys() - actual.keys()):
        differences.append(f"{name!r}: missing")
    for name in sorted(actual.keys() - expected.keys()):
        differences.append(f"{name!r}: not expected")
    for name in sorted(expected.keys() & actual.keys()):
        left, right = expected[name], actual[name]
        for kind in sorted(left.keys() | right.keys()):
            if kind in ignore or (kind == "mtime" and left["type"] == "directory"
                                  and "directory-mtime" in ignore):
                continue
            if kind == "links" and left["type"] not in ("file", "symlink") and kind not in left:
                continue    # GNU tar does not look for links of special files
            if kind == "sparse":
                # Sparser than expected is fine.
                if left.get(kind) and not right.get(kind):
                    differences.append(f"{name!r}: is not stored as a sparse file")
            elif left.get(kind) != right.get(kind):
                differences.append(f"{name!r}: {kind}: expected {left.get(kind)!r}, "
                                   f"found {right.get(kind)!r}")
    return differences


def read_archive(path):
    """{name: {kind: value}} with hard links resolved."""
    files = {}
    links = {}
    with tarfile.open(path, mode="r:*", encoding="utf-8", errors="surrogateescape") as archive:
        for member in archive:
            # The name of a sparse file; tarfile takes "path" where both are there.
            name = clean(member.pax_headers.get("GNU.sparse.name", member.name))
            if name in files or name in links:
                sys.exit(f"{path}: {name!r} is there twice")
            if member.islnk():
                links[name] = clean(member.linkname)
                if links[name] not in files:
                    sys.exit(f"{path}: {name!r} is a link of {links[name]!r}, which does not "
                             "come before it")
            else:
                files[name] = describe(archive, member)
    groups = {}
    for name, target in links.items():
        groups.setdefault(target, {target}).add(name)
    for target, group in groups.items():
        files[target]["links"] = sorted(group)
    for name, target in links.items():
        files[name] = files[target]
    return files


def clean(name):
    """A name without "./" in front; "." is the top."""
    while name.startswith("./"):
        name = name[2:]
    return name.rstrip("/") or "."


def describe(archive, member):
    """What the archive says of a member that is no hard link."""
    headers = member.pax_headers
    kind = _TYPES.get(member.type, f"unknown type {member.type!r}")
    value = {"type": kind, "mode": f"{member.mode:04o}", "owner": (member.uid, member.gid),
             "mtime": time(headers.get("mtime", member.mtime))}
    for stamp in ("atime", "ctime"):
        if stamp in headers:
            value[stamp] = time(headers[stamp])
    if kind == "symlink":
        value["target"] = member.linkname
    if kind.endswith("device"):
        value["device"] = (member.devmajor, member.devminor)
    if kind == "file":
        value["size"] = member.size
        value["data"] = digest(archive, member)
        # GNU tar also writes compressed files that way, without a single hole.
        value["sparse"] = (member.sparse is not None
                           and sum(size for _, size in member.sparse) < member.size)
    value["xattr"] = attributes(headers)
    return value


def time(text):
    """A time stamp as an exact number."""
    return decimal.Decimal(text).normalize()


def attributes(headers):
    """Extended attributes, the label and ACLs."""
    found = {}
    for key, value in headers.items():
        if key.startswith("SCHILY.xattr.") or key == "RHT.security.selinux":
            found[key] = value
        elif key.startswith("SCHILY.acl."):
            entries = acl(value)
            # GNU tar writes an access ACL that says no more than the mode when
            # there is a default ACL.
            if key.endswith(".default") or len(entries) > 3:
                found[key] = entries
    return found


def acl(text):
    """The entries of an ACL, numeric and in one order."""
    entries = set()
    for entry in re.split(r"[,\n]", text):
        fields = entry.split("#")[0].strip().split(":")
        if len(fields) < 3:
            continue
        tag, who, permissions = fields[:3]
        if who and not who.isdigit():
            who = str(pwd.getpwnam(who).pw_uid if tag == "user" else grp.getgrnam(who).gr_gid)
        entries.add((tag, who, permissions))
    return sorted(entries)


def digest(archive, member):
    """A hash of a file's data that is the same whether zeros are stored or not."""
    parts = member.sparse if member.sparse is not None else [(0, member.size)]
    source = archive.fileobj
    source.seek(member.offset_data)
    result = hashlib.sha256()
    pending = {}    # the last block, which the next part may continue

    def flush():
        for number, block in pending.items():
            data = bytes(block).rstrip(b"\0")
            if data:
                result.update(b"%d:%d:" % (number, len(data)))
                result.update(data)
        pending.clear()

    for offset, size in parts:
        while size > 0:
            number, start = divmod(offset, _BLOCK)
            count = min(_BLOCK - start, size)
            data = source.read(count)
            if len(data) != count:
                sys.exit(f"{member.name!r}: the archive is cut off")
            if number not in pending:
                flush()
                if start == 0 and count == _BLOCK:
                    if data.count(0) != count:
                        data = data.rstrip(b"\0")
                        result.update(b"%d:%d:" % (number, len(data)))
                        result.update(data)
                    offset += count
                    size -= count
                    continue
                pending[number] = bytearray(_BLOCK)
            pending[number][start:start + count] = data
            offset += count
            size -= count
    flush()
    return result.hexdigest()


if __name__ == "__main__":
    main()
