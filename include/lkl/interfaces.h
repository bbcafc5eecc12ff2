/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The network's configuration, for C; lkl/netlink.hpp has more of it.
 *
 * Interfaces are named by their index, which lkl_ifname_to_ifindex() and
 * lkl_netdev_get_ifindex() give; lo is 1.  Addresses are in network byte order, as in
 * sockets: an IPv4 address is an unsigned int, or 4 bytes where a pointer is asked for,
 * an IPv6 address 16 bytes; `af` is LKL_AF_INET or LKL_AF_INET6.
 *
 * All return 0 or a negative error number of the kernel, and lkl_error_message() then
 * has the kernel's own words: -LKL_ENODEV (no such interface), -LKL_EEXIST (it is there
 * already), -LKL_EINVAL (a prefix or a family is out of range), -LKL_ESHUTDOWN (no
 * kernel runs), -LKL_ENOSYS (the tiny kernel, which has no network).  They may be called by
 * any thread at any time, and work in the network namespace of the calling one.
 */
#ifndef LKL_INTERFACES_H
#define LKL_INTERFACES_H

#include <lkl/api.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The index of an interface, or -LKL_ENODEV; -LKL_ERANGE: no name can be so long. */
LKL_API int lkl_ifname_to_ifindex(const char *name);

LKL_API int lkl_if_up(int ifindex);
LKL_API int lkl_if_down(int ifindex);
LKL_API int lkl_if_set_mtu(int ifindex, int mtu);

/* Adds an address, or takes it away (-LKL_EADDRNOTAVAIL: it is not there). */
LKL_API int lkl_if_add_ip(int ifindex, int af, const void *addr, unsigned int netprefix_len);
LKL_API int lkl_if_del_ip(int ifindex, int af, const void *addr, unsigned int netprefix_len);

/* Adds an IPv4 address. */
LKL_API int lkl_if_set_ipv4(int ifindex, unsigned int addr, unsigned int netmask_len);

/*
 * Adds an IPv6 address, and if the interface is up, waits as lkl_if_wait_ipv6_dad()
 * until it can be used.  The address stays when the wait fails.
 */
LKL_API int lkl_if_set_ipv6(int ifindex, const void *addr, unsigned int netprefix_len);

/*
 * Waits until duplicate address detection of an IPv6 address has ended, which takes
 * about two seconds.  0: it can be used. -LKL_EADDRINUSE (another host has it),
 * -LKL_EADDRNOTAVAIL (the interface does not have it), -LKL_ETIMEDOUT (no end after five
 * seconds, for want of a carrier perhaps).
 */
LKL_API int lkl_if_wait_ipv6_dad(int ifindex, const void *addr);

/* Sets the default route, in place of the one before. A link-local gateway is on the only
 * interface that is up and not the loopback interface. -LKL_ENETUNREACH: no interface has
 * the gateway on its link. -LKL_EINVAL: it is link-local, and there are several. */
LKL_API int lkl_set_ipv4_gateway(unsigned int addr);
LKL_API int lkl_set_ipv6_gateway(const void *addr);
LKL_API int lkl_add_gateway(int af, const void *gwaddr);

/*
 * Routing by source address, for hosts with several gateways: each interface has a
 * routing table of its own, number LKL_IF_TABLE(ifindex).
 *
 * lkl_if_set_ipv4_gateway() and lkl_if_set_ipv6_gateway() send what comes from the
 * interface's address `addr` to the gateway `via_addr` on the interface's link, and
 * to the network of `addr` directly.  They do these three things:
 *
 * lkl_if_add_rule_from_saddr(): packets from `saddr` go by the interface's table;
 * lkl_if_add_linklocal(): in it, the network of `addr` is on the link;
 * lkl_if_add_gateway(): in it, `gwaddr` is the default route.
 *
 * What is there already is no error, and is not there twice.
 */
#define LKL_IF_TABLE(ifindex) (10000 + (ifindex))
LKL_API int lkl_if_set_ipv4_gateway(int ifindex, unsigned int addr, unsigned int netmask_len,
				    unsigned int via_addr);
LKL_API int lkl_if_set_ipv6_gateway(int ifindex, const void *addr, unsigned int netmask_len,
				    const void *via_addr);
LKL_API int lkl_if_add_rule_from_saddr(int ifindex, int af, const void *saddr);
LKL_API int lkl_if_add_linklocal(int ifindex, int af, const void *addr, int netprefix_len);
LKL_API int lkl_if_add_gateway(int ifindex, int af, const void *gwaddr);

/* Sets the hardware address (6 bytes) of a neighbour, for good. */
LKL_API int lkl_add_neighbor(int ifindex, int af, const void *addr, const void *mac);

/*
 * Sets a queueing discipline, in the words of tc(8); docs/network.md lists them.
 * `parent`: "root", "ingress", "clsact" or a class ("1:2"); `type`: "fq", or
 * "netem delay 10ms loss 1%".  -LKL_EINVAL: a word is not known, lkl_error_message()
 * says which.
 */
LKL_API int lkl_qdisc_add(int ifindex, const char *parent, const char *type);

/*
 * Several of them: "root|fq_codel;ingress|ingress", a pair "PARENT|TYPE" each.  All are
 * tried. 0, or the error of the first one that failed.
 */
LKL_API int lkl_qdisc_parse_add(int ifindex, const char *entries);

#ifdef __cplusplus
}
#endif

#endif /* LKL_INTERFACES_H */
