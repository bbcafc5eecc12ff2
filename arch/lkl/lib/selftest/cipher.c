// SPDX-License-Identifier: GPL-2.0
/*
 * Ciphers of the crypto API: each vector driver against the generic one, over
 * random keys, lengths, scatter lists and places, and back again.
 */
#include <crypto/aead.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "selftest.h"

#define ROUNDS		40
#define MAX_LENGTH	6000
#define MAX_AAD		80
#define MAX_TAG		16
#define BUFFER		(MAX_AAD + MAX_LENGTH + MAX_TAG + 64)
#define MAX_KEY		64
#define PIECES		6

/* Message lengths: any, whole blocks, or at least a block. */
enum lengths { ANY, BLOCKS, ONE_BLOCK_MIN };

struct cipher_pair {
	const char *generic, *vector;
	u16 needs[SELFTEST_NEEDS];
	u8 lengths;
	bool chained;		/* the IV is defined afterwards */
};

static const struct cipher_pair ciphers[] __initconst = {
	{ "ecb(aes-generic)", "ecb(aes-aesni)", { X86_FEATURE_AES }, BLOCKS },
	{ "ecb(aes-generic)", "ecb-aes-aesni", { X86_FEATURE_AES }, BLOCKS },
	{ "cbc(aes-generic)", "cbc-aes-aesni", { X86_FEATURE_AES }, BLOCKS, true },
	{ "cts(cbc(aes-generic))", "cts-cbc-aes-aesni", { X86_FEATURE_AES }, ONE_BLOCK_MIN },
	{ "ctr(aes-generic)", "ctr-aes-aesni", { X86_FEATURE_AES }, ANY },
	{ "xts(ecb(aes-generic))", "xts-aes-aesni", { X86_FEATURE_AES }, ONE_BLOCK_MIN },
	{ "xts(ecb(aes-generic))", "xts-aes-aesni-avx",
		{ X86_FEATURE_AES, X86_FEATURE_AVX }, ONE_BLOCK_MIN },
#ifdef CONFIG_CRYPTO_XCTR
	{ "xctr(aes-generic)", "xctr-aes-aesni", { X86_FEATURE_AES, X86_FEATURE_AVX }, ANY },
#endif
#if defined(CONFIG_AS_VAES) && defined(CONFIG_AS_VPCLMULQDQ)
	{ "xts(ecb(aes-generic))", "xts-aes-vaes-avx2",
		{ X86_FEATURE_AES, X86_FEATURE_AVX2, X86_FEATURE_VAES,
		  X86_FEATURE_VPCLMULQDQ }, ONE_BLOCK_MIN },
	{ "xts(ecb(aes-generic))", "xts-aes-vaes-avx10_256",
		{ X86_FEATURE_AES, X86_FEATURE_VAES, X86_FEATURE_VPCLMULQDQ,
		  X86_FEATURE_AVX512BW, X86_FEATURE_AVX512VL }, ONE_BLOCK_MIN },
	{ "xts(ecb(aes-generic))", "xts-aes-vaes-avx10_512",
		{ X86_FEATURE_AES, X86_FEATURE_VAES, X86_FEATURE_VPCLMULQDQ,
		  X86_FEATURE_AVX512BW, X86_FEATURE_AVX512VL }, ONE_BLOCK_MIN },
#endif
	{ "chacha20-generic", "chacha20-simd", { X86_FEATURE_SSSE3 }, ANY },
#ifdef CONFIG_LKL_VECTOR_SERPENT
	{ "ecb(serpent-generic)", "ecb-serpent-sse2", { X86_FEATURE_XMM2 }, BLOCKS },
	{ "cbc(serpent-generic)", "cbc-serpent-sse2", { X86_FEATURE_XMM2 }, BLOCKS, true },
	{ "ecb(serpent-generic)", "ecb-serpent-avx", { X86_FEATURE_AVX }, BLOCKS },
	{ "cbc(serpent-generic)", "cbc-serpent-avx", { X86_FEATURE_AVX }, BLOCKS, true },
	{ "ecb(serpent-generic)", "ecb-serpent-avx2", { X86_FEATURE_AVX2 }, BLOCKS },
	{ "cbc(serpent-generic)", "cbc-serpent-avx2", { X86_FEATURE_AVX2 }, BLOCKS, true },
#endif
#ifdef CONFIG_LKL_VECTOR_TWOFISH
	{ "ecb(twofish-generic)", "ecb(twofish-asm)", { }, BLOCKS },
	{ "ecb(twofish-generic)", "ecb-twofish-3way", { }, BLOCKS },
	{ "cbc(twofish-generic)", "cbc-twofish-3way", { }, BLOCKS, true },
	{ "ecb(twofish-generic)", "ecb-twofish-avx", { X86_FEATURE_AVX }, BLOCKS },
	{ "cbc(twofish-generic)", "cbc-twofish-avx", { X86_FEATURE_AVX }, BLOCKS, true },
#endif
#ifdef CONFIG_LKL_VECTOR_CAMELLIA
	{ "ecb(camellia-generic)", "ecb(camellia-asm)", { }, BLOCKS },
	{ "ecb(camellia-generic)", "ecb-camellia-asm", { }, BLOCKS },
	{ "cbc(camellia-generic)", "cbc-camellia-asm", { }, BLOCKS, true },
	{ "ecb(camellia-generic)", "ecb-camellia-aesni",
		{ X86_FEATURE_AES, X86_FEATURE_AVX }, BLOCKS },
	{ "cbc(camellia-generic)", "cbc-camellia-aesni",
		{ X86_FEATURE_AES, X86_FEATURE_AVX }, BLOCKS, true },
	{ "ecb(camellia-generic)", "ecb-camellia-aesni-avx2",
		{ X86_FEATURE_AES, X86_FEATURE_AVX2 }, BLOCKS },
	{ "cbc(camellia-generic)", "cbc-camellia-aesni-avx2",
		{ X86_FEATURE_AES, X86_FEATURE_AVX2 }, BLOCKS, true },
#endif
};

struct aead_pair {
	const char *generic, *vector;
	u16 needs[SELFTEST_NEEDS];
};

static const struct aead_pair aeads[] __initconst = {
	{ "gcm_base(ctr(aes-generic),ghash-generic)", "generic-gcm-aesni",
		{ X86_FEATURE_AES } },
	{ "gcm_base(ctr(aes-generic),ghash-generic)", "generic-gcm-aesni-avx",
		{ X86_FEATURE_AES, X86_FEATURE_AVX } },
#if defined(CONFIG_AS_VAES) && defined(CONFIG_AS_VPCLMULQDQ)
	{ "gcm_base(ctr(aes-generic),ghash-generic)", "generic-gcm-vaes-avx10_256",
		{ X86_FEATURE_AES, X86_FEATURE_VAES, X86_FEATURE_VPCLMULQDQ,
		  X86_FEATURE_AVX512BW, X86_FEATURE_AVX512VL } },
	{ "gcm_base(ctr(aes-generic),ghash-generic)", "generic-gcm-vaes-avx10_512",
		{ X86_FEATURE_AES, X86_FEATURE_VAES, X86_FEATURE_VPCLMULQDQ,
		  X86_FEATURE_AVX512BW, X86_FEATURE_AVX512VL } },
#endif
#ifdef CONFIG_LKL_VECTOR_AEGIS128
	{ "aegis128-generic", "aegis128-aesni", { X86_FEATURE_AES, X86_FEATURE_XMM4_1 } },
#endif
};

/* The plain text, what the generic driver makes of it, and the vector one. */
static u8 *plain __initdata, *want __initdata, *got __initdata;

/* n bytes at p as up to PIECES entries. */
static void __init split(struct scatterlist *sg, u8 *p, unsigned int n)
{
	int i;

	sg_init_table(sg, PIECES);
	for (i = 0; i < PIECES - 1 && n > 1; i++) {
		unsigned int piece = 1 + selftest_below(n - 1);

		sg_set_buf(&sg[i], p, piece);
		p += piece;
		n -= piece;
	}
	sg_set_buf(&sg[i], p, n);
	sg_mark_end(&sg[i]);
}

/* from and to may be the same. */
static int __init run_cipher(struct crypto_skcipher *tfm, bool encrypt, u8 *from, u8 *to,
			     unsigned int n, u8 *iv, bool pieces)
{
	struct skcipher_request *req = skcipher_request_alloc(tfm, GFP_KERNEL);
	struct scatterlist src[PIECES], dst[PIECES];
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	if (!req)
		return -ENOMEM;
	if (pieces) {
		split(src, from, n);
		split(dst, to, n);
	} else {
		sg_init_one(src, from, n);
		sg_init_one(dst, to, n);
	}
	skcipher_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &wait);
	skcipher_request_set_crypt(req, src, from == to ? src : dst, n, iv);
	err = crypto_wait_req(encrypt ? crypto_skcipher_encrypt(req) :
			      crypto_skcipher_decrypt(req), &wait);
	skcipher_request_free(req);
	return err;
}

static unsigned int __init cipher_length(u8 lengths)
{
	unsigned int n = 1 + selftest_below(selftest_below(2) ? 300 : MAX_LENGTH - 16);

	switch (lengths) {
	case BLOCKS:
		return round_up(n, 16);
	case ONE_BLOCK_MIN:
		return max(n, 16U);
	default:
		return n;
	}
}

static void __init compare_ciphers(const struct cipher_pair *pair,
				   struct crypto_skcipher *generic,
				   struct crypto_skcipher *vector)
{
	unsigned int min_key = crypto_skcipher_min_keysize(generic);
	unsigned int max_key = crypto_skcipher_max_keysize(generic);
	u8 key[MAX_KEY], iv[16], iv_want[16], iv_got[16];
	int round, err;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int steps = (max_key - min_key) / 8;
		unsigned int key_size = min_key + 8 * selftest_below(steps + 1);
		unsigned int n = cipher_length(pair->lengths);
		u8 *src = plain + selftest_below(17), *dst = got + selftest_below(17);

		/* XTS has no keys of 40 or 56 bytes: both must say so. */
		selftest_fill(key, sizeof(key));
		err = crypto_skcipher_setkey(generic, key, key_size);
		selftest_check(!err == !crypto_skcipher_setkey(vector, key, key_size),
			       "%s key of %u bytes", pair->vector, key_size);
		if (err)
			continue;

		selftest_fill(plain, BUFFER);
		selftest_fill(iv, sizeof(iv));
		memcpy(iv_want, iv, sizeof(iv));
		memcpy(iv_got, iv, sizeof(iv));
		err = run_cipher(generic, true, src, want, n, iv_want, false) ?:
		      run_cipher(vector, true, src, dst, n, iv_got, round & 1);
		selftest_check(!err && selftest_same(dst, want, n),
			       "%s of %u bytes, key %u (error %d)", pair->vector, n, key_size,
			       err);
		if (pair->chained)
			selftest_check(selftest_same(iv_got, iv_want, sizeof(iv)),
				       "%s: IV after %u bytes", pair->vector, n);

		memcpy(iv_got, iv, sizeof(iv));
		err = run_cipher(vector, false, dst, dst, n, iv_got, round & 2);
		selftest_check(!err && selftest_same(dst, src, n),
			       "%s back in place, %u bytes, key %u (error %d)", pair->vector, n,
			       key_size, err);
	}
}

static void __init check_cipher(const struct cipher_pair *pair)
{
	struct crypto_skcipher *vector = crypto_alloc_skcipher(pair->vector, 0, 0), *generic;
	bool expected = selftest_has(pair->needs);

	selftest_check(!IS_ERR(vector) == expected, "%s is %s", pair->vector,
		       expected ? "missing" : "there without its CPU feature");
	if (IS_ERR(vector))
		return;
	generic = crypto_alloc_skcipher(pair->generic, 0, 0);
	selftest_check(!IS_ERR(generic), "%s is missing", pair->generic);
	if (!IS_ERR(generic)) {
		compare_ciphers(pair, generic, vector);
		selftest_count();
		crypto_free_skcipher(generic);
	}
	crypto_free_skcipher(vector);
}

/* Associated data, text and tag lie in a row. */
static int __init run_aead(struct crypto_aead *tfm, bool encrypt, u8 *from, u8 *to,
			   unsigned int aad, unsigned int n, u8 *iv, bool pieces)
{
	struct aead_request *req = aead_request_alloc(tfm, GFP_KERNEL);
	unsigned int tag = crypto_aead_authsize(tfm), text = encrypt ? n : n + tag;
	struct scatterlist src[PIECES], dst[PIECES];
	DECLARE_CRYPTO_WAIT(wait);
	int err;

	if (!req)
		return -ENOMEM;
	if (pieces) {
		split(src, from, aad + n + tag);
		split(dst, to, aad + n + tag);
	} else {
		sg_init_one(src, from, aad + n + tag);
		sg_init_one(dst, to, aad + n + tag);
	}
	aead_request_set_callback(req, CRYPTO_TFM_REQ_MAY_SLEEP, crypto_req_done, &wait);
	aead_request_set_ad(req, aad);
	aead_request_set_crypt(req, src, from == to ? src : dst, text, iv);
	err = crypto_wait_req(encrypt ? crypto_aead_encrypt(req) : crypto_aead_decrypt(req),
			      &wait);
	aead_request_free(req);
	return err;
}

static void __init compare_aeads(const struct aead_pair *pair, struct crypto_aead *generic,
				 struct crypto_aead *vector, const u8 *key_sizes)
{
	u8 key[MAX_KEY], iv[16], iv_copy[16];
	int round, err;

	for (round = 0; round < ROUNDS; round++) {
		unsigned int key_size = key_sizes[selftest_below(3)];
		unsigned int aad = selftest_below(MAX_AAD), n = selftest_below(MAX_LENGTH);
		unsigned int tag = 12 + selftest_below(5);
		bool pieces = round & 1;

		selftest_fill(key, sizeof(key));
		err = crypto_aead_setkey(generic, key, key_size) ?:
		      crypto_aead_setkey(vector, key, key_size) ?:
		      crypto_aead_setauthsize(generic, tag) ?:
		      crypto_aead_setauthsize(vector, tag);
		selftest_check(!err, "%s key of %u bytes, tag of %u: error %d", pair->vector,
			       key_size, tag, err);
		if (err)
			continue;

		selftest_fill(plain, BUFFER);
		selftest_fill(iv, sizeof(iv));
		memcpy(got, plain, aad);
		memcpy(want, plain, aad);
		memcpy(iv_copy, iv, sizeof(iv));
		err = run_aead(generic, true, plain, want, aad, n, iv_copy, false);
		memcpy(iv_copy, iv, sizeof(iv));
		err = err ?: run_aead(vector, true, plain, got, aad, n, iv_copy, pieces);
		selftest_check(!err && selftest_same(got, want, aad + n + tag),
			       "%s of %u + %u bytes, key %u, tag %u (error %d)", pair->vector, aad,
			       n, key_size, tag, err);

		memcpy(iv_copy, iv, sizeof(iv));
		err = run_aead(vector, false, got, got, aad, n, iv_copy, pieces);
		selftest_check(!err && selftest_same(got, plain, aad + n),
			       "%s back in place, %u + %u bytes, key %u (error %d)", pair->vector,
			       aad, n, key_size, err);

		/* One bit anywhere is noticed. */
		memcpy(iv_copy, iv, sizeof(iv));
		want[selftest_below(aad + n + tag)] ^= 1 << selftest_below(8);
		err = run_aead(vector, false, want, want, aad, n, iv_copy, false);
		selftest_check(err == -EBADMSG, "%s takes a forged message (%d)", pair->vector,
			       err);
	}
}

static void __init check_aead(const struct aead_pair *pair)
{
	static const u8 aes_keys[] __initconst = { 16, 24, 32 };
	static const u8 aegis_keys[] __initconst = { 16, 16, 16 };
	struct crypto_aead *vector = crypto_alloc_aead(pair->vector, 0, 0), *generic;
	bool expected = selftest_has(pair->needs);

	selftest_check(!IS_ERR(vector) == expected, "%s is %s", pair->vector,
		       expected ? "missing" : "there without its CPU feature");
	if (IS_ERR(vector))
		return;
	generic = crypto_alloc_aead(pair->generic, 0, 0);
	selftest_check(!IS_ERR(generic), "%s is missing", pair->generic);
	if (!IS_ERR(generic)) {
		compare_aeads(pair, generic, vector,
			      strstarts(pair->vector, "aegis") ? aegis_keys : aes_keys);
		selftest_count();
		crypto_free_aead(generic);
	}
	crypto_free_aead(vector);
}

void __init selftest_ciphers(void)
{
	int i;

	plain = kmalloc(BUFFER, GFP_KERNEL);
	want = kmalloc(BUFFER, GFP_KERNEL);
	got = kmalloc(BUFFER, GFP_KERNEL);
	if (!plain || !want || !got) {
		selftest_check(false, "no memory");
		goto out;
	}
	for (i = 0; i < ARRAY_SIZE(ciphers); i++)
		check_cipher(&ciphers[i]);
	for (i = 0; i < ARRAY_SIZE(aeads); i++)
		check_aead(&aeads[i]);
out:
	kfree(plain);
	kfree(want);
	kfree(got);
}
