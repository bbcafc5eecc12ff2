#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kunit.py of the kernel's source configures, builds and runs tests in a kernel of ours,
# from the one file that it is told. User Mode Linux, which it takes by itself, is the
# oracle; how long each took from start to end is shown.
# ctest: TIMEOUT=1800
set -euo pipefail
export LC_ALL=C

fail() {
    echo "failed: $*" >&2
    exit 1
}

work=$(mktemp -d "${TMPDIR:-/tmp}/lkl-test-XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$LKL_BUILD/linux/source"

cat >"$work/.kunitconfig" <<'EOF'
CONFIG_KUNIT=y
CONFIG_KUNIT_EXAMPLE_TEST=y
CONFIG_LIST_KUNIT_TEST=y
CONFIG_BITFIELD_KUNIT=y
CONFIG_CMDLINE_KUNIT_TEST=y
CONFIG_HASH_KUNIT_TEST=y
CONFIG_LINEAR_RANGES_TEST=y
EOF
ccache=''
! command -v ccache >/dev/null || ccache='ccache '

# run_suites NAME [OPTION]...: the tests' names and results in NAME.results.
run_suites() {
    local name=$1
    shift
    PYTHONDONTWRITEBYTECODE=1 tools/testing/kunit/kunit.py run --build_dir="$work/$name" --kunitconfig="$work/.kunitconfig" \
        --jobs="$(nproc)" --make_options="CC=${ccache}gcc" --json="$work/$name.json" "$@" \
        >"$work/$name.log" 2>&1 || {
        tail -n 50 "$work/$name.log"
        fail "kunit.py: $name"
    }
    grep -o 'Elapsed time: .*' "$work/$name.log" | sed "s/^/$name: /"
    python3 - "$work/$name.json" >"$work/$name.results" <<'EOF'
import json, sys
def show(group, path=""):
    for case in group["test_cases"]:
        print(path + group["name"], case["name"], case["status"])
    for part in group["sub_groups"]:
        show(part, path + group["name"] + "/")
# The outermost group bears the architecture's name.
for part in json.load(open(sys.argv[1]))["sub_groups"]:
    show(part)
EOF
}

run_suites ours --qemu_config="$LKL_BUILD/share/lkl/kunit/lkl.py"
run_suites um
[ "$(grep -c ' PASS$' "$work/ours.results")" -gt 50 ] || fail "only $(wc -l <"$work/ours.results") cases"
# What passes there passes here.
lost=$(comm -23 <(grep ' PASS$' "$work/um.results" | sort) <(sort "$work/ours.results"))
[ -z "$lost" ] || fail "do not pass: $lost"
grep ' PASS$' -c "$work/ours.results" | sed 's/$/ cases passed/'

# A test that fails fails the run, and a name that matches nothing is an error.
if PYTHONDONTWRITEBYTECODE=1 tools/testing/kunit/kunit.py exec --build_dir="$work/ours" \
    --qemu_config="$LKL_BUILD/share/lkl/kunit/lkl.py" 'no-such-suite' >"$work/none.log" 2>&1; then
    fail "no tests, and no error"
fi
