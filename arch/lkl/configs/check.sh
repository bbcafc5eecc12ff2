#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# Compare a defconfig or fragment with the .config that was made from it: print
# every line that the kernel source did not take, with the dependencies of the
# option and their values.  Kconfig drops such lines silently, and a stable
# update can add one.
#
# check.sh DEFCONFIG DOTCONFIG [SOURCE-TREE]
#
# Exit status: 0 all lines were taken, 1 some were not, 2 wrong arguments.

set -u
export LC_ALL=C

if [ $# -lt 2 ] || [ $# -gt 3 ] || [ ! -r "$1" ] || [ ! -r "$2" ]; then
	echo "usage: ${0##*/} DEFCONFIG DOTCONFIG [SOURCE-TREE]" >&2
	exit 2
fi
defconfig=$1
dotconfig=$2
tree=${3-}

# Value of an option in the .config: an option that is not there is n.
value()
{
	sed -n "s/^CONFIG_$1=//p" "$dotconfig" | grep . || echo n
}

# Conditions under which an option can be set: its own and those of the blocks
# around it, one a line.
conditions()
{
	grep -RlE --include='Kconfig*' "^[[:space:]]*(menu)?config[[:space:]]+$1\$" "$tree" |
	while read -r file; do
		awk -v name="$1" '
			/^if[ \t]/		{ block[++n] = $0 }
			/^(menu|choice)/ && !/^menuconfig/ { block[++n] = ""; head = 1 }
			/^end(if|menu|choice)/	{ --n }
			$1 == "help"		{ head = inside = 0 }
			head && $1 == "depends"	{ block[n] = block[n] " " $0 }
			inside && ($1 == "depends" ||
				   /[ \t]if[ \t]/ && $1 != "select" && $1 != "imply")
			$1 ~ /^(menu)?config$/ {
				head = 0
				inside = $2 == name
				for (i = 1; inside && i <= n; i++)
					if (block[i] != "")
						print block[i]
			}
		' "$file"
	done
}

# "name value" of each line that sets an option.
wanted()
{
	sed -n -e 's/^CONFIG_\([A-Za-z0-9_]*\)=\(.*\)$/\1 \2/p' \
	       -e 's/^# CONFIG_\([A-Za-z0-9_]*\) is not set$/\1 n/p' "$defconfig"
}

# The loop runs in a subshell, so its verdict is its output.
report=$(wanted | while read -r name want; do
	have=$(value "$name")
	[ "$have" = "$want" ] && continue
	echo "$name: wanted $want, is $have"
	[ -n "$tree" ] || continue
	lines=$(conditions "$name")
	if [ -z "$lines" ]; then
		echo "	no condition found: unknown, or selected by another option"
		continue
	fi
	echo "$lines" | sed -e 's/^[[:space:]]*/	/'
	echo "$lines" | grep -oE '\<[A-Z0-9_]+\>' | sort -u | while read -r other; do
		echo "	  $other=$(value "$other")"
	done
done)

if [ -n "$report" ]; then
	echo "$report"
	exit 1
fi
