// SPDX-License-Identifier: GPL-2.0
/*
 * The crypto API's "crc32" and "crc32c" by the library functions.
 *
 * The generic drivers call the same functions, but who asks whether a checksum is
 * fast (btrfs, before it computes it right where it is needed) goes by the name.
 */
#include <crypto/internal/hash.h>
#include <linux/crc32.h>
#include <linux/init.h>
#include <linux/module.h>
#include <linux/unaligned.h>
#include <asm/cpufeature.h>

/* The context of a hash: where its checksums start from. */
static int crc_setkey(struct crypto_shash *tfm, const u8 *key, unsigned int len)
{
	u32 *start = crypto_shash_ctx(tfm);

	if (len != sizeof(u32))
		return -EINVAL;
	*start = get_unaligned_le32(key);
	return 0;
}

static int crc_init(struct shash_desc *desc)
{
	u32 *crc = shash_desc_ctx(desc), *start = crypto_shash_ctx(desc->tfm);

	*crc = *start;
	return 0;
}

static int crc32_init_tfm(struct crypto_tfm *tfm)
{
	u32 *start = crypto_tfm_ctx(tfm);

	*start = 0;
	return 0;
}

static int crc32_update(struct shash_desc *desc, const u8 *data, unsigned int len)
{
	u32 *crc = shash_desc_ctx(desc);

	*crc = crc32_le(*crc, data, len);
	return 0;
}

static int crc32_final(struct shash_desc *desc, u8 *out)
{
	u32 *crc = shash_desc_ctx(desc);

	put_unaligned_le32(*crc, out);
	return 0;
}

static int crc32_finup(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)
{
	u32 *crc = shash_desc_ctx(desc);

	put_unaligned_le32(crc32_le(*crc, data, len), out);
	return 0;
}

static int crc32_digest(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)
{
	u32 *start = crypto_shash_ctx(desc->tfm);

	put_unaligned_le32(crc32_le(*start, data, len), out);
	return 0;
}

static int crc32c_init_tfm(struct crypto_tfm *tfm)
{
	u32 *start = crypto_tfm_ctx(tfm);

	*start = ~0;
	return 0;
}

static int crc32c_update(struct shash_desc *desc, const u8 *data, unsigned int len)
{
	u32 *crc = shash_desc_ctx(desc);

	*crc = __crc32c_le(*crc, data, len);
	return 0;
}

static int crc32c_final(struct shash_desc *desc, u8 *out)
{
	u32 *crc = shash_desc_ctx(desc);

	put_unaligned_le32(~*crc, out);
	return 0;
}

static int crc32c_finup(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)
{
	u32 *crc = shash_desc_ctx(desc);

	put_unaligned_le32(~__crc32c_le(*crc, data, len), out);
	return 0;
}

static int crc32c_digest(struct shash_desc *desc, const u8 *data, unsigned int len, u8 *out)
{
	u32 *start = crypto_shash_ctx(desc->tfm);

	put_unaligned_le32(~__crc32c_le(*start, data, len), out);
	return 0;
}

#define CRC_ALG(crc, name)					\
{								\
	.setkey		= crc_setkey,				\
	.init		= crc_init,				\
	.update		= crc##_update,				\
	.final		= crc##_final,				\
	.finup		= crc##_finup,				\
	.digest		= crc##_digest,				\
	.descsize	= sizeof(u32),				\
	.digestsize	= sizeof(u32),				\
	.base		= {					\
		.cra_name		= name,			\
		.cra_driver_name	= name "-lkl",		\
		.cra_priority		= 200,			\
		.cra_flags		= CRYPTO_ALG_OPTIONAL_KEY, \
		.cra_blocksize		= 1,			\
		.cra_ctxsize		= sizeof(u32),		\
		.cra_init		= crc##_init_tfm,	\
		.cra_module		= THIS_MODULE,		\
	},							\
}

static struct shash_alg crc32_alg = CRC_ALG(crc32, "crc32");
static struct shash_alg crc32c_alg = CRC_ALG(crc32c, "crc32c");

static int __init crc32_api_init(void)
{
	int err = 0;

	if (IS_ENABLED(CONFIG_CRYPTO_CRC32) && boot_cpu_has(X86_FEATURE_PCLMULQDQ))
		err = crypto_register_shash(&crc32_alg);
	if (IS_ENABLED(CONFIG_CRYPTO_CRC32C) && boot_cpu_has(X86_FEATURE_XMM4_2))
		err = err ?: crypto_register_shash(&crc32c_alg);
	return err;
}
subsys_initcall(crc32_api_init);
