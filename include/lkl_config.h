/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A kernel's settings from JSON and from the environment, as `lkl run` has them.
 *
 *	struct lkl_config config = {0};
 *	lkl_load_config_json(&config, text);
 *	lkl_load_config_env(&config);
 *	lkl_load_config_pre(&config);
 *	lkl_init(&lkl_host_ops);
 *	lkl_start_kernel(config.boot_cmdline);
 *	lkl_load_config_post(&config);
 *	... the program ...
 *	lkl_unload_config(&config);
 *	lkl_sys_halt();
 *	lkl_cleanup();
 *
 * docs/run.md lists keys and variables, and what each does.  All settings are texts; null
 * is one that is not given.  Errors are negative error numbers of the kernel, and
 * lkl_error_message() names the setting.  A configuration belongs to one thread at a time.
 */
#ifndef LKL_CONFIG_H
#define LKL_CONFIG_H

#include <lkl/api.h>
#include <lkl/netdev.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A network device.  A program may set the texts itself: each is memory of malloc(3), which
 * lkl_unload_config() frees, as it frees the structure.
 */
struct lkl_config_iface {
	struct lkl_config_iface *next;
	struct lkl_netdev *nd;	/* set by lkl_load_config_pre(); null for the type "none" */
	int id;			/* set by lkl_load_config_post(), as by lkl_netdev_add() */

	char *iftype;		/* tap, macvtap, raw, pipe, socket, vde, passt, slirp, none */
	char *ifparams;
	char *ifdhcp;
	char *ifmtu_str;
	char *ifmac_str;
	char *ifip;
	char *ifnetmask_len;
	char *ifipv6;
	char *ifnetmask6_len;
	char *ifgateway;
	char *ifgateway6;
	char *ifneigh_entries;
	char *ifqdisc_entries;
	char *ifoffload_str;
};

/* All zero: no settings.  For its texts the same holds. */
struct lkl_config {
	struct lkl_config_iface *ifaces;
	char *gateway;
	char *gateway6;
	char *sysctls;
	char *boot_cmdline;	/* for lkl_start_kernel() */
	char *mount;
	char *debug;
	char *dump;
	char *congestion;
	char *pcap;
	/* For the program, if it wants them: the kernel has no use for them. */
	char *nameserver;
	char *single_cpu;
	char *delay_main;
	char *dispatch;
};

/*
 * Lays the settings of a JSON text over those that are there; its list of interfaces takes
 * the place of another one.  0, -LKL_EINVAL (no JSON, an unknown key, or a value that is no
 * string) and -LKL_EOPNOTSUPP ("images", which is for `lkl run` alone): nothing is changed.
 */
LKL_API int lkl_load_config_json(struct lkl_config *cfg, const char *jstr);

/*
 * Lays the variables LKL_HIJACK_* over them; CONFIG_FILE is not looked at.  Those of a
 * program with more rights than who started it count as not given.  Returns 0.
 */
LKL_API int lkl_load_config_env(struct lkl_config *cfg);

/*
 * What comes before the kernel: looks whether the settings are right, and opens what
 * carries the packets of each device.  With `dump` it shows the settings; with `debug` the
 * kernel's log goes to the standard error output, if lkl_host_ops.print is null.
 * `boot_cmdline` is not null afterwards.
 *
 * 0, -LKL_EINVAL (a setting is wrong), -LKL_EBUSY (devices are open already), and the
 * host's errors.  After a failure no device is open.
 */
LKL_API int lkl_load_config_pre(struct lkl_config *cfg);

/*
 * What the running kernel needs: mounts, devices with their addresses, routes, neighbours
 * and queueing disciplines, gateways, settings.  Interface lo is up then.  Addresses of
 * IPv6 can be used at once, without a look whether another host has them.  With `ifdhcp`,
 * or with the types passt and slirp without an address, a DHCP server gives the address,
 * which is waited for, for 20 seconds at most; it is not renewed (lkl/dhcp.hpp does that).
 *
 * 0, -LKL_ESHUTDOWN (no kernel runs), -LKL_EINVAL (lkl_load_config_pre() comes first, or a
 * setting is wrong), -LKL_ETIMEDOUT (no DHCP server answered), and the kernel's.  After a
 * failure, what was done stays until lkl_unload_config().
 */
LKL_API int lkl_load_config_post(struct lkl_config *cfg);

/*
 * Removes the devices from the kernel if it is still there, ends them, and frees all
 * texts: the configuration is empty afterwards.  Not after the lkl_start_kernel() of
 * another kernel.  Returns 0.
 */
LKL_API int lkl_unload_config(struct lkl_config *cfg);

/* Prints the settings as JSON, by lkl_printf(). */
LKL_API void lkl_show_config(struct lkl_config *cfg);

#ifdef __cplusplus
}
#endif

#endif /* LKL_CONFIG_H */
