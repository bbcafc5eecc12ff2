#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# mkdir, mv, ln, chmod, chown, touch, rm and edit do to an image what the host's commands
# do to a directory, on ext4, XFS and Btrfs; the checkers find the image sound.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.xfs mkfs.btrfs python3
need_root
need_host_filesystem ext4
need_host_filesystem xfs
need_host_filesystem btrfs

# Has the commands of the test on an image and on a directory; $at stands before paths.
change() {
    "$run" mkdir "$at/new" "$at/with blank"
    "$run" mkdir -p -m 1777 "$at/a/b/c"
    "$run" touch -d '2001-02-03 04:05:06' "$at/new/empty" "$at/a/file"
    "$run" ln -s ../a/file "$at/new/symbolic"
    "$run" ln "$at/one" "$at/new/hard"
    "$run" mv "$at/directory" "$at/moved"
    "$run" mv "$at/one" "$at/other" "$at/a"
    "$run" chmod -R u=rwX,go=rX,g+s "$at/moved"
    "$run" chmod 4751 "$at/a/one"
    "$run" chmod 755 "$at/moved/deeper"
    "$run" chmod u+x,g=u,g+X "$at/moved/deeper/three.sh"
    "$run" chmod +w "$at/a/other"
    "$run" chown -R 1000:2000 "$at/moved"
    "$run" chown -h 70000:80000 "$at/new/symbolic"
    "$run" chown 12 "$at/new/symbolic"
    "$run" rm "$at/moved/two"
    "$run" rm -r "$at/tree"
    "$run" rm -f "$at/nothing"
    "$run" touch -h -d '2011-01-01 00:00:00' "$at/new/symbolic"
    "$run" touch -r "$at/a/one" "$at/a/file"
    "$run" touch -c "$at/not-made"
    "$run" touch -d @-1.5 "$at/new/before"
    "$run" touch -d @-0.5 "$at/new/just-before"
    "$run" touch -d @1.25 "$at/new/after"
}
on_image() {
    # What touch -r names is a path in the image.
    local arguments=() argument previous=
    for argument; do
        [ "$previous" = -r ] && [ "$1" = touch ] && argument=${argument#image:}
        arguments+=("$argument")
        previous=$argument
    done
    run 0 "$LKL_BIN/lkl" "${arguments[@]}"
}
# In one shell, whose paths are those in the image.
in_shell() {
    printf '%q ' "$@" >>script
    echo >>script
}
on_host() {
    "$@"
}

mkdir -p source/directory/deeper source/other source/tree/sub/subsub
for name in one directory/two directory/deeper/three{,.sh} other/four tree/a tree/sub/b; do
    echo "$name" >"source/$name"
done
mkfifo source/tree/fifo
find source -depth -exec touch -h -d '2020-02-03 04:05:06.789' {} +

for type in ext4 xfs btrfs; do
    rm -rf image expected
    make_image image 512M
    "mkfs.$type" -q image
    run 0 "$LKL_BIN/lkl" cp -r source/. image:/
    cp -a source expected
    if [ "$type" = ext4 ]; then
        run=on_image at=image:
        change
    else
        rm -f script
        run=in_shell at=
        change
        run 0 "$LKL_BIN/lkl" shell -w image <script
    fi
    run=on_host at=expected
    change
    run 0 env EDITOR="sh -c 'echo edited >>\"\$1\"' -" "$LKL_BIN/lkl" edit image:/a/one
    says "has other names as well"
    check_clean "$type" image
    host_mount image seen ro
    [ "$(stat -c %a:%h seen/a/one)" = 4751:1 ] || fail "edit changed the mode"
    [ "$(cat seen/a/one)" = "$(printf 'one\nedited')" ] || fail "edit wrote: $(cat seen/a/one)"
    umount seen
    cp expected/a/one expected/a/one.new
    chmod 4751 expected/a/one.new
    echo edited >>expected/a/one.new
    mv expected/a/one.new expected/a/one
    image_equals image expected --ignore mtime
done

# Root needs no name in the image.
make_image nameless 8M
mkdir -p empty
mkfs.ext4 -q -d empty nameless
run 0 "$LKL_BIN/lkl" touch nameless:/file
for owner in root root:root :root root:; do
    run 0 "$LKL_BIN/lkl" chown 7:7 nameless:/file
    run 0 "$LKL_BIN/lkl" chown "$owner" nameless:/file
    case $owner in
    :root) owned=7:0 ;;
    root:root) owned=0:0 ;;
    *) owned=0:7 ;;
    esac
    [ "$("$LKL_BIN/lkl" stat --json nameless:/file |
        python3 -c 'import json, sys; a = json.load(sys.stdin)[0]; print(a["uid"], a["gid"], sep=":")')" = $owned ] ||
        fail "chown $owner"
done

# What an editor leaves alone or fails at is not written.
before=$(digest image)
run 0 env EDITOR=true "$LKL_BIN/lkl" edit image:/a/one
says "nothing was changed"
run 12 env EDITOR=false "$LKL_BIN/lkl" edit image:/a/one
says_one_line
run 8 env EDITOR=true "$LKL_BIN/lkl" edit image:/a
says_one_line
[ "$(digest image)" = "$before" ] || fail "edit changed the image"
# Somebody else was faster: what was edited is kept.
run 8 env TMPDIR="$PWD" EDITOR="sh -c 'echo mine >>\"\$1\"; \"\$LKL\" touch image:/a/one' -" \
    LKL="$LKL_BIN/lkl" "$LKL_BIN/lkl" edit image:/a/one
says "changed meanwhile"
grep -q mine lkl-edit-*/one || fail "what was edited is lost"
