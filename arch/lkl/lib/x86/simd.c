// SPDX-License-Identifier: GPL-2.0
/*
 * Registration of x86's ciphers, in place of crypto/simd.c.
 *
 * On x86 such a cipher ("__xts(aes)") is for internal use, as it must not be called
 * where the vector registers are another's; a wrapper ("xts(aes)") puts the request
 * off then, and is therefore asynchronous.  In the image vector registers are free
 * at any time, so the cipher takes the wrapper's names and is called directly: that
 * is one call less for everybody, and who wants no asynchronous cipher (sunrpc,
 * Ceph, kTLS) gets the vector implementation, too.
 */
#include <crypto/internal/aead.h>
#include <crypto/internal/simd.h>
#include <crypto/internal/skcipher.h>
#include <linux/string.h>

/* Both names start with "__". */
static void make_public(struct crypto_alg *alg)
{
	memmove(alg->cra_name, alg->cra_name + 2, sizeof(alg->cra_name) - 2);
	memmove(alg->cra_driver_name, alg->cra_driver_name + 2,
		sizeof(alg->cra_driver_name) - 2);
	alg->cra_flags &= ~CRYPTO_ALG_INTERNAL;
}

int simd_register_skciphers_compat(struct skcipher_alg *algs, int count,
				   struct simd_skcipher_alg **wrappers)
{
	int i;

	for (i = 0; i < count; i++)
		make_public(&algs[i].base);
	return crypto_register_skciphers(algs, count);
}

int simd_register_aeads_compat(struct aead_alg *algs, int count,
			       struct simd_aead_alg **wrappers)
{
	int i;

	for (i = 0; i < count; i++)
		make_public(&algs[i].base);
	return crypto_register_aeads(algs, count);
}

/* Called where a later registration fails. */
void simd_unregister_skciphers(struct skcipher_alg *algs, int count,
			       struct simd_skcipher_alg **wrappers)
{
	crypto_unregister_skciphers(algs, count);
}

void simd_unregister_aeads(struct aead_alg *algs, int count, struct simd_aead_alg **wrappers)
{
	crypto_unregister_aeads(algs, count);
}
