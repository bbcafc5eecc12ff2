// SPDX-License-Identifier: GPL-2.0
/*
 * Library interfaces that WireGuard and the random number generator use:
 * BLAKE2s, ChaCha, Curve25519.  (Poly1305's is the crypto API's, see hash.c.)
 */
#include <crypto/chacha.h>
#include <crypto/curve25519.h>
#include <crypto/internal/blake2s.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "selftest.h"

#define MAX_LENGTH	4200

static void __init check_blake2s(void)
{
	struct blake2s_state want, got;
	u8 blocks[5 * BLAKE2S_BLOCK_SIZE];
	int round;

	for (round = 0; round < 100; round++) {
		unsigned int n = 1 + selftest_below(5);
		u32 inc = n > 1 ? BLAKE2S_BLOCK_SIZE : selftest_below(BLAKE2S_BLOCK_SIZE + 1);

		selftest_fill(&want, sizeof(want));
		selftest_fill(blocks, sizeof(blocks));
		got = want;
		blake2s_compress_generic(&want, blocks, n, inc);
		blake2s_compress(&got, blocks, n, inc);
		selftest_check(selftest_same(got.h, want.h, sizeof(want.h)) &&
			       !memcmp(want.t, got.t, sizeof(want.t)),
			       "blake2s of %u blocks, %u bytes each", n, inc);
	}
	selftest_count();
}

static void __init check_chacha(u8 *buffer)
{
	u8 *src = buffer, *want = src + MAX_LENGTH + 32, *got = want + MAX_LENGTH;
	u32 state[CHACHA_STATE_WORDS] __aligned(16), copy[CHACHA_STATE_WORDS] __aligned(16);
	u32 hwant[8], hgot[8];
	int round;

	for (round = 0; round < 200; round++) {
		unsigned int n = round < 100 ? round * 3 : selftest_below(MAX_LENGTH);
		unsigned int offset = selftest_below(17), rounds = round & 1 ? 20 : 12;

		selftest_fill(state, sizeof(state));
		state[12] = round & 2 ? state[12] : ~0U;	/* the counter wraps */
		memcpy(copy, state, sizeof(state));
		selftest_fill(src, MAX_LENGTH + 32);
		chacha_crypt_generic(state, want, src + offset, n, rounds);
		chacha_crypt_arch(copy, got, src + offset, n, rounds);
		selftest_check(selftest_same(got, want, n) && !memcmp(state, copy, sizeof(state)),
			       "chacha%u of %u bytes at +%u", rounds, n, offset);

		hchacha_block_generic(state, hwant, rounds);
		hchacha_block_arch(state, hgot, rounds);
		selftest_check(selftest_same(hgot, hwant, sizeof(hwant)), "hchacha%u", rounds);
	}
	selftest_count();
}

static void __init check_curve25519(void)
{
	u8 secret[CURVE25519_KEY_SIZE], point[CURVE25519_KEY_SIZE];
	u8 want[CURVE25519_KEY_SIZE], got[CURVE25519_KEY_SIZE];
	int round;

	for (round = 0; round < 20; round++) {
		selftest_fill(secret, sizeof(secret));
		selftest_fill(point, sizeof(point));
		curve25519_clamp_secret(secret);
		curve25519_generic(want, secret, point);
		curve25519_arch(got, secret, point);
		selftest_check(selftest_same(got, want, sizeof(want)), "curve25519");

		curve25519_generic(want, secret, curve25519_base_point);
		curve25519_base_arch(got, secret);
		selftest_check(selftest_same(got, want, sizeof(want)), "curve25519, base point");
	}
	selftest_count();
}

void __init selftest_library(void)
{
	u8 *buffer = kmalloc(3 * MAX_LENGTH + 64, GFP_KERNEL);

	if (!buffer) {
		selftest_check(false, "no memory");
		return;
	}
	check_blake2s();
	check_chacha(buffer);
	check_curve25519();
	kfree(buffer);
}
