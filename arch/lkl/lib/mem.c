// SPDX-License-Identifier: GPL-2.0
/*
 * memcpy(), memmove() and memset().
 *
 * Up to 128 bytes: all loads, then all stores, from both ends towards the
 * middle, so that a few branches on the length are the only ones and overlap
 * does no harm.  Beyond: a loop of 64 bytes a turn with aligned stores.  From
 * lkl_movs_min or lkl_stos_min bytes on: the CPU's microcode.  XMM registers do
 * for the loop: what wider ones gain lies between 256 and 1024 bytes, and they
 * would have to be cleared at the end of each call.
 */
#include <linux/cache.h>
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/string.h>
#include <linux/types.h>

#include "lib.h"

/* Until lkl_cpu_init(): what every CPU can do. */
unsigned long lkl_movs_min __ro_after_init = ~0UL;
unsigned long lkl_stos_min __ro_after_init = ~0UL;

/* Integers and vectors at any address. */
typedef u16 u16_any __aligned(1) __attribute__((may_alias));
typedef u32 u32_any __aligned(1) __attribute__((may_alias));
typedef u64 u64_any __aligned(1) __attribute__((may_alias));
typedef char vec __attribute__((vector_size(16), may_alias));
typedef u64 vec64 __attribute__((vector_size(16)));
typedef char vec_any __attribute__((vector_size(16), aligned(1), may_alias));

#define VEC	sizeof(vec)

#define LOAD(type, p, offset)		(*(const type##_any *)((p) + (offset)))
#define STORE(type, p, offset, v)	(*(type##_any *)((p) + (offset)) = (v))

/* Both ends of n bytes, which overlap where n is less than two of the type. */
#define MOVE_ENDS(type)							\
do {									\
	type head = LOAD(type, src, 0);					\
	type tail = LOAD(type, src, n - sizeof(type));			\
									\
	STORE(type, dst, 0, head);					\
	STORE(type, dst, n - sizeof(type), tail);			\
} while (0)

/* n <= 128; dst and src may overlap. */
static __always_inline void move_small(char *dst, const char *src, size_t n)
{
	if (n <= VEC) {
		if (n >= 8)
			MOVE_ENDS(u64);
		else if (n >= 4)
			MOVE_ENDS(u32);
		else if (n >= 2)
			MOVE_ENDS(u16);
		else if (n)
			*dst = *src;
	} else if (n <= 2 * VEC) {
		MOVE_ENDS(vec);
	} else if (n <= 4 * VEC) {
		vec a = LOAD(vec, src, 0), b = LOAD(vec, src, VEC);
		vec c = LOAD(vec, src, n - 2 * VEC), d = LOAD(vec, src, n - VEC);

		STORE(vec, dst, 0, a);
		STORE(vec, dst, VEC, b);
		STORE(vec, dst, n - 2 * VEC, c);
		STORE(vec, dst, n - VEC, d);
	} else {
		vec a = LOAD(vec, src, 0), b = LOAD(vec, src, VEC);
		vec c = LOAD(vec, src, 2 * VEC), d = LOAD(vec, src, 3 * VEC);
		vec e = LOAD(vec, src, n - 4 * VEC), f = LOAD(vec, src, n - 3 * VEC);
		vec g = LOAD(vec, src, n - 2 * VEC), h = LOAD(vec, src, n - VEC);

		STORE(vec, dst, 0, a);
		STORE(vec, dst, VEC, b);
		STORE(vec, dst, 2 * VEC, c);
		STORE(vec, dst, 3 * VEC, d);
		STORE(vec, dst, n - 4 * VEC, e);
		STORE(vec, dst, n - 3 * VEC, f);
		STORE(vec, dst, n - 2 * VEC, g);
		STORE(vec, dst, n - VEC, h);
	}
}

/*
 * n > 128, and a store to dst does not reach what is still to be loaded from
 * src: dst lies before src or behind its end.  The head is loaded before the
 * first store and the tail before the last turns, as they may overlap them.
 */
static __always_inline void move_forward(char *dst, const char *src, size_t n)
{
	vec head = LOAD(vec, src, 0);
	vec t0 = LOAD(vec, src, n - 4 * VEC), t1 = LOAD(vec, src, n - 3 * VEC);
	vec t2 = LOAD(vec, src, n - 2 * VEC), t3 = LOAD(vec, src, n - VEC);
	char *start = dst, *end = dst + n - 4 * VEC;
	size_t skip = VEC - ((unsigned long)dst & (VEC - 1));

	dst += skip;
	src += skip;
	/* The head goes last: with dst just before src it would overwrite what
	 * the first turn loads.
	 */
	while (dst < end) {
		vec a = LOAD(vec, src, 0), b = LOAD(vec, src, VEC);
		vec c = LOAD(vec, src, 2 * VEC), d = LOAD(vec, src, 3 * VEC);

		((vec *)dst)[0] = a;
		((vec *)dst)[1] = b;
		((vec *)dst)[2] = c;
		((vec *)dst)[3] = d;
		dst += 4 * VEC;
		src += 4 * VEC;
	}
	STORE(vec, end, 0, t0);
	STORE(vec, end, VEC, t1);
	STORE(vec, end, 2 * VEC, t2);
	STORE(vec, end, 3 * VEC, t3);
	STORE(vec, start, 0, head);
}

/* n > 128, and dst lies inside [src, src + n): the mirror image. */
static __always_inline void move_backward(char *dst, const char *src, size_t n)
{
	vec tail = LOAD(vec, src, n - VEC);
	vec h0 = LOAD(vec, src, 0), h1 = LOAD(vec, src, VEC);
	vec h2 = LOAD(vec, src, 2 * VEC), h3 = LOAD(vec, src, 3 * VEC);
	char *start = dst, *last = dst + n - VEC;
	char *end = (char *)((unsigned long)(dst + n - 1) & ~(VEC - 1));

	src += end - dst;
	dst = end;
	while (dst > start + 4 * VEC) {
		vec a = LOAD(vec, src, -1 * (long)VEC), b = LOAD(vec, src, -2 * (long)VEC);
		vec c = LOAD(vec, src, -3 * (long)VEC), d = LOAD(vec, src, -4 * (long)VEC);

		((vec *)dst)[-1] = a;
		((vec *)dst)[-2] = b;
		((vec *)dst)[-3] = c;
		((vec *)dst)[-4] = d;
		dst -= 4 * VEC;
		src -= 4 * VEC;
	}
	STORE(vec, start, 0, h0);
	STORE(vec, start, VEC, h1);
	STORE(vec, start, 2 * VEC, h2);
	STORE(vec, start, 3 * VEC, h3);
	STORE(vec, last, 0, tail);
}

static __always_inline void movs(void *to, const void *from, size_t n)
{
	asm volatile("rep movsb" : "+D" (to), "+S" (from), "+c" (n) : : "memory");
}

void *memcpy(void *to, const void *from, size_t n)
{
	if (n <= 8 * VEC)
		move_small(to, from, n);
	else if (n < lkl_movs_min)
		move_forward(to, from, n);
	else
		movs(to, from, n);
	return to;
}
EXPORT_SYMBOL(memcpy);

void *memmove(void *to, const void *from, size_t n)
{
	/* Unsigned: to behind from by less than n, else before it or far off. */
	bool backward = (unsigned long)to - (unsigned long)from < n;

	if (n <= 8 * VEC)
		move_small(to, from, n);
	else if (backward)
		move_backward(to, from, n);
	else if (n < lkl_movs_min || (unsigned long)from - (unsigned long)to < n)
		move_forward(to, from, n);
	else
		movs(to, from, n);
	return to;
}
EXPORT_SYMBOL(memmove);

static __always_inline void set_small(char *dst, u64 pattern, vec v, size_t n)
{
	if (n < VEC) {
		if (n >= 8) {
			STORE(u64, dst, 0, pattern);
			STORE(u64, dst, n - 8, pattern);
		} else if (n >= 4) {
			STORE(u32, dst, 0, pattern);
			STORE(u32, dst, n - 4, pattern);
		} else if (n >= 2) {
			STORE(u16, dst, 0, pattern);
			STORE(u16, dst, n - 2, pattern);
		} else if (n) {
			*dst = pattern;
		}
		return;
	}
	STORE(vec, dst, 0, v);
	STORE(vec, dst, n - VEC, v);
	if (n <= 2 * VEC)
		return;
	STORE(vec, dst, VEC, v);
	STORE(vec, dst, n - 2 * VEC, v);
	if (n <= 4 * VEC)
		return;
	STORE(vec, dst, 2 * VEC, v);
	STORE(vec, dst, 3 * VEC, v);
	STORE(vec, dst, n - 4 * VEC, v);
	STORE(vec, dst, n - 3 * VEC, v);
}

void *memset(void *to, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ULL;
	vec64 v64 = { pattern, pattern };
	vec v = (vec)v64;

	if (n <= 8 * VEC) {
		set_small(to, pattern, v, n);
	} else if (n < lkl_stos_min) {
		char *dst = (char *)(((unsigned long)to + VEC) & ~(VEC - 1));
		char *end = to + n - 4 * VEC;

		STORE(vec, (char *)to, 0, v);
		for (; dst < end; dst += 4 * VEC) {
			((vec *)dst)[0] = v;
			((vec *)dst)[1] = v;
			((vec *)dst)[2] = v;
			((vec *)dst)[3] = v;
		}
		STORE(vec, end, 0, v);
		STORE(vec, end, VEC, v);
		STORE(vec, end, 2 * VEC, v);
		STORE(vec, end, 3 * VEC, v);
	} else {
		void *dst = to;

		asm volatile("rep stosb" : "+D" (dst), "+c" (n) : "a" (c) : "memory");
	}
	return to;
}
EXPORT_SYMBOL(memset);
