#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A kernel that an image crashes, inside of the sandbox: exit code 7 and one line, from
# each tool and each command of lkl, and no list that looks complete.
# shellcheck source=tests/hostile/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs python3

small_image image
# An inode of no type, which the kernel is asked to panic of.
debugfs -w -R "set_inode_field /directory/deeper mode 0170000" image 2>/dev/null
mkdir out source
seq 100 >source/deeper
tar -cf source.tar --transform 's|^|directory/|' -C source deeper

crashes() {
    run 7 "$@"
    says "the kernel crashed: "
    says_one_line
}
crashes "$LKL_BIN/fs2tar" -q -o errors=panic image archive.tar
no_archive archive.tar
crashes "$LKL_BIN/cpfromfs" -q -o errors=panic -i image /directory out
cp image written
crashes "$LKL_BIN/cptofs" -q -o errors=panic -i written source/deeper /directory
cp image written
crashes "$LKL_BIN/tar2fs" -q -o errors=panic source.tar written

# panics COMMAND...: of lkl.
panics() {
    local command=$1
    shift
    crashes timeout 120 "$LKL_BIN/lkl" -o errors=panic "$command" "$@"
}
for command in ls tree du find cat stat sum; do
    panics $command image:/directory/deeper >shown
    [ ! -s shown ] || fail "lkl $command shows what it has not read: $(cat shown)"
done
panics ls -R image:/ >shown
for command in ls tree du stat; do
    panics $command --json image:/ image:/directory/deeper >shown
    ! python3 -m json.tool shown >/dev/null 2>&1 || fail "lkl $command has a whole list"
done
panics cp -r image:/directory out
[ ! -e out/directory/deeper ] || fail "lkl cp made what it has not read"
for command in "chmod 600" "touch" "rm -r" "mkdir -p"; do
    cp image written
    # shellcheck disable=SC2086  # words
    panics $command written:/directory/deeper
done

# What lkl info and df ask for is known once it is mounted: here the root directory is of no
# type. What an image that comes before it holds is shown, and of this one nothing.
small_image good
small_image unmountable
debugfs -w -R "set_inode_field <2> mode 0170000" unmountable 2>/dev/null
for command in info "df" "df -i"; do
    # shellcheck disable=SC2086  # words
    panics $command unmountable >shown
    [ ! -s shown ] || fail "lkl $command shows what it has not read: $(cat shown)"
    # shellcheck disable=SC2086  # words
    panics $command good unmountable >shown
    ! grep -q unmountable shown || fail "lkl $command shows what it has not read: $(cat shown)"
    # shellcheck disable=SC2086  # words
    panics $command --json good unmountable >shown
    ! python3 -m json.tool shown >/dev/null 2>&1 || fail "lkl $command has a whole list"
done
run 0 "$LKL_BIN/lkl" info good
# Without a mount there is nothing to crash of.
run 0 "$LKL_BIN/lkl" info --no-mount good unmountable >shown
grep -q "^unmountable: " shown || fail "no description: $(cat shown)"

# The shell ends with the command that the kernel has not survived.
run 7 timeout 120 "$LKL_BIN/lkl" -o errors=panic shell image >shown <<'SHELL'
cat one
cat directory/deeper
cat one
!echo next >next
SHELL
says "the kernel crashed: "
[ "$(cat shown)" = one ] || fail "the shell went on: $(cat shown)"
