#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Prints the sizes of kernel images side by side.
#
#   sizes.sh IMAGE...
set -eu

kib()
{
    echo "$(( ($1 + 1023) / 1024 )) KiB"
}

printf '%-16s %12s %12s %12s %12s\n' image text data bss file
for image in "$@"; do
    read -r text data bss _ <<<"$(size "$image" | tail -n 1)"
    printf '%-16s %12s %12s %12s %12s\n' "$(basename "$image")" \
        "$(kib "$text")" "$(kib "$data")" "$(kib "$bss")" "$(kib "$(stat -c %s "$image")")"
done
