#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An image that is too small: each file that has no room is named, none of them is there
# in part, what has room is copied, and the exit code tells. The image is clean.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck python3
need_root
need_host_filesystem ext4

mkdir -p source/a source/z
echo small >source/a/first
head -c 30000000 /dev/urandom >source/large
echo small >source/z/last
make_image image 16M
mkfs.ext4 -q image
run 10 "$LKL_BIN/cptofs" -i image source /
says "image: source/large: cannot write at byte "
says "No space left on device"
says "1 failure: not everything was copied"
check_clean ext4 image
host_mount image host ro
[ ! -e host/source/large ] || fail "a part of the file is there"
cmp host/source/a/first source/a/first
cmp host/source/z/last source/z/last
umount host

# No inodes: the same for small files, many at once.
mkdir many
for number in $(seq 200); do echo "$number" >"many/$number"; done
make_image inodes 8M
mkfs.ext4 -q -N 64 inodes
run 10 "$LKL_BIN/cptofs" -q -i inodes many /
[ "$(grep -c 'cannot open .*No space left on device' stderr)" -gt 100 ] || fail "not each is named"
check_clean ext4 inodes
host_mount inodes host ro
lost=$(grep -c 'cannot open' stderr)
[ $(("$(find host/many -type f | wc -l)" + lost)) = 200 ] || fail "neither there nor named"

# No room for attributes: the file is there, with those that fit, and named once.
python3 - <<'PY'
import io, tarfile
with tarfile.open("attributes.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    member = tarfile.TarInfo("file")
    member.size = 5
    member.pax_headers = {f"SCHILY.xattr.user.name{n}": "x" * 100 for n in range(300)}
    archive.addfile(member, io.BytesIO(b"data\n"))
PY
make_image attributes 8M
mkfs.ext4 -q attributes
run 10 "$LKL_BIN/cptofs" -i attributes --json - / <attributes.tar >result.json
says "attributes: file: cannot set extended attribute user.name"
says "more of its attributes"
says "1 failure: "
check_clean ext4 attributes
host_mount attributes host ro
[ "$(cat host/file)" = data ] || fail "the file is not there"
python3 - <<'PY' || fail "$(cat result.json)"
import json, os
result = json.load(open("result.json"))
assert result["files"] == 1, result
(failure,) = result["failures"]
assert failure["path"] == "file", failure
kept = len([name for name in os.listxattr("host/file") if name.startswith("user.")])
missing = 1 + int(failure["error"].split("; and ")[1].split()[0])
assert kept > 5 and kept + missing == 300, (kept, missing)
PY
