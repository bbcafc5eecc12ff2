#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What is no archive leaves the image alone; one that ends too early, or has another
# directory to a file's name, is a failure: the exit code tells, what was whole is there,
# and the directories have their times.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck debugfs tar xz python3

mkdir -p source/a
echo one >source/a/one
head -c 3000000 /dev/urandom >source/a/two
touch -d '2001-02-03 04:05:06 UTC' source/a
tar -cf archive.tar -C source a/one a/two a
tar -cf whole.tar -C source a
make_image image 16M
mkfs.ext4 -q image
before=$(digest image)
head -c 100000 /dev/urandom >noise
run 11 "$LKL_BIN/tar2fs" noise image
says_one_line
run 11 "$LKL_BIN/tar2fs" - image </dev/null
says_one_line
cp image disk
run 11 "$LKL_BIN/tar2fs" disk image
says_one_line
[ "$(digest image)" = "$before" ] || fail "the image was changed"
# An archive without members is one.
tar -cf none.tar --files-from /dev/null
run 0 "$LKL_BIN/tar2fs" -q none.tar image

head -c 1000000 whole.tar >short.tar
run 10 "$LKL_BIN/tar2fs" short.tar image
says "short.tar: a/two"
check_clean ext4 image
[ "$(debugfs -R 'cat a/one' image 2>/dev/null)" = one ] || fail "what was whole is not there"
debugfs -R 'stat a/two' image 2>&1 | grep -q "File not found" || fail "a part of a file is there"
debugfs -R 'stat a' image 2>/dev/null | grep -q 'mtime: .*Sat Feb  3 04:05:06 2001' || fail "the time"
# A writer that was killed between two members.
tar -cf one.tar -C source a/one
head -c 1024 one.tar >short.tar
run 10 "$LKL_BIN/tar2fs" short.tar image
says "the end of the archive is missing"
xz -0 -k whole.tar
head -c 2900000 whole.tar.xz >short.tar.xz
run 10 "$LKL_BIN/tar2fs" short.tar.xz image

# The directory's entry stands behind its files.
run 0 "$LKL_BIN/tar2fs" archive.tar image
debugfs -R 'stat a' image 2>/dev/null | grep -q 'mtime: .*Sat Feb  3 04:05:06 2001' || fail "the time"

# A record of attributes that cannot be understood: the file is there, and it is told.
python3 - <<'PY'
import tarfile
with tarfile.open("record.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    member = tarfile.TarInfo("attributes")
    member.pax_headers = {"SCHILY.xattr.user.test": "value"}
    archive.addfile(member)
with open("record.tar", "r+b") as archive:
    archive.seek(512)
    archive.write(b"9")  # of the record's length
PY
run 10 "$LKL_BIN/tar2fs" record.tar image
says "record.tar: attributes: "
says "1 failure"
debugfs -R 'stat attributes' image 2>/dev/null | grep -q 'Type: regular' || fail "the file is not there"
