#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Directory entries that no kernel makes, in an image: a symbolic link and a directory of
# one name, so that what is in the directory would go where the link points; names
# with slashes. Nothing is written outside of the destination, with what is there of
# symbolic links in it already, too.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4

mkdir -p "$work/outside"
make_image image 8M
mkfs.ext4 -q -O ^has_journal,^metadata_csum,^dir_index image
host_mount image host
mkdir -p host/top/lin2 host/slashes/sub
ln -s "$work/outside" host/top/lin1
echo evil >host/top/lin2/evil
echo evil >host/slashes/aabaabevil
umount host
python3 - <<'PY'
with open("image", "r+b") as file:
    data = file.read()
    for old, new in ((b"lin2", b"lin1"), (b"aabaabevil", b"../../evil")):
        at = data.find(old)
        assert at > 0 and data.find(old, at + 1) < 0
        file.seek(at)
        file.write(new)
PY
mkdir -p out/deep
run 10 "$LKL_BIN/cpfromfs" -i image / out/deep
[ -z "$(ls outside)" ] || fail "something is outside: $(ls outside)"
[ ! -e out/evil ] || fail "a name with slashes led out"
[ ! -e evil ] || fail "a name with slashes led out"
[ -L out/deep/top/lin1 ] || [ -d out/deep/top/lin1 ] || fail "the rest was not copied"

# A link that was there before is not followed either.
mkdir -p second/top
ln -s "$work/outside" second/slashes
run 10 "$LKL_BIN/cpfromfs" -i image /slashes second
says "cannot replace a file by a directory"
[ -z "$(ls outside)" ] || fail "something is outside: $(ls outside)"

# Sources: symbolic links of the image lead nowhere but into it.
host_mount image host
ln -s / host/root
ln -s ../../../../../../etc host/up
mkdir host/etc
echo ours >host/etc/hostname
umount host
for source in /up/hostname /root/etc/../etc/hostname; do
    run 0 "$LKL_BIN/cpfromfs" -i image $source second/top
    [ "$(cat second/top/hostname)" = ours ] || fail "the host's file was copied"
done
