#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What a tool inherits beside standard input, output and error is closed before it opens
# anything, so that no crafted image reads it and nobody waits for its end: unless the
# command line names it. A program of "lkl run" gets what it is given.
# (caught() looks for it in the other tools.)
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/../filesystem/lklfuse.sh"
# shellcheck source=tests/hostile/lib.sh
. "$here/../hostile/lib.sh"
need mkfs.ext4 debugfs mkfifo pgrep

small_image image
echo secret >secret
mkdir mount other
secret=$PWD/secret
exec 5<"$secret" 25<"$secret"

# nothing_inherited PROCESS...
nothing_inherited() {
    local process
    for process; do
        ! holds "$process" "$secret" || fail "inherited: $(cat "/proc/$process/comm")"
    done
}

unmounted() {
    umount mount
    background_ended
}

# A background server, which must not keep a pipe of the caller open either.
# shellcheck disable=SC2016 # the inner shell's
timeout 60 bash -c '("$1" image mount >/dev/null 2>&1; echo started) 9>&1 | cat >started' - \
    "$LKL_BIN/lklfuse" || fail "the mount holds the caller's pipe"
[ "$(cat started)" = started ] || fail "lklfuse did not come back"
server=$(pgrep -x -o lklfuse --ns $$ --nslist mnt)
nothing_inherited "$server" "$(pgrep -P "$server")"
[ "$(cat mount/one)" = one ] || fail "the mount"
unmounted

# The shell and the process that has the image.
mkfifo commands
exec 8<>commands
"$LKL_BIN/lkl" shell image <commands >answers 8>&- &
tool=$!
echo 'cat /one' >&8
for _ in $(seq 600); do
    [ -s answers ] && break
    sleep 0.05
done
nothing_inherited $tool "$(pgrep -P $tool)"
echo 'exit' >&8
exec 8>&-
ends
[ "$(cat answers)" = one ] || fail "lkl shell: $(cat answers)"

# Named descriptors, of each kind of name and at any place.
cp image second
"$LKL_BIN/fs2tar" -q image expected.tar
exec 6<>image
run 0 "$LKL_BIN/fs2tar" -q /dev/fd/6 actual.tar
cmp expected.tar actual.tar
[ "$("$LKL_BIN/lkl" cat /proc/self/fd/6:/one)" = one ] || fail "lkl with a named image"
run 0 "$LKL_BIN/cpfromfs" -q -i /dev/fd/6 /one other
cmp other/one <(echo one)
exec 6>&-
run 0 "$LKL_BIN/tar2fs" -q <(cat expected.tar) second
run 0 "$LKL_BIN/cptofs" -q -i second <(echo sent) /sent
exec 11>log
run 0 "$LKL_BIN/lklfuse" image mount -o log=/dev/fd/11,ro
unmounted
[ -s log ] || fail "the log of a named descriptor is empty"
exec 11>&-

# A named one is not a reason to keep the others.
exec 6<>image
serves_without_others() {
    "$LKL_BIN/lklfuse" /dev/fd/6 mount
    server=$(pgrep -x -o lklfuse --ns $$ --nslist mnt)
    nothing_inherited "$server"
    unmounted
}
serves_without_others
exec 6>&-

# Where the host does not have close_range(2).
exec 6<>image
hook=$LKL_TESTS/hostile/taken_over.so
[ -e "$hook" ] || fail "there is no $hook"
LKL_NO_CLOSE_RANGE=1 LD_PRELOAD=$hook serves_without_others
exec 6>&-

# A program's are its own.
[ "$("$LKL_BIN/lkl" run -- sh -c 'cat <&5')" = secret ] || fail "lkl run does not pass descriptors"
