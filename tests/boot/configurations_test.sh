#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Kconfig drops options that it does not know, or that depend on others, without a word:
# the kernels that are built have all that their configurations ask for.
# shellcheck source-path=SCRIPTDIR source=../support/shell.sh
. "$LKL_SOURCE/tests/support/shell.sh"
configs=$LKL_SOURCE/arch/lkl/configs
work=$(mktemp -d)
trap 'rm -r "$work"' EXIT
checked=0
check() {
    local config=$LKL_BUILD/linux/$2/.config
    [ -e "$config" ] || return 0
    # A line that is there as it stands is taken; check.sh looks at each of the others.
    grep -vxF -f "$config" "$configs/$1" >"$work/others" || true
    sh "$configs/check.sh" "$work/others" "$config" "$LKL_BUILD/linux/source" ||
        fail "$1: options are lost"
    checked=$((checked + 1))
}
for name in defconfig tiny_defconfig selftest_defconfig kunit_defconfig; do
    check $name $name
done
# What of the others is built: on top of the first.
for name in debug kasan fuzz trace; do
    check $name.config ${name}_defconfig
done
[ "$checked" -gt 0 ] || skip "the kernels are another build's"
