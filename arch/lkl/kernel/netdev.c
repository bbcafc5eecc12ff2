// SPDX-License-Identifier: GPL-2.0
/*
 * The watchdog of transmission (dev_watchdog()) looks every 5 seconds, as long as an
 * interface is up, whether the device has left packets lie for that long, and tells the
 * driver, which in virtio_net's case logs it.  It would wake an idle kernel for nothing
 * each time: a device of ours that cannot send waits for the host, and says so by its
 * queue.  Once a day is enough.
 */
#include <linux/init.h>
#include <linux/netdevice.h>
#include <linux/virtio.h>

#define WATCHDOG_TIME	(24 * 60 * 60 * HZ)

static int slow_watchdog_down(struct notifier_block *block, unsigned long event, void *info)
{
	struct net_device *dev = netdev_notifier_info_to_dev(info);

	/* Before it is up for the first time: 0 asks for the default. */
	if (event == NETDEV_REGISTER && dev->dev.parent && is_virtio_device(dev->dev.parent) &&
	    !dev->watchdog_timeo)
		dev->watchdog_timeo = WATCHDOG_TIME;
	return NOTIFY_DONE;
}

static struct notifier_block netdev_events = {
	.notifier_call = slow_watchdog_down,
};

static int __init watch_netdevs(void)
{
	return register_netdevice_notifier(&netdev_events);
}
late_initcall(watch_netdevs);
