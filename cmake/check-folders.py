#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Who may use whom: the table of that name in docs/ARCHITECTURE.md, held against every
#include of the C++ sources.

    check-folders.py ROOT

A folder uses itself and those rows above its own that its last column names; everybody the
public headers, include/lkl. Prints each line that does otherwise, each name in the last
column that nothing needs, and each folder of src that has no row; exit code 1 if there is
one.
"""

import os
import re
import sys


FOLDER = r"`((?:src|tools|bench|fuzz|arch)[a-z/]*)`"


def rows(root):
    """The folders of each row and those that they use, the lowest row first."""
    with open(os.path.join(root, "docs/ARCHITECTURE.md"), encoding="utf-8") as file:
        text = file.read()
    section = text[text.index("## Who may use whom"):]
    section = section[:section.index("\n## ", 1)]
    table = {}
    for line in section.splitlines():
        if line.startswith("| `"):
            cells = line.split("|")
            for folder in re.findall(FOLDER, cells[1]):
                table[folder] = re.findall(FOLDER, cells[3])
    return table


def sources(directory):
    """All C++ files below a directory."""
    for path, _, names in os.walk(directory):
        for name in names:
            if name.endswith((".cpp", ".hpp", ".h")):
                yield os.path.join(path, name)


def includes(path):
    """(line number, name) of each #include."""
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = re.match(r'\s*#\s*include\s*[<"]([^>"]+)[>"]', line)
            if match:
                yield number, match.group(1)


def folder_of(root, table, directory, name):
    """The row that an included file belongs to, or None: not one of these."""
    for base in ("src", "arch/lkl/include/shared", "", directory):
        path = os.path.relpath(os.path.join(root, base, name), root)
        if os.path.exists(os.path.join(root, path)):
            found = [row for row in table if path.startswith(row + "/")]
            return max(found, key=len) if found else None
    return None


def main():
    """See above."""
    root = os.path.abspath(sys.argv[1])
    table = rows(root)
    bad = []
    for name in sorted(os.listdir(os.path.join(root, "src"))):
        if os.path.isdir(os.path.join(root, "src", name)) and not any(
                row == "src/" + name or row.startswith("src/" + name + "/") for row in table):
            bad.append("src/%s: no row in docs/ARCHITECTURE.md" % name)
    order = list(table)
    for row, uses in table.items():
        used = {row}
        for path in sources(os.path.join(root, row)):
            for number, name in includes(path):
                other = folder_of(root, table, os.path.dirname(path), name)
                used.add(other)
                if other and other != row and other not in uses:
                    bad.append("%s:%d: %s uses %s" % (os.path.relpath(path, root), number, row,
                                                      other))
        for other in uses:
            if other not in used:
                bad.append("%s: uses nothing of %s" % (row, other))
            if other not in order or order.index(other) >= order.index(row):
                bad.append("%s: %s is not above it" % (row, other))
    print("\n".join(bad) if bad else "%d folders, none uses another than it says" % len(table))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
