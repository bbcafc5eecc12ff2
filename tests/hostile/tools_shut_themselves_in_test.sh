#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Every tool, caught at its work, as root and as an ordinary user: all its threads have a
# filter and no_new_privs, capabilities that it does not need are gone, the network is
# another one. With --no-sandbox none of that, and it says so.
# shellcheck source=tests/hostile/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 setpriv mkfifo
need_root
need_filter

user=65534
chmod 755 .
make_image image 32M
mkdir tree out
head -c 8M /dev/urandom >tree/large
seq 10000 >tree/small
mkfs.ext4 -q -d tree image
tar -cf tree.tar tree
mkfifo slow
chown -R $user:$user image tree tree.tar out slow

# Standard output that is not read, and standard input that does not come.
as_user=(setpriv --reuid "$user" --regid "$user" --clear-groups)
for as in env "${as_user[*]}"; do
    read -ra as <<<"$as"
    exec 8<>slow # with a reader, so that nobody waits when it is opened
    caught 0 "${as[@]}" "$LKL_BIN/fs2tar" -q image slow
    cat slow >archive 8>&- &
    reader=$!
    ends
    exec 8>&-
    wait $reader
    tar -tf archive large small >/dev/null || fail "the archive"

    exec 8<>slow
    caught 0 "${as[@]}" "$LKL_BIN/tar2fs" -q - image <slow
    cat tree.tar >&8
    exec 8>&-
    ends

    exec 8<>slow
    caught 0 "${as[@]}" "$LKL_BIN/cptofs" -q -i image - / <slow
    cat tree.tar >&8
    exec 8>&-
    ends

    exec 8<>slow
    caught 0 "${as[@]}" "$LKL_BIN/cpfromfs" -q -i image /large - >slow
    cat slow >archive 8>&- &
    reader=$!
    ends
    exec 8>&-
    wait $reader
done

"${as_user[@]}" "$LKL_BIN/cpfromfs" -q -i image /large out
cmp tree/large out/large
run 0 "$LKL_BIN/fs2tar" --no-sandbox -q image plain.tar
says "--no-sandbox: "
says_one_line
