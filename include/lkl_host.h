/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a program may give to the library: a place for the kernel's log, and
 * disks whose bytes are its own.
 */
#ifndef LKL_HOST_H
#define LKL_HOST_H

#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <lkl/api.h>

#ifdef __cplusplus
extern "C" {
#endif

struct lkl_jmp_buf;
struct lkl_mutex;
struct lkl_pci_ops;
struct lkl_sem;
struct lkl_tls_key;

typedef unsigned long lkl_thread_t;

/*
 * Services of the host.  The library has its own for everything but `print` and
 * `panic`: the kernel's tasks are fibers, which need no semaphores and threads of
 * the host, and no other member is ever called.  The members are here so that
 * initialisers written for other versions of the library compile.
 */
struct lkl_host_operations {
	/* Not used: devices are added at run time. */
	const char *virtio_devices;

	/*
	 * Takes `len` bytes of the kernel's log: one or more whole lines.  Called on
	 * whichever thread runs the kernel at the moment, which must not call the
	 * kernel; calls do not overlap, but for those of lkl_printf() and lkl_bug(), which
	 * are on the thread that calls these.  Null, which it is in lkl_host_ops: the log
	 * goes nowhere, but can be read with lkl_sys_syslog() and, after a panic,
	 * with lkl_panic_message().  lkl_set_log() gives each line with its level.
	 * Read by lkl_start_kernel(), lkl_printf() and
	 * lkl_bug().
	 */
	void (*print)(const char *str, int len);

	/*
	 * Ends the program for lkl_bug(); when null that is abort(3).  Not called
	 * for a panic of the kernel, after which every call returns -LKL_EIO.
	 */
	void (*panic)(void);

	/* Not used: synchronisation, threads and their storage. */
	struct lkl_sem *(*sem_alloc)(int count);
	void (*sem_free)(struct lkl_sem *sem);
	void (*sem_up)(struct lkl_sem *sem);
	void (*sem_down)(struct lkl_sem *sem);
	struct lkl_mutex *(*mutex_alloc)(int recursive);
	void (*mutex_free)(struct lkl_mutex *mutex);
	void (*mutex_lock)(struct lkl_mutex *mutex);
	void (*mutex_unlock)(struct lkl_mutex *mutex);
	lkl_thread_t (*thread_create)(void (*function)(void *), void *arg);
	void (*thread_detach)(void);
	void (*thread_exit)(void);
	int (*thread_join)(lkl_thread_t tid);
	lkl_thread_t (*thread_self)(void);
	int (*thread_equal)(lkl_thread_t a, lkl_thread_t b);
	struct lkl_tls_key *(*tls_alloc)(void (*destructor)(void *));
	void (*tls_free)(struct lkl_tls_key *key);
	int (*tls_set)(struct lkl_tls_key *key, void *data);
	void *(*tls_get)(struct lkl_tls_key *key);

	/* Not used: memory. */
	void *(*mem_alloc)(unsigned long size);
	void (*mem_free)(void *memory);
	void *(*page_alloc)(unsigned long size);
	void (*page_free)(void *memory, unsigned long size);
	void *(*memcpy)(void *dest, const void *src, unsigned long count);
	void *(*memset)(void *dest, int value, unsigned long count);
	void *(*memmove)(void *dest, const void *src, unsigned long count);
	void *(*mmap)(void *addr, unsigned long size, int prot);
	int (*munmap)(void *addr, unsigned long size);

	/* Not used: time. */
	unsigned long long (*time)(void);
	void *(*timer_alloc)(void (*function)(void *), void *arg);
	int (*timer_set_oneshot)(void *timer, unsigned long nanoseconds);
	void (*timer_free)(void *timer);

	/* Not used: devices and context. */
	void *(*ioremap)(long addr, int size);
	int (*iomem_access)(const volatile void *addr, void *value, int size, int write);
	long (*gettid)(void);
	void (*jmp_buf_set)(struct lkl_jmp_buf *buffer, void (*function)(void));
	void (*jmp_buf_longjmp)(struct lkl_jmp_buf *buffer, int value);
	struct lkl_pci_ops *pci_ops;
};

/* The library's own instance, for lkl_init(); its members may be changed before. */
extern LKL_API struct lkl_host_operations lkl_host_ops;

/* A `print` that writes to the standard error output. */
LKL_API void lkl_print_to_stderr(const char *str, int len);

struct lkl_dev_blk_ops;

/*
 * A disk for lkl_disk_add().  The structure may be copied, and be gone after the
 * call; `ops` and what `fd` or `handle` refer to stay as long as the disk.
 */
struct lkl_disk {
	/* Set by lkl_disk_add(). */
	void *dev;

	union {
		/* Without `ops`: a regular file or a block device, see lkl_disk_add(). */
		int fd;
		/* With `ops`: the caller's own. */
		void *handle;
	};

	/* Null for a disk in a file. */
	struct lkl_dev_blk_ops *ops;
};

/* struct lkl_blk_req.type; numbered as in VIRTIO 1.2, section 5.2.6. */
enum {
	LKL_DEV_BLK_TYPE_READ = 0,
	LKL_DEV_BLK_TYPE_WRITE = 1,
	/* What was written before is on stable storage when this is complete. */
	LKL_DEV_BLK_TYPE_FLUSH = 4,
	/* An old form of flush.  Not sent. */
	LKL_DEV_BLK_TYPE_FLUSH_OUT = 5,
	/* Only where get_info() says so: the sectors hold nothing of value. */
	LKL_DEV_BLK_TYPE_DISCARD = 11,
	/* Only where get_info() says so: the sectors read as zero afterwards. */
	LKL_DEV_BLK_TYPE_WRITE_ZEROES = 13,
};

/* The result of a request. */
enum {
	LKL_DEV_BLK_STATUS_OK = 0,
	LKL_DEV_BLK_STATUS_IOERR = 1,
	LKL_DEV_BLK_STATUS_UNSUP = 2,
};

/* One request to a disk with `ops`. */
struct lkl_blk_req {
	unsigned int type;		/* LKL_DEV_BLK_TYPE_... */
	unsigned int prio;		/* always 0 */
	unsigned long long sector;	/* start, in units of 512 bytes */
	/*
	 * Read, write: memory of the kernel, to be filled or to be written.  The
	 * elements may be changed.
	 */
	struct iovec *buf;
	int count;			/* elements of buf */
	/*
	 * Discard, write zeroes: number of 512-byte sectors.  Read, write: the same,
	 * which is the sum of buf as well.
	 */
	unsigned long long sectors;
};

/* What a disk with `ops` has to offer, for get_info(). */
struct lkl_blk_info {
	unsigned int size;			/* sizeof(struct lkl_blk_info), set by the caller */
	unsigned int read_only;			/* writes are not sent */
	unsigned int no_cache;			/* a write is durable when complete: no flush is sent */
	unsigned int discard;			/* LKL_DEV_BLK_TYPE_DISCARD is understood */
	unsigned int write_zeroes;		/* LKL_DEV_BLK_TYPE_WRITE_ZEROES is understood */
	unsigned int logical_block_size;	/* bytes, 512 to 4096, a power of two; 0: 512 */
	unsigned int physical_block_size;	/* bytes; 0: as logical */
	char serial[21];			/* at most 20 bytes, ended by a zero byte */
};

/*
 * Where the bytes of a disk come from.  Members that are not needed are null.
 *
 * Threads: a disk that has no submit() gets a thread of its own, with all signals
 * blocked, from lkl_disk_add() to lkl_disk_remove().  It calls request(), for one
 * request at a time, in the order in which the kernel sent them; request() may
 * block for as long as it likes, and may not call the kernel.  The other functions
 * are called by the thread that calls lkl_disk_add(), and so is request() before that, for
 * the one flush that tells whether there is a cache where get_info() does not say it.
 */
struct lkl_dev_blk_ops {
	/* Stores the size in bytes; a rest of less than 512 bytes is not used. 0, or
	 * a negative error number, with which lkl_disk_add() fails then.
	 */
	int (*get_capacity)(struct lkl_disk disk, unsigned long long *res);

	/*
	 * Does what `req` says.  Returns LKL_DEV_BLK_STATUS_...
	 *
	 * Without get_info(), lkl_disk_add() sends one flush: where that is answered
	 * with LKL_DEV_BLK_STATUS_UNSUP, the disk is taken for one without a cache.
	 */
	int (*request)(struct lkl_disk disk, struct lkl_blk_req *req);

	/*
	 * The asynchronous form, instead of request(): starts what `req` says, and
	 * calls lkl_blk_complete() when it is done, at once or later from any thread.
	 * `req` and its memory may be used until then.
	 *
	 * It is called on the thread that runs the kernel, on a stack of 32 KiB, and
	 * the kernel waits: it must not block, and may not call the kernel.  The last
	 * flush comes on the thread that removes the disk or halts the kernel.  One
	 * thread calls it at a time, except where lkl_blk_complete() does so again,
	 * on the thread that calls that, to flush after a write that has to be durable.
	 */
	void (*submit)(struct lkl_disk disk, struct lkl_blk_req *req);

	/* Fills `info`, which is zeroed but for `size`. 0, or a negative error number,
	 * with which lkl_disk_add() fails then.
	 */
	int (*get_info)(struct lkl_disk disk, struct lkl_blk_info *info);
};

/*
 * A request that submit() was given is done, with LKL_DEV_BLK_STATUS_...  Exactly
 * once a request, by any thread; the caller must hold no lock that submit() takes.
 */
LKL_API void lkl_blk_complete(struct lkl_blk_req *req, int status);

#ifdef __cplusplus
}
#endif

#endif /* LKL_HOST_H */
