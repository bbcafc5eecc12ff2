#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What lkl cannot do is one line and the right exit code; IMAGE:PATH is the longest name
# of a file; options of the manual page and of --help are the same.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3

small_image image
mkdir directory
before=$(digest image)
# check CODE TEXT ARGUMENTS...
check() {
    local code=$1 text=$2
    shift 2
    run "$code" "$LKL_BIN/lkl" "$@" </dev/null >/dev/null
    says_one_line
    says "$text"
}
check 1 "subcommand is required"
check 1 "subcommand is required" nonsense
check 1 "an image is needed" ls
check 1 "--nonsense" ls --nonsense image
check 1 "--nonsense" --nonsense
check 1 "--nonsense" mkimage --nonsense
check 2 "no-such-image: cannot open" ls no-such-image:/x
check 2 "directory: is a directory" ls directory
check 8 "image:/none: No such file or directory" ls image:/none
check 8 "image:/one/x: Not a directory" cat image:one/x
check 8 "image:/directory: Is a directory" cat image:directory
check 8 "image:/directory: Is a directory" sum image:directory
check 8 "nothing matches" cat 'image:/*.none'
check 8 "nothing matches" cp 'image:/*.none' directory
check 8 "image:/none: No such file or directory" cp image:/none directory
check 8 "image:/none/x: No such file or directory" cp image:/none/x directory
check 8 "/directory: is a directory" cp image:/directory directory
[ "$(digest image)" = "$before" ] || fail "something was written"
check 8 "directory: is a directory" cp directory image:/
check 8 "no-such-file: cannot" cp no-such-file image:/
check 8 "File exists" mkdir image:/directory
check 8 "No such file or directory" mkdir image:/none/none
check 8 "Is a directory" rm image:/directory
check 8 "the top directory" rm -r image:/
check 8 "the top directory" rm -r image:
check 8 "No such file or directory" mv image:/none image:/x
check 8 "Invalid argument" mv image:/directory image:/directory/deeper/x
check 8 "File exists" ln -s x image:/one
check 8 "No such file or directory" ln image:/none image:/x
check 1 "is no mode" chmod u=q image:/one
check 1 "no such user" chown nobody-here image:/one
check 1 "no such group" chown :nobody-here image:/one
check 1 "is no time" touch -d yesterday-or-so image:/one
check 1 "is no time" touch -d 2023-02-29 image:/one
check 1 "is no time" touch -d @-9223372036854775808.5 image:/one
check 1 "the image is written" -o ro rm image:/one
check 1 "not written" -o rw ls image
check 1 "IMAGE:PATH" edit image
head -c 1M /dev/zero >nothing
check 3 "no file system" ls nothing
check 3 "cannot mount" -t ext4 ls nothing
check_clean ext4 image

# All operands are tried; what can be printed is, and each failure is told.
run 8 "$LKL_BIN/lkl" cat image:/one image:/none image:/directory/two >actual
[ "$(cat actual)" = "$(printf 'one\ntwo')" ] || fail "cat stopped"
says_one_line
# Nor does one image that cannot be opened, or mounted, stop the others.
lkl() {
    run "$1" "$LKL_BIN/lkl" "${@:2}" >actual
    says_one_line
}
lkl 2 cat nowhere:/one image:/one nowhere:/two
[ "$(cat actual)" = one ] || fail "cat stopped at an image"
lkl 3 ls nothing image:/other
[ "$(cat actual)" = "$(printf 'image:/other:\nfour.txt')" ] || fail "ls printed: $(cat actual)"
lkl 2 df image nowhere
[ "$(sed -n '2s/ .*//p' actual)" = image ] || fail "df stopped"
lkl 2 df nowhere
[ ! -s actual ] || fail "df of nothing prints: $(cat actual)"
lkl 2 touch image:/touched nowhere:/x image:/touched-too
run 0 "$LKL_BIN/lkl" stat image:/touched image:/touched-too >/dev/null
run 10 "$LKL_BIN/lkl" stat nowhere image:/one image:/none >actual
grep -q '^File: *image:/one$' actual || fail "stat stopped"
for command in df stat trim ls tree du sum find; do
    path=
    option=--json
    case $command in
    sum) path=:/one ;;
    find) option='-maxdepth 0 --json' ;;
    esac
    # shellcheck disable=SC2086  # words; options stand behind operands as well
    lkl 2 $command image$path nowhere$path $option
    [ "$(python3 -c 'import json; print(len(json.load(open("actual"))) > 0)')" = True ] ||
        fail "$command prints: $(cat actual)"
    # shellcheck disable=SC2086  # words
    lkl 2 $command nowhere$path $option
    [ "$(cat actual)" = "[]" ] || fail "$command of nothing prints: $(cat actual)"
done
# Where operands belong together, nothing is done.
before=$("$LKL_BIN/lkl" sum -r image:/)
lkl 2 mv image:/one image:/other/four.txt nowhere:/directory
lkl 2 ln -s one nowhere:/link
lkl 3 cp image:/one nothing:/one
lkl 8 mv image:/one image:/other/four.txt 'image:/none*'
[ "$("$LKL_BIN/lkl" sum -r image:/)" = "$before" ] || fail "something was moved"

# Of a copy, that something was left out.
run 10 "$LKL_BIN/lkl" cp image:/one image:/none directory
[ "$(cat directory/one)" = one ] || fail "cp stopped"

# The longest name of a file wins.
cp image image:1
cp image image:1:one
run 0 "$LKL_BIN/lkl" rm image:1:one:one
run 8 "$LKL_BIN/lkl" cat image:1:one:one image:1:directory/two image:one >actual
[ "$(cat actual)" = "$(printf 'two\none')" ] || fail "colons"

# Nobody who reads.
run 6 bash -c "'$LKL_BIN/lkl' ls -R image >/dev/full"
says_one_line
says "standard output: cannot write"

run 0 "$LKL_BIN/lkl" --version >version
grep -qx "lkl [0-9].*" version || fail "--version says: $(cat version)"
for command in info df ls tree find cat stat du sum cp mv rm mkdir ln chmod chown touch edit trim shell; do
    run 0 "$LKL_BIN/lkl" "$command" --help >help
    grep -q '^Example' help || fail "$command --help has no example"
    grep -q "^\.SS $command\b" "$LKL_SOURCE/tools/lkl/lkl.1" || fail "lkl.1 lacks $command"
    grep -o -e '--[a-z][a-z-]*' help | sort -u | grep -vx -e --help >options || true
    while read -r option; do
        grep -qe "${option//-/\\\\-}" "$LKL_SOURCE/tools/lkl/lkl.1" || fail "lkl.1 lacks $command $option"
    done <options
done
