#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Names of one file stay that, whatever its link count says and however sources overlap. Where
# one of them cannot be made, the others are, and never as links to what was there before; an
# archive's link to a member that is not there is named.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.vfat debugfs tar python3
need_root

# same NAME...: they are one file.
same() {
    [ "$(stat -c %i "$@" | sort -u | wc -l)" = 1 ] || fail "not one file: $(stat -c '%n %i' "$@")"
}

# A damaged image: fewer links than names.
mkdir -p tree/d1 tree/d2
echo precious >tree/d1/a
ln tree/d1/a tree/d2/b
ln tree/d1/a tree/d2/c
ln -s target tree/d1/link
ln tree/d1/link tree/d2/link1
ln tree/d1/link tree/d2/link2
echo other >tree/d2/z
make_image wrong 16M
mkfs.ext4 -q wrong
run 0 "$LKL_BIN/cptofs" -q -i wrong tree/. /
for name in a link; do
    debugfs -w -R "set_inode_field /d1/$name links_count 2" wrong 2>/dev/null
done
run 0 "$LKL_BIN/cpfromfs" -q -i wrong /d1 /d2 "$PWD"
diff -r --no-dereference tree/d1 d1
diff -r --no-dereference tree/d2 d2
same d1/a d2/b d2/c
same d1/link d2/link1 d2/link2
rm -r d1 d2
run 0 "$LKL_BIN/fs2tar" -q wrong wrong.tar
mkdir out
tar -C out --warning=no-unknown-keyword --exclude=./lost+found -xf wrong.tar
compare_trees tree out
rm -r out

# Sources that overlap, from an image, from the host, and within an image.
make_image image 16M
mkfs.ext4 -q image
run 0 "$LKL_BIN/cptofs" -q -i image tree/d1/a tree tree/d2/b /
mkdir out
run 0 "$LKL_BIN/cpfromfs" -q -i image /a /tree /b out
same out/a out/b out/tree/d1/a out/tree/d2/b out/tree/d2/c
[ "$(cat out/a)" = precious ] || fail "its data"
same out/tree/d1/link out/tree/d2/link1 out/tree/d2/link2
run 0 "$LKL_BIN/cpfromfs" -q -i image /tree/d1/a /tree - >overlap.tar
mkdir unpacked again
tar -C unpacked -xf overlap.tar
same unpacked/a unpacked/tree/d1/a unpacked/tree/d2/b
[ "$(cat unpacked/tree/d2/c)" = precious ] || fail "its data in an archive"
run 0 "$LKL_BIN/lkl" mkdir image:/within
run 0 "$LKL_BIN/lkl" cp -q -r image:/tree/d1/a image:/tree image:/within
# The same names twice.
run 0 "$LKL_BIN/cpfromfs" -q -i image /within /within again
same again/within/a again/within/tree/d1/a again/within/tree/d2/{b,c}
compare_trees tree again/within/tree --ignore links

# A later source that is laid over an earlier one has another file of the name that a link of
# it leads to. The link is the file that it was, by itself.
mkdir -p over/a over/b
echo AAA >over/a/x
ln over/a/x over/a/y
echo BBB >over/b/x
ln over/a/x over/b/z1
ln over/a/x over/b/z2
laid_over() {
    [ "$(cat "$1"/{x,y,z1,z2})" = $'BBB\nAAA\nAAA\nAAA' ] || fail "$2: $(head "$1"/*)"
    same "$1"/z1 "$1"/z2
}
run 0 "$LKL_BIN/lkl" mkdir image:/laid image:/laid-by-cp image:/laid-within
run 0 "$LKL_BIN/cptofs" -q -i image over/a/. over/b/. /laid
run 0 "$LKL_BIN/lkl" cp -q -r over/a/. over/b/. image:/laid-by-cp
run 0 "$LKL_BIN/cptofs" -q -i image over /
run 0 "$LKL_BIN/lkl" cp -q -r image:/over/a/. image:/over/b/. image:/laid-within
mkdir laid-on-host laid-on-host-by-cp laid-by-tar
for name in laid laid-by-cp laid-within; do
    run 0 "$LKL_BIN/cpfromfs" -q -i image /$name .
    laid_over $name $name
done
run 0 "$LKL_BIN/cpfromfs" -q -i image /over/a/. /over/b/. laid-on-host
laid_over laid-on-host cpfromfs
run 0 "$LKL_BIN/lkl" cp -q -r image:/over/a/. image:/over/b/. laid-on-host-by-cp
laid_over laid-on-host-by-cp "lkl cp"
run 0 "$LKL_BIN/cpfromfs" -q -i image /over/a/. /over/b/. - >laid.tar
tar -C laid-by-tar -xf laid.tar
laid_over laid-by-tar "cpfromfs, an archive"
rm -r laid*

# No room for the first name, on the host: what was there before stays there alone.
mkdir pair
head -c 3000000 /dev/urandom >pair/b1
ln pair/b1 pair/b2
run 0 "$LKL_BIN/cptofs" -q -i image pair /
mkdir small
mount -t tmpfs -o size=2M none small
mkdir small/pair
echo old >small/pair/b1
echo old2 >small/pair/b2
run 10 "$LKL_BIN/cpfromfs" -i image --json /pair small >result.json
says "2 failures:"
[ "$(cat small/pair/b1 small/pair/b2)" = $'old\nold2' ] || fail "another file was linked"
python3 - <<'END' || fail "$(cat result.json)"
import json
result = json.load(open("result.json"))
assert result["files"] == result["hard_links"] == 0, result
assert [f["path"] for f in result["failures"]] == ["small/pair/b1", "small/pair/b2"], result
END

# The first name cannot be made; the others are, and each other's.
rm -r pair
mkdir pair
echo new >pair/a
ln pair/a pair/b
ln pair/a pair/c
mkdir -p out/pair/a
run 0 "$LKL_BIN/lkl" rm -r image:/pair
run 0 "$LKL_BIN/cptofs" -q -i image pair /
run 10 "$LKL_BIN/cpfromfs" -q -i image /pair out
says "pair/a: cannot replace a directory by a file"
says "1 failure:"
same out/pair/b out/pair/c
[ "$(cat out/pair/b)" = new ] || fail "its other names are not there"
# In an image: what is immutable cannot be replaced.
make_image immutable 16M
mkdir -p before/pair
echo old >before/pair/a
mkfs.ext4 -q -d before immutable
debugfs -w -R "set_inode_field /pair/a flags 0x80010" immutable 2>/dev/null
run 10 "$LKL_BIN/cptofs" -q -i immutable pair /
says "pair/a: cannot"
says "1 failure:"
run 0 "$LKL_BIN/cpfromfs" -q -i immutable /pair after
[ "$(cat after/a after/b after/c)" = $'old\nnew\nnew' ] || fail "$(head after/*)"
same after/b after/c
# On FAT, which has neither all names nor hard links.
mkdir fat
echo data >fat/a:b
ln fat/a:b fat/c
make_image vfat 16M
mkfs.vfat vfat >/dev/null
run 10 "$LKL_BIN/cptofs" -q -i vfat fat/. /
says "a:b: cannot"
says "1 failure:"
[ "$("$LKL_BIN/lkl" cat vfat:/c)" = data ] || fail "the other name is not there"

# What cannot be made of a directory is not there for what is elsewhere either.
mkdir -p refused/1 refused/2
echo data >refused/1/file
ln refused/1/file refused/2/file
mkdir blocked
echo a-file >blocked/1
run 0 "$LKL_BIN/cptofs" -q -i image refused /
run 10 "$LKL_BIN/cpfromfs" -q -i image /refused/. blocked
[ "$(cat blocked/2/file)" = data ] || fail "it was not copied by its other name"

# An archive has the data once. A link to what was not made is not one to what was there.
tar -C pair -cf pair.tar --transform 's,^,pair/,' a b
cp immutable archive.image
run 10 "$LKL_BIN/tar2fs" -q pair.tar archive.image
says "pair/a: cannot"
says "pair/b: cannot make hard link: pair/a itself was not copied"
says "2 failures:"
