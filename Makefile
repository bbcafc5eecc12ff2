# SPDX-License-Identifier: GPL-2.0-only
#
# A thin face over CMake. Variables:
#   BUILD             where everything is made                            build
#   LKL_LINUX         kernel source, a tarball or a directory             Debian's package
#   KERNEL_CONFIGS    kernel configurations, separated by semicolons      see cmake/options.cmake
#   PREFIX, DESTDIR   where "make install" goes                           /usr/local
#   CMAKE_FLAGS       more options for cmake
#   TESTS             only the tests of this folder, such as unit
#   CTEST_FLAGS       more options for ctest
#   SPARSE            configurations that "make check-sparse" looks at beside the default one
#
# "make fuzz" fuzzes the kernel, one that is built for it, see docs/fuzzing.md: FUZZ names
# targets, all without; LKL_FUZZ_SECONDS is for each (600).
#
# "make soak" is the long run of what docs/durability.md promises, about two hours: 1,000
# losses of power on each file system, a fault in each request to the host, 100 kills,
# half an hour of everything at once on each; that of the network: 10 GiB each way between two
# kernels, rubbish for a minute, 10,000 connections at once, 10 times; and a minute of 64
# threads in one kernel. Its own variables, which each test names:
#   LKL_CUTS, LKL_CUT_SEED, LKL_FAULTS, LKL_TEST_KILLS, LKL_SOAK_SECONDS,
#   LKL_STRESS_SECONDS, LKL_NET_EXCHANGE_MIB, LKL_NET_GARBAGE_SECONDS, LKL_NET_CONNECTIONS,
#   LKL_NET_CONNECTION_ROUNDS
#
# "make check-suites" runs suites that are not part of the project, on our kernel and on the
# host's: PACKETDRILL, PJDFSTEST, XFSTESTS name their sources, see docs/conformance.md.

BUILD ?= build
PREFIX ?= /usr/local
KERNEL_CONFIGS ?= defconfig;tiny_defconfig
TESTS ?=
CTEST_FLAGS ?=

export LKL_LINUX PACKETDRILL PJDFSTEST XFSTESTS

# ccache need not run the preprocessor to know what a source includes: the compiler lists it
# for Kbuild and Ninja anyway. A tenth less time for a source that is new to it.
export CCACHE_DEPEND ?= 1

build := $(abspath $(BUILD))
configure = cmake -S . -B $(1) -G Ninja --log-level=NOTICE -DLKL_LINUX='$(LKL_LINUX)' \
	-DLKL_KERNEL_CONFIGS='$(KERNEL_CONFIGS)' -DCMAKE_INSTALL_PREFIX='$(PREFIX)' $(CMAKE_FLAGS)
ctest = ctest --test-dir $(1) --output-on-failure --no-tests=error -j2 \
	$(if $(TESTS),-L '^$(TESTS)$$',-LE '^kunit$$') $(CTEST_FLAGS)

# The host library once more beside the main build, with the same kernel, which
# unit tests do without.
variant = $(call configure,$(build)/$(1)) -DLKL_KERNEL_BUILD=$(build)
borrowed = uapi $(if $(filter unit,$(TESTS)),,kernel kernel-tests)
targets = $(if $(TESTS),tests-$(TESTS),all tests)

.PHONY: all deps deps-check configure demo test test-asan test-clang kunit kunit-um soak fuzz \
	bench docs format check-format check-tidy check-cppcheck check-scripts check-headers check-sparse \
	check-style check-pristine check-all check-suites test-debug test-kasan test-fuzz test-tsan \
	test-trace kernel-trace install clean
.NOTPARALLEL:

all: configure
	cmake --build $(build)
	@cmake --build $(build) --target sizes

deps:
	cmake/deps.sh

deps-check:
	cmake/deps.sh check

configure:
	@command -v cmake >/dev/null || { echo 'cmake is missing: run "make deps"' >&2; exit 1; }
	@$(call configure,$(build))

demo: deps all
	cmake/demo.sh $(build)

test: deps configure
	cmake --build $(build) --target $(targets)
	$(call ctest,$(build))

test-asan: deps configure
	cmake --build $(build) --target $(borrowed)
	$(call variant,asan) -DLKL_SANITIZE=address,undefined
	cmake --build $(build)/asan --target $(targets)
	$(call ctest,$(build)/asan)

# ThreadSanitizer, for the tests that look at threads. gcc 12's has a plan of the addresses that
# allows vm.mmap_rnd_bits of 28 and no more; it says "unexpected memory mapping" then.
test-tsan: chosen = -L '^(unit|boot)$$'
test-tsan: targets = $(if $(TESTS),tests-$(TESTS),tests-unit tests-boot)
test-tsan: deps configure
	cmake --build $(build) --target $(borrowed)
	$(call variant,tsan) -DLKL_SANITIZE=thread
	cmake --build $(build)/tsan --target $(targets)
	$(call ctest,$(build)/tsan) $(if $(TESTS),,$(chosen))

# With the kernel's image by clang as well.
test-clang: deps-check configure
	cmake --build $(build) --target $(borrowed) $(if $(filter unit,$(TESTS)),,kernel-clang)
	$(call variant,clang) -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
	cmake --build $(build)/clang --target $(targets)
	LKL_KERNEL_IMAGE=$(build)/lib/lkl/vmlinux-clang $(call ctest,$(build)/clang)

# The kernel's own tests, by a kernel that is built for them.
kunit:
	$(MAKE) test TESTS=kunit; status=$$?; tests/kunit/totals.py $(build) && exit $$status

# The tests that have a kernel, with one that checks itself: what it reports ends it. Those of
# fuzzing and booting, with one that tells its coverage; those of debugging, with one to look
# into.
chosen = -L '^(boot|filesystem|storage|network)$$'
test-fuzz: chosen = -L '^(fuzz|boot)$$'
test-trace: chosen = -R '\.(gdb_test|perf_test|lkl_trace_.*)$$'
test-debug test-kasan test-fuzz test-trace: test-%: deps configure
	cmake --build $(build) --target $(targets) kernel-$*
	LKL_KERNEL_IMAGE=$(build)/lib/lkl/vmlinux-$* $(call ctest,$(build)) \
		$(if $(TESTS),,$(chosen))

# The image to debug programs with, see docs/debugging.md.
kernel-trace: configure
	cmake --build $(build) --target kernel-trace

# The same tests in a kernel built as User Mode Linux, and what differs.
kunit-um: kunit
	tests/kunit/uml.sh $(build)

soaked = ^durability\.|lklfuse_killed_|ExchangeALot|GarbageFrames|ManyConnections|SixtyFourThreads
soak: export LKL_CUTS ?= 1000
soak: export LKL_FAULTS ?= all
soak: export LKL_TEST_KILLS ?= 100
soak: export LKL_SOAK_SECONDS ?= 1800
soak: export LKL_NET_EXCHANGE_MIB ?= 10240
soak: export LKL_NET_GARBAGE_SECONDS ?= 60
soak: export LKL_NET_CONNECTIONS ?= 10000
soak: export LKL_NET_CONNECTION_ROUNDS ?= 10
soak: deps configure
	cmake --build $(build) --target all tests-boot tests-durability \
		tests-filesystem tests-network
	ctest --test-dir $(build) --output-on-failure --no-tests=error -j2 -R '$(soaked)' \
		$(CTEST_FLAGS)

fuzz: deps configure
	cmake --build $(build) --target fuzz-targets kernel-fuzz
	fuzz/run.sh $(build)/fuzz $(FUZZ)

suites = $(PACKETDRILL)$(PJDFSTEST)$(XFSTESTS)
check-suites: $(if $(suites),deps-check configure)
	$(if $(suites),cmake --build $(build) --target kernel lklfuse lkl-packetdrill)
	tests/suites/run.sh $(build)

bench: deps all
	cmake --build $(build) --target lkl-bench
	LKL_BIN=$(build)/bin LKL_LIB=$(build)/lib \
		$(if $(wildcard bench/run.sh),bench/run.sh,$(build)/bin/lkl-bench)

# Files that git ignores are not ours.
clang_format = git ls-files -co --exclude-standard '*.cpp' '*.hpp' | xargs -r clang-format

format: deps-check
	$(clang_format) -i

check-format: deps-check
	$(clang_format) --dry-run -Werror

# clang's build says how each file is compiled. Of the tests the headers that all of them share
# are looked at where one is used, but none by itself: each of googletest's macros is a function
# with several findings in it. TIDY=K/N is each N-th file, from the K-th on, K from 0.
tidied = git ls-files 'src/*.cpp' 'tools/*.cpp' 'bench/*.cpp' 'fuzz/*.cpp' | \
	awk -v part='$(or $(TIDY),0/1)' '{ split(part, p, "/") } (NR - 1) % p[2] == p[1]'
check-tidy: deps-check configure
	$(call variant,clang) -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++
	cmake --build $(build)/clang --target uapi
	$(tidied) | sed 's|.*|$(CURDIR)/&$$|' | xargs run-clang-tidy -quiet -p $(build)/clang

# Not the tests: googletest's macros are no C++ to this parser.
check-cppcheck: deps-check configure
	cmake --build $(build) --target uapi
	cppcheck --project=$(build)/compile_commands.json --std=c++20 --quiet --error-exitcode=1 \
		--enable=warning,performance,portability --inline-suppr -j2 \
		-i$(CURDIR)/tests -i$(build)

# Scripts, who uses whom, and README's table of file systems.
check-scripts: deps-check
	git ls-files '*.sh' .ci/run tools/kunit/qemu-system-lkl | xargs -n 8 -P 2 shellcheck -x -P SCRIPTDIR
	cmake/check-folders.py .
	docs/filesystems.py --check

# Each header brings what it needs: ours, and those of the user API that are made.
check-headers: deps-check configure
	cmake --build $(build) --target headers
	cmake/check-headers.sh $(build)
	cmake/check-uapi-headers.sh $(build)

# The kernel's semantic checker on the kernel side.
# The default configuration, and those that SPARSE names, such as "kunit debug".
check-sparse: deps-check configure
	cmake --build $(build) --target check-sparse $(SPARSE:%=check-sparse-%)

# The kernel's own style checker on the kernel side.
check-style: configure
	cmake --build $(build) --target kernel
	cmake/check-style.sh $(build)/linux/source

# What is generated from the kernel's source for readers.
docs: configure
	cmake --build $(build) --target docs

check-pristine: configure
	cmake --build $(build) --target check-pristine

check-all: SPARSE = tiny selftest kunit debug kasan fuzz trace
check-all: check-format check-scripts test check-pristine check-style check-headers check-sparse \
	check-cppcheck test-asan test-tsan test-clang check-tidy kunit test-debug test-kasan test-fuzz \
	test-trace soak

install: all
	cmake --install $(build)

clean:
	cd $(build) 2>/dev/null && rm -rf CMakeCache.txt CMakeFiles CTestTestfile.cmake \
		Testing asan bench bench.json bin fuzz results build.ninja clang cmake_install.cmake compile_commands.json \
		generated include install_manifest.txt lib linux linux-origin packaging share src \
		suites tests tools tsan uapi .ninja_deps .ninja_log || true
