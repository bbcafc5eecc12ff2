#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Each tool that copies shows on a terminal which part is done, wherever that can be known:
# of an archive that is a file, by what has been read of it; of parts of an image, which are
# counted before; and of a pipe, how much there was.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 script tar bzip2

# tree DIRECTORY SIZE: three files of that size.
tree() {
    mkdir -p "$1/part/deeper"
    for i in 1 2 3; do
        head -c "$2" /dev/zero | tr '\0' x >"$1/part/deeper/$i"
    done
}
tree source 10M
tar -C source -cf archive.tar part
head -c 40M /dev/urandom >random
tar -cjf random.tar.bz2 random
make_image image 150M
mkfs.ext4 -q image
run 0 "$LKL_BIN/cptofs" -q -i image source/part /
# Whose sums take some time.
tree large-source 150M
make_image large 500M
mkfs.ext4 -q large
run 0 "$LKL_BIN/cptofs" -q -i large large-source/part /
rm -r large-source
make_image other 400M
mkfs.ext4 -q other

# shows PATTERN COMMAND: a line of the terminal matches; the last one is taken away.
shows() {
    script -qec "$2" output >/dev/null </dev/null || fail "$2: $(tail -c 2000 output)"
    tr '\r' '\n' <output >lines
    grep -qE "$1" lines || fail "$2: no progress: $(head -c 2000 lines)"
    grep -aq $'files.*\r\033\\[K' output || fail "$2: the line stays: $(tail -c 500 output)"
}
# A bar, drawn at once; one that has moved, of work that takes some time anywhere; the same with
# how fast it is and how much time is left, of work that takes seconds; and figures alone.
bar='[0-9]+% \[[#.]+\] .*B, [0-9]+ files'
moved='[0-9]+% \[#+\.*\] .*MiB, [0-9]+ files'
timed="$moved, [0-9.]+ [KM]iB/s, [0-9]+:[0-9]{2} left"
figures='^[^%]*[0-9] [KM]?i?B, [0-9]+ files'

shows "$bar" "$LKL_BIN/tar2fs archive.tar other"
shows "$timed" "$LKL_BIN/tar2fs random.tar.bz2 other"
shows "$bar" "$LKL_BIN/tar2fs - other <archive.tar"
shows "$bar" "$LKL_BIN/cptofs -i other - / <archive.tar"
shows "$figures" "cat archive.tar | $LKL_BIN/tar2fs - other"
shows "$bar" "$LKL_BIN/cpfromfs -i image / out"
rm -r out
shows "$bar" "$LKL_BIN/cpfromfs -i image '/pa*' /part/deeper/1 ."
rm -r part 1
shows "$bar" "$LKL_BIN/fs2tar image out.tar"
shows "$bar" "$LKL_BIN/fs2tar --subdir part/deeper image out.tar"
shows "$bar" "$LKL_BIN/fs2tar -x part/deeper/1 image out.tar"
rm out.tar
shows "$bar" "$LKL_BIN/lkl cp -r image:/part ."
rm -r part
shows "$bar" "$LKL_BIN/lkl cp -r image:/part other:/"
shows "$bar" "$LKL_BIN/lkl cp -r image:/part/deeper image:/again"
shows "$moved" "$LKL_BIN/lkl sum -a md5 large:/part/deeper/1 large:/part/deeper/2 large:/part/deeper/3"
shows "$moved" "$LKL_BIN/lkl sum -a md5 -r large:/part"
grep -q '^[0-9a-f]\{32\}  /part/deeper/3' lines || fail "sum: the lines are lost: $(cat lines)"
shows "$bar" "$LKL_BIN/lkl mkimage --size 90M archive.tar made"

# -q, and without a terminal: nothing.
script -qec "$LKL_BIN/lkl -q sum -a md5 large:/part/deeper/1" output >/dev/null </dev/null
! grep -q files output || fail "-q: $(cat output)"
run 0 "$LKL_BIN/lkl" sum -r large:/part >sums
[ ! -s stderr ] || fail "without a terminal"
[ "$(wc -l <sums)" = 3 ] || fail "sum: $(cat sums)"
