#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --owner, --map-users, --chmod, --no-xattrs, -s, -x: as the manual says.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 setfattr getfattr setfacl getfacl python3
need_root
need_host_filesystem ext4

mkdir -p source/directory
echo one >source/directory/file
echo two >source/program
ln -s program source/link
chmod 640 source/directory/file
chmod 4750 source/program
chown -h 1000:1001 source/directory/file source/link
chown 5:6 source/program
chmod 4750 source/program
setfattr -n user.note -v text source/program
setfacl -m u:1000:r source/directory/file
touch -a -d '2001-01-01 00:00:00.123456789 UTC' source/directory/file

copy() {
    rm -f image
    make_image image 8M
    mkfs.ext4 -q image
    run 0 "$LKL_BIN/cptofs" -q -i image "$@" source/. /
    host_mount image host ro
}
# is PATH WHAT: owner, group and mode.
is() {
    [ "$(stat -c '%u:%g %a' "host/$1")" = "$2" ] ||
        fail "$1 is $(stat -c '%u:%g %a' "host/$1") instead of $2"
}
copy
is directory/file "1000:1001 640"
is program "5:6 4750"
[ "$(stat -c %x host/directory/file)" = "2001-01-01 00:00:00.123456789 +0000" ] || fail "the access time"
umount host
copy --owner 7:8
is directory/file "7:8 640"
is program "7:8 4750"
is link "7:8 777"
umount host
copy --map-users 1000:0:2 --map-users 5:50
is directory/file "0:1 640"
is program "50:6 4750"
getfacl -n host/directory/file 2>/dev/null | grep -q 'user:0:r--' || fail "the ACL is not mapped"
umount host
copy --chmod u=rwX,go=rX
is directory "0:0 755"
is directory/file "1000:1001 644"
is program "5:6 755"
is link "1000:1001 777"
umount host
copy --chmod 600
is program "5:6 600"
umount host
copy --no-xattrs -x program
[ ! -e host/program ] || fail "-x has no effect"
getfacl -n host/directory/file 2>/dev/null | grep -q 'user:1000' && fail "the ACL is there"
umount host
copy -s system_u:object_r:etc_t:s0
for file in directory program link; do
    label=$(getfattr -h --only-values -n security.selinux "host/$file" 2>/dev/null | tr -d '\0')
    [ "$label" = system_u:object_r:etc_t:s0 ] || fail "$file has the label \"$label\""
done
