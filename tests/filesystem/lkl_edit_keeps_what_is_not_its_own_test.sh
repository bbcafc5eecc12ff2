#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl edit removes no file of the image that it has not made, and throws nothing away that
# an editor has saved.
# shellcheck disable=SC2016  # arguments are the inner shell's
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck debugfs

# Whatever names it may want for its new file.
mkdir tree
echo one >tree/a
names=(.lkl-edit .lkl-edit-1 .lkl-edit-2)
for name in "${names[@]}"; do
    echo "precious $name" >"tree/$name"
done
make_image image 8M
mkfs.ext4 -q -d tree image

in_image() {
    debugfs -R "cat /$1" image 2>/dev/null
}
# intact: the others are as they were, and there are no more.
intact() {
    local name list
    for name in "${names[@]}"; do
        [ "$(in_image "$name")" = "precious $name" ] || fail "$name is not what it was"
    done
    list=$(debugfs -R 'ls -p /' image 2>/dev/null | cut -d / -f 6 | sort | tr '\n' ' ')
    [ "$list" = "$(printf '%s\n' . .. a lost+found "${names[@]}" | sort | tr '\n' ' ')" ] ||
        [ "$list" = " $(printf '%s\n' . .. a lost+found "${names[@]}" | sort | tr '\n' ' ')" ] ||
        fail "the image has: $list"
    check_clean ext4 image
}
mkdir temporary
# edit CODE COMMANDS: with an editor that does that to the file "$1".
edit() {
    run "$1" env -u VISUAL TMPDIR="$work/temporary" EDITOR="sh -c '$2' -" "$LKL_BIN/lkl" edit image:/a
}
nothing_kept() {
    [ -z "$(ls temporary)" ] || fail "a copy is left: $(ls temporary)"
}
# kept [TEXT]: the copy is there, says so, and has the text.
kept() {
    says "what was edited is in $work/temporary/"
    [ -z "${1:-}" ] || [ "$(cat temporary/*/a)" = "$1" ] || fail "the copy has: $(cat temporary/*/a)"
    rm -r temporary
    mkdir temporary
}

edit 0 'echo two >"$1"'
[ "$(in_image a)" = two ] || fail "nothing was put back"
nothing_kept
intact

# No room for it.
before=$(in_image a)
edit 6 'head -c 20000000 /dev/zero >"$1"'
kept
[ "$(in_image a)" = "$before" ] || fail "the file has changed"
intact

# Editors that saved and then failed, or left what cannot be read.
before=$(digest image)
edit 12 'echo saved >"$1"; exit 3'
kept saved
edit 12 'echo saved >"$1"; kill -SEGV $$'
kept saved
edit 6 'rm "$1"; mkdir "$1"; echo saved >"$1/a"'
says "what was edited is in $work/temporary/"
[ "$(cat temporary/*/a/a)" = saved ] || fail "what was edited is lost"
rm -r temporary
mkdir temporary
edit 12 'exit 3'
says_one_line
nothing_kept
[ "$(digest image)" = "$before" ] || fail "the image has changed"
