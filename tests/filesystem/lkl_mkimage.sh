# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the tests of lkl mkimage share; sourced in the place of lib.sh.

# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
unset SOURCE_DATE_EPOCH

mkimage() {
    "$LKL_BIN/lkl" mkimage "$@"
}

# as_nobody COMMAND...: as a user without any rights, in a directory of his own.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"
}

# plain_tree DIRECTORY: what every file system holds, readable for all: names, sizes, depth.
plain_tree() {
    mkdir -p "$1/directory/deeper/deepest" "$1/empty"
    local number
    for number in $(seq 200); do
        echo "file $number" >"$1/directory/a-long-name-for-file-$number.text"
    done
    head -c 3000000 /dev/urandom >"$1/large.bin"
    : >"$1/empty-file"
    echo deep >"$1/directory/deeper/deepest/file"
    find "$1" -exec touch -d '2021-03-04 05:06:08 UTC' {} +
}

# check_made TYPE IMAGE: what the real checker says, of each that has one.
check_made() {
    case $1 in
    ext2 | ext3) check_clean ext4 "$2" ;;
    f2fs) fsck.f2fs --dry-run "$2" >fsck.log 2>&1 || fail "$1: $(cat fsck.log)" ;;
    jfs) fsck.jfs -n -f "$2" >fsck.log 2>&1 || fail "$1: $(cat fsck.log)" ;;
    exfat) fsck.exfat -n "$2" >fsck.log 2>&1 || fail "$1: $(cat fsck.log)" ;;
    erofs) fsck.erofs "$2" >fsck.log 2>&1 || fail "$1: $(cat fsck.log)" ;;
    ntfs) ntfsfix -n "$2" >fsck.log 2>&1 || fail "$1: $(cat fsck.log)" ;;
    squashfs) unsquashfs -lls "$2" >fsck.log 2>&1 || fail "$1: $(cat fsck.log)" ;;
    nilfs2 | udf) ;; # Debian has no checker
    *) check_clean "$1" "$2" ;;
    esac
}

# our_kernel_sees IMAGE DIRECTORY [compare_trees.py's options]: for types that the host's
# kernel lacks.
our_kernel_sees() {
    local image=$1 directory=$2
    shift 2
    rm -rf seen
    mkdir seen
    run 0 "$LKL_BIN/cpfromfs" -q -i "$image" /. seen
    compare_trees "$directory" seen "$@"
}

# nothing_left FILE: neither the image FILE nor anything else that was begun.
nothing_left() {
    [ ! -e "$1" ] || fail "$1 exists"
    local left
    left=$(find . -name '.lkl*')
    [ -z "$left" ] || fail "a temporary file is left: $left"
}
