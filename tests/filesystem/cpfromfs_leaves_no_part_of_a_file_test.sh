#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What ends in the middle of a file, in whatever way, leaves no part of it under its name,
# and a file that was there stays: our kernel crashes, the tool is killed, data cannot be
# read.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs mkfs.btrfs python3

# is_old FILE: what a copy did not come to the end of is as it was.
is_old() {
    [ "$(cat "$1")" = old ] || fail "$1 was replaced by $(stat -c %s "$1") bytes"
}

# no_part DIRECTORY: no file but those whose names are given.
no_part() {
    local directory=$1 left
    shift
    left=$(find "$directory" -type f -printf '%P\n' | sort | tr '\n' ' ')
    [ "$left" = "$*${*:+ }" ] || fail "in $directory there is $left"
}

# Blocks of 1024 bytes: from byte 67383296 on a file needs the third level of block
# numbers, in the place of which there is data here. The kernel is asked to panic of that.
mkdir whole
head -c 80000000 /dev/urandom >whole/large
echo small >whole/before
make_image broken 128M
mkfs.ext4 -q -b 1024 -O ^extent,^has_journal,^64bit -d whole broken
block=$(debugfs -R "bmap /large 0" broken 2>/dev/null)
debugfs -w -R "set_inode_field /large block[TIND] $block" broken 2>/dev/null
for tool in "cpfromfs -q -o errors=panic -i broken /large" \
    "lkl cp -q -o errors=panic broken:/large"; do
    mkdir -p out
    # shellcheck disable=SC2086  # words
    run 7 "$LKL_BIN/"$tool out
    says "the kernel crashed: "
    no_part out
    echo old >out/large
    # shellcheck disable=SC2086  # words
    run 7 "$LKL_BIN/"$tool out
    is_old out/large
    no_part out large
    # And by the name of the one file.
    # shellcheck disable=SC2086  # words
    run 7 "$LKL_BIN/"$tool out/other
    no_part out large
    rm -r out
done

# Data that cannot be read: the file stays away, or as it was, whatever follows.
damaged_image damaged
mkdir -p out/directory
echo old >out/directory/victim
run 10 "$LKL_BIN/cpfromfs" -q -i damaged / out
is_old out/directory/victim
no_part out directory/first directory/victim last
rm -r out
mkdir out
run 5 "$LKL_BIN/cpfromfs" -q --fail-fast -i damaged /directory/victim out
no_part out
run 10 "$LKL_BIN/lkl" cp -q damaged:/directory/victim damaged:/last out
no_part out last
rm -r out

# Signals: nothing at all is left. SIGKILL leaves what is not under its name.
make_image sound 128M
mkfs.ext4 -q -d whole sound
times=0
for signal in INT TERM HUP KILL; do
    mkdir out
    # A shell's background job ignores SIGINT, so that is undone first.
    python3 -c 'import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$LKL_BIN/cpfromfs" -q -i sound /large out &
    tool=$!
    for _ in $(seq 1000); do
        [ -z "$(find out -type f)" ] || break
        sleep 0.001
    done
    kill -s STOP $tool 2>/dev/null || true
    caught=$(find out -type f -name '.lkl-*')
    kill -s $signal $tool 2>/dev/null || true
    kill -s CONT $tool 2>/dev/null || true
    code=0
    wait $tool || code=$?
    if [ -z "$caught" ]; then
        # It had done its work, whether it came to its end or not; or had not begun.
        [ $code = 0 ] || [ $code -gt 128 ] || fail "exit code $code after SIG$signal"
        if [ $code = 0 ] || [ -e out/large ]; then
            cmp whole/large out/large
        else
            no_part out
        fi
    else
        times=$((times + 1))
        [ $code -gt 128 ] || fail "exit code $code after SIG$signal"
        [ ! -e out/large ] || cmp whole/large out/large
        [ $signal = KILL ] || [ -e out/large ] || no_part out
    fi
    rm -r out
done
[ $times -gt 0 ] || fail "the tool was always quicker than the signal"

# What is there and is a directory stays one, and nothing is left beside it.
mkdir -p out/large
run 10 "$LKL_BIN/cpfromfs" -q -i sound /large out
says "large: cannot replace a directory by a file"
no_part out
# Other names of what is replaced stay as they are.
rm -r out
mkdir out
echo old >out/other
ln out/other out/before
run 0 "$LKL_BIN/cpfromfs" -q -i sound /before out
is_old out/other
[ "$(cat out/before)" = small ] || fail "it was not replaced"
no_part out before other
