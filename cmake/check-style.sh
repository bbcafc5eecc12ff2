#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# check-style.sh SOURCE: the kernel's own style checker, out of the kernel source SOURCE,
# on all of arch/lkl. Fails on errors, warnings and checks that checkpatch.ignore does not name,
# and on lines of that file which nothing needs any more.
set -euo pipefail
export LC_ALL=C

source=${1:?usage: check-style.sh SOURCE}
root=$(cd "$(dirname "$0")/.." && pwd)
ignore=$root/cmake/checkpatch.ignore
messages=$(mktemp)
trap 'rm -f "$messages"' EXIT

cd "$root"
# It exits with 1 for any message, and with others when it cannot run.
git ls-files -co --exclude-standard arch/lkl |
    while IFS= read -r file; do
        status=0
        [ -s "$file" ] || continue
        perl -X "$source/scripts/checkpatch.pl" --no-tree --strict --file --terse --no-summary \
            --show-types "$file" || status=$?
        [ "$status" -le 1 ] || exit "$status"
    done >"$messages"

python3 -B - "$ignore" "$messages" <<'END'
import fnmatch
import re
import sys

rules = {}
for number, line in enumerate(open(sys.argv[1]), 1):
    line = line.strip()
    if line and not line.startswith("#"):
        path, kind, _ = line.split(None, 2)
        rules[path, kind] = number

faults, used = 0, set()
for line in open(sys.argv[2]):
    match = re.match(r"arch/lkl/(\S+?):\d+: (?:ERROR|WARNING|CHECK):(\w+):", line)
    hits = match and [rule for rule in rules
                      if rule[1] == match[2] and fnmatch.fnmatch(match[1], rule[0])]
    if hits:
        used.update(hits)
    else:
        faults += 1
        print(line, end="")
for rule in sorted(set(rules) - used):
    faults += 1
    print(f"{sys.argv[1]}:{rules[rule]}: nothing needs it any more: {rule[0]} {rule[1]}")
print(f"arch/lkl: {faults} messages of checkpatch --strict that are not explained")
sys.exit(faults > 0)
END
