#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Sources of one name: their directories become one, and a file of a later one that has the name
# of another file of an earlier one is named and left out, whichever way is copied. The very
# same file again is no failure; nor is what comes in the place of files that were there before,
# or of those of a source without a name.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

mkdir -p x/a/sub y/a/sub
for file in a/f a/sub/deep a/sub/link; do
    echo from-x >"x/$file"
    echo from-y >"y/$file"
done
rm y/a/sub/link
ln -s from-y y/a/sub/link
echo x-alone >x/a/x
echo y-alone >y/a/y

# refused FAILURES PREFIX: the files of y that x has too were named, with that before the name.
refused() {
    local name
    for name in f sub/deep sub/link; do
        says "$1y/a/$name: has the name of a file of an earlier source: left out"
    done
    says "3 failures"
}

# holds DIRECTORY: the files of x, and those that y alone has.
holds() {
    local name
    for name in f sub/deep sub/link; do
        [ ! -L "$1/$name" ] || fail "$name is not that of x"
        [ "$(cat "$1/$name")" = from-x ] || fail "$name is not that of x"
    done
    [ "$(cat "$1/x" "$1/y")" = $'x-alone\ny-alone' ] || fail "the rest was not copied"
    [ "$(find "$1" ! -type d | wc -l)" = 5 ] || fail "there is more: $(find "$1")"
}

# out IMAGE PATH: what is in it, in "seen".
out() {
    rm -rf seen
    run 0 "$LKL_BIN/cpfromfs" -q -i "$1" "$2" seen
}

fresh() {
    rm -f image
    make_image image 8M
    mkfs.ext4 -q image
}

fresh
run 10 "$LKL_BIN/cptofs" --json -q -i image x/a y/a / >result.json
refused ""
python3 - <<'END' || fail "$(cat result.json)"
import json
result = json.load(open("result.json"))
assert result["files"] == 5, result
assert sorted(f["path"] for f in result["failures"]) == \
    ["y/a/f", "y/a/sub/deep", "y/a/sub/link"], result
END
check_clean ext4 image
out image /a
holds seen
# By patterns, and where all was there before.
run 10 "$LKL_BIN/cptofs" -q -i image '?/a' /
refused ""
out image /a
holds seen
fresh
run 10 "$LKL_BIN/lkl" -q cp -r x/a y/a image:/
refused ""
out image /a
holds seen

# Out of an image, and within it.
run 0 "$LKL_BIN/cptofs" -q -i image x y /
mkdir to
run 10 "$LKL_BIN/cpfromfs" -q -i image '/?/a' to
refused /
holds to/a
rm -r to
mkdir to
run 10 "$LKL_BIN/lkl" -q cp -r image:/x/a image:/y/a to
refused /
holds to/a
run 0 "$LKL_BIN/lkl" mkdir image:/within
run 10 "$LKL_BIN/lkl" -q cp -r image:/x/a image:/y/a image:/within
refused /
out image /within/a
holds seen
# An archive has one member of a name.
run 10 "$LKL_BIN/cpfromfs" -q -i image /x/a /y/a - >both.tar
refused /
[ "$(tar -tf both.tar | sort | uniq -d | grep -v '/$')" = "" ] || fail "$(tar -tf both.tar)"

# The same source twice.
fresh
run 0 "$LKL_BIN/cptofs" -q -i image x/a x/a y/a/y y/a/y /
out image /a
diff -r x/a seen
# One that could not be read has not taken its name.
run 10 "$LKL_BIN/cptofs" -q -i image gone/f y/a/f x/a/f /
says "gone/f: cannot"
says "x/a/f: has the name of a file of an earlier source"
says "2 failures"
out image /f
[ "$(cat seen)" = from-y ] || fail "$(cat seen)"

# Sources without a name lie one upon the other.
fresh
run 0 "$LKL_BIN/cptofs" -q -i image x/a/. y/a/. /
out image /f
[ "$(cat seen)" = from-y ] || fail "the later one does not cover the earlier one"
