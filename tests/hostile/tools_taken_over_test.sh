#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The tools as they are installed, with a call in the middle of their work that none of them
# makes (taken_over/preload.cpp): they die of it, or the call fails, as the table in
# docs/security.md says.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/../filesystem/lklfuse.sh"
# shellcheck source=tests/hostile/lib.sh
. "$here/../hostile/lib.sh"
need mkfs.ext4 tar python3
need_filter
hook=$LKL_TESTS/hostile/taken_over.so
[ -e "$hook" ] || fail "there is no $hook"

small_image image
cp image written
mkdir out source mount
echo new >source/new
tar -cf new.tar -C source new

# with CALL COMMAND...: with an archive as standard input.
with() {
    local call=$1
    shift
    LKL_TRY=$call LD_PRELOAD=$hook "$@" <new.tar
}
# dies CALL... -- COMMAND...: of each; SIGSYS is 31.
# fails CALL=ERRNO... -- COMMAND...: the call, and the tool does its work.
dies() {
    for_each dies_of "$@"
}
fails() {
    for_each fails_at "$@"
}
# for_each CHECK CALL... -- COMMAND...: CHECK CALL COMMAND... for each.
for_each() {
    local check=$1 calls=() call
    shift
    while [ "$1" != -- ]; do
        calls+=("$1")
        shift
    done
    shift
    for call in "${calls[@]}"; do
        "$check" "$call" "$@"
    done
}
dies_of() {
    local call=$1 code=0
    shift
    with "$call" "$@" >/dev/null 2>stderr || code=$?
    [ $code = 159 ] || fail "exit code $code at $call: $*: $(cat stderr)"
    ! grep -q tried stderr || fail "it lived on"
}
fails_at() {
    local call=$1
    shift
    run 0 with "${call%=*}" "$@" >/dev/null
    says "tried ${call/=/: }"
}
perm=1
access=13
# What nobody calls, and what every library may.
never=(open execve ptrace kill mount)
always=("fork=$perm" "prctl=$perm")

# Nothing is opened.
for command in "fs2tar -q image out.tar" "fs2tar -q image out.tar.xz" "lkl ls -lR image:/" \
    "lkl sum -r image:/" "lkl find image:/" "lkl touch written:/one" "cpfromfs -q -i image /one -"; do
    read -ra words <<<"$command"
    dies "${never[@]}" openat-write socket -- "$LKL_BIN/${words[0]}" "${words[@]:1}"
    fails "${always[@]}" openat=$perm -- "$LKL_BIN/${words[0]}" "${words[@]:1}"
done

# Files are read; where there is no Landlock, all.
landlock=$access
version=$(python3 -c 'import ctypes; print(ctypes.CDLL(None).syscall(444, None, 0, 1))')
[ "$version" -ge 2 ] || landlock=0
for command in "cptofs -q -i written source/new /" "lkl cp source/new written:/" \
    "tar2fs -q new.tar written" "cptofs -q -i written - /"; do
    read -ra words <<<"$command"
    dies "${never[@]}" openat-write -- "$LKL_BIN/${words[0]}" "${words[@]:1}"
    fails "${always[@]}" openat=$landlock -- "$LKL_BIN/${words[0]}" "${words[@]:1}"
done
dies socket -- "$LKL_BIN/cptofs" -q -i written source/new /
fails socket=$perm -- "$LKL_BIN/tar2fs" -q new.tar written

# Files are made.
if [ $landlock = $access ]; then
    for command in "cpfromfs -q -i image /one out" "lkl cp image:/one out"; do
        read -ra words <<<"$command"
        dies "${never[@]}" socket -- "$LKL_BIN/${words[0]}" "${words[@]:1}"
        fails "${always[@]}" openat=$access openat-write=$access -- \
            "$LKL_BIN/${words[0]}" "${words[@]:1}"
    done
fi

# The process of the shell that has the image.
dies_in_shell() {
    local code=0
    echo 'ls /' | LKL_TRY=$1 LD_PRELOAD=$hook "$LKL_BIN/lkl" shell image >/dev/null 2>stderr || code=$?
    [ $code = 7 ] || fail "exit code $code at $1 in lkl shell"
    says "killed by signal 31"
}
dies_in_shell execve
dies_in_shell socket

# lklfuse looks who asks.
dies_serving() {
    local code=0
    with "$1" timeout -s KILL 120 "$LKL_BIN/lklfuse" image mount -f 2>stderr || code=$?
    [ $code = 159 ] || fail "exit code $code at $1 in lklfuse: $(cat stderr)"
}
for call in "${never[@]}"; do
    dies_serving "$call"
done
# serves_at CALL=ERRNO: the call, and it goes on.
serves_at() {
    LKL_TRY=${1%=*} LD_PRELOAD=$hook "$LKL_BIN/lklfuse" image mount -f 2>server.log &
    server=$!
    for _ in $(seq 600); do
        mountpoint -q mount && break
        sleep 0.05
    done
    [ "$(cat mount/one)" = one ] || fail "lklfuse does not go on after $1"
    fuse_stop mount
    grep -qF "tried ${1/=/: }" server.log || fail "lklfuse: $1: $(cat server.log)"
}
for call in "openat=$landlock" "openat-write=$perm" "socket=$perm" "fork=$perm"; do
    serves_at "$call"
done
# What is another process's own below /proc is shut, its user's too.
for file in environ mem maps; do
    LKL_NODE=/proc/$$/$file serves_at "character=$landlock"
done

# Without the sandbox nothing is tried.
run 0 with execve "$LKL_BIN/fs2tar" --no-sandbox -q image out.tar
says "--no-sandbox: "
says_one_line
