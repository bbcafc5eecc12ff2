# SPDX-License-Identifier: GPL-2.0-only
"""What the kernel's own tests say in its log.

KUnit's results are read by the kernel tree's parser, the one of kunit.py. The older
tests of lib/ each have a line of their own when they have passed, listed here.
"""

import contextlib
import io
import os
import re
import sys

# Each as the kernel's source prints it. A test that is not in the log has not passed.
BOOT_TESTS = {
    "atomic64": r"atomic64_test: passed",
    "async_raid6": r"raid6test: complete \(\d+ tests, 0 failures\)",
    "bitmap": r"test_bitmap: all \d+ tests passed",
    "bitops": r"test_bitops: Completed bitops test",
    "bpf": r"bpf: Summary: \d+ PASSED, 0 FAILED",
    "bpf_skb_segment": r"bpf: test_skb_segment: Summary: \d+ PASSED, 0 FAILED",
    "bpf_tail_calls": r"bpf: test_tail_calls: Summary: \d+ PASSED, 0 FAILED",
    "btrfs": r"Btrfs loaded",  # not loaded when one of its sanity tests fails
    "crc32": r"crc32: self tests passed",
    "crc32_combine": r"crc32_combine: \d+ self tests passed",
    "crc32c": r"crc32c: self tests passed",
    "div64": r"test_div64: Completed 64bit/32bit division and modulo test",
    "glob": r"glob: \d+ self-tests passed, 0 failed",
    "hexdump": r"test_hexdump: all \d+ tests passed",
    "ida": r"IDA: (\d+) of \1 tests passed",
    "interval_tree": r"interval tree search",
    "maple_tree": r"maple_tree: (\d+) of \1 tests passed",
    "memcat_p": r"test_memcat_p: test passed",
    "min_heap": r"min_heap_test: test passed",
    "muldiv64": r"test_mul_u64_u64_div_u64: Completed",
    "port_selftest": r"lkl selftest: \d+ implementations, \d+ comparisons, 0 differ",
    "printf": r"test_printf: all \d+ tests passed",
    "rbtree": r"augmented rbtree testing",
    "reed_solomon": r"rslib: test ok",
    "rhashtable": r"Started \d+ threads, 0 failed, rhltable test returns 0",
    "scanf": r"test_scanf: all \d+ tests passed",
    "uuid": r"test_uuid: all \d+ tests passed",
    "vmalloc": r"Summary: vm_map_ram_test passed: 1 failed: 0",
    "ww_mutex": r"All ww mutex selftests passed",
    "xarray": r"XArray: (\d+) of \1 tests passed",
}

# Cases that fail, each with its cause in docs/conformance.md.
KNOWN_FAILURES = {
    "damon-operations": {"damon_test_apply_three_regions%d" % n for n in range(1, 5)},
    "usercopy": {"usercopy_test_invalid"},
}

# What no kernel says that is well, wherever it stands in the log. (Warnings are not among
# it: some tests are about them.)
REPORTS = re.compile(
    r"kernel BUG at|BUG: (?!KFENCE)|alg: .*(failed|wrong|mismatch)|UBSAN:|"
    r"INFO: (rcu|task) .*(stall|blocked)|bpf: #\d+ .* FAIL|Summary: .* failed: [1-9]")


def parser(kernel_source):
    """The kernel tree's module kunit_parser."""
    directory = os.path.join(kernel_source, "tools/testing/kunit")
    if directory not in sys.path:
        sys.path.insert(0, directory)
    import kunit_parser  # pylint: disable=import-outside-toplevel,import-error
    return kunit_parser


def read(path):
    """A log."""
    with open(path, encoding="utf-8", errors="replace") as file:
        return file.read()


def suites(text, kernel_source):
    """The suites of KUnit in a log: name -> kunit_parser.Test, in their order."""
    with contextlib.redirect_stdout(io.StringIO()):
        test = parser(kernel_source).parse_run_tests(text.splitlines())
    return {suite.name: suite for suite in test.subtests}


def cases(suite, prefix=""):
    """(name, status) of each case of a suite, parameters included."""
    for case in suite.subtests:
        name = prefix + case.name
        yield name, case.status.name
        yield from cases(case, name + ".")


def boot_tests(text):
    """Name -> whether its line is there, for each of BOOT_TESTS."""
    return {name: re.search(pattern, text) is not None for name, pattern in BOOT_TESTS.items()}
