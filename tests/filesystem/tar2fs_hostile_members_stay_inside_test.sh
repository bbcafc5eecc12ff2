#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Members that lead out of the destination are refused, each is named, the others are
# there: "..", a path through a symbolic link, a hard link to what is outside. An
# absolute path is one below the destination.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck debugfs python3

python3 - <<'PY'
import io, tarfile
with tarfile.open("archive.tar", "w") as archive:
    def add(name, kind=tarfile.REGTYPE, link="", data=b"evil\n"):
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        member.size = len(data) if kind == tarfile.REGTYPE else 0
        archive.addfile(member, io.BytesIO(data))
    add("sub/../../up")
    add("link", tarfile.SYMTYPE, "/precious")
    add("link/file")
    add("hard", tarfile.LNKTYPE, "../precious/file")
    add("/absolute", data=b"good\n")
    add("last", data=b"good\n")
PY
mkdir -p before/precious before/below
echo precious >before/precious/file
make_image image 8M
mkfs.ext4 -q -d before image
run 10 "$LKL_BIN/tar2fs" --subdir below archive.tar image
says "archive.tar: sub/../../up: leads out of the destination"
says "below/link/file: cannot open link"
says "archive.tar: hard: leads out of the destination"
says "3 failures"
check_clean ext4 image
[ "$(debugfs -R 'cat precious/file' image 2>/dev/null)" = precious ] || fail "it was overwritten"
for file in absolute last; do
    [ "$(debugfs -R "cat below/$file" image 2>/dev/null)" = good ] || fail "$file is not there"
done
debugfs -R 'stat up' image 2>&1 | grep -q "File not found" || fail "it went up"
