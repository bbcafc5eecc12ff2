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

import argparse
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
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


def torture(case, log):
    """Boots, and returns complaints; none: it passed."""
    seconds = int(os.environ.get("LKL_TORTURE_SECONDS", "60"))
    image = os.path.join(os.environ["LKL_LIB"], "lkl", "vmlinux-kunit")
    if not os.path.exists(image):
        return ["%s is missing: \"make kunit\" builds it" % image]
    # The other tests of this kernel come first; it ends by itself.
    limit = seconds + 300
    with open(log, "wb") as file:
        code = subprocess.run([os.path.join(os.environ["LKL_BIN"], "lkl-boot"), "-m", "512",
                               "--seconds", str(limit), "-a", command_line(case, seconds), image],
                              stdout=file, timeout=limit + 60, check=False).returncode
    text = kernel_log.read(log)
    complaints = [] if code == 0 else ["lkl-boot ended with %d" % code]
    if not re.search(r"%s-torture:\s*--- End of test: SUCCESS" % re.escape(case), text):
        complaints.append("it does not say that it succeeded")
    done = [int(number) for number in WORK.findall(text)]
    if not done or max(done) < seconds:
        complaints.append("it did next to nothing: %s" % (max(done) if done else "no numbers"))
    complaints += [line for line in text.splitlines()
                   if kernel_log.REPORTS.search(line) or "!!!" in line]
    return complaints


def main():
    """Lists, or runs one case."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--case")
    arguments.add_argument("include", nargs="*")
    options = arguments.parse_args()
    if options.list:
        print("\n".join(RCU + LOCKS))
        return 0
    results = os.path.join(os.environ["LKL_BUILD"], "results")
    os.makedirs(results, exist_ok=True)
    log = os.path.join(results, "torture-%s.log" % options.case)
    complaints = torture(options.case, log)
    for complaint in complaints:
        print("%s: %s" % (options.case, complaint), file=sys.stderr)
    if complaints:
        print("see " + log, file=sys.stderr)
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
