#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The oracle of the kernel's own tests: the same source, with the same options as far as
# it has them, as User Mode Linux, in BUILD/linux/um; what passes there has to pass here.
#
#   uml.sh BUILD
set -euo pipefail
export LC_ALL=C

build=$(realpath "$1")
source=$build/linux/source
objects=$build/linux/um
log=$build/results/kunit-um.log
here=$(dirname "$(realpath "$0")")
cc=gcc
! command -v ccache >/dev/null || cc='ccache gcc'

uml()
{
    make -C "$source" O="$objects" ARCH=um -j"$(nproc)" CC="$cc" HOSTCC="$cc" -s "$@"
}

mkdir -p "$objects" "$build/results"
# Options that it does not have are dropped; what only we need does no harm. It has no
# names for the devices of the kernel's own command line.
grep -v '^CONFIG_\(CMDLINE\|LKL_\|LOCALVERSION\)' "$source/arch/lkl/configs/kunit_defconfig" \
    >"$objects/wanted.config"
# What the kernel's own kunit.py gives it: a bus that many suites need.
cat "$source/tools/testing/kunit/configs/arch_uml.config" >>"$objects/wanted.config"
# A console that is a descriptor.
printf '%s\n' CONFIG_64BIT=y CONFIG_STATIC_LINK=n CONFIG_NULL_CHAN=y CONFIG_FD_CHAN=y \
    >>"$objects/wanted.config"
uml KCONFIG_ALLCONFIG="$objects/wanted.config" alldefconfig
uml linux

# A crash of it must not leave anything behind: it is killed with its children.
echo "running $objects/linux"
timeout --kill-after=10 900 "$objects/linux" mem=1G console=tty con=null con0=null,fd:1 \
    initcall_debug rcutorture.torture_type=none locktorture.torture_type=none kunit_shutdown=halt \
    </dev/null >"$log" 2>&1 || true
"$here/totals.py" "$build" "$log"
