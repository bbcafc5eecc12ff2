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

# The names that are wanted, one a line; of those with a mark if there is an argument.
wanted()
{
    local name mark
    while read -r name mark; do
        case $name in
        '' | '#'*) continue ;;
        linux-source-*) [ -z "${LKL_LINUX:-}" ] || continue ;;
        esac
        [ "$mark" != '[check]' ] || [ "$want_check" = check ] || continue
        [ -z "${1:-}" ] || [ "$mark" = "$1" ] || continue
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
apt=("${as_root[@]}" DEBIAN_FRONTEND=noninteractive apt-get -q
    -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)

# Servers that are new here are started neither now (invoke-rc.d(8) asks the policy) nor
# with the machine.
servers=$(comm -12 <(wanted '[server]' | sort -u) <(printf '%s\n' "$@" | sort -u))
policy=/usr/sbin/policy-rc.d
refuse_servers()
{
    [ -n "$servers" ] && [ ! -e "$policy" ] || return 0
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    "${as_root[@]}" sh -c "printf '#!/bin/sh\\nexit 101\\n' >$policy && chmod 755 $policy"
}
disable_servers()
{
    local -a units
    [ -n "$servers" ] && command -v systemctl >/dev/null || return 0
    # shellcheck disable=SC2086  # one word a package
    mapfile -t units < <(dpkg-query -L $servers |
        sed -nE 's,^(/usr)?/lib/systemd/system/([^/@]+\.(service|socket))$,\2,p
                 s,^/etc/init.d/([^/]+)$,\1.service,p' | sort -u)
    "${as_root[@]}" systemctl --quiet disable "${units[@]}" >/dev/null 2>&1 ||
        echo "deps: could not disable ${units[*]}" >&2
}

# A repository of somebody else that does not answer is no reason to stop: what
# counts is whether the packages can be had.
"${apt[@]}" update || echo "deps: apt-get update failed, trying to install all the same" >&2
refuse_servers
"${apt[@]}" install -y --no-install-recommends "$@"
disable_servers
