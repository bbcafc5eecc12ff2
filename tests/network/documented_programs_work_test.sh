#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The programs of docs/network.md compile without a warning and do what they are said to.
set -euo pipefail

: "${LKL_INCLUDE:?}" "${LKL_LIB:?}" "${LKL_SOURCE:?}"
if [ -n "${LKL_SANITIZE:-}" ]; then
    echo "a program would have to be built with the sanitizers as well"
    exit 77
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# program LANGUAGE COMPILER...: the first block of that language, built and run.
program()
{
    local language=$1
    shift
    awk -v begin="\`\`\`$language" '$0 == begin { on = 1; next } on && /^```/ { exit } on' \
        "$LKL_SOURCE/docs/network.md" > "$work/first.$language"
    [ -s "$work/first.$language" ] || { echo "no program in $language"; exit 1; }
    "$@" -Wall -Wextra -Werror -I"$LKL_INCLUDE" "$work/first.$language" -o "$work/first" \
        -L"$LKL_LIB" -llkl -Wl,-rpath,"$LKL_LIB"
    [ "$(timeout 60 "$work/first")" = hello ] || { echo "$language: it did not say hello"; exit 1; }
}

program cpp c++ -std=c++20
program c cc
