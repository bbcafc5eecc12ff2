#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Writes README's table of file systems from what the tests found.

    docs/filesystems.py BUILD [README]
    docs/filesystems.py --check [README]

Takes BUILD/results/filesystems, which ctest -R filesystem_types leaves there, and
replaces what is between the two marks in README.md. Every row of
tests/filesystem/filesystem_table.py must have passed: a table of half a run, or of a
failed one, is refused.

--check writes nothing, and fails if README.md's table is another one. It needs no
results: what the host's kernel knows, which alone is theirs, is taken as README.md has it.
"""

import difflib
import json
import os
import sys

PROJECT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, os.path.join(PROJECT, "tests/filesystem"))
sys.dont_write_bytecode = True

import filesystem_table  # noqa: E402  pylint: disable=wrong-import-position

BEGIN = "<!-- file systems: begin -->\n"
END = "<!-- file systems: end -->\n"

# What each feature of hard_cases.py that may be lacking is for a reader. Groups come
# first, so that what all of a group lack is one word.
WORDS = (
    ({"attributes-user", "attributes-large", "attributes-trusted", "attributes-security",
      "acls"}, "extended attributes"),
    ({"hard-links", "symlinks", "devices", "fifos", "sockets"}, "links and special files"),
    ({"owners", "owners-16-bit", "owners-32-bit"}, "owners"),
    ({"owners-16-bit", "owners-32-bit"}, "owners past 8 bits"),
    ({"times"}, "times"),
    ({"times-1970"}, "times before 1980"),
    ({"times-after-2038"}, "times after 2038"),
    ({"directories"}, "directories"),
    ({"names-long"}, "names past 30 to 60 bytes"),
    ({"names-255"}, "names of 255 bytes"),
    ({"names-bytes"}, "names that are not UTF-8"),
    ({"names-odd"}, "some characters in names"),
    ({"names-case"}, "names that differ in case"),
    ({"deep"}, "deep paths of long names"),
    ({"holes"}, "holes"),
    ({"huge"}, "files past 4 GiB"),
    ({"hard-links"}, "hard links"),
    ({"symlinks"}, "symbolic links"),
    ({"symlinks-long"}, "symbolic links of 1,000 bytes"),
    ({"devices"}, "devices"),
    ({"devices-wide"}, "device numbers past 16 bits"),
    ({"fifos"}, "FIFOs"),
    ({"sockets"}, "sockets"),
    ({"modes"}, "all bits of modes"),
    ({"owners-32-bit"}, "owners past 16 bits"),
    ({"attributes-large"}, "large attributes"),
    ({"acls"}, "ACLs"),
    ({"times-before-1970"}, "times before 1970"),
    ({"times-after-2106"}, "times after 2106"),
    ({"fractions"}, "nanoseconds"),
)
# What says nothing once another is lacking.
IMPLIED = {
    "times": {"times-1970", "times-before-1970", "times-after-2038", "times-after-2106",
              "fractions"},
    "times-1970": {"times-before-1970"},
    "times-after-2038": {"times-after-2106"},
    "names-long": {"names-255", "deep"},
    "symlinks": {"symlinks-long"},
    "devices": {"devices-wide"},
}


def lacks(row):
    """What a file system cannot hold, in words."""
    left = set(row.lacks)
    if row.remark == filesystem_table.HOLES:
        left -= {"holes"}
    for feature, others in IMPLIED.items():
        if feature in left:
            left -= others
    words = []
    for features, word in WORDS:
        if features <= left:
            words.append(word)
            left -= features
    if left:
        sys.exit(f"{row.name}: no words for {', '.join(left)}")
    return ", ".join(words)


def line(row, host):
    """A line of the table. host: what the column of the host's view says."""
    remark = []
    if row.lacks:
        remark.append("does not hold: " + lacks(row))
    if row.remark:
        remark.append(row.remark)
    untried = ", ".join(word for features, word in WORDS if features <= set(row.leave_out))
    if untried and "directories" not in row.lacks:
        remark.append("not tried: " + untried)
    return "| " + " | ".join((
        row.title, "yes", "packed by " + row.make[0][0] if row.packed else "yes",
        filesystem_table.checker(row), host, "; ".join(remark))) + " |\n"


def host_in_results(build):
    """What the column of the host's view says, by the name of the row."""
    views = {}
    for row in filesystem_table.TABLE:
        path = os.path.join(build, "results/filesystems", row.name + ".json")
        try:
            with open(path, encoding="utf-8") as file:
                result = json.load(file)
        except FileNotFoundError:
            sys.exit(f"{row.name} has not run: ctest -R filesystem_types")
        if "failed" in result or "skipped" in result:
            sys.exit(f"{row.name}: {result.get('failed') or result['skipped']}")
        views[row.name] = "equal" if result["host"] else ""
    return views


def host_in_table(text):
    """The same, of a table that is there."""
    cells = [line.split(" | ") for line in text.splitlines()]
    by_title = {line[0].removeprefix("| "): line[4] for line in cells if len(line) == 6}
    return {row.name: by_title.get(row.title, "") for row in filesystem_table.TABLE}


def table(views):
    """The text between the marks."""
    lines = ["| file system | read | written | checked by | host kernel's view | remarks |\n",
             "|---|---|---|---|---|---|\n"]
    lines += [line(row, views[row.name]) for row in filesystem_table.TABLE]
    lines.append("\nNot in the table:\n\n")
    lines += [f"- {name}: {reason}\n" for name, reason in filesystem_table.NOT_MADE]
    return "".join(lines)


def main():
    """Replaces the part of README.md, or looks at it."""
    if len(sys.argv) not in (2, 3):
        sys.exit(__doc__)
    readme = sys.argv[2] if len(sys.argv) == 3 else os.path.join(PROJECT, "README.md")
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    before, rest = text.split(BEGIN)
    old, after = rest.split(END)
    if sys.argv[1] == "--check":
        new = table(host_in_table(old))
        if new != old:
            sys.stdout.writelines(difflib.unified_diff(
                old.splitlines(True), new.splitlines(True), readme, "filesystem_table.py", n=0))
            sys.exit(1)
        return
    new = table(host_in_results(sys.argv[1]))
    with open(readme, "w", encoding="utf-8") as file:
        file.write(before + BEGIN + new + END + after)


if __name__ == "__main__":
    main()
