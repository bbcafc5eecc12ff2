#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# --json of all tools that copy: one object on standard output, with what was copied and what
# was not, whether they succeed or fail.
# shellcheck source=tests/filesystem/lib.sh
. "$(dirname "$0")/lib.sh"
need mkfs.ext4 mkfs.vfat tar python3

# result CODE EXPECTED COMMAND...: standard output is one line with one object, which holds
# what the Python dictionary says, and the exit code.
result() {
    local code=$1 expected=$2
    shift 2
    run "$code" "$@" >result.json
    [ "$(wc -l <result.json)" = 1 ] || fail "no line of its own: $(cat result.json)"
    python3 - "$code" "$expected" <<'EOF' || fail "$*: $(cat result.json)"
import ast, json, sys
result = json.load(open("result.json"))
expected = {"failures": [], "warnings": [], "exit_code": int(sys.argv[1]),
            **ast.literal_eval(sys.argv[2])}
shown = {key: result[key] for key in expected}
# Of failures and warnings, what has to be in them.
for key in ("failures", "warnings"):
    found = [entry if key == "warnings" else (entry["path"], entry["error"])
             for entry in shown.pop(key)]
    wanted = expected.pop(key)
    if key == "failures":  # in the order in which a directory is read
        found.sort(key=lambda entry: str(entry[0]))
        wanted.sort(key=lambda entry: str(entry[0]))
    assert len(found) == len(wanted), (key, found)
    for have, want in zip(found, wanted):
        if key == "warnings":
            assert want in have, (have, want)
        else:
            assert have[0] == want[0] and want[1] in have[1], (have, want)
assert shown == expected, (shown, expected)
EOF
}

mkdir -p source/directory
head -c 3000000 /dev/urandom >source/large
echo small >source/directory/small
truncate -s 10M source/hole
ln -s small source/directory/link
ln source/large source/directory/again
mkfifo source/fifo
python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("source/socket")'
all="'files': 3, 'directories': 2, 'symlinks': 1, 'hard_links': 1, 'bytes': 3000006"
make_image image 40M
mkfs.ext4 -q image

result 0 "{$all, 'other': 2}" "$LKL_BIN/cptofs" --json -i image source/. /copy
says_nothing() {
    [ ! -s stderr ] || fail "something was told"
}
says_nothing
result 0 "{$all, 'other': 2}" "$LKL_BIN/cpfromfs" --json -i image /copy out
says_nothing
result 0 "{$all, 'other': 2}" "$LKL_BIN/lkl" cp --json -r image:/copy image:/within
result 0 "{$all, 'other': 2}" "$LKL_BIN/lkl" cp --json -r image:/copy out2
result 0 "{$all, 'other': 2}" "$LKL_BIN/lkl" cp --json -r source image:/third
result 0 "{$all, 'other': 1, 'warnings': ['socket: left out']}" \
    "$LKL_BIN/fs2tar" --json --subdir copy image all.tar
# Listed with -q, too, though it is not told.
result 0 "{$all, 'other': 1, 'warnings': ['socket: left out']}" \
    "$LKL_BIN/fs2tar" --json -q --subdir copy image all.tar
says_nothing
make_image other 40M
mkfs.ext4 -q other
result 0 "{$all, 'other': 1}" "$LKL_BIN/tar2fs" --json all.tar other
tar -C source -c directory | result 0 "{'files': 2, 'directories': 1, 'symlinks': 1}" \
    "$LKL_BIN/cptofs" --json -i other - /from-tar

# What was not copied, of the source and in the destination; the rest counts.
result 10 "{'files': 1, 'bytes': 6,
    'failures': [('none*', 'nothing matches'), ('source/gone', 'No such file')]}" \
    "$LKL_BIN/cptofs" --json -i image source/gone 'none*' source/directory/small /
make_image fat 40M
mkfs.vfat fat >/dev/null
result 10 "{'files': 4, 'directories': 2, 'symlinks': 0, 'hard_links': 0, 'other': 0,
    'bytes': 6000006, 'failures': [('fifo', 'cannot make'), ('socket', 'cannot make'),
                 ('directory/link', 'cannot make symbolic link')],
    'warnings': ['hard link']}" \
    "$LKL_BIN/cptofs" --json -i fat --owner 0:0 --chmod a=rwx source/. /
# Names that are not UTF-8, and bytes that are.
printf x >$'source/bad\377name'
chmod 0 $'source/bad\377name'
run 8 "$LKL_BIN/lkl" cp --json $'source/gone\377' image:/ >result.json
python3 -c 'import json
failure = json.load(open("result.json"))["failures"][0]
assert bytes.fromhex(failure["path_hex"]) == b"source/gone\xff", failure' || fail "$(cat result.json)"
rm -f $'source/bad\377name'

# What ends all: the last failure is that, and the exit code is its own.
result 2 "{'files': 0, 'failures': [(None, 'cannot open the image')]}" \
    "$LKL_BIN/cpfromfs" --json -i no-such-image / out3
result 8 "{'failures': [(None, 'no such directory')]}" \
    "$LKL_BIN/fs2tar" --json --subdir none image none.tar
result 11 "{'failures': [(None, 'is no archive')]}" "$LKL_BIN/tar2fs" --json other other
result 8 "{'failures': [('/none/file', 'No such file')]}" \
    "$LKL_BIN/lkl" cp --json image:/none/file .

# mkimage has its own object, with the same lists.
result 0 "{'size': 41943040, 'image': 'made'}" "$LKL_BIN/lkl" mkimage --json --size 40M source made
python3 -c 'import json
volume = json.load(open("result.json"))["file-system"]
wanted = {"files": 8, "directories": 2, "symlinks": 1, "other": 2, "bytes": 3000006}
assert {key: volume[key] for key in wanted} == wanted, volume' || fail "$(cat result.json)"
head -c 2000000 all.tar >cut.tar
result 10 "{'image': 'cut', 'failures': [('large', 'Truncated'), (None, 'after byte')]}" \
    "$LKL_BIN/lkl" mkimage --json --size 40M cut.tar cut
if command -v mksquashfs >/dev/null; then
    result 0 "{'image': 'packed', 'warnings': ['socket: left out']}" \
        "$LKL_BIN/lkl" mkimage --json -q --fs squashfs -x none source packed
fi

# Standard output can be one thing.
for command in "$LKL_BIN/fs2tar --json image -" "$LKL_BIN/cpfromfs --json -i image / -" \
    "$LKL_BIN/fs2tar --json -s - image some.tar"; do
    # shellcheck disable=SC2086  # several words
    run 1 $command >stdout
    says "--json: standard output is taken by -"
    [ ! -s stdout ] || fail "$command: something was printed"
done
run 6 "$LKL_BIN/cptofs" --json -q -i image source/hole / >/dev/full
says "standard output: cannot write"
