// SPDX-License-Identifier: GPL-2.0
/*
 * The speed of checksums, hashes, ciphers and RAID-6, as the kernel's own users
 * get it: the implementation that the crypto API or the raid6 library has chosen,
 * on pieces of 4 KiB (the unit of ext4 and btrfs checksums, of fs-verity, dm-crypt
 * and md) in memory that stays in the CPU's cache.
 *
 * Reading /sys/module/lkl_bench/parameters/NAME gives
 * "BYTES NANOSECONDS IMPLEMENTATION".
 */
#include <crypto/hash.h>
#include <crypto/skcipher.h>
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/ktime.h>
#include <linux/mm.h>
#include <linux/moduleparam.h>
#include <linux/raid/pq.h>
#include <linux/scatterlist.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/sysfs.h>
#include <linux/unaligned.h>

#include "bench.h"

#define UNIT		4096
#define UNITS		16
#define ORDER		4		/* get_order(UNIT * UNITS) */
#define DURATION	(20 * NSEC_PER_MSEC)

/* The data disks of the RAID-6, to which P and Q come. */
#define DATA_DISKS	8

struct speed {
	u64 bytes, nanoseconds;
};

/*
 * Calls step() on one unit after the other of UNITS, in turns, until DURATION has
 * passed.  An error of step() ends it.
 */
static int run(struct speed *speed, int (*step)(void *arg, unsigned int unit), void *arg)
{
	u64 start = ktime_get_ns();
	unsigned int i;
	int err;

	speed->bytes = 0;
	do {
		for (i = 0; i < UNITS; i++) {
			err = step(arg, i);
			if (err)
				return err;
		}
		speed->bytes += UNITS * UNIT;
		cond_resched();
		speed->nanoseconds = ktime_get_ns() - start;
	} while (speed->nanoseconds < DURATION);
	return 0;
}

static int report(char *buffer, const struct speed *speed, const char *implementation)
{
	return sysfs_emit(buffer, "%llu %llu %s\n", speed->bytes, speed->nanoseconds,
			  implementation);
}

static u8 *alloc_data(void)
{
	u8 *data = (u8 *)__get_free_pages(GFP_KERNEL, ORDER);
	unsigned int i;

	/* Anything but zeroes, which are a special case of some. */
	for (i = 0; data && i < UNIT * UNITS; i++)
		data[i] = i * 167 + (i >> 8);
	return data;
}

static void free_data(u8 *data)
{
	free_pages((unsigned long)data, ORDER);
}

#ifdef CONFIG_CRYPTO_HASH
struct hash_job {
	struct shash_desc *desc;
	u8 *data;
	u8 digest[HASH_MAX_DIGESTSIZE];
};

static int hash_step(void *arg, unsigned int unit)
{
	struct hash_job *job = arg;

	return crypto_shash_digest(job->desc, job->data + unit * UNIT, UNIT, job->digest);
}

static int get_hash(char *buffer, const struct kernel_param *kp)
{
	struct crypto_shash *tfm = crypto_alloc_shash(kp->arg, 0, 0);
	struct hash_job job = { };
	struct speed speed;
	int ret = -ENOMEM;

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	job.desc = kzalloc(sizeof(*job.desc) + crypto_shash_descsize(tfm), GFP_KERNEL);
	job.data = alloc_data();
	if (job.desc && job.data) {
		job.desc->tfm = tfm;
		ret = run(&speed, hash_step, &job) ?:
		      report(buffer, &speed, crypto_shash_driver_name(tfm));
	}
	free_data(job.data);
	kfree(job.desc);
	crypto_free_shash(tfm);
	return ret;
}

static const struct kernel_param_ops hash_ops = { .get = get_hash };
module_param_cb(crc32c, &hash_ops, "crc32c", 0400);
module_param_cb(sha256, &hash_ops, "sha256", 0400);
#endif

#if IS_REACHABLE(CONFIG_CRYPTO_SKCIPHER)
struct cipher_job {
	struct skcipher_request *req;
	u8 *data;
	u64 sector;
};

/* As dm-crypt does it: each sector in place, its number is the IV ("plain64"). */
static int cipher_step(void *arg, unsigned int unit)
{
	struct cipher_job *job = arg;
	struct scatterlist sg;
	u8 iv[16] = { };

	sg_init_one(&sg, job->data + unit * UNIT, UNIT);
	put_unaligned_le64(job->sector++, iv);
	skcipher_request_set_crypt(job->req, &sg, &sg, UNIT, iv);
	return crypto_skcipher_encrypt(job->req);
}

static int get_aes_xts(char *buffer, const struct kernel_param *kp)
{
	struct crypto_skcipher *tfm;
	struct cipher_job job = { };
	struct speed speed;
	int ret = -ENOMEM;

	/* Asynchronous drivers are left out: there is nobody to wait for. */
	tfm = crypto_alloc_skcipher("xts(aes)", 0, CRYPTO_ALG_ASYNC);
	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	job.req = skcipher_request_alloc(tfm, GFP_KERNEL);
	job.data = alloc_data();
	if (job.req && job.data) {
		skcipher_request_set_callback(job.req, 0, NULL, NULL);
		/* Two keys of 256 bits, which must differ. */
		ret = crypto_skcipher_setkey(tfm, job.data, 64) ?:
		      run(&speed, cipher_step, &job) ?:
		      report(buffer, &speed, crypto_skcipher_driver_name(tfm));
	}
	free_data(job.data);
	skcipher_request_free(job.req);
	crypto_free_skcipher(tfm);
	return ret;
}

LKL_BENCH_PARAM(aes_xts, get_aes_xts);
#endif

#if IS_REACHABLE(CONFIG_RAID6_PQ)
/* Each step makes the syndromes of one stripe; its data counts. */
static int raid6_step(void *arg, unsigned int unit)
{
	if (unit < UNITS / DATA_DISKS)
		raid6_call.gen_syndrome(DATA_DISKS + 2, UNIT, arg);
	return 0;
}

static int get_raid6(char *buffer, const struct kernel_param *kp)
{
	void *disks[DATA_DISKS + 2];
	u8 *data = alloc_data();
	struct speed speed;
	unsigned int i;
	int ret;

	if (!data)
		return -ENOMEM;
	for (i = 0; i < ARRAY_SIZE(disks); i++)
		disks[i] = data + i * UNIT;
	ret = run(&speed, raid6_step, disks) ?: report(buffer, &speed, raid6_call.name);
	free_data(data);
	return ret;
}

LKL_BENCH_PARAM(raid6, get_raid6);
#endif
