#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The C interface's headers compile as C and C++, by themselves, without a
# warning, in whatever order with libc's; and its names do not collide with any
# name of the user API's headers that they include.
#
# LKL_INCLUDE: the include directory to be tested.
set -euo pipefail

: "${LKL_INCLUDE:?}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0

# check LANGUAGE STANDARD: compiles standard input with every compiler at hand.
check()
{
    local compiler
    cat > "$work/test.c"
    for compiler in $([ "$1" = c ] && echo gcc clang || echo g++ clang++); do
        command -v "$compiler" > /dev/null || continue
        if ! "$compiler" -x "$1" -std="$2" -Wall -Wextra -Werror -fsyntax-only \
            -I"$LKL_INCLUDE" "$work/test.c" 2> "$work/log"; then
            echo "$compiler -std=$2:"
            cat "$work/test.c" "$work/log"
            failed=1
        fi
        compiled=$((compiled + 1))
    done
}

compiled=0
libc='#include <sys/stat.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <signal.h>
#include <time.h>
#include <net/if.h>
#include <poll.h>
#include <sys/epoll.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <unistd.h>'
use='
int use(struct lkl_disk *disk);
int use(struct lkl_disk *disk)
{
	struct lkl_stat buf;
	struct lkl_sigaction action;
	struct lkl_linux_dirent64 *entry = lkl_readdir((struct lkl_dir *)0);
	action.lkl_sa_handler = 0;
	action.sa_flags = LKL_SA_RESTART;
	action.sa_mask.sig[0] = 0;
	lkl_host_ops.print = lkl_print_to_stderr;
	return lkl_sys_stat("/", &buf) != 0 || buf.st_mode != LKL_S_IFDIR ||
	       buf.lkl_st_mtime != 0 || disk->fd != entry->d_type ||
	       lkl_sys_openat(LKL_AT_FDCWD, "/", LKL_O_RDONLY, 0) < 0 ||
	       lkl_sys_rt_sigaction(LKL_SIGINT, &action, 0, sizeof(lkl_sigset_t)) < 0 ||
	       lkl_sys_socket(LKL_AF_INET6, LKL_SOCK_STREAM | LKL_SOCK_CLOEXEC, 0) < 0 ||
	       lkl_sys_reboot(LKL_LINUX_REBOOT_MAGIC1, LKL_LINUX_REBOOT_MAGIC2, 0, 0) < 0 ||
	       lkl_syscall(__lkl__NR_getpid, 0) != -LKL_ESHUTDOWN;
}'

for pair in 'c c99' 'c gnu11' 'c c17' 'c++ c++11' 'c++ c++20'; do
    read -r language standard <<< "$pair"
    for header in lkl.h lkl_host.h lkl/api.h lkl/interfaces.h lkl/legacy.h lkl/syscalls.h \
        lkl/socket.h lkl/types.h; do
        check "$language" "$standard" <<< "#include <$header>"
    done
    check "$language" "$standard" <<< "$libc
#include <lkl.h>
#include <lkl_host.h>
$use"
    check "$language" "$standard" <<< "#include <lkl_host.h>
#include <lkl.h>
$libc
$use"
done

if [ "$compiled" -eq 0 ]; then
    echo "no compiler"
    exit 1
fi
exit "$failed"
