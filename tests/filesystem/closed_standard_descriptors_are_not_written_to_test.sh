#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A tool that is started without standard descriptors does not take what it opens first, an
# image or an archive, for one of them: no message gets into it, and exit codes are the same.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs tar

small_image image
mkdir source
echo new >source/new

# closed CODE COMMAND...: with each choice of descriptors closed.
closed() {
    local expected=$1 choice code file
    shift
    for choice in 0 1 2 3 4 5 6; do
        cp image written
        rm -f archive.tar out/*
        code=0
        case $choice in
        0) "$@" 0<&- || code=$? ;;
        1) "$@" 1>&- || code=$? ;;
        2) "$@" 2>&- || code=$? ;;
        3) "$@" 0<&- 1>&- || code=$? ;;
        4) "$@" 0<&- 2>&- || code=$? ;;
        5) "$@" 1>&- 2>&- || code=$? ;;
        6) "$@" 0<&- 1>&- 2>&- || code=$? ;;
        esac
        [ "$code" = "$expected" ] || fail "exit code $code instead of $expected: $*"
        for file in written archive.tar; do
            [ -e $file ] || continue
            ! grep -qaE 'No such file|cannot stat|left out|of this image' $file ||
                fail "a message is in $file: $*"
        done
        "${check:-true}"
    done
}
sound() {
    check_clean ext4 written
}
mkdir out

check=sound
closed 10 "$LKL_BIN/cptofs" -i written source/gone source/new /
[ "$(debugfs -R 'cat new' written 2>/dev/null)" = new ] || fail "the rest was not copied"
closed 8 "$LKL_BIN/lkl" touch written:/nowhere/file
closed 8 "$LKL_BIN/lkl" chmod 600 written:/nowhere
closed 8 "$LKL_BIN/lkl" rm written:/nowhere
check=

# Warnings while an archive is written: a socket is left out.
debugfs -w -R "set_inode_field /one mode 0140644" image 2>/dev/null
run 0 "$LKL_BIN/fs2tar" image expected.tar
says "one: socket: left out"
same_archive() {
    cmp expected.tar archive.tar || fail "the archive is not what it was with a terminal"
}
check=same_archive
closed 0 "$LKL_BIN/fs2tar" image archive.tar
check=

# What nobody can read or write is an error as ever.
run 6 "$LKL_BIN/lkl" ls image >&-
says "standard output: cannot write: Bad file descriptor"
run 6 "$LKL_BIN/fs2tar" image - >&-
run 11 "$LKL_BIN/cptofs" -q -i written - / <&-
says "standard input: cannot read the archive"

# Programs do not see what has stood in. (What the loader opens before may have these numbers.)
cat >look <<'SCRIPT'
: >ran
for fd in 0 1 2; do
    readlink /proc/$$/fd/$fd | grep -qx / && echo "$fd" >>seen
done
SCRIPT
[ -z "$LKL_SANITIZE" ] || exit 0 # a sanitizer's library must be the first
"$LKL_BIN/lkl" run -- sh look 0<&- 1>&- 2>&- || true
[ -e ran ] || fail "the program did not run"
[ ! -e seen ] || fail "a program has descriptors that were closed: $(cat seen)"
