#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# lkl-hijack.sh PROGRAM [ARGUMENT...]: the program on a network stack of its own, which the
# variables LKL_HIJACK_* describe; `lkl run` is the same with options. See lkl-run(1).
if [ $# -eq 0 ]; then
    echo "usage: lkl-hijack.sh PROGRAM [ARGUMENT...]" >&2
    exit 1
fi
exec "$(dirname "$(realpath "$0")")/lkl" run -- "$@"
