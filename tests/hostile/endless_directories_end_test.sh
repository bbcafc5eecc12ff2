#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A crafted directory that leads from its last file back to an earlier one: every tool that
# reads trees says which directory it is and ends, in bounded time and memory. One that is
# merely large is read.
# shellcheck source=tests/hostile/lib.sh
. "$(dirname "$0")/lib.sh"
need genromfs mksquashfs tar python3

# bounded CODE COMMAND...: the exit code, and at most 1 GiB of memory.
bounded() {
    local expected=$1
    shift
    run "$expected" timeout 240 python3 -B -c '
import os, resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss >> 10
assert mib < 1024, f"{mib} MiB of memory: {sys.argv}"
sys.exit(code)' "$@"
}

mkdir -p tree/below out
echo 1 >tree/below/first
echo 2 >tree/below/last
echo 3 >tree/other
genromfs -d tree -f sound.img
truncate -s %4096 sound.img

# One file over and over, and two of them, in a directory; and in the top one.
endless() {
    cp sound.img "$2"
    python3 -B "$here/../hostile/endless_romfs.py" "$2" "$1" "$3"
}
endless first self.img 0
endless first two.img 1
endless other top.img 0
for image in self.img two.img top.img; do
    where=below
    [ $image != top.img ] || where=
    name=": /$where: cannot read directory: it has no end"
    [ "$where" ] || name=": /: cannot read directory: it has no end"

    bounded 5 "$LKL_BIN/fs2tar" -q -m 64 $image archive.tar
    says "fs2tar: $image: ${where:-.}"
    says "it has no end, the same names come over and over: the file system is damaged"
    says_one_line
    no_archive archive.tar

    for command in "ls -R" find du tree "sum -r"; do
        # shellcheck disable=SC2086 # several words
        bounded 5 "$LKL_BIN/lkl" -m 64 $command $image:/ >found
        says "$name"
        says_one_line
        # What there is, is seen; once.
        [ "$command" = du ] || [ "$(grep -c other found)" = 1 ] || fail "$command: $(cat found)"
    done

    rm -rf out/*
    bounded 10 "$LKL_BIN/lkl" -m 64 cp -r $image:/ out/cp
    says "cannot read directory: it has no end"
    [ "$(wc -l <stderr)" = 2 ] || fail "more is told"
    bounded 10 "$LKL_BIN/cpfromfs" -q -m 64 -i $image / out/cpfromfs
    says "cannot read directory: it has no end"
    [ "$(wc -l <stderr)" = 2 ] || fail "more is told"
    for copy in out/cp out/cpfromfs; do
        [ "$(find $copy | wc -l)" -ge 3 ] || fail "$copy lacks what there is"
    done
done

# 70,000 names of two files.
mkdir large
python3 - <<'EOF'
import os
for number in range(2):
    open(f"large/{number}", "w").close()
    for link in range(35000):
        os.link(f"large/{number}", f"large/{number}-{link}")
EOF
mksquashfs large large.img -quiet -no-progress >/dev/null
run 0 "$LKL_BIN/lkl" find large.img:/ -name '[01]*' >found
[ "$(wc -l <found)" = 70002 ] || fail "not all names are found"
run 0 "$LKL_BIN/fs2tar" -q large.img archive.tar
[ "$(members archive.tar | grep -c '[01]')" = 70002 ] || fail "not all names are in the archive"
