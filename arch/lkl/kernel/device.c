// SPDX-License-Identifier: GPL-2.0
/* Devices of the host library: virtio over MMIO, added and removed at run time. */
#include <linux/blk-mq.h>
#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/kdev_t.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/platform_device.h>
#include <linux/syscalls.h>
#include <asm/irq.h>
#include <asm/lkl.h>

/*
 * Registers of devices, see asm/io.h.  A driver may have memory where another has
 * registers (test doubles of clk and regmap do): that is no call of the host.
 */
static bool is_memory(unsigned long addr)
{
	return virt_addr_valid((void *)addr) || is_vmalloc_addr((void *)addr);
}

unsigned long lkl_mmio_read(unsigned long addr, unsigned int size)
{
	if (!is_memory(addr))
		return host_call(mmio_read, addr, size);

	switch (size) {
	case 1:
		return READ_ONCE(*(u8 *)addr);
	case 2:
		return READ_ONCE(*(u16 *)addr);
	case 4:
		return READ_ONCE(*(u32 *)addr);
	default:
		return READ_ONCE(*(u64 *)addr);
	}
}

void lkl_mmio_write(unsigned long addr, unsigned long value, unsigned int size)
{
	if (!is_memory(addr)) {
		host_call(mmio_write, addr, value, size);
		return;
	}

	switch (size) {
	case 1:
		WRITE_ONCE(*(u8 *)addr, value);
		break;
	case 2:
		WRITE_ONCE(*(u16 *)addr, value);
		break;
	case 4:
		WRITE_ONCE(*(u32 *)addr, value);
		break;
	default:
		WRITE_ONCE(*(u64 *)addr, value);
	}
}

static DEFINE_IDR(devices);
static DEFINE_MUTEX(devices_lock);

static bool is_disk(struct device *dev)
{
	return IS_ENABLED(CONFIG_BLOCK) && dev->class == &block_class;
}

static int find_block_device(struct device *dev, void *number)
{
	if (is_disk(dev)) {
		*(u64 *)number = new_encode_dev(dev->devt);
		return 1;
	}
	return device_for_each_child(dev, number, find_block_device);
}

/*
 * Returns an identifier for the removal.  When this returns, the driver has
 * found the device and, for a disk, its partitions; *number is its device number
 * as stat(2) shows it, or 0 for what is no disk.
 */
SYSCALL_DEFINE4(lkl_virtio_mmio_device_add, unsigned long, base, unsigned long, size,
		unsigned int, irq, u64 __user *, number)
{
	struct resource resources[] = {
		DEFINE_RES_MEM(base, size),
		DEFINE_RES_IRQ(irq),
	};
	struct platform_device *pdev;
	u64 found = 0;
	int id;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (!size || irq < LKL_IRQ_DEVICE_FIRST || irq >= NR_IRQS)
		return -EINVAL;

	pdev = platform_device_register_resndata(NULL, "virtio-mmio", PLATFORM_DEVID_AUTO,
						 resources, ARRAY_SIZE(resources), NULL, 0);
	if (IS_ERR(pdev))
		return PTR_ERR(pdev);

	mutex_lock(&devices_lock);
	id = idr_alloc(&devices, pdev, 0, 0, GFP_KERNEL);
	mutex_unlock(&devices_lock);
	device_for_each_child(&pdev->dev, &found, find_block_device);
	if (id >= 0 && number && put_user(found, number)) {
		mutex_lock(&devices_lock);
		idr_remove(&devices, id);
		mutex_unlock(&devices_lock);
		id = -EFAULT;
	}
	if (id < 0)
		platform_device_unregister(pdev);
	return id;
}

/*
 * A dead disk has no sectors: who opens it before it is gone can neither mount it nor write
 * what would be lost.
 */
static int close_disk(struct device *dev, void *unused)
{
	struct gendisk *disk;

	if (!is_disk(dev))
		return device_for_each_child(dev, NULL, close_disk);
	disk = dev_to_disk(dev);
	mutex_lock(&disk->open_mutex);
	if (disk_openers(disk)) {
		mutex_unlock(&disk->open_mutex);
		return -EBUSY;
	}
	/* Who opens it from here on gets as far as a first request, which waits. */
	blk_freeze_queue_start_non_owner(disk->queue);
	mutex_unlock(&disk->open_mutex);
	/* Without the mutex: it may call file systems. */
	blk_mark_disk_dead(disk);
	blk_mq_unfreeze_queue_non_owner(disk->queue);
	return 0;
}

/* -EBUSY for a disk that is mounted or otherwise open. */
SYSCALL_DEFINE1(lkl_virtio_mmio_device_remove, long, id)
{
	struct platform_device *pdev;
	int ret = -ENODEV;

	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	mutex_lock(&devices_lock);
	pdev = idr_find(&devices, id);
	if (pdev)
		ret = device_for_each_child(&pdev->dev, NULL, close_disk);
	if (!ret)
		idr_remove(&devices, id);
	mutex_unlock(&devices_lock);
	if (!ret)
		platform_device_unregister(pdev);
	return ret;
}
