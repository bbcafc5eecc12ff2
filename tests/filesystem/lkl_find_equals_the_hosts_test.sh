#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# lkl find finds what the host's find finds, du counts what du counts, stat says what stat
# says, and df what df says.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 python3 setfattr
need_root
need_host_filesystem ext4
export TZ=UTC LC_ALL=C

make_image image 256M
mkfs.ext4 -q -b 4096 image
host_mount image host
fill_odd host --without huge
mkdir host/etc host/odd/not-empty
printf 'root:x:0:0::/:\nfinder:x:1234:7::/:\n' >host/etc/passwd
echo x >host/odd/not-empty/owned
touch -d 2001-01-01 host/odd/not-empty/older
touch -d 2002-01-01 host/odd/not-empty/later
chown 1234:7 host/odd/not-empty/owned
setfattr -n user.test -v hello host/odd/not-empty/owned
umount host
host_mount image host ro

# same EXPRESSION...
same() {
    (cd host && find ./odd "$@" -print0) | sed -z 's|^\.||' | sort -z >expected
    run 0 "$LKL_BIN/lkl" find image:/odd "$@" -print0 | sort -z >actual
    cmp expected actual || fail "find $* differs"
    [ -s expected ] || fail "find $* finds nothing: it tests nothing"
}
same
same -name '*dir*' -type d
same -iname 'B*' -o -name 'f*' ! -type l
same -type f,l -size +1M
same -size -3 -type f
same -size 1048576c
same -empty -maxdepth 2
same -mindepth 2 -maxdepth 3 -type d
same -perm 644 -links +1
same -perm /7000
same -perm -u=rwx -type f
same -path '*/names/*' -prune -o -type f
same -user 1234 -gid 7
same '(' -type c -o -type b ')' -a -not -name null
same -type s
run 0 "$LKL_BIN/lkl" find image: -user finder >actual
[ "$(cat actual)" = /odd/not-empty/owned ] || fail "-user finds: $(cat actual)"
run 0 "$LKL_BIN/lkl" find image:/odd/not-empty -type f -newer /odd/not-empty/older | sort >actual
printf '/odd/not-empty/%s\n' later owned | diff - actual || fail "-newer"
run 0 "$LKL_BIN/lkl" find image:/odd/sizes -depth >actual
[ "$(tail -n1 actual)" = /odd/sizes ] || fail "-depth does not come last"
run 0 "$LKL_BIN/lkl" find image:/odd -name sizes -ls >actual
grep -qE '^ +[0-9]+ +[0-9]+ drwxr-xr-x .* /odd/sizes$' actual || fail "-ls prints: $(cat actual)"
run 1 "$LKL_BIN/lkl" find image:/odd -nonsense
says_one_line
run 1 "$LKL_BIN/lkl" find image:/odd '(' -name x
says_one_line
run 1 "$LKL_BIN/lkl" find image:/odd -user nobody-here
says_one_line

# A file with names in several directories counts in the one that comes first, which is
# another one for the host: the sum is the same.
for options in "" "-a --apparent-size" "-d1 -b" -sh; do
    paths=(/odd/sizes /odd/sparse /odd/names)
    [ "$options" != -sh ] || paths=(/odd)
    # shellcheck disable=SC2086  # words
    (cd host && du $options "${paths[@]/#/.}") | sed 's|\./odd|/odd|' | sort >expected
    # shellcheck disable=SC2086  # words
    run 0 "$LKL_BIN/lkl" du $options "${paths[@]/#/image:}" | sort >actual
    diff -a expected actual || fail "du $options differs"
done

for path in odd odd/links/symbolic odd/special/large-numbers odd/sizes/4097; do
    stat -c '%s %b %a %u %g %h %i %x|%y|%z|%w' "host/$path" >expected
    run 0 "$LKL_BIN/lkl" stat --json "image:/$path" >stat.json
    python3 - stat.json >actual <<'PY'
import json, sys
row, = json.load(open(sys.argv[1]))
def time(text):
    return text.replace("T", " ").replace("Z", " +0000")
print(row["size"], row["allocated"] // 512, row["mode"].lstrip("0"), row["uid"], row["gid"],
      row["links"], row["inode"],
      "|".join(time(row[key]) for key in ("accessed", "modified", "changed", "born")))
PY
    diff expected actual || fail "stat $path differs"
    run 0 "$LKL_BIN/lkl" stat "image:/$path" >actual
    grep -qx "Inode: *$(stat -c %i "host/$path")" actual || fail "stat prints: $(cat actual)"
done
run 0 "$LKL_BIN/lkl" stat image:/odd/not-empty/owned >actual
grep -qx "Extended: *user.test=hello" actual || fail "stat shows no attribute: $(cat actual)"

df --output=size,used,avail host | tail -n1 | tr -s ' ' >expected
run 0 "$LKL_BIN/lkl" df image >actual
awk 'NR == 2 { print " " $3, $4, $5 }' actual | diff expected - || fail "df differs"
df --output=itotal,iused,iavail host | tail -n1 | tr -s ' ' >expected
run 0 "$LKL_BIN/lkl" df -i image >actual
awk 'NR == 2 { print " " $3, $4, $5 }' actual | diff expected - || fail "df -i differs"
umount host
