#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ctest: TIMEOUT=600
#
# A directory whose last file leads back to itself: the kernel that looks for a name that is not
# there does not come back. One that fits into its memory is at no disk's work; one that does
# not, reads on for ever. Exit code 7, one line, and nothing that looks complete.
# shellcheck source=tests/hostile/lib.sh
. "$(dirname "$0")/lib.sh"
need genromfs python3 fusermount3

# endless TREE NAME BACK: as TREE.img; the directory of the file leads BACK from its end.
endless() {
    genromfs -d "$1" -f "$1.img"
    truncate -s %4096 "$1.img"
    python3 -B "$here/../hostile/endless_romfs.py" "$1.img" "$2" "$3"
}

mkdir -p small/below mounted
echo 1 >small/below/first
echo 2 >small/below/last
endless small first 0

# All at once, and out of the way of other tests: two minutes of a processor each.
hangs() {
    local name=$1
    shift
    (
        code=0
        nice -n 19 timeout 500 "$@" >"$name.out" 2>"$name.err" || code=$?
        echo $code >"$name.code"
    ) &
}
hangs lklfuse "$LKL_BIN/lklfuse" -f -o type=romfs,ro small.img mounted
until mountpoint -q mounted || [ -e lklfuse.code ]; do
    sleep 0.1
done
[ "$(cat mounted/below/first)" = 1 ] || fail "lklfuse does not serve it: $(cat lklfuse.err)"
hangs user stat mounted/below/missing
hangs stat "$LKL_BIN/lkl" -m 64 stat small.img:/below/missing
hangs fs2tar "$LKL_BIN/fs2tar" -q -m 64 --subdir below/missing small.img archive.tar
hangs cpfromfs "$LKL_BIN/cpfromfs" -q -m 64 -i small.img /below/missing .

# 20,000 files of a page each, in less memory: the kernel goes round, the disk with it.
mkdir -p large/below
python3 - <<'EOF'
for number in range(20000):
    with open(f"large/below/{number:05}", "wb") as file:
        file.truncate(4096)
EOF
endless large 00000 19000
run 7 timeout 500 "$LKL_BIN/lkl" -m 40 stat large.img:/below/missing
says "large.img: the kernel hangs: no call has ended while the disks were read 16 times over"
says_one_line

wait
for name in lklfuse stat fs2tar cpfromfs; do
    cp "$name.err" stderr
    [ "$(cat "$name.code")" = 7 ] || fail "$name: exit code $(cat "$name.code"): $(cat stderr)"
    says "small.img: the kernel hangs: for 120 seconds no call has ended, and no disk was at work"
    says_one_line
    [ ! -s "$name.out" ] || fail "$name shows what it has not read"
done
no_archive archive.tar
[ "$(cat user.code)" = 1 ] || fail "a call to the mount ends with $(cat user.code)"
run 1 stat mounted
says "Transport endpoint is not connected"
fusermount3 -u mounted
