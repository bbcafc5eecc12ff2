#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Totals of the kernel's own tests, from the logs of their last run.

    totals.py BUILD          how many passed, and how long all of them took
    totals.py BUILD UML-LOG  the same, and each test that passes on User Mode Linux
                             and not here: exit code 1 if there is one that is not known
"""

import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import kernel_log  # noqa: E402 pylint: disable=wrong-import-position


def seconds(text):
    """The time of the log's last line, which the kernel counts from its start."""
    times = re.findall(r"^\[ *(\d+\.\d+)\]", text, re.MULTILINE)
    return float(times[-1]) if times else 0.0


def suite_seconds(text):
    """Name -> how long a suite of KUnit took: from its first line to its result."""
    times, start = {}, None
    for line in text.splitlines():
        begin = re.match(r"\[ *(\d+\.\d+)\]     KTAP version", line)
        end = re.match(r"\[ *(\d+\.\d+)\] (?:not )?ok \d+ (?:- )?(.+?)(?: #.*)?$", line)
        if begin:
            start = float(begin[1])
        elif end and start is not None:
            times[end[2]] = float(end[1]) - start
            start = None
    return times


def passed(title, text, source):
    """Name -> status of each case of each suite, and of each test at boot."""
    results = {}
    suites = kernel_log.suites(text, source)
    # A kernel that died on the way would have nothing that fails.
    if len(suites) != kernel_log.planned(text):
        sys.exit("%s: %d of %d suites are in its log" % (
            title, len(suites), kernel_log.planned(text)))
    for name, suite in suites.items():
        for case, status in kernel_log.cases(suite):
            results[name + "." + case] = status
    for name, found in kernel_log.boot_tests(text).items():
        results["boot." + name] = "SUCCESS" if found else "MISSING"
    return results


def print_totals(title, results, text):
    """One line."""
    counts = {}
    for status in results.values():
        counts[status] = counts.get(status, 0) + 1
    print("%s: %s; %.1f s" % (
        title, ", ".join("%d %s" % (n, s.lower()) for s, n in sorted(counts.items())),
        seconds(text)))


def main():
    """See above."""
    build = sys.argv[1]
    source = os.path.join(build, "linux", "source")
    text = kernel_log.read(os.path.join(build, "results", "kunit.log"))
    ours = passed("lkl", text, source)
    print_totals("lkl", ours, text)
    if len(sys.argv) < 3:
        return 0
    other_text = kernel_log.read(sys.argv[2])
    other = passed("uml", other_text, source)
    print_totals("uml", other, other_text)
    print("time of all, lkl / uml: %.2f" % (seconds(text) / seconds(other_text)))
    mine, its = suite_seconds(text), suite_seconds(other_text)
    both = mine.keys() & its.keys()
    mine, its = (sum(times[name] for name in both) for times in (mine, its))
    print("time of the %d suites of KUnit that both have, lkl / uml: %.2f / %.2f s, %.2f" % (
        len(both), mine, its, mine / its))
    worse = [name for name, status in other.items()
             if status == "SUCCESS" and ours.get(name) != "SUCCESS"]
    for name in worse:
        print("passes on uml, not here: %s (%s)" % (name, ours.get(name, "missing").lower()))
    worse = [name for name in worse
             if name.split(".", 1)[1] not in kernel_log.KNOWN_FAILURES.get(name.split(".")[0], ())]
    for name in ours:
        if ours[name] == "SUCCESS" and other.get(name) != "SUCCESS":
            print("passes here, not on uml: %s (%s)" % (name, other.get(name, "missing").lower()))
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
