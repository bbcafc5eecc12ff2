#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# An archive of that name is replaced only by a complete one.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs tar

small_image good
echo precious >archive.tar
chmod 600 archive.tar
ln -s archive.tar link.tar

cp good bad
debugfs -w -R 'clri <2>' bad 2>/dev/null
run 5 "$LKL_BIN/fs2tar" bad archive.tar
[ "$(cat archive.tar)" = precious ] || fail "the old archive is gone"

run 0 "$LKL_BIN/fs2tar" good link.tar
[ -L link.tar ] || fail "the symbolic link was replaced"
[ "$(stat -c %a archive.tar)" = 600 ] || fail "the mode changed"
members archive.tar >list
grep -qx one list || fail "the archive was not replaced"
