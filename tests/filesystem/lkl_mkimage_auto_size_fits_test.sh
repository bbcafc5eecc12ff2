#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Size auto: never too small, and what stays free is within what the manual says: 1/64 of
# the contents and 1 MiB (of ext; others take room in larger steps).
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4 mkfs.fat fsck.fat python3
need_root
need_host_filesystem ext4

mkdir tiny big names sparse empty
python3 - <<'EOF'
import os
for directory in range(10):
    os.mkdir(f"tiny/{directory}")
    for number in range(600):
        with open(f"tiny/{directory}/{number}", "w") as file:
            file.write("x")
with open("big/file", "wb") as file:
    for _ in range(30):
        file.write(os.urandom(1 << 20))
for number in range(2000):
    open(f"names/{number:05}" + "n" * 240, "w").close()
for number in range(300):
    os.symlink("t" * 1000, f"names/link-{number}")
with open("sparse/file", "wb") as file:
    file.truncate(1 << 32)
    for number in range(1000):
        file.seek(number << 20)
        file.write(b"data")
EOF
# free_bytes IMAGE: as the host sees it.
free_bytes() {
    host_mount "$1" seen ro
    stat -f -c '%f %S' seen | { read -r blocks size; echo $((blocks * size)); }
    umount seen
}
for source in tiny big names sparse empty; do
    for type in ext4 ext2; do
        [ $type = ext4 ] || [ $source = big ] || [ $source = sparse ] || continue
        rm -f image
        run 0 mkimage -q --fs "$type" "$source" image
        free=$(free_bytes image)
        size=$(stat -c %s image)
        echo "$type of $source: $size bytes, $free free"
        # Index blocks that were counted and not needed are free, too.
        slack=$((size / 64 + (1 << 20)))
        [ "$source" != names ] || slack=$((size / 3))
        [ "$source" != tiny ] || slack=$((size / 32))
        [ "$size" -le $((9 << 20)) ] || [ "$free" -le "$slack" ] ||
            fail "$type of $source: $free bytes are free of $size"
    done
done
# Free space that is asked for is there.
run 0 mkimage -q --size auto+50M tiny image
[ "$(free_bytes image)" -ge $((50 << 20)) ] || fail "auto+50M"
run 0 mkimage -q --size auto+50% big image
[ "$(free_bytes image)" -ge $((15 << 20)) ] || fail "auto+50%"
run 0 mkimage -q --size 100M big image
[ "$(stat -c %s image)" = $((100 << 20)) ] || fail "a fixed size"
for source in tiny names; do
    run 0 mkimage -q --fs vfat -x 'link-*' "$source" fat.image
    check_made vfat fat.image
done
