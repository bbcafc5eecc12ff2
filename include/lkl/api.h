/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef LKL_API_H
#define LKL_API_H

/* Marks what the shared library exports. */
#define LKL_API __attribute__((visibility("default")))

/* Marks functions whose format string the compiler can check. */
#define LKL_PRINTF(fmt, first) __attribute__((__format__(__printf__, fmt, first)))

#endif /* LKL_API_H */
