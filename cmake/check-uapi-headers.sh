#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Each header of the user API, prefixed, and of the C interface compiles alone:
# check-uapi-headers.sh BUILD, a build directory with the public headers. As C and as C++,
# included twice, and with libc's headers before or after it: ten of them in one source, and
# each in one of its own where those ten do not go together. uapi-headers.ignore names those
# that cannot, since the kernel's own form cannot either, with the reason.
set -euo pipefail

ignore=$(realpath "$(dirname "$0")/uapi-headers.ignore")
include=$(realpath "$1/include")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

export include work

cat > "$work/libc.h" <<'EOF'
#include <sys/types.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/if_ether.h>
#include <signal.h>
#include <time.h>
#include <sys/time.h>
#include <net/if.h>
#include <net/route.h>
#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <termios.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/msg.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <linux/netlink.h>
#include <linux/types.h>
EOF

ways="c c++ c-after-libc c++-before-libc"
cd "$include/lkl"
headers=$(find . -name '*.h' -printf '%P\n' | sort)
count=$(wc -l <<< "$headers")

# A source for each header in each way, whose path says which: WAY/HEADER.c.
for way in $ways; do
    (mkdir "$work/$way" && cd "$work/$way" && xargs dirname <<< "$headers" | sort -u | xargs mkdir -p)
    before='' after=''
    case $way in
    *-after-libc) before='#include "libc.h"' ;;
    *-before-libc) after='#include "libc.h"' ;;
    esac
    for header in $headers; do
        printf '%s\n#include <lkl/%s>\n#include <lkl/%s>\n%s\n' \
            "$before" "$header" "$header" "$after" > "$work/$way/$header.c"
    done
done

# The compiler's front end in a way: WAY SOURCE...
front_end()
{
    local language=c compiler=${CC:-cc}
    case $1 in
    c++*) language=c++ compiler=${CXX:-c++} ;;
    esac
    shift
    LC_ALL=C "$compiler" -x "$language" -D_GNU_SOURCE -Wall -fsyntax-only \
        -fno-diagnostics-show-caret -I"$work" -isystem "$include" "$@"
}

# Those of some headers that do not compile together with libc's: WAY HEADER...
not_together()
{
    local way=$1 source=$work/together.$$.c
    shift
    {
        [ "$way" != c-after-libc ] || echo '#include "libc.h"'
        printf '#include <lkl/%s>\n' "$@"
        [ "$way" != c++-before-libc ] || echo '#include "libc.h"'
    } > "$source"
    front_end "$way" "$source" 2> /dev/null || printf '%s\n' "$@"
}

# One call of the compiler for many of them, which goes on after one that fails.
compile()
{
    local way=$1
    shift
    cd "$work/$way"
    front_end "$way" "${@/%/.c}" 2> "$work/log.$$" || [ -s "$work/log.$$" ]
    # The first error of each source; the lines before it say which source it is.
    awk -v way="$way" '
        match($0, /(^|from )[^ :]+\.h\.c:/) {
            source = substr($0, RSTART, RLENGTH)
            sub(/^from /, "", source)
            sub(/\.c:$/, "", source)
        }
        /error: / && !(source in told) {
            told[source] = 1
            print way, source ": " $0
        }' "$work/log.$$"
}
export -f front_end not_together compile

# shellcheck disable=SC2016  # the inner shell's words
for way in $ways; do
    case $way in
    *-libc) xargs -P "$(nproc)" -n 10 bash -c 'not_together "$@"' - "$way" <<< "$headers" ;;
    *) echo "$headers" ;;
    esac | xargs -P "$(nproc)" -n 100 bash -c 'set -e; compile "$@"' - "$way"
done | sort > "$work/failed"

# way header -> expected when the list has the header for the language.
awk -v known="$ignore" '
    BEGIN {
        while ((getline line < known) > 0) {
            if (line ~ /^#/ || line == "") continue
            split(line, field, " ")
            expected[field[1] " " field[2]] = 1
        }
    }
    {
        language = $1
        sub(/-.*/, "", language)
        header = $2
        sub(/:$/, "", header)
        if (!((language " " header) in expected) && !(("all " header) in expected)) print
    }' "$work/failed" > "$work/unexpected"

if [ -s "$work/unexpected" ]; then
    cat "$work/unexpected"
    exit 1
fi
if [ "$count" -lt 500 ]; then
    echo "only $count headers in $include/lkl"
    exit 1
fi
echo "$count headers in $(wc -w <<< "$ways") ways; $(wc -l < "$work/failed") known failures"
