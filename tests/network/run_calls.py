# SPDX-License-Identifier: GPL-2.0-only
"""Calls on descriptors of sockets and of the host's own kinds, together.

Prints what came of each case. On the host, and under `lkl run`, the output must be the
same.

    run_calls.py [CASE...]
"""

import sys

from calls import copies, descriptors, messages, nesting, polls, signals, waiting

CASES = [
    nesting.nested_before_any_socket, nesting.watched_before_any_socket,
    waiting.epoll_before_any_socket, waiting.epoll_level_and_edge, waiting.epoll_many_waiters,
    waiting.epoll_nested, waiting.poll_and_select,
    nesting.nested_edges, nesting.nested_levels, nesting.nested_at_once, nesting.nested_threads,
    nesting.turns,
    polls.select_of_all, polls.select_of_closed, polls.times_of_polls, polls.masks_of_polls,
    descriptors.numbers, descriptors.limited_numbers, descriptors.numbers_of_waiting_calls,
    descriptors.flags_and_requests,
    copies.copies, copies.refused_copies, copies.splices_into_pipes, copies.splices_out_of_pipes,
    messages.datagrams,
    signals.signals, signals.interrupting_signals, signals.timeouts_and_signals, signals.many_signals,
    descriptors.child_processes, descriptors.names_of_descriptors,
    messages.several_messages_at_once,
]


def main():
    """All cases, or those that are named."""
    for case in CASES:
        if len(sys.argv) > 1 and case.__name__ not in sys.argv[1:]:
            continue
        print(f"{case.__name__}:")
        case()
        sys.stdout.flush()


if __name__ == "__main__":
    main()
