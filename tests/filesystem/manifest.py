# SPDX-License-Identifier: GPL-2.0-only
"""What there is to compare in a tree: of the host, and as image_tree lists it.

A manifest is a dictionary from paths (bytes, "." is the top) to dictionaries, with
the fields that image_tree/listing.cpp writes; all texts are bytes.
"""

import json
import os
import stat
import zlib

BLOCK = 65536


def of_host(top):
    """The manifest of a directory of the host."""
    result = {}
    directory = os.open(top, os.O_RDONLY | os.O_DIRECTORY)
    try:
        _walk(directory, b"", result)
        result[b"."] = _entry(directory, b".")
    finally:
        os.close(directory)
    return result


def of_listing(text):
    """The manifest that image_tree printed, and what it could not read."""
    result = {}
    errors = {}
    for line in text.splitlines():
        entry = json.loads(line)
        if "error" in entry:
            errors[entry["path"].encode("latin-1")] = entry["error"]
            continue
        for key in ("path", "target"):
            if key in entry:
                entry[key] = entry[key].encode("latin-1")
        entry["attributes"] = {name.encode("latin-1"): value.encode("latin-1")
                               for name, value in entry["attributes"].items()}
        entry["mtime"] = entry.pop("mtime") * 10**9 + entry.pop("nanoseconds")
        result[entry.pop("path")] = entry
    return result, errors


def _walk(directory, prefix, result):
    """Adds what is in an open directory, whose path may be longer than any call takes."""
    for name in os.listdir(directory):
        name = os.fsencode(name)
        entry = _entry(directory, name)
        result[prefix + name] = entry
        if stat.S_ISDIR(entry["mode"]):
            below = os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=directory)
            try:
                _walk(below, prefix + name + b"/", result)
            finally:
                os.close(below)


def _entry(directory, name):
    status = os.stat(name, dir_fd=directory, follow_symlinks=False)
    path = b"/proc/self/fd/%d/%s" % (directory, name)
    entry = {
        "mode": status.st_mode,
        "uid": status.st_uid,
        "gid": status.st_gid,
        "links": status.st_nlink,
        "inode": status.st_ino,
        "mtime": status.st_mtime_ns,
        "major": os.major(status.st_rdev),
        "minor": os.minor(status.st_rdev),
        "size": status.st_size,
        "stored": status.st_blocks * 512,
        "attributes": {os.fsencode(key): os.getxattr(path, key, follow_symlinks=False)
                       for key in _attribute_names(path)},
    }
    if stat.S_ISREG(status.st_mode):
        entry["data"] = _checksum(directory, name)
    elif stat.S_ISLNK(status.st_mode):
        entry["target"] = os.readlink(name, dir_fd=directory)
    return entry


def _attribute_names(path):
    try:
        return os.listxattr(path, follow_symlinks=False)
    except OSError:
        return []


def _checksum(directory, name):
    """The data and where it is; blocks of zeroes count as holes."""
    crc = 0
    file = os.open(name, os.O_RDONLY, dir_fd=directory)
    try:
        offset = 0
        while True:
            try:
                offset = os.lseek(file, offset, os.SEEK_DATA) // BLOCK * BLOCK
            except OSError:
                return crc
            data = os.pread(file, BLOCK, offset)
            if not data:
                return crc
            if data.count(0) != len(data):
                crc = zlib.crc32(offset.to_bytes(8, "little"), crc)
                crc = zlib.crc32(data.ljust(BLOCK, b"\0"), crc)
            offset += BLOCK
    finally:
        os.close(file)
