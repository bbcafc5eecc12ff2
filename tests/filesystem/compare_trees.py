#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares two directories of the host, in all that a copy keeps but times of access, which
comparing changes: access_times.py looks at those.

    compare_trees.py EXPECTED ACTUAL [--ignore FIELD]... [--leave-out NAME]...

Fields: those of manifest.py, and "attributes:PREFIX" for extended attributes whose
names begin so. Left out: the file system's own lost+found, and what is named, which an
archive does not hold, for instance. The size and the links of a directory are its file system's matter. What
has holes in EXPECTED must have them in ACTUAL.
"""

import argparse
import stat
import sys

import manifest

SLACK = 65536  # bytes that a file with holes may take more


def main():
    """Prints what differs; exit code 1 if anything does."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("expected")
    parser.add_argument("actual")
    parser.add_argument("--ignore", action="append", default=[])
    parser.add_argument("--leave-out", action="append", default=["lost+found"])
    options = parser.parse_args()

    expected, actual = (
        {path: entry for path, entry in manifest.of_host(top).items()
         if path.decode("latin-1") not in options.leave_out}
        for top in (options.expected, options.actual))
    differences = [f"{path!r}: only in one of them" for path in sorted(set(expected) ^ set(actual))]
    for path in sorted(set(expected) & set(actual)):
        differences += compare(path, expected[path], actual[path], options.ignore)
    differences += compare_links(expected, actual) if "links" not in options.ignore else []
    for line in differences[:30]:
        print(line[:400])
    if not expected:
        print("there is nothing to compare")
    print(f"{len(expected)} files, {len(differences)} differences")
    sys.exit(1 if differences or not expected else 0)


def compare(path, expected, actual, ignored):
    """What differs between two entries."""
    fields = set(expected) | set(actual)
    fields -= {"inode", "stored"} | set(ignored)
    if stat.S_ISDIR(expected["mode"]):
        fields -= {"size", "links"}
    if "attributes" in fields:
        prefixes = tuple(field.removeprefix("attributes:").encode() for field in ignored
                         if field.startswith("attributes:"))
        for entry in (expected, actual):
            entry["attributes"] = {name: value for name, value in entry["attributes"].items()
                                   if not name.startswith(prefixes)}
    result = [f"{path!r}: {field}: {expected.get(field)!r} became {actual.get(field)!r}"
              for field in sorted(fields) if expected.get(field) != actual.get(field)]
    has_holes = stat.S_ISREG(expected["mode"]) and expected["stored"] < expected["size"]
    if has_holes and "stored" not in ignored and actual["stored"] > expected["stored"] + SLACK:
        result.append(f"{path!r}: the holes of {expected['size']} bytes are filled")
    return result


def compare_links(expected, actual):
    """Names that are one file there must be one file here."""
    first_name = {}
    result = []
    for path in sorted(set(expected) & set(actual)):
        if stat.S_ISDIR(expected[path]["mode"]) or expected[path]["links"] == 1:
            continue
        first = first_name.setdefault(expected[path]["inode"], path)
        if actual[first]["inode"] != actual[path]["inode"]:
            result.append(f"{path!r} is no hard link to {first!r}")
    return result


if __name__ == "__main__":
    main()
