#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Shows the main job: a real ext4 image is read by the Linux kernel inside an
# ordinary process, without root, and becomes a tar archive, which is compared with
# what went into the image.
#
#   demo.sh BUILD
set -euo pipefail
export LC_ALL=C
umask 022

build=$1
fs2tar=$build/bin/fs2tar
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=$work/tree
# On a user's path these are not, on Debian.
PATH=$PATH:/usr/sbin:/sbin

say()
{
    printf '\n== %s\n' "$*"
}

size()
{
    echo "$(du -h --apparent-size "$1" | cut -f 1), $(du -h "$1" | cut -f 1) of it stored"
}

say "A tree of real files, with some odd ones"
mkdir "$tree"
cp -a /usr/include "$tree/include"
ln -s ../include/stdio.h "$tree/symbolic-link"
cp /etc/passwd "$tree/first-name"
chmod 0640 "$tree/first-name"
ln "$tree/first-name" "$tree/second-name"
mkfifo "$tree/fifo"
truncate -s 64M "$tree/sparse"
printf 'the end' >>"$tree/sparse"
: >"$tree/$(printf 'n%.0s' {1..255})"
# mkfs.ext4 -d keeps whole seconds only.
find "$tree" -exec touch -h -d '2024-02-29 12:34:56 UTC' {} +
names()
{
    sed -e 's|^\./||' -e 's|/$||' | grep -vxE '|\.|lost\+found' | sort
}
(cd "$tree" && find . | names) >"$work/wanted"
echo "$(wc -l <"$work/wanted") files, $(du -sh "$tree" | cut -f 1)"

say "mkfs.ext4 -d tree image"
truncate -s "$(($(du -sm "$tree" | cut -f 1) * 3 / 2 + 64))M" "$work/image"
mkfs.ext4 -q -F -E root_owner="$(id -u):$(id -g)" -d "$tree" "$work/image"
size "$work/image"

say "fs2tar image archive.tar"
start=$EPOCHREALTIME
"$fs2tar" "$work/image" "$work/archive.tar"
end=$EPOCHREALTIME
echo "took $(((${end/./} - ${start/./}) / 1000)) ms, boot of the kernel included"
size "$work/archive.tar"

say "The archive's first entries"
tar -tvf "$work/archive.tar" | sed -n 1,12p

say "Comparing the archive with the tree"
tar -tf "$work/archive.tar" | names >"$work/got"
if ! diff "$work/wanted" "$work/got"; then
    echo "demo: the archive has other members than the tree" >&2
    exit 1
fi
# Contents, kind, size, mode, owner, time, link target.
tar --compare -f "$work/archive.tar" -C "$tree" --exclude=lost+found
echo "$(wc -l <"$work/got") files in the archive, all as in the tree"
