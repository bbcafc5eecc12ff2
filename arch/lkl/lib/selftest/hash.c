// SPDX-License-Identifier: GPL-2.0
/*
 * Hashes and checksums of the crypto API: each vector driver against the
 * generic one, over random messages in random pieces.
 */
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "selftest.h"

#define ROUNDS		60
#define MAX_LENGTH	6000
#define MAX_DIGEST	HASH_MAX_DIGESTSIZE

struct hash_pair {
	const char *generic, *vector;
	u16 needs[SELFTEST_NEEDS];
	u16 key_size;		/* 0: none */
	u16 granule;		/* messages are multiples of this; 0: any */
	u16 min_length;
};

/* The checksums' drivers call the library's functions, generic ones included; those
 * are compared in sums.c.
 */
static const struct hash_pair pairs[] __initconst = {
	{ "crc32-generic", "crc32-lkl", { X86_FEATURE_PCLMULQDQ }, 4 },
	{ "crc32c-generic", "crc32c-lkl", { X86_FEATURE_XMM4_2 }, 4 },
	{ "crct10dif-generic", "crct10dif-pclmul", { X86_FEATURE_PCLMULQDQ } },
	{ "sha1-generic", "sha1-ssse3", { X86_FEATURE_SSSE3 } },
	{ "sha1-generic", "sha1-avx", { X86_FEATURE_AVX } },
	{ "sha1-generic", "sha1-avx2",
		{ X86_FEATURE_AVX2, X86_FEATURE_BMI1, X86_FEATURE_BMI2 } },
#ifdef CONFIG_AS_SHA1_NI
	{ "sha1-generic", "sha1-ni", { X86_FEATURE_SHA_NI } },
#endif
	{ "sha224-generic", "sha224-ssse3", { X86_FEATURE_SSSE3 } },
	{ "sha256-generic", "sha256-ssse3", { X86_FEATURE_SSSE3 } },
	{ "sha256-generic", "sha256-avx", { X86_FEATURE_AVX } },
	{ "sha256-generic", "sha256-avx2", { X86_FEATURE_AVX2, X86_FEATURE_BMI2 } },
#ifdef CONFIG_AS_SHA256_NI
	{ "sha224-generic", "sha224-ni", { X86_FEATURE_SHA_NI } },
	{ "sha256-generic", "sha256-ni", { X86_FEATURE_SHA_NI } },
#endif
	{ "sha384-generic", "sha384-ssse3", { X86_FEATURE_SSSE3 } },
	{ "sha512-generic", "sha512-ssse3", { X86_FEATURE_SSSE3 } },
	{ "sha512-generic", "sha512-avx", { X86_FEATURE_AVX } },
	{ "sha512-generic", "sha512-avx2", { X86_FEATURE_AVX2, X86_FEATURE_BMI2 } },
	{ "poly1305-generic", "poly1305-simd", { }, .min_length = 32 },	/* its key */
#ifdef CONFIG_LKL_VECTOR_POLYVAL
	{ "polyval-generic", "polyval-clmulni",
		{ X86_FEATURE_PCLMULQDQ, X86_FEATURE_AVX }, 16, 16 },
#endif
#ifdef CONFIG_LKL_VECTOR_NHPOLY1305
	{ "nhpoly1305-generic", "nhpoly1305-sse2", { X86_FEATURE_XMM2 }, 1088 },
	{ "nhpoly1305-generic", "nhpoly1305-avx2", { X86_FEATURE_AVX2 }, 1088 },
#endif
};

static u8 *message __initdata;

/* In one piece, or with an update() for each of several. */
static int __init digest(struct crypto_shash *tfm, const u8 *p, unsigned int n,
			 const u8 *cuts, u8 *out)
{
	SHASH_DESC_ON_STACK(desc, tfm);
	int i, err;

	desc->tfm = tfm;
	if (!cuts)
		return crypto_shash_digest(desc, p, n, out);

	err = crypto_shash_init(desc);
	for (i = 0; !err && n; i++) {
		unsigned int piece = min(n, (unsigned int)cuts[i % 4] * (1 + i % 7));

		err = crypto_shash_update(desc, p, piece);
		p += piece;
		n -= piece;
	}
	return err ?: crypto_shash_final(desc, out);
}

static void __init compare(const struct hash_pair *pair, struct crypto_shash *generic,
			   struct crypto_shash *vector)
{
	u8 want[MAX_DIGEST], got[MAX_DIGEST], cuts[4];
	unsigned int n, offset;
	int round, i, err;

	for (round = 0; round < ROUNDS; round++) {
		if (pair->key_size) {
			selftest_fill(message, pair->key_size);
			err = crypto_shash_setkey(generic, message, pair->key_size) ?:
			      crypto_shash_setkey(vector, message, pair->key_size);
			selftest_check(!err, "%s key: error %d", pair->vector, err);
			if (err)
				return;
		}
		offset = selftest_below(33);
		n = round < 20 ? round * 7 : selftest_below(MAX_LENGTH);
		if (pair->granule)
			n = round_down(n, pair->granule);
		n = max_t(unsigned int, n, pair->min_length);
		selftest_fill(message, n + offset);

		memset(want, 0, sizeof(want));
		memset(got, 0, sizeof(got));
		err = digest(generic, message + offset, n, NULL, want) ?:
		      digest(vector, message + offset, n, NULL, got);
		selftest_check(!err && selftest_same(got, want, sizeof(want)),
			       "%s of %u bytes at +%u (error %d)", pair->vector, n, offset, err);

		for (i = 0; i < ARRAY_SIZE(cuts); i++)
			cuts[i] = 1 + selftest_below(200);
		memset(got, 0, sizeof(got));
		err = digest(vector, message + offset, n, cuts, got);
		selftest_check(!err && selftest_same(got, want, sizeof(want)),
			       "%s of %u bytes at +%u in pieces (error %d)", pair->vector, n,
			       offset, err);
	}
}

static void __init check_pair(const struct hash_pair *pair)
{
	struct crypto_shash *vector = crypto_alloc_shash(pair->vector, 0, 0), *generic;
	bool expected = selftest_has(pair->needs);

	selftest_check(!IS_ERR(vector) == expected, "%s is %s", pair->vector,
		       expected ? "missing" : "there without its CPU feature");
	if (IS_ERR(vector))
		return;
	generic = crypto_alloc_shash(pair->generic, 0, 0);
	selftest_check(!IS_ERR(generic), "%s is missing", pair->generic);
	if (!IS_ERR(generic)) {
		compare(pair, generic, vector);
		selftest_count();
		crypto_free_shash(generic);
	}
	crypto_free_shash(vector);
}

#ifdef CONFIG_LKL_VECTOR_GHASH
static int __init digest_ahash(struct crypto_ahash *tfm, const u8 *key, const u8 *p,
			       unsigned int n, u8 *out)
{
	struct ahash_request *req = ahash_request_alloc(tfm, GFP_KERNEL);
	DECLARE_CRYPTO_WAIT(wait);
	struct scatterlist sg;
	int err;

	if (!req)
		return -ENOMEM;
	sg_init_one(&sg, p, n);
	ahash_request_set_callback(req, 0, crypto_req_done, &wait);
	ahash_request_set_crypt(req, &sg, out, n);
	err = crypto_ahash_setkey(tfm, key, 16) ?:
	      crypto_wait_req(crypto_ahash_digest(req), &wait);
	ahash_request_free(req);
	return err;
}

/* The one hash of x86's that is only there in the asynchronous form. */
static void __init check_ghash(void)
{
	struct crypto_ahash *generic = crypto_alloc_ahash("ghash-generic", 0, 0);
	struct crypto_ahash *vector = crypto_alloc_ahash("ghash-clmulni", 0, 0);
	bool expected = boot_cpu_has(X86_FEATURE_PCLMULQDQ);
	/* Not on the stack, which scatter lists may not point to. */
	u8 *want = kmalloc(48, GFP_KERNEL), *got = want + 16, *key = want + 32;
	unsigned int n, offset;
	int round, err;

	selftest_check(want && !IS_ERR(generic) && !IS_ERR(vector) == expected,
		       "ghash-clmulni is %s", expected ? "missing" : "there without PCLMULQDQ");
	if (!want || IS_ERR(generic) || IS_ERR(vector))
		goto out;
	for (round = 0; round < ROUNDS; round++) {
		offset = selftest_below(33);
		n = 1 + selftest_below(round < 20 ? 100 : MAX_LENGTH - 1);
		selftest_fill(key, 16);
		selftest_fill(message, n + offset);
		err = digest_ahash(generic, key, message + offset, n, want) ?:
		      digest_ahash(vector, key, message + offset, n, got);
		selftest_check(!err && selftest_same(got, want, 16),
			       "ghash-clmulni of %u bytes at +%u (error %d)", n, offset, err);
	}
	selftest_count();
out:
	if (!IS_ERR(generic))
		crypto_free_ahash(generic);
	if (!IS_ERR(vector))
		crypto_free_ahash(vector);
	kfree(want);
}
#else
static inline void check_ghash(void)
{
}
#endif

void __init selftest_hashes(void)
{
	int i;

	message = kmalloc(MAX_LENGTH + 64, GFP_KERNEL);
	if (!message) {
		selftest_check(false, "no memory");
		return;
	}
	for (i = 0; i < ARRAY_SIZE(pairs); i++)
		check_pair(&pairs[i]);
	check_ghash();
	kfree(message);
}
