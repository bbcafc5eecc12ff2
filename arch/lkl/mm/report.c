// SPDX-License-Identifier: GPL-2.0
/* Memory that the kernel does not use goes back to the host. */
#include <linux/gfp.h>
#include <linux/init.h>
#include <linux/mm.h>
#include <linux/page_reporting.h>
#include <linux/scatterlist.h>
#include <asm/lkl.h>

/* Without blocks, 256 KiB: a host call apiece, and little free memory stays with us. */
#define REPORT_ORDER	6

static int report(struct page_reporting_dev_info *dev, struct scatterlist *sgl,
		  unsigned int nents)
{
	struct scatterlist *sg;
	unsigned int i;

	for_each_sg(sgl, sg, nents, i) {
		host_call(discard, sg_phys(sg), sg->length);
		lkl_blocks_discarded(sg_phys(sg), sg->length);
	}
	/*
	 * The processor's own list keeps single pages, an eighth of all memory at
	 * most, until the statistics' timer, which an idle kernel does not run.  As
	 * free blocks they are reported in the next round.
	 */
	drain_local_pages(NULL);
	return 0;
}

static struct page_reporting_dev_info report_device = {
	.report	= report,
	.order	= REPORT_ORDER,
};

static int __init report_init(void)
{
	/* What comes back reads as zeroes, which are not the pattern of free memory. */
	if (page_poisoning_enabled())
		return 0;
	if (lkl_blocks_in_use())
		report_device.order = get_order(LKL_BLOCK_SIZE);
	return page_reporting_register(&report_device);
}
late_initcall(report_init);
