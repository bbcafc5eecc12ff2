#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Measures every figure: prints the table, and writes it to bench.json in the build
# directory. Takes the options of lkl-bench, such as --filter, --rounds or --list.
#
# LKL_BIN        where lkl-bench is            build/bin
# LKL_BENCH_DIR  where images are made, 3 GiB  a directory in the build directory
#
# Figures that need loop mounts are skipped without root; lkl-bench makes them in a
# mount namespace of its own, so that none is left behind, however it ends.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
bin=${LKL_BIN:-$root/build/bin}
build=$(cd "$bin/.." && pwd)

work=$(mktemp -d "${LKL_BENCH_DIR:-$build}/bench-images.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

LKL_BENCH_DIR=$work "$bin/lkl-bench" --json "$build/bench.json" "$@"
