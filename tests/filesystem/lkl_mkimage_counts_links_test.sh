#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# With SOURCE_DATE_EPOCH, more names than ext4 counts are as many as the kernel makes, and
# copies of the file; so it is with subdirectories, of which it counts none then, and which
# older types do not have.
# shellcheck source=tests/filesystem/lkl_mkimage.sh
. "$(dirname "$0")/lkl_mkimage.sh"
need mkfs.ext4 e2fsck debugfs dumpe2fs python3
most=65000

python3 - <<'EOF'
import io, tarfile
data = b"one" * 1000 + bytes(20000) + b"two"
def member(name, kind):
    result = tarfile.TarInfo(name)
    result.type, result.mode, result.uid, result.mtime = kind, 0o640, 7, 1000000
    return result
with tarfile.open("links.tar", "w", format=tarfile.PAX_FORMAT) as archive:
    file = member("file", tarfile.REGTYPE)
    file.size = len(data)
    file.pax_headers = {"SCHILY.xattr.user.test": "value"}
    archive.addfile(file, io.BytesIO(data))
    for directory in range(66):
        for number in range(1000):
            link = member(f"d{directory}/{number}", tarfile.LNKTYPE)
            link.linkname = "file"
            archive.addfile(link)
with open("data", "wb") as file:
    file.write(data)
EOF
for epoch in 1000000000 ""; do
    SOURCE_DATE_EPOCH=$epoch run 0 mkimage --size 64M links.tar "image$epoch"
    says "d64/999: cannot make hard link"
    says "Too many links: the file is copied instead"
    says_one_line
    check_clean ext4 "image$epoch"
done
SOURCE_DATE_EPOCH=1000000000 run 0 mkimage -q --size 64M links.tar again
cmp image1000000000 again || fail "not the same each time"
stat_of() {
    debugfs -R "stat $1" image1000000000 2>/dev/null
}
stat_of /file | grep -q "Links: $most " || fail "links: $(stat_of /file)"
stat_of /d64/999 | grep -q 'Links: 1 ' || fail "a copy has other names"
stat_of /d65/999 | grep -q 'Mode: *0640 .*' || fail "the mode of a copy: $(stat_of /d65/999)"
stat_of /d65/999 | grep -q 'User: *7 ' || fail "the owner of a copy"
debugfs -R 'ea_get /d65/999 user.test' image1000000000 2>/dev/null | grep -q value ||
    fail "the attributes of a copy"
debugfs -R 'cat /d65/999' image1000000000 2>/dev/null | cmp - data || fail "the data of a copy"
free_inodes() {
    dumpe2fs -h "$1" 2>/dev/null | sed -n 's/^Free inodes: *//p'
}
[ "$(free_inodes image)" = "$(free_inodes image1000000000)" ] || fail "not as many copies"

# The top is said to have almost all the subdirectories that can be counted: making them
# takes minutes. e2fsck could not find it sound.
mkdir -p bin source/one source/two source/three
for type in ext3 ext4; do
    cat >"bin/mkfs.$type" <<EOF
#!/bin/bash
set -e
$(command -v "mkfs.$type" || echo "/sbin/mkfs.$type") "\$@"
for argument; do
    case \$argument in
    /proc/*/fd/* | /dev/fd/*) debugfs -w -R "set_inode_field / links_count \$FAKED" "\$argument" ;;
    esac
done
EOF
done
chmod +x bin/*
# faked TYPE LINKS CODE: an image of the three, of that type.
faked() {
    rm -f image
    SOURCE_DATE_EPOCH=1000000000 FAKED=$2 PATH="$work/bin:$PATH" \
        run "$3" mkimage -q --fs "$1" --size 16M source image
}
links_of_top() {
    debugfs -R 'stat /' image 2>/dev/null | sed -n 's/.*Links: *\([0-9]*\).*/\1/p'
}
for type in ext3 ext4; do
    faked $type $((most - 3)) 0
    [ "$(links_of_top)" = $most ] || fail "$type: $(links_of_top) links instead of $most"
done
faked ext4 $((most - 2)) 0
[ "$(links_of_top)" = 1 ] || fail "ext4: $(links_of_top) links instead of 1"
faked ext4 $((most - 0)) 0
[ "$(links_of_top)" = 1 ] || fail "ext4: $(links_of_top) links instead of 1"
faked ext3 $((most - 2)) 6
says "Too many links"
nothing_left image
