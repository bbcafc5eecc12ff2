// SPDX-License-Identifier: GPL-2.0
/*
 * No fair server.  It keeps realtime tasks from starving the others, by a timer that
 * runs out a second after any task ran: it would wake an idle kernel for nothing each
 * time.  A realtime task in a library is the program's own choice.
 *
 * This is what writing 0 to sched/fair_server/cpu0/runtime of debugfs does.
 */
#include <linux/init.h>
#include "../../../kernel/sched/sched.h"

static int __init stop_fair_server(void)
{
	struct rq *rq = this_rq();
	struct sched_dl_entity *server = &rq->fair_server;

	guard(rq_lock_irqsave)(rq);
	/* Its parameters are set when it starts for the first time, as it has by now:
	 * we are a task.
	 */
	if (!server->dl_server)
		return 0;
	update_rq_clock(rq);
	if (server->dl_server_active)
		dl_server_stop(server);
	return dl_server_apply_params(server, 0, server->dl_period, false);
}
late_initcall(stop_fair_server);
