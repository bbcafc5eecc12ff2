#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs the Debian packages of cmake/packages.txt that are missing, as root
# or through sudo.  Says nothing and takes no time when there are none.
#
#   deps.sh [check]     check: also those marked [check]
#
# LKL_LINUX set: the kernel source package is not needed.
set -eu

list=$(dirname "$0")/packages.txt
want_check=${1:-}

# The names that are wanted, one a line.
wanted()
{
    local name mark
    while read -r name mark; do
        case $name in
        '' | '#'*) continue ;;
        linux-source-*) [ -z "${LKL_LINUX:-}" ] || continue ;;
        esac
        [ "$mark" != '[check]' ] || [ "$want_check" = check ] || continue
        printf '%s\n' "$name"
    done <"$list"
}

if ! command -v dpkg-query >/dev/null; then
    echo "deps: not a Debian system; install the equivalents of $list yourself" >&2
    exit 0
fi

# The architecture-qualified names that dpkg prints for some packages are cut.
missing=$(comm -23 <(wanted | sort -u) <(
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u))
[ -n "$missing" ] || exit 0
# shellcheck disable=SC2086  # one word a package
set -- $missing
echo "deps: installing $*"

if [ "$(id -u)" = 0 ]; then
    as_root=(env)
elif command -v sudo >/dev/null; then
    as_root=(sudo env)
else
    echo "deps: not root and no sudo; as root run: apt-get install --no-install-recommends $*" >&2
    exit 1
fi
as_root+=(DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)

# A repository of somebody else that does not answer is no reason to stop: what
# counts is whether the packages can be had.
"${as_root[@]}" update || echo "deps: apt-get update failed, trying to install all the same" >&2
"${as_root[@]}" install -y --no-install-recommends "$@"
