#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Patterns are those of the shell, in any part of the path; none that matches is a
# failure, others are copied.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4

mkdir -p tree/usr/bin tree/usr/sbin tree/etc
for file in usr/bin/one usr/bin/two usr/sbin/one usr/sbin/.hidden etc/passwd 'etc/odd[1]' etc/odd1; do
    echo "$file" >"tree/$file"
done
make_image image 8M
mkfs.ext4 -q -d tree image
mkdir out
run 10 "$LKL_BIN/cpfromfs" -i image '/usr/*/one' '/etc/p*' 'etc/odd[1]' out
says "/usr/sbin/one: has the name of a file of an earlier source: left out"
says "1 failure"
(cd out && find . -type f | sort) >list
printf './%s\n' 'odd[1]' one passwd | diff - list || fail "other files are there"
[ "$(cat out/one)" = usr/bin/one ] || fail "the first of one name was replaced"
run 10 "$LKL_BIN/cpfromfs" -i image '/none*' /usr/bin out
says "/none*: nothing matches in the image"
[ -e out/bin/two ] || fail "the rest was not copied"
run 8 "$LKL_BIN/cpfromfs" -i image /nowhere out
says "/nowhere: no such file in the image"
says_one_line
run 0 "$LKL_BIN/cpfromfs" -i image /usr/bin/one renamed
[ "$(cat renamed)" = usr/bin/one ] || fail "the only source does not get the name"
run 6 "$LKL_BIN/cpfromfs" -i image /usr/bin/one nowhere/renamed
says_one_line
run 0 "$LKL_BIN/cpfromfs" -q -i image '/usr/sbin/.' new
[ "$(cat new/.hidden)" = usr/sbin/.hidden ] || fail "not all is in the new directory"
