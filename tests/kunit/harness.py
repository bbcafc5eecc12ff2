# SPDX-License-Identifier: GPL-2.0-only
"""What the tests share that boot the kernel with KUnit."""

import argparse
import os
import subprocess
import sys


def results_path(name):
    """A file that the tests leave behind."""
    return os.path.join(os.environ["LKL_BUILD"], "results", name)


def boot(log, patience, *options):
    """Boots it by lkl-boot with these options, and keeps its log. Complaints."""
    image = os.path.join(os.environ["LKL_LIB"], "lkl", "vmlinux-kunit")
    if not os.path.exists(image):
        return ["%s is missing: \"make kunit\" builds it" % image]
    os.makedirs(os.path.dirname(log), exist_ok=True)
    with open(log, "wb") as file:
        code = subprocess.run([os.path.join(os.environ["LKL_BIN"], "lkl-boot"), *options, image],
                              stdout=file, timeout=patience, check=False).returncode
    return [] if code == 0 else ["lkl-boot ended with %d, see %s" % (code, log)]


def main(names, check):
    """Lists the cases, or runs check(case) for one: its complaints; none: it passes."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--list", action="store_true")
    arguments.add_argument("--case")
    arguments.add_argument("include", nargs="*")
    options = arguments.parse_args()
    if options.list:
        print("\n".join(names))
        return 0
    complaints = check(options.case)
    for complaint in complaints:
        print("%s: %s" % (options.case, complaint), file=sys.stderr)
    return 1 if complaints else 0
