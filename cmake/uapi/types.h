/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * Types of the system call interface that the kernel's user API headers leave
 * to the C library, with the sizes that the kernel's generic 64-bit interface
 * gives them.
 */
#ifndef LKL_TYPES_H
#define LKL_TYPES_H

#include <stddef.h>
#include <stdint.h>

#include <lkl/asm/byteorder.h>
#include <lkl/asm/ioctl.h>
#include <lkl/asm/signal.h>
#include <lkl/linux/time.h>
#include <lkl/linux/types.h>

/* What <endian.h> says to headers that ask for it. */
#if defined(__lkl__LITTLE_ENDIAN)
#define __lkl__BYTE_ORDER __lkl__LITTLE_ENDIAN
#else
#define __lkl__BYTE_ORDER __lkl__BIG_ENDIAN
#endif

typedef __lkl__kernel_clock_t lkl_clock_t;
typedef __lkl__kernel_clockid_t lkl_clockid_t;
typedef __lkl__u32 lkl_dev_t;
typedef __lkl__kernel_fd_set lkl_fd_set;
typedef __lkl__kernel_gid32_t lkl_gid_t;
typedef __lkl__kernel_ino_t lkl_ino_t;
typedef __lkl__kernel_key_t lkl_key_t;
typedef __lkl__s32 lkl_key_serial_t;
typedef __lkl__kernel_loff_t lkl_loff_t;
typedef unsigned int lkl_mode_t;
typedef __lkl__kernel_mqd_t lkl_mqd_t;
typedef __lkl__u32 lkl_nlink_t;
typedef __lkl__kernel_off_t lkl_off_t;
typedef __lkl__kernel_pid_t lkl_pid_t;
typedef __lkl__kernel_uid32_t lkl_qid_t;
typedef unsigned short lkl_sa_family_t;
typedef __lkl__kernel_size_t lkl_size_t;
typedef __lkl__kernel_ssize_t lkl_ssize_t;
typedef __lkl__kernel_suseconds_t lkl_suseconds_t;
typedef __lkl__kernel_old_time_t lkl_time_t;
typedef __lkl__kernel_timer_t lkl_timer_t;
typedef __lkl__kernel_uid32_t lkl_uid_t;
typedef unsigned short lkl_umode_t;

/* What getdents64(2) fills its buffer with. */
struct lkl_linux_dirent64 {
	__lkl__u64 d_ino;
	__lkl__s64 d_off;
	unsigned short d_reclen;
	unsigned char d_type;		/* LKL_DT_... */
	char d_name[];
};

#define LKL_DT_UNKNOWN	0
#define LKL_DT_FIFO	1
#define LKL_DT_CHR	2
#define LKL_DT_DIR	4
#define LKL_DT_BLK	6
#define LKL_DT_REG	8
#define LKL_DT_LNK	10
#define LKL_DT_SOCK	12
#define LKL_DT_WHT	14

/* access(2) */
#define LKL_F_OK	0
#define LKL_X_OK	1
#define LKL_W_OK	2
#define LKL_R_OK	4

/* name_to_handle_at(2), open_by_handle_at(2) */
struct lkl_file_handle {
	__lkl__u32 handle_bytes;
	int handle_type;
	unsigned char f_handle[];
};

/* io_pgetevents(2) */
struct __lkl__aio_sigset {
	const lkl_sigset_t *sigmask;
	size_t sigsetsize;
};

struct lkl_sched_param {
	int sched_priority;
};

#endif /* LKL_TYPES_H */
