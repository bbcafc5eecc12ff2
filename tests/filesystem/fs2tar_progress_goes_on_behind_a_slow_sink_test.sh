#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The progress bar is drawn while all that fs2tar has read waits for a slow compressor or a
# pipe that nobody reads: in the midst of the archive, and when its last bytes are on the way.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 script

mkdir small large
head -c 3M /dev/urandom >small/file
head -c 8M /dev/urandom >large/file
for size in small large; do
    make_image $size.img 64M
    mkfs.ext4 -q -d $size $size.img
    for compression in none xz; do
        # The pipe is left alone for so long that the bar would be drawn 15 times.
        script -qec "$LKL_BIN/fs2tar --compress=$compression $size.img - | { sleep 3; cat >archive; }" \
            output >/dev/null </dev/null || fail "$size, $compression: $(cat output)"
        tar -tf archive ./file >names 2>&1 || tar -tf archive file >names || fail "$(cat names)"
        # The same figures, again and again.
        again=$(tr '\r' '\n' <output | grep -o '[0-9.]* [KM]*i*B, [0-9]* files' | uniq -c |
            sort -n | awk 'END { print $1 + 0 }')
        [ "$again" -ge 5 ] || fail "$size, $compression: drawn $again times: $(tr '\r' '\n' <output)"
    done
done

# Nobody sees it: no call of the thread that reads ends because time has passed.
need strace
strace -o calls -e trace=futex "$LKL_BIN/fs2tar" small.img - 2>error | { sleep 2; cat >archive; }
! grep -c 'ETIMEDOUT' calls >count || [ "$(cat count)" -lt 5 ] || fail "woken up $(cat count) times"
[ ! -s error ] || fail "without a terminal: $(cat error)"
