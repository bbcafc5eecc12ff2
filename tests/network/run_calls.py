# SPDX-License-Identifier: GPL-2.0-only
"""Calls on descriptors of sockets and of the host's own kinds, together.

Prints what came of each case. On the host, and under `lkl run`, the output must be the
same.

    run_calls.py [CASE...]
"""

import sys

from calls import copies, descriptors, messages, signals, waiting

CASES = [
    waiting.epoll_before_any_socket, waiting.epoll_level_and_edge, waiting.epoll_many_waiters,
    waiting.epoll_nested, waiting.poll_and_select,
    descriptors.numbers, descriptors.flags_and_requests,
    copies.copies, copies.splices_into_pipes, copies.splices_out_of_pipes,
    messages.datagrams,
    signals.signals, signals.timeouts_and_signals, signals.many_signals,
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
