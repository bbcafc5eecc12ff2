#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Of archives that stand one behind the other the first is read, and it is told that something
# follows, whatever they are packed in. Padding is nothing, however much there is.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 debugfs tar cpio bsdtar gzip xz bzip2 python3

mkdir one two
echo one >one/one
echo two >two/two
for name in one two; do
    tar -cf $name.tar -C $name $name
    (cd $name && echo $name | cpio -o -H newc --quiet) >$name.cpio
    (cd $name && echo $name | cpio -o -H odc --quiet) >$name.odc
    bsdtar -C $name --format=zip -cf $name.zip $name
done
packings=(cat gzip xz bzip2)
for packing in zstd lz4; do
    ! command -v $packing >/dev/null || packings+=("$packing")
done

# extract CODE ARCHIVE: of a fresh image.
extract() {
    rm -f image
    make_image image 16M
    mkfs.ext4 -q image
    run "$1" "$LKL_BIN/tar2fs" -q "$2" image
}
# first_alone: what is in the image.
first_alone() {
    [ "$(debugfs -R 'cat one' image 2>/dev/null)" = one ] || fail "the first is not there"
    debugfs -R 'stat two' image 2>&1 | grep -q "File not found" || fail "the second is there"
}

for format in tar cpio odc; do
    for packing in "${packings[@]}"; do
        # Each packed by itself, and both as one.
        cat <($packing <one.$format) <($packing <two.$format) >row
        extract 10 row
        says "row: after byte"
        says "something else follows the end of the archive"
        says "1 failure"
        first_alone
        cat one.$format two.$format | $packing >row
        extract 10 row
        says "something else follows the end of the archive"
        first_alone
    done
    # What is not packed, behind what is: a small archive may not come to be read at all.
    for packing in "${packings[@]:1}"; do
        cat <($packing <one.$format) two.$format >row
        code=0
        "$LKL_BIN/tar2fs" -q row image 2>stderr || code=$?
        [ $code = 10 ] || [ $code = 11 ] || fail "exit code $code"
        says "row: "
    done
    # As the early files of Linux are put together.
    cat one.$format <(gzip <two.$format) >row
    extract 10 row
    says "something else follows the end of the archive"
    first_alone
done
run 11 "$LKL_BIN/tar2fs" -q --fail-fast row image
says_one_line
make_image fresh 16M
mkfs.ext4 -q fresh
run 10 "$LKL_BIN/cptofs" -q -i fresh - / <row
says "standard input: after byte"
[ "$("$LKL_BIN/lkl" cat fresh:/one)" = one ] || fail "cptofs: the first is not there"

# A last byte, behind much that is nothing.
{ cat one.tar; head -c 3000000 /dev/zero; echo end; } >row
extract 10 row
says "something else follows the end of the archive"
# Padding, packed or not, from a file or a pipe.
for format in tar cpio odc; do
    { cat one.$format; head -c 70000000 /dev/zero; } >row
    extract 0 row
    gzip -1 row
    extract 0 row.gz
    { cat one.$format; head -c 70000000 /dev/zero; } | extract 0 -
    first_alone
    { gzip <one.$format; head -c 100000 /dev/zero; } | extract 0 -
    first_alone
    rm row.gz
done
# Formats with a table at their end, or in another order, are not streams.
for format in zip 7zip iso9660 ar; do
    bsdtar -C one --format=$format -cf archive one 2>/dev/null || continue
    extract 0 archive
    [ "$("$LKL_BIN/lkl" cat image:/one)" = one ] || fail "$format"
done
extract 0 - <one.zip
[ "$("$LKL_BIN/lkl" cat image:/one)" = one ] || fail "ZIP from standard input"
