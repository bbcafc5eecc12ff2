#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES TIMEOUT=600
"""The kernel's torture of RCU and of its locks, on the kernel with KUnit.

    torture_test.py --list
    torture_test.py --case NAME

Each case boots build/lib/lkl/vmlinux-kunit with one flavour of RCU, or one kind of lock,
under torture. LKL_TORTURE_SECONDS (60) is for how long; the kernel then says how it went,
and halts. The log stays in build/results/torture-NAME.log.
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402 pylint: disable=wrong-import-position
import kernel_log  # noqa: E402 pylint: disable=wrong-import-position

# The names of the kernel's modules for them.
RCU = ["rcu", "srcu", "srcud", "tasks-tracing"]
LOCKS = ["spin_lock", "spin_lock_irq", "raw_spin_lock", "raw_spin_lock_irq", "rw_lock",
         "rw_lock_irq", "mutex_lock", "ww_mutex_lock", "rtmutex_lock", "rwsem_lock",
         "percpu_rwsem_lock"]

# Numbers of what was done: grace periods with their updates, and what got a lock.
WORK = re.compile(r"(?:-torture:.* ver: |\bWrites: +Total: )(\d+)")


def command_line(case, seconds):
    """What the kernel is told: one torture, no suites of KUnit."""
    module, other = ("rcutorture", "locktorture") if case in RCU else ("locktorture", "rcutorture")
    return ("kunit.enable=0 %s.torture_type=none %s.torture_type=%s %s.shutdown_secs=%d "
            "%s.stat_interval=5" % (other, module, case, module, seconds, module))


def torture(case):
    """Boots, and returns complaints; none: it passed."""
    seconds = int(os.environ.get("LKL_TORTURE_SECONDS", "60"))
    log = harness.results_path("torture-%s.log" % case)
    # The other tests of this kernel come first; it ends by itself.
    limit = seconds + 300
    complaints = harness.boot(log, limit + 60, "-m", "512", "--seconds", str(limit),
                              "-a", command_line(case, seconds))
    text = kernel_log.read(log) if os.path.exists(log) else ""
    if not re.search(r"%s-torture:\s*--- End of test: SUCCESS" % re.escape(case), text):
        complaints.append("it does not say that it succeeded")
    done = [int(number) for number in WORK.findall(text)]
    if not done or max(done) < seconds:
        complaints.append("it did next to nothing: %s" % (max(done) if done else "no numbers"))
    complaints += [line for line in text.splitlines()
                   if kernel_log.REPORTS.search(line) or "!!!" in line]
    return complaints + ["see " + log] if complaints else []


def main():
    """Lists, or runs one case."""
    return harness.main(RCU + LOCKS, torture)


if __name__ == "__main__":
    sys.exit(main())
