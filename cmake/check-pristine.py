#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Compares the kernel tree that is built with where it came from.

    check-pristine.py ORIGIN TREE

ORIGIN is the tarball or directory that TREE was copied from.  arch/lkl is left
out; anywhere else each file that differs in contents, kind or being executable,
is missing or was added counts.  Prints them and
`N files changed outside arch/lkl`, and exits with 1 unless N is 0.
"""

import os
import stat
import subprocess
import sys
import tarfile

OURS = "arch/lkl"


def is_ours(name):
    return name == OURS or name.startswith(OURS + "/")


def contents(path):
    """What a file is, in a form that two of them can be compared by."""
    mode = os.lstat(path).st_mode
    if stat.S_ISLNK(mode):
        return "link", os.readlink(path)
    if stat.S_ISREG(mode):
        with open(path, "rb") as file:
            return "file", bool(mode & stat.S_IXUSR), file.read()
    return "other", stat.S_IFMT(mode)


def walk(top):
    """The names of all that is below top and not a directory."""
    for folder, folders, files in os.walk(top):
        relative = os.path.relpath(folder, top)
        prefix = "" if relative == "." else relative + "/"
        links = [name for name in folders if os.path.islink(os.path.join(folder, name))]
        folders[:] = [name for name in folders
                      if not is_ours(prefix + name) and prefix + name != ".git"]
        for name in files + links:
            # A work tree of git has a file of this name instead of a folder.
            if not is_ours(prefix + name) and prefix + name != ".git":
                yield prefix + name


def from_directory(origin):
    for name in walk(origin):
        yield name, contents(os.path.join(origin, name))


def from_tarball(origin):
    if not origin.endswith(".xz"):
        yield from read_tar(tarfile.open(origin, "r|*"))
        return
    # A process of its own, so that unpacking and comparing run side by side.
    with subprocess.Popen(["xz", "-dc", origin], stdout=subprocess.PIPE) as unpack:
        yield from read_tar(tarfile.open(fileobj=unpack.stdout, mode="r|", bufsize=1 << 20))
    if unpack.returncode:
        raise OSError(f"cannot unpack {origin}")


def read_tar(archive):
    with archive:
        for member in archive:
            archive.members = []  # tarfile would keep every header
            # Each name starts with a folder of the package's choice.
            name = member.name.removeprefix("./").partition("/")[2]
            if not name or member.isdir() or is_ours(name):
                continue
            if member.issym():
                yield name, ("link", member.linkname)
            elif member.isreg():
                data = archive.extractfile(member).read()
                yield name, ("file", bool(member.mode & stat.S_IXUSR), data)
            else:
                raise OSError(f"{name}: an unexpected kind of member in the package")


def compare(origin, tree):
    pristine = set()
    source = from_directory(origin) if os.path.isdir(origin) else from_tarball(origin)
    for name, wanted in source:
        pristine.add(name)
        path = os.path.join(tree, name)
        if not os.path.lexists(path):
            yield "missing", name
        elif contents(path) != wanted:
            yield "changed", name
    if not pristine:
        raise OSError(f"{origin} is empty")
    for name in walk(tree):
        if name not in pristine:
            yield "added", name


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    origin, tree = sys.argv[1:]
    count = 0
    try:
        for kind, name in compare(origin, tree):
            print(f"{kind} {name}")
            count += 1
    except (OSError, tarfile.TarError) as error:
        sys.exit(f"check-pristine: {error}")
    print(f"{count} files changed outside {OURS}")
    sys.exit(1 if count else 0)


main()
