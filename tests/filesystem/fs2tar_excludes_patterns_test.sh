#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# -x leaves out what GNU tar's --exclude leaves out.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 tar

mkdir -p source/a/b/c source/usr/share/doc/x source/src/doc
touch source/a/file.o source/a/b/file.o source/a/b/keep.c source/a/b/c/deep.o source/core \
    source/a/core source/a/core.c source/usr/share/doc/x/readme source/src/doc/text "source/a/[x]" \
    $'source/a/caf\xe9.o'
make_image image 8M
mkfs.ext4 -q -d source image

check() {
    local exclude=() x=() pattern
    for pattern; do
        exclude+=(--exclude "$pattern")
        x+=(-x "$pattern")
    done
    command tar -C source --format=pax "${exclude[@]}" -cf - . | tar -tf - | sed 's|^\./||; /^$/d' \
        | sort >expected
    run 0 "$LKL_BIN/fs2tar" "${x[@]}" image archive.tar
    members archive.tar | sed 's|^\./||; /^$/d' >actual
    diff expected actual || fail "different with: $*"
    [ "$(wc -l <actual)" -lt "$all" ] || fail "nothing was left out with: $*"
}
all=1000
run 0 "$LKL_BIN/fs2tar" image archive.tar
all=$(members archive.tar | sed 's|^\./||; /^$/d' | wc -l)

check '*.o'
check core
check a/b
check b/c
check './core'
check 'a/*.o'
check 'usr/*/doc'
check doc '*.c'
check 'a/[bc]*'
check 'a/\[x\]'
check '?ore'
check './a/b/c' 'usr'
