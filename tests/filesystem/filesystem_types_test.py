#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=600
"""A file system of every type holds what it should, through our kernel.

    filesystem_types_test.py --list
    filesystem_types_test.py --case NAME [--show]

A case is a row of filesystem_table.py. The real mkfs makes an image; our kernel
writes hard_cases.py's tree into it and unmounts; the real fsck checks the image; a
new kernel lists it. The listing must equal the tree, and what the host's own kernel
sees where it knows the type. For types that are only read, the maker packs the tree.
What a row says that its type lacks must have been refused, or be different: a
feature too many in the list fails as one too few. --show tells what differs.

The result goes to results/filesystems/NAME.json in the build directory, from which
docs/filesystems.py makes README's table. That of another kernel (LKL_KERNEL_IMAGE names
one with checkers, or a smaller one) is not kept.
"""

import argparse
import json
import mmap
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile

import filesystem_table
import hard_cases
import manifest

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED = 77
# What packers and file systems add at the top.
OWN_FILES = {b"lost+found", b".nilfs", b"rr_moved"}
# Other forms of what the kernel shows anyway.
OWN_ATTRIBUTES = (b"trusted.SGI_ACL_", b"system.ntfs", b"system.dos_attrib", b"hfs.", b"$LX")
KEPT_OPERATIONS = {"owner": "owners", "mode": "modes"}
NAMESPACES = {b"user": "attributes-user", b"trusted": "attributes-trusted",
              b"security": "attributes-security", b"system": "acls"}


class Failure(Exception):
    """The test has failed; the text says at what."""

    def __init__(self, text, log=""):
        super().__init__(text)
        self.log = log  # the kernel's


class Skip(Exception):
    """The test cannot run here; the text says why."""


def run(words, **values):
    """Runs a command, and returns what it wrote on standard output."""
    words = [word.format(**values) for word in words]
    done = subprocess.run(words, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).decode(errors="replace")[-3000:]
        raise Failure(f"exit code {done.returncode}: {' '.join(words)}\n{said}")
    return done.stdout.decode(errors="replace")


class Differences:
    """What is not as in the source, sorted by the feature that it needs."""

    def __init__(self, row):
        self.row = row
        self.found = {}    # feature: [text]
        self.errors = []   # what needs no feature at all

    def add(self, feature, path, text):
        """Notes one. Without a feature, or with one that works, it is an error."""
        text = f"{path.decode(errors='backslashreplace')[:80]}: {text}"
        if feature is None:
            self.errors.append(text)
        else:
            self.found.setdefault(feature, []).append(text)

    def refused(self, failures):
        """Adds what image_tree could not write."""
        for line in failures.splitlines():
            failure = json.loads(line)
            path = failure["path"].encode("latin-1")
            operation = failure["operation"]
            feature = hard_cases.feature_of(path)
            if operation in KEPT_OPERATIONS:
                feature = self.attribute_feature(path, KEPT_OPERATIONS[operation])
            elif operation.startswith("attribute "):
                feature = self.extended_feature(path, operation[10:].encode("latin-1"))
            self.add(feature, path, f"{operation}: {os.strerror(failure['errno'])}")

    def attribute_feature(self, path, attribute):
        """The feature for an attribute that every file has."""
        own = hard_cases.feature_of(path)
        return own if own is not None and own.startswith(attribute) else attribute

    @staticmethod
    def extended_feature(path, name):
        """The feature for an extended attribute."""
        own = hard_cases.feature_of(path)
        if own == "attributes-large":
            return own
        return NAMESPACES.get(name.split(b".")[0], own)

    def compare(self, expected, actual):
        """Adds what differs between the source and the image."""
        for path, entry in expected.items():
            if path not in actual:
                self.add(hard_cases.feature_of(path), path, "is not there")
            elif path != b".":
                self.compare_entry(path, entry, actual[path])
        for path in actual:
            if path not in expected and path.split(b"/")[0] not in OWN_FILES:
                self.add(hard_cases.feature_of(path), path, "should not be there")
        self.compare_links(expected, actual)

    def compare_entry(self, path, expected, actual):
        """Adds what differs in one file."""
        own = hard_cases.feature_of(path)

        def differs(feature, key, old, new):
            self.add(feature, path, f"{key} is {new!r:.60} instead of {old!r:.60}")

        if stat.S_IFMT(expected["mode"]) != stat.S_IFMT(actual["mode"]):
            differs(own, "type", oct(expected["mode"]), oct(actual["mode"]))
            return
        if not stat.S_ISLNK(expected["mode"]) and expected["mode"] != actual["mode"]:
            differs(self.attribute_feature(path, "modes"), "mode", oct(expected["mode"]),
                    oct(actual["mode"]))
        for key in ("uid", "gid"):
            if expected[key] != actual[key]:
                differs(self.attribute_feature(path, "owners"), key, expected[key], actual[key])
        keys = ["target", "major", "minor"]
        if stat.S_ISREG(expected["mode"]):
            keys += ["size", "data"]
        for key in keys:
            if expected.get(key) != actual.get(key):
                differs(own, key, expected.get(key), actual.get(key))
        if expected["mtime"] // self.row.step * self.row.step != actual["mtime"]:
            feature = own if own in hard_cases.TIMES else "times"
            differs(feature, "time", expected["mtime"], actual["mtime"])
        elif self.row.step > 1 and own == "fractions" and expected["mtime"] != actual["mtime"]:
            differs(own, "time", expected["mtime"], actual["mtime"])
        if (own == "holes" and "data" in actual and not self.row.packed and
                actual["stored"] > actual["size"] - (1 << 20)):
            differs(own, "stored", expected["stored"], actual["stored"])
        for name in sorted(expected["attributes"].keys() | actual["attributes"].keys()):
            old, new = (entry["attributes"].get(name) for entry in (expected, actual))
            if old != new and not (old is None and name.startswith(OWN_ATTRIBUTES)):
                differs(self.extended_feature(path, name), name.decode(), old, new)

    def compare_links(self, expected, actual):
        """The names of one file are of one file again."""
        names = [path for path in expected if path.startswith(b"hard-links/") and
                 expected[path]["links"] == 3]
        if len(names) != 3:
            return
        inodes = {actual[path]["inode"] for path in names if path in actual}
        links = [actual[path]["links"] for path in names if path in actual]
        if len(inodes) != 1 or links != [3, 3, 3]:
            self.add("hard-links", b"hard-links", f"inodes {inodes}, numbers of links {links}")

    def verdict(self):
        """Fails unless exactly what the row names is lacking."""
        lacks = set(self.row.lacks)
        found = set(self.found)
        problems = list(self.errors)
        for feature in sorted(found - lacks):
            texts = self.found[feature]
            problems += texts[:5] + [f"{feature}: {len(texts)} differences"]
        for feature in sorted(lacks - found):
            problems.append(f"{feature}: said to be lacking, but works")
        if problems:
            raise Failure("\n".join(problems))


class Subvolumes:
    """The subvolumes and snapshots of Btrfs that a row asks image_tree for."""

    # BTRFS_FIRST_FREE_OBJECTID, the number of each subvolume's top directory, and
    # BTRFS_EMPTY_SUBVOL_DIR_OBJECTID, that of what a snapshot has in the place of a subvolume
    # below.
    TOP = 256
    EMPTY_SUBVOLUME = 2

    def __init__(self, words):
        def values(option):
            return [os.fsencode(word.removeprefix(option)) for word in words
                    if word.startswith(option)]
        self.paths = values("--subvolume=")
        self.snapshots = [value.split(b":") for value in values("--snapshot=")]

    def around(self, path):
        """The subvolumes that a path is in, or is the top of."""
        return [below for below in self.paths if path == below or path.startswith(below + b"/")]

    def expect(self, expected):
        """Adds what the snapshots are to hold: all of the subvolume but others below it."""
        for source, target in self.snapshots:
            for path in list(expected):
                if self.around(path) == [source]:
                    expected[target + path[len(source):]] = expected[path]

    def check(self, actual):
        """Takes the empty subvolumes out, whose times are those of the look at them."""
        tops = self.paths + [target for _, target in self.snapshots]
        for path in tops:
            if path in actual and actual[path]["inode"] != self.TOP:
                raise Failure(f"{path!r} is no subvolume")
        for source, target in self.snapshots:
            for path in self.paths:
                if path.startswith(source + b"/"):
                    place = target + path[len(source):]
                    if actual.pop(place, {}).get("inode") != self.EMPTY_SUBVOLUME:
                        raise Failure(f"{place!r} is not the place of a subvolume")


class Case:
    """A row at work, in a directory of its own."""

    def __init__(self, row, work):
        self.row = row
        self.work = work
        self.source = os.path.join(work, "source")
        self.subvolumes = Subvolumes(row.put)
        self.images = [os.path.join(work, f"image{n or ''}") for n in range(row.images)]
        self.tool = os.path.join(os.environ["LKL_TESTS"], "filesystem/image_tree")
        self.result = {}

    def values(self):
        """What commands may name."""
        return {"image": self.images[0], "image2": self.images[-1], "source": self.source,
                "empty": os.path.join(self.work, "empty"), "here": HERE}

    def prepare(self):
        """The tree and the images."""
        programs = [words[0] for words in self.row.make + (self.row.check,) if words]
        for program in programs:
            if shutil.which(program.format(here=HERE)) is None:
                raise Skip(f"{program} is not installed")
        if os.geteuid() != 0:
            raise Skip("needs root, for files of every kind")
        os.mkdir(self.source)
        os.mkdir(self.values()["empty"])
        hard_cases.make(self.source, self.row.leave_out)
        if self.row.size:
            for image in self.images:
                with open(image, "wb") as file:
                    file.truncate(self.row.size)
        for words in self.row.make:
            run(words, **self.values())

    def image_tree(self, action, *words):
        """Runs a kernel on the images, and returns what it printed."""
        row = self.row
        options = ",".join(filter(None, (row.options, row.our_options)))
        extras = row.put if action == "put" else ()
        command = [self.tool, action, *extras, row.type, options, *words, *self.images]
        done = subprocess.run(command, capture_output=True, check=False)
        if done.returncode != 0:
            log = done.stderr.decode(errors="replace")
            raise Failure(f"exit code {done.returncode}: {' '.join(command)}\n{log[-3000:]}", log)
        return done.stdout.decode("ascii")

    def is_compressed(self):
        """Whether data that compression makes small is not to be found as it is."""
        part = hard_cases.LINES[1 << 17:(1 << 17) + 512]
        for path in self.images:
            with open(path, "rb") as file, \
                    mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as image:
                if image.find(part) >= 0:
                    return False
        return True

    def host_sees(self):
        """The host's own view, or None where it does not know the type."""
        subprocess.run(["modprobe", "-q", self.row.type], capture_output=True, check=False)
        with open("/proc/filesystems", encoding="ascii") as file:
            known = {line.split()[-1] for line in file}
        if self.row.type not in known:
            return None
        loops = [run(["losetup", "--find", "--show", "--read-only", image]).strip()
                 for image in self.images]
        target = os.path.join(self.work, "host")
        os.mkdir(target)
        try:
            options = ["ro", self.row.options] + [f"device={loop}" for loop in loops[1:]]
            try:
                run(["mount", "-t", self.row.type, "-o", ",".join(filter(None, options)),
                     loops[0], target])
            except Failure:
                if self.row.host_may_refuse:
                    return None
                raise
            try:
                return manifest.of_host(target)
            finally:
                run(["umount", target])
        finally:
            for loop in loops:
                run(["losetup", "--detach", loop])

    def run(self, show):
        """The whole test."""
        row = self.row
        self.prepare()
        expected = manifest.of_host(self.source)
        self.subvolumes.expect(expected)
        differences = Differences(row)
        if not row.packed:
            differences.refused(self.image_tree("put", self.source))
        if row.check:
            said = run(row.check, **self.values())
            if row.check_fails and row.check_fails in said:
                raise Failure(f"{row.check[0]} has found:\n{said[-3000:]}")
        if "directories" not in row.lacks and self.is_compressed() != row.compressed:
            raise Failure("a file is stored " + ("as it is" if row.compressed else "compressed"))
        ours, unreadable = manifest.of_listing(self.image_tree("list"))
        self.subvolumes.check(ours)
        for path, error in unreadable.items():
            differences.add(hard_cases.feature_of(path), path, error)
        differences.compare(expected, ours)
        if show:
            for feature, texts in differences.found.items():
                print(f"{feature} ({len(texts)}): " + "; ".join(texts[:3]))
            print("lacks:", " ".join(f for f in [*hard_cases.FEATURES, "times"]
                                     if f in differences.found))
        differences.verdict()
        host = self.host_sees()
        if host is not None:
            self.subvolumes.check(host)
            compare_views(ours, host)
        self.result = {"host": host is not None}


def compare_views(ours, host):
    """Two kernels see the same in one image."""
    problems = [f"{path!r} is seen by one kernel only" for path in ours.keys() ^ host.keys()]
    for path in ours.keys() & host.keys():
        problems += [f"{path!r}: {key} is {ours[path].get(key)!r}, for the host {value!r}"
                     for key, value in host[path].items() if ours[path].get(key) != value]
    if problems:
        raise Failure("\n".join(problems[:20]))


def save(row, result):
    """For README's table, which is about the kernel as it is built by default."""
    default = os.path.join(os.environ["LKL_LIB"], "lkl/vmlinux")
    if not os.path.samefile(os.environ["LKL_KERNEL_IMAGE"], default):
        return
    folder = os.path.join(os.environ["LKL_BUILD"], "results/filesystems")
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, row.name + ".json"), "w", encoding="utf-8") as file:
        json.dump({"name": row.name} | result, file)
        file.write("\n")


def main():
    """Runs one case, or lists them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--case")
    parser.add_argument("--show", action="store_true")
    # The test driver puts include directories first, which other scripts want.
    options, _ = parser.parse_known_args()
    rows = {row.name: row for row in filesystem_table.TABLE}
    if options.list:
        print("\n".join(rows))
        return 0
    row = rows[options.case]
    os.environ.setdefault("LKL_KERNEL_IMAGE", os.path.join(os.environ["LKL_LIB"], "lkl/vmlinux"))
    with tempfile.TemporaryDirectory(prefix="lkl-test-") as work:
        case = Case(row, work)
        try:
            case.run(options.show)
        except Skip as skip:
            print(f"SKIP: {skip}")
            save(row, {"skipped": str(skip)})
            return SKIPPED
        except Failure as failure:
            if row.own_report and re.search(row.own_report, failure.log):
                print(f"SKIP: Linux itself, as docs/conformance.md says: {row.own_report}")
                return SKIPPED
            print(f"FAIL: {failure}", file=sys.stderr)
            save(row, {"failed": str(failure).split("\n", maxsplit=1)[0]})
            return 1
        save(row, case.result)
        return 0


if __name__ == "__main__":
    sys.exit(main())
