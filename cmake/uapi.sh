#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Generates the prefixed user API headers and the sources that go with them.
#
#   uapi.sh RAW LINUX DIR
#
#   RAW     include directory of the kernel's headers_install
#   LINUX   the kernel's source
#
# Writes DIR/include, to be installed; DIR/source, with syscalls.cpp of the library
# and syscall_states.inc of its tests; and DIR/syscalls.md. A file that comes out as it was keeps its
# time, and DIR.stamp changes only when a file did: it is what all objects of the
# library depend on, so that a change in the kernel does not compile them anew.
set -euo pipefail

raw=$1 linux=$2 output=$3
generator=$(dirname "$0")/uapi/generate.py

rm -rf "$output.new"
mkdir -p "$output.new"
python3 -B "$generator" --headers "$raw" --linux "$linux" --out "$output.new/include" \
    --source "$output.new/source/syscalls.cpp" \
    --states "$output.new/source/syscall_states.inc" \
    --document "$output.new/syscalls.md"
changes=$(rsync -r --checksum --delete --itemize-changes "$output.new/" "$output/")
rm -rf "$output.new"
if [ -n "$changes" ] || [ ! -e "$output.stamp" ]; then
    touch "$output.stamp"
fi
