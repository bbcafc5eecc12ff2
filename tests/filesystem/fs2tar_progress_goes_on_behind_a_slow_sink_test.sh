#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The progress bar is drawn while all that fs2tar has read waits for a slow compressor or a
# pipe that nobody reads: in the midst of the archive, and when its last bytes are on the way.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 script

# How often the same figures were drawn, and who reads when that was often.
cat >drawn <<'END'
tr '\r' '\n' <output | grep -o '[0-9.]* [KM]*i*B, [0-9]* files' | uniq -c | sort -n |
    awk 'END { print $1 + 0 }'
END
cat >sink <<'END'
for _ in $(seq 300); do
    [ "$(bash drawn)" -lt 5 ] || break
    sleep 0.1
done
cat >archive
END

mkdir small large
head -c 3M /dev/urandom >small/file
head -c 8M /dev/urandom >large/file
for size in small large; do
    make_image $size.img 64M
    mkfs.ext4 -q -d $size $size.img
    for compression in none xz; do
        # The pipe is left alone until the bar has been drawn again and again.
        script -qefc "$LKL_BIN/fs2tar --compress=$compression $size.img - | bash sink" \
            output >/dev/null </dev/null || fail "$size, $compression: $(cat output)"
        tar -tf archive ./file >names 2>&1 || tar -tf archive file >names || fail "$(cat names)"
        again=$(bash drawn)
        [ "$again" -ge 5 ] || fail "$size, $compression: drawn $again times: $(tr '\r' '\n' <output)"
    done
done

# Nobody sees it: no call of the thread that reads ends because time has passed.
need strace
export ASAN_OPTIONS=detect_leaks=0:${ASAN_OPTIONS:-} # not while it is traced
strace -o calls -e trace=futex "$LKL_BIN/fs2tar" small.img - 2>error | { sleep 2; cat >archive; }
! grep -c 'ETIMEDOUT' calls >count || [ "$(cat count)" -lt 5 ] || fail "woken up $(cat count) times"
[ ! -s error ] || fail "without a terminal: $(cat error)"
