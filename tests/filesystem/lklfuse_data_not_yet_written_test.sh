#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Data that the host's kernel still has in its cache is no hole: neither for cp, while the
# writer has the file open, nor for many processes that write and seek in the same files,
# whether one thread serves them or several.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.ext4 python3
need_root

cat >writers.py <<'END'
import os, random, sys, time

end = time.monotonic() + 4
children = []
for seed in range(8):
    child = os.fork()
    if child:
        children.append(child)
        continue
    os.chdir(sys.argv[1])
    choice = random.Random(seed)
    own = 1 << 20  # each writes in a megabyte of its own, and knows what is there
    file = os.open("shared%d" % (seed % 2), os.O_RDWR | os.O_CREAT)
    written = set()
    while time.monotonic() < end:
        page = choice.randrange(256)
        os.pwrite(file, b"w" * 4096, seed * own + page * 4096)
        written.add(page)
        page = choice.choice(sorted(written))
        at = seed * own + page * 4096
        if os.lseek(file, at, os.SEEK_DATA) != at or os.lseek(file, at, os.SEEK_HOLE) < at + 4096:
            os._exit(1)
    os._exit(0)
if any(os.waitpid(child, 0)[1] for child in children):
    raise SystemExit("written data is a hole")
END

for options in max_threads=10 max_threads=1 single; do
    make_image image 200M
    mkfs.ext4 -q image >/dev/null
    if [ "$options" = single ]; then
        fuse_start image mount -s
    else
        fuse_start image mount -o "$options"
    fi
    exec 5<>mount/held
    truncate -s 8M mount/held
    dd if=/dev/urandom of=mount/held bs=64k count=3 seek=64 conv=notrunc status=none
    head -c 1000000 /dev/urandom >&5
    cp mount/held copy
    cmp mount/held copy || fail "$options: the copy differs"
    timeout 60 python3 -B writers.py mount || fail "$options"
    exec 5>&-
    fuse_stop mount
    check_clean ext4 image
    rm image copy
done
