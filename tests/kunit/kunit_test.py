#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# ctest: CASES FIRST=boot TIMEOUT=900
"""The kernel's own tests, which ran while a kernel with KUnit booted as a library.

    kunit_test.py --list
    kunit_test.py --case NAME

The case "boot" starts build/lib/lkl/vmlinux-kunit and keeps its log; each other case
looks there for its suite of KUnit, or for its test that runs at boot (boot_NAME). The
suites are named in suites.txt: one that is missing there, or here, is a failure.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import harness  # noqa: E402 pylint: disable=wrong-import-position
import kernel_log  # noqa: E402 pylint: disable=wrong-import-position

HERE = os.path.dirname(os.path.abspath(__file__))
PATIENCE = 840  # seconds; less than the test's own time-out, so that the log is shown


def suite_names():
    """What suites.txt lists."""
    with open(os.path.join(HERE, "suites.txt"), encoding="utf-8") as file:
        lines = (line.strip() for line in file)
        return [line for line in lines if line and not line.startswith("#")]


def log_path():
    """Where the case "boot" leaves the kernel's log."""
    return harness.results_path("kunit.log")


def kernel_source():
    """The tree that the image was built from: it brings the parser."""
    return os.path.join(os.environ["LKL_BUILD"], "linux", "source")


def boot():
    """Runs all tests; whether they passed is for the other cases."""
    return harness.boot(log_path(), PATIENCE, "-m", "1024")


def check_suite(name, text):
    """Complaints about one suite of KUnit."""
    suite = kernel_log.suites(text, kernel_source()).get(name)
    if suite is None:
        return ["the suite is not in the log"]
    results = list(kernel_log.cases(suite))
    for case, status in results:
        print("%-60s %s" % (case, status.lower()))
    bad = {case for case, status in results if status not in ("SUCCESS", "SKIPPED")}
    known = kernel_log.KNOWN_FAILURES.get(name, set())
    complaints = ["failed: " + case for case in sorted(bad - known)]
    complaints += ["does not fail any more: " + case for case in sorted(known - bad)]
    if not suite.ok_status() and not known:
        complaints.append("failed: the suite as a whole")
    return complaints


def check_unknown(text):
    """Suites that ran and are in no list."""
    unknown = set(kernel_log.suites(text, kernel_source())) - set(suite_names())
    return ["not in suites.txt: " + name for name in sorted(unknown)]


def check_reports(text):
    """What the kernel complained about outside of any test."""
    return list(kernel_log.reports(text))


def check(case):
    """Complaints about a case; none: it passes."""
    if case == "boot":
        return boot()
    text = kernel_log.read(log_path())
    if case == "unknown_suites":
        return check_unknown(text)
    if case == "reports":
        return check_reports(text)
    if case.startswith("boot_"):
        passed = kernel_log.boot_tests(text)[case[len("boot_"):]]
        return [] if passed else ["the line of success is not in the log, or a warning is"]
    return check_suite(case, text)


def main():
    """Lists, or runs one case."""
    return harness.main(["boot", "unknown_suites", "reports"] + suite_names() +
                        ["boot_" + name for name in kernel_log.BOOT_TESTS], check)


if __name__ == "__main__":
    sys.exit(main())
