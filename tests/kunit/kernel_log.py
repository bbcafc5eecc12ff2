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


def returned(function, value=0):
    """What a kernel with initcall_debug says of a test that says nothing when all is well."""
    return r"initcall %s\+\S+ returned %d after" % (function, value)


# Each as the kernel's source prints it. A test that is not in the log has not passed.
BOOT_TESTS = {
    "atomic64": r"atomic64_test: passed",
    "async_raid6": r"raid6test: complete \(\d+ tests, 0 failures\)",
    # Of the functions that the stacks of a process, of a softirq and of one that was kept lead to.
    "backtrace": r"Testing a backtrace from process context[^=]*backtrace_regression_test\+0x"
                 r"[^=]*Testing a backtrace from BH context[^=]*backtrace_test_bh_workfn\+0x"
                 r"[^=]*Testing a saved backtrace[^=]*backtrace_regression_test\+0x"
                 r"[^=]*====\[ end of backtrace testing",
    "bitmap": r"test_bitmap: all \d+ tests passed",
    "bitops": r"test_bitops: Completed bitops test",
    "bluetooth_ecdh": r"ECDH test passed in",
    "bluetooth_smp": r"SMP test passed in",
    "bpf": r"bpf: Summary: \d+ PASSED, 0 FAILED",
    "bpf_skb_segment": r"bpf: test_skb_segment: Summary: \d+ PASSED, 0 FAILED",
    "bpf_tail_calls": r"bpf: test_tail_calls: Summary: \d+ PASSED, 0 FAILED",
    # The first one that fails is the last; what it says is among REPORTS.
    "btrfs": r"BTRFS: selftest: sectorsize: \d+  nodesize: 65536\n(.*\n)*?"
             r".*BTRFS: selftest: running rmap tests",
    "certificates_ecdsa": r"Running certificate verification ECDSA selftest\n(.*\n)*?.*" +
                          returned("fips_signature_selftest_init"),
    "certificates_rsa": r"Running certificate verification RSA selftest\n(.*\n)*?.*" +
                        returned("fips_signature_selftest_init"),
    "crc32": r"crc32: self tests passed",
    "crc32_combine": r"crc32_combine: \d+ self tests passed",
    "crc32c": r"crc32c: self tests passed",
    # Each algorithm is tested as it is registered; what fails is among REPORTS.
    "crypto_manager": r"alg: extra crypto tests enabled",
    "device_tree": r"### dt-test ### end of unittest - [1-9]\d* passed, 0 failed",
    "div64": r"test_div64: Completed 64bit/32bit division and modulo test",
    "dma_buf": returned("st_init"),
    "dma_pool": returned("dmapool_checks"),
    "free_pages": r"test_free_pages: Test completed",
    "glob": r"glob: \d+ self-tests passed, 0 failed",
    "hexdump": r"test_hexdump: all \d+ tests passed",
    "ida": r"IDA: (\d+) of \1 tests passed",
    # It checks nothing; its random numbers are the same on all machines, and what they find.
    "interval_tree": r"interval tree search\n.*-> \d+ cycles \(2692 results\)",
    "kallsyms": r"kallsyms_selftest: start\n(.*kallsyms_selftest: (?!abort).*\n|"
                r"(?!.*kallsyms_selftest: ).*\n)*?.*kallsyms_selftest: finish",
    # What is wrong is a warning.
    "kstrtox": returned("test_kstrtox_init", -22),
    # Eight threads took each of 100 out a hundred times; it checks nothing by itself.
    "lwq": r"lwq: dequeue first 50:" +
           "".join((r"\n.*\.\.\. " if i and i % 10 == 0 else "") + r" %d\(800\)" % i
                   for i in range(50)) +
           r"\n(.*\n)*?.*lwq: dequeue remaining:" +
           "".join(" %d" % i for i in range(50, 100) if i % 3) + r"\s*\n",
    "maple_tree": r"maple_tree: (\d+) of \1 tests passed",
    "memcat_p": r"test_memcat_p: test passed",
    "min_heap": r"min_heap_test: test passed",
    "muldiv64": r"test_mul_u64_u64_div_u64: Completed",
    "objagg": returned("test_objagg_init"),
    "parman": r"test_parman: Priority array check successful",
    "percpu": r"percpu test done",
    "printf": r"test_printf: all \d+ tests passed",
    "random32": r"prandom: \d+ self tests passed",
    # The head stands before the tests; what is wrong is a warning, see KNOWN_WARNINGS.
    "rbtree": r"augmented rbtree testing\n.*-> test 1 .*\n.*-> test 2 .* cycles",
    # Its two mistakes are found, a reference that is given back twice and one that is not.
    "ref_tracker": r"ref_tracker: reference already released\.(.*\n)*?"
                   r".*WARNING: .* ref_tracker_free[.+](.*\n)*?"
                   r".*ref_tracker: selftest@.* has \d/2 users at"
                   r"(.*\n)*?.*WARNING: .* ref_tracker_dir_exit[.+]",
    "reed_solomon": r"rslib: test ok",
    "ring_buffer": r"Ring buffer PASSED!",
    "rhashtable": r"Started \d+ threads, 0 failed, rhltable test returns 0",
    "scanf": r"test_scanf: all \d+ tests passed",
    "static_key_base": returned("test_static_key_base_init"),
    "static_keys": returned("test_static_key_init"),
    "utf8": r"utf8_selftest: All \d+ tests passed",
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

# Files of the tests that say nothing but warnings when something is wrong.
WARNING_TESTS = {
    "kstrtox": "lib/test-kstrtox.c",
    "percpu": "lib/percpu_test.c",
    "rbtree": "lib/rbtree_test.c",
}

# Warnings that tests cause on purpose: file and function, and what for. Every other one is a
# failure. xz_dec is not among the tests: it waits for files that are written to a device.
KNOWN_WARNINGS = {
    ("lib/idr.c", "ida_free"): "test_ida frees what is not allocated",
    ("drivers/gpu/drm/drm_connector.c", "__drm_connector_init"):
        "drm_connector's connectors are of an atomic driver, and have no functions of one",
    ("drivers/gpu/drm/drm_rect.c", "drm_calc_scale"): "drm_rect scales to sizes below 0",
    ("drivers/gpu/drm/drm_rect.c", "drm_rect_calc_hscale"): "the same, where it is inlined",
    ("drivers/gpu/drm/drm_rect.c", "drm_rect_calc_vscale"): "the same",
    ("lib/ref_tracker.c", "ref_tracker_free"): "test_ref_tracker gives a reference back twice",
    ("lib/ref_tracker.c", "ref_tracker_dir_exit"): "test_ref_tracker keeps a reference",
}
WARNING = re.compile(r"WARNING: .* at (\S+):\d+ (\w+)")

# What no kernel says that is well, wherever it stands in the log.
REPORTS = re.compile(
    r"kernel BUG at|BUG: (?!KFENCE)|alg: .*(failed|wrong|mismatch)|UBSAN:|"
    r"BTRFS: selftest: \S+\.c:\d+ |"
    r"INFO: (rcu|task) .*(stall|blocked)|bpf: #\d+ .* FAIL|Summary: .* failed: [1-9]")


# The device tree's tests announce what they cause: scripts/dtc/of_unittest_expect of the
# kernel's source.
EXPECTATION = re.compile(r"### dt-test ### EXPECT ([\\/]) : (.*)")
WILDCARDS = {"<<all>>": ".*", "<<int>>": r"-?\d+", "<<hex>>": "(0x)?[0-9a-fA-F]+"}


def expected_line(announced):
    """A pattern for a line that was announced."""
    parts = re.split("(%s)" % "|".join(WILDCARDS), announced.rstrip())
    return re.compile("".join(WILDCARDS.get(part, re.escape(part)) for part in parts))


def complains(line):
    """Whether the kernel complains in a line."""
    warning = WARNING.search(line)
    if warning:
        return warning.groups() not in KNOWN_WARNINGS
    return "WARNING:" in line or REPORTS.search(line) is not None


def reports(text):
    """Lines of a log that the kernel complains in outside of any test's expectation."""
    expected = {}
    for line in text.splitlines():
        expectation = EXPECTATION.search(line)
        if expectation and expectation[1] == "\\":
            expected[expectation[2]] = expected_line(expectation[2])
        elif expectation:
            expected.pop(expectation[2], None)
        elif "### dt-test ### " in line:
            continue
        elif complains(line) and not any(p.search(line) for p in expected.values()):
            yield line


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


def planned(text):
    """How many suites KUnit has begun with; 0 if there is no such line."""
    plan = re.search(r"^(?:\[ *[\d.]+\] )?1\.\.(\d+)$", text, re.MULTILINE)
    return int(plan[1]) if plan else 0


def cases(suite, prefix=""):
    """(name, status) of each case of a suite, parameters included."""
    for case in suite.subtests:
        name = prefix + case.name
        yield name, case.status.name
        yield from cases(case, name + ".")


def boot_tests(text):
    """Name -> whether it passed, for each of BOOT_TESTS: its line is there and no warning."""
    warned = {match.group(1) for match in WARNING.finditer(text)}
    return {name: re.search(pattern, text) is not None and WARNING_TESTS.get(name) not in warned
            for name, pattern in BOOT_TESTS.items()}
