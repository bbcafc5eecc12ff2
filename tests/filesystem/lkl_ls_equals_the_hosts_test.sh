#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl ls prints what the host's ls prints of its own mount of the image, hostile names,
# links, devices and ACLs included; ls and tree never enter a loop of links; the image
# stays as it is.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3
need_root
need_host_filesystem ext4
export TZ=Europe/Berlin LC_ALL=C

make_image image 256M
mkfs.ext4 -q -b 4096 image
host_mount image host
mkdir host/etc
echo root:x:0:0:root:/root:/bin/sh >host/etc/passwd
printf 'root:x:0:\nstaff:x:50:\n' >host/etc/group
touch -d '2 days ago' host/etc/recent
chgrp 50 host/etc/recent
ln -s etc host/to-etc
# The host's ls cannot go down deep paths.
fill_odd host --without huge --without deep
umount host
before=$(digest image)
host_mount image host ro

# same [OPTIONS] PATH: of the host's ls and ours.
same() {
    local path="${*: -1}" options=("${@:1:$#-1}")
    (cd host && ls "${options[@]}" ".$path") | sed "s,\(^\| \)\.$path,\1$path," >expected
    run 0 "$LKL_BIN/lkl" ls "${options[@]}" "image:$path" >actual
    diff -a expected actual || fail "ls ${options[*]} $path differs"
}
same -R /odd
same -lnR /odd
same -1 /
same -a /odd/names
same -ln /odd/special
same -lni /odd/links
same -lS /odd/sizes
same -lntr /odd/sizes
same -sr /odd/sparse
same -lnhR /odd/sparse
same -ld /odd
same -l /etc
same -l /to-etc
same /to-etc
same -l --full-time /etc

run 0 "$LKL_BIN/lkl" ls --json image:/odd/names >names.json
python3 - names.json host/odd/names <<'PY'
import json, os, sys
rows = json.load(open(sys.argv[1]))
found = {bytes.fromhex(row["path_hex"]) if "path_hex" in row else row["path"].encode()
         for row in rows}
expected = {b"/odd/names/" + name for name in os.listdir(os.fsencode(sys.argv[2]))}
assert found == expected, found ^ expected
PY

# On a terminal, no byte of a name drives it.
script -qec "$LKL_BIN/lkl ls image:/odd/names" /dev/null >terminal
grep -qa '\\033\[31m' terminal || fail "an escape is not shown"
! grep -qa $'\033\[31m' terminal || fail "an escape got to the terminal"
NO_COLOR=1 script -qec "$LKL_BIN/lkl ls image:/odd" /dev/null >terminal
! grep -qa $'\033' terminal || fail "colours in spite of NO_COLOR"

run 0 "$LKL_BIN/lkl" tree image:/odd/many >actual
[ "$(tail -n1 actual)" = "0 directories, 3000 files" ] || fail "tree counted: $(tail -n1 actual)"
run 0 "$LKL_BIN/lkl" tree -L 1 image:/odd/links >actual
grep -qF "$(printf '\xe2\x94\x9c\xe2\x94\x80\xe2\x94\x80 dangling -> nowhere/at/all')" actual ||
    fail "tree does not show a link"
umount host
[ "$(digest image)" = "$before" ] || fail "the image was changed"
