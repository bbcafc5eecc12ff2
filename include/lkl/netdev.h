/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Network interfaces, for C.
 *
 *	struct lkl_netdev *tap = lkl_netdev_tap_create("tap0", LKL_NETDEV_OFFLOAD_ALL);
 *	int id = lkl_netdev_add(tap, NULL);
 *	int ifindex = lkl_netdev_get_ifindex(id);
 *	... lkl_if_up(ifindex) ...
 *	lkl_netdev_remove(id);
 *	lkl_netdev_free(tap);
 *
 * `offload` is a set of bits of LKL_VIRTIO_NET_F_..., 1 << LKL_VIRTIO_NET_F_CSUM for
 * instance: what the kernel may leave to the device (CSUM, HOST_TSO4, HOST_TSO6) and the
 * device to the kernel (GUEST_...), and MRG_RXBUF. What the device does not have is left
 * out.
 *
 * Any thread may make, add, remove and free devices at any time; a device, one at a time.
 */
#ifndef LKL_NETDEV_H
#define LKL_NETDEV_H

#include <stdint.h>
#include <sys/uio.h>

#include <lkl/api.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LKL_NETDEV_MAC_LENGTH 6
#define LKL_NETDEV_OFFLOAD_ALL (~0u)

struct ifreq;
struct lkl_dev_net_ops;

/*
 * A network device: the library's, or the caller's own with its functions, of which
 * this is the beginning.  It stays where it is as long as it is added.
 */
struct lkl_netdev {
	struct lkl_dev_net_ops *ops;
	int id;				/* set by lkl_netdev_add() */
	/* Before each packet is a struct lkl_virtio_net_hdr_v1, of 12 bytes.  Without it
	 * there is no offload.
	 */
	uint8_t has_vnet_hdr : 1;
	uint8_t mac[LKL_NETDEV_MAC_LENGTH];	/* all zero: a random one */
};

/* What lkl_dev_net_ops.poll() has found, a set of bits. */
enum {
	LKL_DEV_NET_POLL_RX = 1,	/* rx() has something */
	LKL_DEV_NET_POLL_TX = 2,	/* tx() takes packets again */
	LKL_DEV_NET_POLL_HUP = 4,	/* poll_hup() was called */
};

/*
 * The functions of a caller's own device.
 *
 * Threads: tx() and rx() are called by one thread at a time each, on the thread that
 * carries the kernel (a stack of 32 KiB) or on the device's; they must not block, and may
 * not call the kernel.  poll() has a thread of its own, with all signals blocked, from the
 * time that the kernel's driver has the device until it is removed.
 */
struct lkl_dev_net_ops {
	/* Sends one packet: `cnt` elements.  Returns its length; -1: not now, the packet
	 * comes again after poll() has said LKL_DEV_NET_POLL_TX.
	 */
	int (*tx)(struct lkl_netdev *nd, struct iovec *iov, int cnt);

	/* Receives one packet.  Returns its length; -1: there is none. */
	int (*rx)(struct lkl_netdev *nd, struct iovec *iov, int cnt);

	/* Waits, and returns LKL_DEV_NET_POLL_...: what has come since the last call. rx()
	 * is called until it has nothing.  A negative number ends the thread, as HUP does.
	 */
	int (*poll)(struct lkl_netdev *nd);

	/* Makes poll() return LKL_DEV_NET_POLL_HUP.  Called by any thread. */
	void (*poll_hup)(struct lkl_netdev *nd);

	/* Called by lkl_netdev_free(), unless it is null. */
	void (*free)(struct lkl_netdev *nd);
};

struct lkl_netdev_args {
	void *mac;		/* 6 bytes, or null: the device's */
	unsigned int offload;	/* what is used of the device's offer */
};

/*
 * Adds the device to the running kernel: the interface is down. `args` null: no more
 * than what the device says, all of its offload.  Between lkl_init() and
 * lkl_start_kernel() the latter adds it to the kernel; it has no interface before.
 * Returns its number, from 0 on, or -LKL_ESHUTDOWN (lkl_init() was not called, or the
 * kernel was halted), -LKL_EINVAL (a function is missing), -LKL_ENOSPC (a kernel has at
 * most 56 devices), and the kernel's.  A device of the library's, by lkl_netdev_*_create(),
 * can be added once: -LKL_EBUSY afterwards, also when it was removed or could not be added.
 * A device of the program's own must not be added while it is there.
 */
LKL_API int lkl_netdev_add(struct lkl_netdev *nd, struct lkl_netdev_args *args);

/* Removes it, whatever uses it; nothing happens when it is not there. */
LKL_API void lkl_netdev_remove(int id);

/*
 * Ends a device that was removed, or whose kernel was halted, or that was never added;
 * null: nothing happens.
 */
LKL_API void lkl_netdev_free(struct lkl_netdev *nd);

/* The kernel's index of the interface, or -LKL_ENODEV (also before lkl_start_kernel()). */
LKL_API int lkl_netdev_get_ifindex(int id);

/*
 * Plugs its cable in, as it is at first, or out (0): the interface's carrier.  0 or
 * -LKL_ENODEV.  Any thread.
 */
LKL_API int lkl_netdev_set_link(int id, int up);

/*
 * What the device has done since it was added.  Each is explained in lkl/kernel.hpp,
 * NetDeviceStatistics.
 */
struct lkl_netdev_stats {
	uint64_t rx_frames, rx_bytes, rx_errors;
	uint64_t tx_frames, tx_bytes, tx_errors, tx_dropped;
};

/* 0, or -LKL_ENODEV and `*stats` is as it was.  Any thread. */
LKL_API int lkl_netdev_get_stats(int id, struct lkl_netdev_stats *stats);

/*
 * The library's devices, see lkl/net.hpp for what each is, and which have threads. Null on
 * failure: lkl_error_message() says why.
 */
/* A tap interface of the host, by its name. */
LKL_API struct lkl_netdev *lkl_netdev_tap_create(const char *ifname, int offload);
/* The same with several pairs of queues, which the kernel uses as its driver is told to
 * (LKL_SIOCETHTOOL: it uses one at first).  With more than one, an interface that exists has to
 * be one of several (IFF_MULTI_QUEUE), and another is made so.
 */
LKL_API struct lkl_netdev *lkl_netdev_tap_create_mq(const char *ifname, int offload,
						    unsigned int queue_pairs);
/* The same by the path of its device, as /dev/net/tun, and TUNSETIFF's argument.  Null in
 * place of that: the device is an interface already, as /dev/tap7.
 */
LKL_API struct lkl_netdev *lkl_netdev_tap_init(const char *path, int offload, struct ifreq *ifr);
/* A macvtap interface of the host, by its name or the path of its device. */
LKL_API struct lkl_netdev *lkl_netdev_macvtap_create(const char *path, int offload);
/* An interface of the host that is shared with it, by its name. */
LKL_API struct lkl_netdev *lkl_netdev_raw_create(const char *ifname);
/* A cable to another kernel: "PATH|PATH", the fifos to read from and to write to. */
LKL_API struct lkl_netdev *lkl_netdev_pipe_create(const char *ifname, int offload);
/* A switch of VDE. */
LKL_API struct lkl_netdev *lkl_netdev_vde_create(const char *switch_path);
/* The host's network, through libslirp: null or "", or words of QEMU's, separated by commas,
 * "restrict=on" and "hostfwd=tcp:ADDRESS:PORT-:PORT" (or udp).
 */
LKL_API struct lkl_netdev *lkl_netdev_slirp_create(const char *ifparams);
/* The host's network, through passt(1): null or "" to start it, options for that, the first
 * of which begins with '-', or the path of the socket where it listens.
 */
LKL_API struct lkl_netdev *lkl_netdev_passt_create(const char *ifparams);
/* A cable to another kernel: an end of a pair of sockets (SOCK_SEQPACKET). `fd` is
 * duplicated, the caller's may be closed.
 */
LKL_API struct lkl_netdev *lkl_netdev_socket_create(int fd);
/* Another device, all of whose packets are written to a new file in pcap's format as well.
 * `nd`, which was not added, is part of the new device, also on failure: it is ended with
 * it.
 */
LKL_API struct lkl_netdev *lkl_netdev_pcap_create(struct lkl_netdev *nd, const char *path);
/* Not in this library: always null, with an error message. */
LKL_API struct lkl_netdev *lkl_netdev_dpdk_create(const char *ifparams, int offload,
						  unsigned char *mac);

#ifdef __cplusplus
}
#endif

#endif /* LKL_NETDEV_H */
