#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Files and directories of the host that are removed, cut short or written to while they are
# copied: each is named, the exit code tells, and the rest is copied. Of a file in whose place
# another one comes, one of the two is copied, whole. host_faults/preload.cpp holds a read or an
# opening up meanwhile.
# A file system where nothing else is that the tools read; its inodes count upwards.
export TMPDIR=/dev/shm
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/../filesystem/lib.sh"
need mkfs.ext4 e2fsck debugfs tar mkfifo
[ -z "${LKL_SANITIZE:-}" ] || skip "a sanitizer's library must be the first"

# In the order of their inodes, in which cptofs and lkl cp read them.
make_source() {
    rm -rf source
    mkdir source
    head -c 3000000 /dev/zero | tr '\0' c >source/cut
    echo gone >source/gone
    echo kept >source/kept
    mkdir source/later
    echo below >source/later/below
}

# change PROGRAM NUMBER CHANGE COMMAND...: runs the command, and CHANGE when its read of that
# number of a source is about to happen, or with kind=wait-open its opening of one; leaves the
# exit code in `code`.
kind="wait"
change() {
    local program=$1 number=$2 change=$3 pid
    shift 3
    : >report
    LD_PRELOAD=$LKL_TESTS/durability/host_faults.so LKL_FAULT_KIND=$kind LKL_FAULT_AT=$number \
        LKL_FAULT_FILE=$work LKL_FAULT_PROGRAM=$program LKL_FAULT_REPORT=$work/report \
        "$@" 2>stderr &
    pid=$!
    until grep -q fault report; do
        kill -0 $pid 2>/dev/null || break
        sleep 0.01
    done
    $change
    echo >>report
    code=0
    wait $pid || code=$?
    cat stderr >&2
    grep -q fault report || fail "there was no $kind of that number"
}

change_source() {
    rm -r source/gone source/later
    truncate -s 100000 source/cut
}

# told CODE: what was said of the changes.
told() {
    [ "$code" = "$1" ] || fail "exit code $code instead of $1"
    says "cut: ends at byte 100000, before its size"
    says "gone: cannot stat gone: No such file or directory"
    grep -q "/later: cannot [a-z]* later: No such file or directory" stderr ||
        fail "the directory is not named"
}

fresh_image() {
    rm -f image
    make_image image 16M
    mkfs.ext4 -q image
}

# holds FILE... : those, and none of the others that there were, are in the image.
holds() {
    check_clean ext4 image
    debugfs -R 'ls -p /' image 2>/dev/null | cut -d/ -f6 | grep -v '^\.*$\|^lost+found$' |
        sort | tr '\n' ' ' >names
    [ "$(cat names)" = "$* " ] || fail "the image has $(cat names)"
    [ "$(debugfs -R 'cat kept' image 2>/dev/null)" = kept ] || fail "the rest was not copied"
}

make_source
fresh_image
change cptofs 1 change_source "$LKL_BIN/cptofs" -q -i image source/. /
told 10
holds kept

make_source
fresh_image
change lkl 1 change_source "$LKL_BIN/lkl" -q cp -r source/cut source/gone source/kept \
    source/later image:/
told 10
holds kept

# The first one ends it.
make_source
fresh_image
change cptofs 1 change_source "$LKL_BIN/cptofs" -q --fail-fast -i image source/. /
[ "$code" = 8 ] || fail "exit code $code instead of 8"
says_one_line
says "ends at byte 100000"
check_clean ext4 image

# No image is left that lacks a part.
for owner in "" "--owner=0:0"; do
    make_source
    rm -f image
    type=${owner:+squashfs}
    # shellcheck disable=SC2086
    change lkl 1 change_source "$LKL_BIN/lkl" -q mkimage --fs "${type:-ext4}" $owner source image
    [ "$code" = 10 ] || fail "exit code $code instead of 10"
    says "cut: ends at byte 100000, before its size"
    [ ! -e image ] || fail "there is an image all the same"
done

# An archive: what stands before the cut is there.
change_archive() {
    truncate -s 1000000 source.tar
}
make_source
tar -C source -cf source.tar kept cut gone
fresh_image
change tar2fs 4 change_archive "$LKL_BIN/tar2fs" -q source.tar image
[ "$code" = 10 ] || fail "exit code $code instead of 10"
says "source.tar: cut: "
holds kept

# copied NAME: the file in the image has the data and the mode of source/NAME.
copied() {
    local mode
    debugfs -R "cat /$1" image 2>/dev/null | cmp - "source/$1" || fail "$1: other data"
    mode=$(debugfs -R "stat /$1" image 2>/dev/null | sed -n 's/.*Mode:  *\(0[0-7]*\).*/\1/p')
    [ "$mode" = "0$(stat -c %a "source/$1")" ] || fail "$1: its mode is $mode"
}

# Another file gets the name: all of it is copied, with its mode, and linked to its other name.
replace() {
    mv other source/victim
}
make_replaced() {
    rm -rf source
    mkdir -p source/later
    echo "ten bytes" >source/victim
    echo kept >source/kept
    head -c 1041 /dev/urandom >other
    chmod 600 other
    ln -f other source/later/name
}
kind="wait-open"
for tool in "cptofs -q -i image source/. /" "lkl -q cp -r source/. image:/"; do
    make_replaced
    fresh_image
    # shellcheck disable=SC2086
    change "${tool%% *}" 1 replace "$LKL_BIN/"$tool
    [ "$code" = 0 ] || fail "exit code $code instead of 0"
    [ ! -s stderr ] || fail "something was told"
    holds kept later victim
    copied victim
    debugfs -R 'stat /victim' image 2>/dev/null | grep -q 'Links: 2 ' || fail "it is not linked"
    copied later/name
done

# What gets the name is of another kind.
replace_by_fifo() {
    rm source/victim
    mkfifo source/victim
}
make_replaced
fresh_image
change cptofs 1 replace_by_fifo "$LKL_BIN/cptofs" -q -i image source/. /
[ "$code" = 10 ] || fail "exit code $code instead of 10"
says "victim: is no regular file any more: changed while it was read"
says "1 failure"
holds kept later

# Of a file that grows, or whose data change, what was read is there.
append() {
    echo more >>source/victim
}
overwrite() {
    echo elevenbytes | dd of=source/victim bs=9 count=1 conv=notrunc status=none
}
kind="wait"
for written in append overwrite; do
    make_replaced
    touch -d @1000000000 source/victim
    fresh_image
    change cptofs 1 $written "$LKL_BIN/cptofs" -q -i image source/. /
    [ "$code" = 10 ] || fail "exit code $code instead of 10"
    says "victim: was written to: changed while it was read"
    says "1 failure"
    holds kept later victim
    [ "$(debugfs -R 'cat /victim' image 2>/dev/null | wc -c)" = 10 ] || fail "$written: its size"
done
