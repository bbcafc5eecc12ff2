#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Whatever fails: it is named, no image is there, and one that was there stays.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4 mkfs.fat mksquashfs setpriv python3 sfdisk
need_root

plain_tree source
echo old >image
kept() {
    [ "$(cat image)" = old ] || fail "the old image is gone"
    nothing_left other
}
run 6 mkimage --size 2M --mkfs-option=-O --mkfs-option=^has_journal source image
says "No space left on device"
says_one_line
kept
run 6 mkimage --gpt --partition fs=ext4,size=2M,source=source image
says "image: partition 1: "
says "No space left on device"
kept
run 6 mkimage --fs squashfs --size 64K source image
says "the contents need"
kept
ln -s large.bin source/link
run 6 mkimage --fs vfat source image
says "link: cannot make symbolic link"
says_one_line
kept
rm source/link
run 12 mkimage --mkfs-option=-O --mkfs-option=nonsense source image
says "mkfs.ext4 failed"
says "nonsense"
says_one_line
kept
# Each file that cannot be read is named.
mkdir -m 777 out
echo old >out/image
chmod 666 out/image
chmod 755 .
chmod 0 source/large.bin source/empty-file
run 10 as_nobody "$LKL_BIN/lkl" mkimage source out/image
says "large.bin: cannot open"
says "empty-file: cannot open"
[ "$(cat out/image)" = old ] || fail "the old image is gone"
chmod 644 source/large.bin source/empty-file

# The host's disk is full.
mkdir disk
mount -t tmpfs -o size=2m none disk
for options in "--fs ext4" "--fs squashfs"; do
    # shellcheck disable=SC2086 # two words
    run 6 mkimage $options source disk/image
    says "no space is left"
    says_one_line
    [ -z "$(ls -A disk)" ] || fail "something is left: $(ls -A disk)"
done
run 6 mkimage --gpt --partition fs=ext4,source=source disk/image
says "no space is left"
[ -z "$(ls -A disk)" ] || fail "something is left: $(ls -A disk)"
umount disk

# A program that is missing is named with its package.
mkdir bin sbin
mount --bind sbin /usr/local/sbin
# shellcheck disable=SC2016  # the inner shell's arguments
unshare -m bash -c 'mount --bind "$1" /usr/sbin && exec "$2" mkimage --fs xfs source image' - \
    "$work/sbin" "$LKL_BIN/lkl" 2>stderr && fail "mkfs.xfs is not missing"
umount /usr/local/sbin
says "mkfs.xfs: is not there: install the Debian package xfsprogs"
kept

# none_works: what worked on an image has ended; what has not is ended here.
none_works() {
    local left
    for _ in $(seq 200); do
        left=$(pgrep -d ' ' --ns $$ --nslist mnt '^(lkl|mkfs|mke2fs)' || true)
        [ -n "$left" ] || return 0
        sleep 0.05
    done
    # shellcheck disable=SC2086 # one word a process
    kill -KILL $left || true
    fail "processes are left: $left"
}

# Signals: at any time, nothing stays, and no process either. A fast machine may be done
# before the late ones.
hit=0
head -c 60000000 /dev/urandom >source/more
for round in INT:0.05 TERM:0.15 HUP:0.3 TERM:0.5; do
    python3 -c 'import os, signal, sys
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$LKL_BIN/lkl" mkimage -q --gpt \
        --partition fs=ext4,source=source --partition fs=ext4,source=source image &
    pid=$!
    for _ in $(seq 100); do
        [ -z "$(find . -maxdepth 1 -name '.lkl-mkimage-*')" ] || break
        sleep 0.02
    done
    sleep "${round#*:}"
    kill -s "${round%:*}" $pid || true
    code=0
    wait $pid || code=$?
    # After it has its name the image is there, and the signal may end the tool all the same.
    if [ "$code" = 0 ] || { [ "$code" -gt 128 ] && sfdisk -q -V image >/dev/null 2>&1; }; then
        echo old >image
        continue
    fi
    [ "$code" -gt 128 ] || fail "exit code $code after SIG$round"
    hit=$((hit + 1))
    none_works
    kept
done
[ $hit -gt 0 ] || fail "all were done before the signal"

# The process that fills the image ends with the one that was killed, though its input does
# not: by the kernel, by libext2fs.
tar -cf start.tar -C source large.bin
head -c 1000000 start.tar >start
mkfifo input
for epoch in "" 1000000000; do
    SOURCE_DATE_EPOCH=$epoch "$LKL_BIN/lkl" mkimage -q --size 16M - image <input &
    pid=$!
    exec 3>input
    cat start >&3
    for _ in $(seq 500); do
        filler=$(pgrep -P $pid '^lkl$' || true)
        # It waits for more.
        [ -z "$filler" ] || ! grep -q pipe "/proc/$filler/wchan" 2>/dev/null || break
        sleep 0.02
    done
    [ -n "$filler" ] || fail "nothing fills the image"
    kill -TERM $pid
    code=0
    wait $pid || code=$?
    [ "$code" -gt 128 ] || fail "exit code $code after SIGTERM"
    none_works
    exec 3>&-
    kept
done
