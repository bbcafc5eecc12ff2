#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A member whose checksum or size is wrong is a failure and is not there; one of the
# checksums of what an archive is packed in is a failure as well, wherever in the packed
# data it stands; for tar2fs, cptofs and lkl mkimage alike. What gzip takes is taken.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 e2fsck debugfs bsdtar tar gzip bzip2 xz zstd lz4 python3
unset SOURCE_DATE_EPOCH

mkdir source
echo sound >source/sound
python3 - <<'EOF'
import random
generator = random.Random(1)
words = [generator.randbytes(5).hex() for _ in range(1000)]
with open("source/victim", "w") as file:
    file.write(" ".join(generator.choice(words) for _ in range(200000)))
EOF
tar -cf whole.tar -C source victim sound
(cd source && bsdtar --format=7zip --options 7zip:compression=store -cf ../flipped.7z victim sound)
python3 - <<'EOF'
import gzip, struct, subprocess, zipfile

def change(name, data, place, bit=4):
    data = bytearray(data)
    data[place] ^= bit
    with open(name, "wb") as file:
        file.write(data)

with zipfile.ZipFile("whole.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    archive.write("source/victim", "victim")
    archive.write("source/sound", "sound")
with open("whole.zip", "rb") as file:
    whole = file.read()
central = whole.index(b"PK\x01\x02")
# What the archive says of the first member, in both places.
for name, local, other, value in (("crc.zip", 14, 16, 0x12345678), ("size.zip", 22, 24, 9000000)):
    data = bytearray(whole)
    struct.pack_into("<I", data, local, value)
    struct.pack_into("<I", data, central + other, value)
    with open(name, "wb") as file:
        file.write(data)
with open("flipped.7z", "rb") as file:
    data = file.read()
change("flipped.7z", data, data.index(b" ") + 1000)

with open("whole.tar", "rb") as file:
    tar = file.read()
for suffix, command in (("gz", ["gzip", "-nc"]), ("bz2", ["bzip2", "-c"]), ("xz", ["xz", "-c"]),
                        ("zst", ["zstd", "-qc"]), ("lz4", ["lz4", "-qc"])):
    packed = subprocess.run(command, input=tar, capture_output=True, check=True).stdout
    # Past the first block that is unpacked at once, so that it is an archive at first.
    change(f"flipped.tar.{suffix}", packed, len(packed) * 9 // 10)
packed = gzip.compress(tar, mtime=0)
change("checksum.tar.gz", packed, len(packed) - 7)
change("length.tar.gz", packed, len(packed) - 2)
with open("cut.tar.gz", "wb") as file:
    file.write(packed[:-3])
with open("garbage.tar.gz", "wb") as file:
    file.write(packed + bytes(600) + b"garbage")
change("inner", packed, len(packed) - 7)
with open("inner", "rb") as file:
    inner = file.read()
with open("nested.tar.gz.gz", "wb") as file:
    file.write(gzip.compress(inner))
# A tape's last block, several members, of which one is empty, and one packed twice.
for name, data in (("padded.tar.gz", packed + bytes(700000)),
                   ("members.tar.gz", gzip.compress(tar[:100000]) + gzip.compress(b"") +
                    gzip.compress(tar[100000:])),
                   ("twice.tar.gz.gz", gzip.compress(packed)),
                   ("tape.tar.gz", gzip.compress(tar + bytes(3 << 20)))):
    with open(name, "wb") as file:
        file.write(data)
EOF

empty() {
    rm -f image
    make_image image 16M
    mkfs.ext4 -q image
}
in_image() {
    debugfs -R "cat /$1" image 2>/dev/null | cmp - "source/$1" || fail "$2: $1"
}
# refused ARCHIVE MESSAGE [MEMBER]: of the archive, or of a member, which is not there then.
refused() {
    local archive=$1 message=$2 member=${3:-}
    empty
    run 10 "$LKL_BIN/tar2fs" -q "$archive" image
    says "$archive: ${member:-after byte}"
    says "$message"
    check_clean ext4 image
    if [ -n "$member" ]; then
        debugfs -R "stat $member" image 2>&1 | grep -q "File not found" || fail "$archive: $member"
        in_image sound "$archive"
    fi
    empty
    run 10 "$LKL_BIN/cptofs" -q -i image - / < <(cat "$archive")
    says "$message"
    run 10 "$LKL_BIN/lkl" mkimage -q --size 16M "$archive" made
    says "$message"
    [ ! -e made ] || fail "$archive: mkimage made an image"
}

refused crc.zip "bad CRC" victim
refused size.zip "wrong size" victim
empty
run 10 "$LKL_BIN/tar2fs" -q flipped.7z image
says "flipped.7z: victim: "
debugfs -R "stat victim" image 2>&1 | grep -q "File not found" || fail "flipped.7z: victim"
run 10 "$LKL_BIN/lkl" mkimage -q --size 16M flipped.7z made
[ ! -e made ] || fail "mkimage made an image of flipped.7z"

for name in flipped checksum length cut garbage; do
    ! gzip -t $name.tar.gz 2>/dev/null || fail "gzip takes $name.tar.gz"
done
refused checksum.tar.gz "gzip: incorrect data check"
in_image victim checksum.tar.gz
refused flipped.tar.gz "gzip: incorrect data check"
refused length.tar.gz "gzip: incorrect length check"
refused cut.tar.gz "gzip: ends too early"
refused garbage.tar.gz "gzip: something else follows its end"
refused nested.tar.gz.gz "gzip: incorrect data check"
for suffix in bz2 xz zst lz4; do
    empty
    code=0
    "$LKL_BIN/tar2fs" -q flipped.tar.$suffix image 2>stderr || code=$?
    cat stderr >&2
    # 11: one that unpacks it as a whole had nothing to show.
    [ $code = 10 ] || [ $code = 11 ] || fail "flipped.tar.$suffix: exit code $code"
    says "flipped.tar.$suffix: "
done
for archive in whole.tar whole.zip padded.tar.gz members.tar.gz twice.tar.gz.gz tape.tar.gz; do
    empty
    run 0 "$LKL_BIN/tar2fs" -q $archive image
    in_image victim $archive
    in_image sound $archive
done

# A header that cannot be understood is not blamed on the member before it.
python3 - <<'EOF'
import io, tarfile
with tarfile.open("header.tar", "w", format=tarfile.USTAR_FORMAT) as archive:
    for name in ("first", "second", "third"):
        archive.addfile(tarfile.TarInfo(name), io.BytesIO())
with open("header.tar", "r+b") as archive:
    archive.seek(512 + 148)
    archive.write(b"7")  # of the header's sum
EOF
empty
run 10 "$LKL_BIN/tar2fs" -q header.tar image
says "header.tar: after byte "
! grep -q first stderr || fail "the first member is blamed"
for name in first third; do
    debugfs -R "stat $name" image 2>/dev/null | grep -q 'Type: regular' || fail "$name is not there"
done
