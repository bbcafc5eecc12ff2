#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Device nodes of images and sources, as root: they are copied, and a tool that was taken over
# opens none, whichever it makes and by whichever descriptor it goes. Where devices could be
# opened, none is made, which is told.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/../filesystem/lib.sh"
# shellcheck source=tests/hostile/lib.sh
. "$here/../hostile/lib.sh"
need mkfs.ext4 setpriv
need_root
need_filter
hook=$LKL_TESTS/hostile/taken_over.so
[ -e "$hook" ] || fail "there is no $hook"

mkdir out
mount -t tmpfs tmpfs out 2>/dev/null || skip "nothing can be mounted"
mkdir tree
echo text >tree/file
mknod -m 640 tree/null c 1 3
mknod -m 600 tree/loop b 7 300
make_image image 8M
mkfs.ext4 -q -d tree image
cp image written
mknod out/probe c 1 3
: <out/probe || skip "no device can be opened"
rm out/probe

# arrived FILE...: each has the kind, mode and numbers of that in the tree.
arrived() {
    local file
    for file; do
        [ "$(stat -c '%F %a %t:%T' "out/$file")" = "$(stat -c '%F %a %t:%T' "tree/$file")" ] ||
            fail "$file has become $(stat -c '%F %a %t:%T' "out/$file")"
    done
}
access=13
# refused KIND NODE COMMAND...: taken over in the middle of its work, it does not open the node,
# which it makes if it is not there.
refused() {
    local kind=$1 node=$2
    shift 2
    run 0 env LKL_TRY="$kind" LKL_NODE="$node" LD_PRELOAD="$hook" "$@" >/dev/null
    says "tried $kind: $access"
}

top=$PWD
for kind in character block; do
    for tool in "$LKL_BIN/cpfromfs -q -i image /file /null /loop" \
        "$LKL_BIN/lkl cp image:/file image:/null image:/loop"; do
        read -ra words <<<"$tool"
        # The destination; then what stands in the place of a closed one, "/"; then others that
        # are inherited, one of them the destination.
        refused $kind "$top/out/made" "${words[@]}" out
        arrived null loop
        refused $kind "$top/out/made" "${words[@]}" out <&-
        refused $kind "$top/out/made" "${words[@]}" out </
        refused $kind "$top/out/made" "${words[@]}" /dev/fd/7 7<out
        [ -e out/made ] || fail "it made no node"
        rm -r out/*
    done
    refused $kind "$top/out/made" "$LKL_BIN/lkl" shell image <<<"get /null out"
    arrived null
    rm -r out/*
    (cd out && refused $kind "$top/out/made" "$LKL_BIN/cpfromfs" -q -i ../image /null .)
    arrived null
    rm -r out/*
done

# Sources, which are read alone.
mkdir out/source
cp -a tree/. out/source
refused character "$top/out/source/null" "$LKL_BIN/cptofs" -q -i written out/source /
refused character "$top/out/source/null" "$LKL_BIN/lkl" cp -r out/source written:/
run 0 "$LKL_BIN/cpfromfs" -q -i written /source out/back
for file in null loop; do
    mv "out/back/$file" out
done
arrived null loop
rm -r out/*

# Without what a namespace takes.
without=(setpriv --bounding-set -sys_admin)
for tool in "$LKL_BIN/cpfromfs -q -i image /file /null" "$LKL_BIN/lkl cp image:/file image:/null"; do
    read -ra words <<<"$tool"
    run 10 "${without[@]}" "${words[@]}" out >/dev/null
    says "out/null: cannot make node null: Operation not permitted"
    [ "$(cat out/file)" = text ] || fail "the others are not copied"
    [ ! -e out/null ] || fail "a device was made"
    rm -r out/*
done
