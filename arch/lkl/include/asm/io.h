/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Device registers are no memory: an access is a call of the device model.
 * ioremap() hands the "physical" address through, and nobody dereferences it.
 */
#ifndef _ASM_LKL_IO_H
#define _ASM_LKL_IO_H

#include <linux/types.h>
#include <asm/page.h>

unsigned long lkl_mmio_read(unsigned long addr, unsigned int size);
void lkl_mmio_write(unsigned long addr, unsigned long value, unsigned int size);

#define LKL_MMIO_ACCESSORS(name, type, bytes)				\
static inline type __raw_read##name(const volatile void __iomem *addr)	\
{									\
	return lkl_mmio_read((unsigned long)addr, bytes);		\
}									\
static inline void __raw_write##name(type value, volatile void __iomem *addr) \
{									\
	lkl_mmio_write((unsigned long)addr, value, bytes);		\
}

LKL_MMIO_ACCESSORS(b, u8, 1)
#define __raw_readb __raw_readb
#define __raw_writeb __raw_writeb
LKL_MMIO_ACCESSORS(w, u16, 2)
#define __raw_readw __raw_readw
#define __raw_writew __raw_writew
LKL_MMIO_ACCESSORS(l, u32, 4)
#define __raw_readl __raw_readl
#define __raw_writel __raw_writel
LKL_MMIO_ACCESSORS(q, u64, 8)
#define __raw_readq __raw_readq
#define __raw_writeq __raw_writeq

#undef LKL_MMIO_ACCESSORS

#define ioremap ioremap
static inline void __iomem *ioremap(phys_addr_t phys, size_t size)
{
	return (void __iomem *)phys;
}

#define iounmap iounmap
static inline void iounmap(volatile void __iomem *addr)
{
}

#define virt_to_phys virt_to_phys
static inline phys_addr_t virt_to_phys(const volatile void *addr)
{
	return __pa(addr);
}

#define phys_to_virt phys_to_virt
static inline void *phys_to_virt(phys_addr_t phys)
{
	return __va(phys);
}

/* There are no ports; in place of NULL, to which clang would not have anything added. */
#define PCI_IOBASE	((void __iomem *)PAGE_SIZE)

#include <asm-generic/io.h>

#endif
