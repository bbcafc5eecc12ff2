#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A source that ends in a slash is a directory, to which a symbolic link leads, as for cp -a:
# cptofs, cpfromfs and lkl cp, shut in. What is no directory is refused. Names of what lies
# below the top have one slash.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

mkdir -p tree/directory/deeper empty
echo one >tree/directory/one
echo two >tree/directory/deeper/two
ln -s directory tree/link
ln -s link tree/link-to-link
ln -s directory/one tree/link-to-file
ln -s nowhere tree/broken
make_image full 8M
mkfs.ext4 -q -d tree full
for source in directory/ link/ link-to-link/ link//; do
    mkdir expected-new expected
    cp -a "tree/$source" expected-new/name
    cp -a "tree/$source" expected
    for tool in cptofs "lkl cp"; do
        make_image image 8M
        mkfs.ext4 -q -d empty image
        if [ "$tool" = cptofs ]; then
            run 0 "$LKL_BIN/cptofs" -i image "tree/$source" /name
            run 0 "$LKL_BIN/cptofs" -i image "tree/$source" /
        else
            run 0 "$LKL_BIN/lkl" cp -r "tree/$source" image:/name
            run 0 "$LKL_BIN/lkl" cp -r "tree/$source" image:/
        fi
        mkdir seen
        run 0 "$LKL_BIN/cpfromfs" -q -i image /. seen
        rmdir seen/lost+found
        mv expected-new/name expected
        diff -r --no-dereference expected seen || fail "$tool tree/$source"
        mv expected/name expected-new
        rm -r seen image
    done
    mkdir seen-new seen
    run 0 "$LKL_BIN/cpfromfs" -i full "/$source" seen-new/name
    run 0 "$LKL_BIN/lkl" cp -r "full:/$source" seen
    diff -r --no-dereference expected-new seen-new || fail "cpfromfs /$source"
    diff -r --no-dereference expected seen || fail "lkl cp full:/$source"
    rm -r seen-new seen expected-new expected
done

# Without the slash, the link itself.
mkdir seen
run 0 "$LKL_BIN/cpfromfs" -i full /link seen
[ "$(readlink seen/link)" = directory ] || fail "the link became something else"
for source in directory/one/ link-to-file/ broken/; do
    run 8 "$LKL_BIN/cptofs" -i full "tree/$source" /new
    says "tree/$source: cannot"
    says_one_line
    run 8 "$LKL_BIN/cpfromfs" -i full "/$source" seen
    says "/$source: no such file in the image"
    says_one_line
done

python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("tree/directory/socket")'
make_image image 8M
mkfs.ext4 -q -d tree image
for source in / /directory/; do
    run 0 "$LKL_BIN/cpfromfs" -i image "$source" - >archive.tar
    says "cpfromfs: /directory/socket: socket: left out"
done
