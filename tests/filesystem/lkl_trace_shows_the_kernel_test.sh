#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl trace shows what the kernel of another subcommand does, as trace events. It needs
# the image of "make kernel-trace"; "make test-trace" builds and tests it.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs

make_image image 16M
mkfs.ext4 -q image
printf 'hello\n' >hello
debugfs -w -R 'write hello hello' image 2>debugfs.log
inode=$(debugfs -R 'stat hello' image 2>/dev/null | sed -n 's/^Inode: \([0-9]*\).*/\1/p')

traced=${LKL_KERNEL_IMAGE:-$LKL_BUILD/lib/lkl/vmlinux}
traced=${traced%-trace}-trace
[ -f "$traced" ] || skip "there is no $traced"
export LKL_KERNEL_IMAGE=$traced

run 0 "$LKL_BIN/lkl" trace --list -e 'ext4:ext4_*' -e 'sched:sched_switch' >events
grep -qx ext4:ext4_load_inode events || fail "events: $(cat events)"
grep -qx sched:sched_switch events || fail "events: $(cat events)"
! grep -qv '^ext4:ext4_\|^sched:sched_switch$' events || fail "too many events: $(cat events)"

run 0 "$LKL_BIN/lkl" trace -e ext4:ext4_es_lookup_extent_enter -e 'block:*' -o trace -- cat image:/hello >out
[ "$(cat out)" = hello ] || fail "the command prints: $(cat out)"
[ ! -s stderr ] || fail "stderr: $(cat stderr)"
grep -qx '# image: image' trace || fail "no head: $(head -n1 trace)"
grep -qE " ext4_es_lookup_extent_enter: dev [0-9,]+ ino $inode " trace || fail "inode $inode: $(cat trace)"
grep -q ' block_rq_issue: ' trace || fail "no request to the disk: $(cat trace)"
grep -E '^ +[^ ]+-[0-9]+ ' trace >lines
! grep -vq ' ext4_es_lookup_extent_enter: \| block_' lines || fail "others: $(cat trace)"

# A pattern is the same to --list and to what is run: each event that was seen is one of
# those listed, and both know the ways to write one. A name that is there alone, as tracefs
# takes it, means its event or all of its system.
run 0 "$LKL_BIN/lkl" trace --list -e 'block:block_rq_*' >events
grep -qx block:block_rq_issue events || fail "events: $(cat events)"
grep -qx block:block_rq_complete events || fail "events: $(cat events)"
! grep -qv '^block:block_rq_' events || fail "too many events: $(cat events)"
run 0 "$LKL_BIN/lkl" trace -e 'ext4:ext4_load_in*' -e 'block:block_rq_*' -o trace -- cat image:/hello >out
grep -q ' ext4_load_inode: ' trace || fail "the first pattern: $(cat trace)"
grep -q ' block_rq_issue: ' trace || fail "the second pattern: $(cat trace)"
grep -E '^ +[^ ]+-[0-9]+ ' trace >lines
! grep -vq ' ext4_load_inode: \| block_rq_' lines || fail "others: $(cat trace)"
for pattern in jbd2 jbd2: 'jbd?:*'; do
    run 0 "$LKL_BIN/lkl" trace --list -e "$pattern" >events
    grep -qx jbd2:jbd2_end_commit events || fail "$pattern: $(cat events)"
    ! grep -qv ^jbd2: events || fail "$pattern: too many events: $(cat events)"
    run 0 "$LKL_BIN/lkl" trace -e "$pattern" -o trace touch image:/hello
    grep -q ' jbd2_end_commit: ' trace || fail "$pattern: $(cat trace)"
done
run 0 "$LKL_BIN/lkl" trace --list -e sched_switch >events
[ "$(cat events)" = sched:sched_switch ] || fail "events: $(cat events)"
run 0 "$LKL_BIN/lkl" trace -e sched_switch -o trace ls image:/ >out
grep -q ' sched_switch: ' trace || fail "no switch: $(cat trace)"

# On standard error without -o; a write is seen until the end of the unmount.
run 0 "$LKL_BIN/lkl" trace -e 'jbd2:jbd2_end_commit' mkdir image:/new
grep -q ' jbd2_end_commit: ' stderr || fail "no commit: $(cat stderr)"

# What does not fit is said.
run 0 "$LKL_BIN/lkl" trace -e 'kmem:*' -b 8 -o trace ls image:/
grep -qE 'the first [0-9]+ events did not fit' stderr || fail "says: $(cat stderr)"

run 1 "$LKL_BIN/lkl" trace -e ext4:nonsense ls image:/
says_one_line
grep -q 'ext4:nonsense: no such event' stderr || fail "says: $(cat stderr)"
run 1 "$LKL_BIN/lkl" trace --list -e ext4:nonsense
says_one_line
run 6 "$LKL_BIN/lkl" trace -e 'ext4:*' -o /dev/full ls image:/
says_one_line
run 6 "$LKL_BIN/lkl" trace -e 'ext4:*' -o nowhere/trace ls image:/
says_one_line
run 8 "$LKL_BIN/lkl" trace -e ext4:ext4_load_inode -o trace cat image:/nothing
says_one_line
grep -q ' ext4_load_inode: ' trace || fail "a command that fails leaves no trace"
