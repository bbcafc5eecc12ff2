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

# The architecture-qualified names that dpkg prints for some packages are cut.
installed()
{
    dpkg-query -W -f='${db:Status-Status} ${Package}\n' | sed -n 's/^installed //p' | sort -u
}

# The rest is root's, by "deps.sh --install PACKAGE...". Servers that are new here are started
# neither now, which invoke-rc.d(8) asks the policy for, nor with the machine.
policy=/usr/sbin/policy-rc.d
mark='# until the tests of lkl have their packages'
refuse_servers()
{
    [ ! -e "$policy" ] || return 0
    cat >"$policy" <<EOF
#!/bin/sh
$mark
exit 101
EOF
    chmod 755 "$policy"
}
# Those that are there, also when the installation has failed.
servers=()
disable_servers()
{
    local -a packages
    local unit
    ! grep -qsF "$mark" "$policy" || rm "$policy"
    mapfile -t packages < <(comm -12 <(printf '%s\n' "${servers[@]}") <(installed))
    [ ${#packages[@]} != 0 ] && command -v systemctl >/dev/null || return 0
    # Some are others by another name, and gone with them.
    dpkg-query -L "${packages[@]}" |
        sed -nE 's,^(/usr)?/lib/systemd/system/([^/@]+\.(service|socket))$,\2,p
                 s,^/etc/init.d/([^/]+)$,\1.service,p' | sort -u |
        while read -r unit; do
            systemctl --quiet disable "$unit" >/dev/null 2>&1 || true
        done
}
install_packages()
{
    local -a apt=(env DEBIAN_FRONTEND=noninteractive apt-get -q
        -o DPkg::Lock::Timeout=600 -o Acquire::Retries=3)
    mapfile -t servers < <(comm -12 <(wanted '[server]' | sort -u) <(printf '%s\n' "$@"))
    if [ ${#servers[@]} != 0 ]; then
        trap disable_servers EXIT
        refuse_servers
    fi
    # A repository of somebody else that does not answer is no reason to stop: what
    # counts is whether the packages can be had.
    "${apt[@]}" update || echo "deps: apt-get update failed, trying to install all the same" >&2
    "${apt[@]}" install -y --no-install-recommends "$@"
}
if [ "$want_check" = --install ]; then
    install_packages "${@:2}"
    exit
fi

if ! command -v dpkg-query >/dev/null; then
    echo "deps: not a Debian system; install the equivalents of $list yourself" >&2
    exit 0
fi
mapfile -t missing < <(comm -23 <(wanted | sort -u) <(installed))
[ ${#missing[@]} != 0 ] || exit 0
echo "deps: installing ${missing[*]}"
if [ "$(id -u)" = 0 ]; then
    as_root=()
elif command -v sudo >/dev/null; then
    as_root=(sudo)
else
    echo "deps: not root and no sudo; as root run: $0 --install ${missing[*]}" >&2
    exit 1
fi
"${as_root[@]}" "$0" --install "${missing[@]}"
