#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# ctest: TIMEOUT=3600
# kill -9 in the middle of cptofs: the image can be mounted, what was in it before is
# there, and the real checker finds nothing wrong. LKL_TEST_KILLS: how often (6), in turn
# on each file system.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/../filesystem/lib.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs python3
need_root
types=(ext4 xfs btrfs)
for type in "${types[@]}"; do
    need_host_filesystem "$type"
done

# In memory: what counts is what the host was given, and a disk would take its time.
mkdir memory
mount -t tmpfs tmpfs memory
cd memory
python3 - <<'END'
import os, random
numbers = random.Random(3)
for tree, count in (("before", 30), ("source", 1500)):
    for number in range(count):
        os.makedirs(f"{tree}/{number % 20}", exist_ok=True)
        with open(f"{tree}/{number % 20}/{number}", "wb") as file:
            file.write(numbers.randbytes(numbers.choice((10, 5000, 60000))))
END
for type in "${types[@]}"; do
    make_image "fresh.$type" 400M
    "mkfs.$type" -q "fresh.$type" >/dev/null
    run 0 "$LKL_BIN/cptofs" -q -i "fresh.$type" before /
done

# From the start of the kernel to the unmount.
declare -A microseconds
for type in "${types[@]}"; do
    cp --sparse=always "fresh.$type" image
    begin=${EPOCHREALTIME/./}
    run 0 "$LKL_BIN/cptofs" -q -i image source /
    microseconds[$type]=$((${EPOCHREALTIME/./} - begin))
    rm image
done

# A time says little of another run's: some have ended before.
wanted=${LKL_TEST_KILLS:-6}
killed=0
for ((round = 0; killed < wanted && round < 4 * wanted; round++)); do
    type=${types[killed % ${#types[@]}]}
    cp --sparse=always "fresh.$type" image
    "$LKL_BIN/cptofs" -q -i image source / 2>/dev/null &
    tool=$!
    pause=$((RANDOM * microseconds[$type] / 32768))
    sleep "$((pause / 1000000)).$(printf %06d $((pause % 1000000)))"
    if kill -9 $tool 2>/dev/null; then
        killed=$((killed + 1))
    else
        # The one whose time was taken may have been slow.
        microseconds[$type]=$((microseconds[$type] / 2 + 1))
    fi
    wait $tool 2>/dev/null || true
    # The host replays the journal.
    host_mount image host
    compare_trees before host/before
    umount host
    check_clean "$type" image
    rm image
done
echo "$killed of $round were killed at work"
[ "$killed" -ge "$wanted" ] || fail "most of them had ended"
