#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Where the file system takes different names for one, the second of two files is a failure, by
# name, and the first stays as it was copied: whichever tool copies, and whatever kind of file
# it is. What was there before, by any spelling, is replaced as everywhere; so is an earlier
# member of the same name.
# shellcheck source=tests/filesystem/lklfuse.sh
. "$(dirname "$0")/lklfuse.sh"
need mkfs.vfat mkfs.exfat mkfs.ext4 fsck.fat debugfs tar python3
need_root

mkdir -p ci/Dir ci/dir ci/sub
echo one >ci/File
echo two >ci/file
echo three >ci/trail.
echo four >ci/trail
echo a >ci/Dir/x
echo b >ci/dir/x
echo five >ci/sub/OTHER
echo six >ci/sub/other
# On the host, what takes no time to make has its name at once; what does, at its end.
head -c 3000000 /dev/urandom >ci/sub/LARGE
head -c 3000000 /dev/urandom >ci/sub/large

# left DIRECTORY FAILURES: the names in it are as many as there can be, each has what that name
# had in the source, and each that is missing was told on standard error.
left() {
    python3 - "$1" <<'END' || fail "$1: not what was copied, or not told"
import os, sys
copy = sys.argv[1]
told = open("stderr").read()
seen = {}
for top, _, names in os.walk("ci"):
    for name in names:
        path = os.path.join(top, name)
        key = path.lower().rstrip(".")
        # FAT does without a dot at the end.
        there = os.path.join(copy, path.rstrip("."))
        # Of the names that mean the same, the one that was not told is there.
        if f'{path}: cannot use "' in told or f"{top}: cannot use" in told:
            continue
        assert key not in seen, (path, seen[key])
        seen[key] = path
        with open(path, "rb") as file, open(there, "rb") as other:
            assert file.read() == other.read(), path
assert len(seen) == 5, seen
END
    [ "$(find "$1/ci" -type f | wc -l)" = 5 ] || fail "not five files: $(find "$1/ci")"
}

# out IMAGE: what is in it, in "seen".
out() {
    rm -rf seen
    mkdir seen
    "$LKL_BIN/cpfromfs" -q -i "$1" /ci seen
}

# Both orders of members, directories without members of their own among them.
tar -cf one.tar ci
tar -cf two.tar ci/trail. ci/trail ci/file ci/File ci/dir/x ci/Dir/x ci/sub/{other,OTHER,large,LARGE}
for type in vfat exfat; do
    for way in "cptofs -q -i image ci /" "lkl cp -q -r ci image:/" \
        "tar2fs -q one.tar image" "tar2fs -q two.tar image"; do
        rm -f image
        make_image image 64M
        "mkfs.$type" image >/dev/null
        # shellcheck disable=SC2086  # words
        run 10 "$LKL_BIN/"$way
        [ "$(grep -c 'cannot use "' stderr)" -ge 5 ] || fail "$type, $way: not all are told"
        cp stderr told
        [ $type = exfat ] || check_clean vfat image
        out image
        cp told stderr
        case $way in
        *two.tar*) [ "$(find seen/ci -type f | wc -l)" = 5 ] || fail "not five: $(find seen)" ;;
        *) left seen ;;
        esac
        # Once more: what was there is replaced by what takes its place.
        # shellcheck disable=SC2086  # words
        run 10 "$LKL_BIN/"$way
        [ "$(grep -c 'cannot use "' stderr)" = "$(grep -c 'cannot use "' told)" ] ||
            fail "$type, $way: another time it is not the same"
    done
    # There is no image with a file missing.
    run 6 "$LKL_BIN/lkl" mkimage -q --fs "$type" ci made.image
    says "cannot use \""
    [ ! -e made.image ] || fail "mkimage: $type: there is an image"
done
says_one_line

# A new spelling of a name that was there before.
mkdir upper lower
echo old >upper/README.TXT
echo new >lower/readme.txt
rm -f image
make_image image 64M
mkfs.vfat image >/dev/null
run 0 "$LKL_BIN/cptofs" -q -i image upper/. /
run 0 "$LKL_BIN/cptofs" -q -i image lower/. /
run 0 "$LKL_BIN/lkl" cat image:/readme.txt >actual
cmp actual lower/readme.txt
[ "$("$LKL_BIN/lkl" ls image:/ | wc -l)" = 1 ] || fail "there are two"
# Two sources with a directory of one name.
mkdir -p first/both second/both
echo first >first/both/Name
echo second >second/both/name
run 10 "$LKL_BIN/cptofs" -q -i image first/both second/both /
says 'both/name: cannot use "name" as a name: the file system takes it for "Name"'
[ "$("$LKL_BIN/lkl" cat image:/both/name)" = first ] || fail "the first one was replaced"
# The same member twice: the last one counts.
echo first >member
tar -cf repeated.tar member
echo last >member
tar -rf repeated.tar member
run 0 "$LKL_BIN/tar2fs" -q repeated.tar image
[ "$("$LKL_BIN/lkl" cat image:/member)" = last ] || fail "not the last member"

# A directory of ext4 with casefold, where there are hard links: none of the names is lost.
mkdir links
echo linked >links/File
ln links/File links/zlink
echo other >links/file
ln links/file links/FILE
make_image folded 32M
mkfs.ext4 -q -O casefold folded
debugfs -w -R "set_inode_field <2> flags 0x40080000" folded 2>/dev/null
run 10 "$LKL_BIN/cptofs" -q -i folded links/. /
[ "$(grep -c 'cannot use "' stderr)" = 2 ] || fail "not two of them"
[ "$("$LKL_BIN/lkl" find folded:/ -type f | wc -l)" -ge 1 ] || fail "no name is left"
[ "$("$LKL_BIN/lkl" cat folded:/zlink)" = linked ] || fail "a name that means no other"

# To the host, where a name may be such an image's.
make_image sound 32M
mkfs.ext4 -q sound
run 0 "$LKL_BIN/cptofs" -q -i sound ci /
rm image
make_image image 64M
mkfs.vfat image >/dev/null
fuse_start image mount
run 10 "$LKL_BIN/cpfromfs" -q -i sound /ci mount
left mount
run 10 "$LKL_BIN/cpfromfs" -q -i sound /ci mount
left mount
fuse_stop mount
check_clean vfat image
# It differs by case alone where that makes a difference.
run 0 "$LKL_BIN/cptofs" -q -i sound ci/. /ci
run 0 "$LKL_BIN/cpfromfs" -q -i sound /ci whole
diff -r ci whole
