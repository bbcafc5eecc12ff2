#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Installs into an empty prefix, then builds and runs programs in C and C++
# against it by pkg-config and by find_package(), shared and static.
# ctest: TIMEOUT=300
set -euo pipefail

if [ -n "$LKL_SANITIZE" ]; then
    echo "a build with sanitizers is not one to install"
    exit 77
fi

programs=$LKL_SOURCE/tests/install
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix

# What users and tools of the build found by themselves must not help here.
unset LKL_KERNEL_IMAGE LD_LIBRARY_PATH
cmake --install "$LKL_BUILD" --prefix "$work/elsewhere" >/dev/null
# Moved, so that nothing can lead back to where it was installed first.
mv "$work/elsewhere" "$prefix"
PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name lkl.pc)")
export PKG_CONFIG_PATH
libdir=$(pkg-config --variable=libdir lkl)
image=$(pkg-config --variable=image lkl)
[ -f "$image" ] || { echo "no kernel image at $image"; exit 1; }
# The images that were configured, and none that a test needs.
configured=$(sed -n 's/^LKL_KERNEL_CONFIGS:[A-Z]*=//p' "$LKL_BUILD/CMakeCache.txt" | tr ';' '\n' |
    sed 's/_*defconfig$//; s/^./-&/; s/^/vmlinux/' | sort)
images=$(find "$(dirname "$image")" -name 'vmlinux*' ! -name '*.debug' ! -name '*.gdb*' -printf '%f\n' |
    sort)
[ "$images" = "$configured" ] || { echo "images: $images, and not: $configured"; exit 1; }

# The documents that messages, manual pages and headers name.
named=$(grep -rhoaE --exclude-dir=doc --exclude='vmlinux*' 'docs/[A-Za-z-]+\.md' "$prefix" | sort -u)
grep -qx docs/run.md <<<"$named" || { echo "documents that are named: $named"; exit 1; }
for document in $named; do
    [ -s "$prefix/share/doc/lkl/${document#docs/}" ] || { echo "no $document"; exit 1; }
done

# compile OBJECT COMMAND...: the same object is for both links, since both have the same flags.
compile()
{
    local object=$1
    shift
    "$@" -c -o "$work/$object" || { echo "$object does not compile"; exit 1; }
}
# Links and runs: language, then the link.  A shared program has the kernel
# image found beside the library; a static one is told, since it knows only the
# prefix that the build was configured with.
check()
{
    local kind=$1
    shift
    echo "$kind: $*"
    "$@" -o "$work/$kind" || { echo "$kind does not build"; exit 1; }
    run "$work/$kind"
}
run()
{
    case $1 in
    *static*) LKL_KERNEL_IMAGE=$image "$1" ;;
    *) LD_LIBRARY_PATH=$libdir "$1" ;;
    esac || { echo "$1 fails"; exit 1; }
}

# flags_of PACKAGE: of the compiler, and of both links.
flags_of()
{
    [ "$(pkg-config --cflags "$1")" = "$(pkg-config --static --cflags "$1")" ] ||
        { echo "$1 has other flags for a static link"; exit 1; }
    read -ra flags <<<"$(pkg-config --cflags "$1")"
    read -ra libs <<<"$(pkg-config --libs "$1")"
    read -ra static_libs <<<"$(pkg-config --static --libs "$1")"
}

flags_of lkl
compile c.o cc -std=c11 -Wall -Wextra -Werror "${flags[@]}" "$programs/program.c"
compile cpp.o c++ -std=c++20 -Wall -Wextra -Werror "${flags[@]}" "$programs/program.cpp"
check c-shared cc "$work/c.o" "${libs[@]}"
check cpp-shared c++ "$work/cpp.o" "${libs[@]}"
check c-static cc -static "$work/c.o" "${static_libs[@]}"
check cpp-static c++ -static "$work/cpp.o" "${static_libs[@]}"

# gdb finds the kernel's symbols beside the image.
if command -v gdb >/dev/null; then
    echo "gdb: lkl symbols"
    LD_LIBRARY_PATH=$libdir gdb -nx -batch -ex 'set debuginfod enabled off' \
        -ex 'handle SIGSEGV nostop noprint pass' -ex 'break main' -ex run \
        -ex 'break lkl_sys_openat' -ex continue -ex "source $prefix/share/lkl/lkl-gdb.py" \
        -ex 'lkl symbols' -ex 'info line do_filp_open' -ex kill "$work/c-shared" \
        >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }
    grep -q '^Line [0-9].*fs/namei\.c.* <do_filp_open>' "$work/log" || { cat "$work/log"; exit 1; }
fi

# block LANGUAGE FILE: the first block of that language in a text of the project.
block()
{
    awk -v start="\`\`\`$1" '$0 == "```" { if (on) exit } on; $0 == start { on = 1 }' \
        "$LKL_SOURCE/$2"
}

# A fuzz target, by itself and by libFuzzer; so is the one of docs/fuzzing.md, as it stands there.
flags_of lkl-fuzz
compile target.o c++ -std=c++20 -Wall -Wextra -Werror -DWITH_MAIN "${flags[@]}" "$programs/target.cpp"
check target-shared c++ "$work/target.o" "${libs[@]}"
check target-static c++ -static "$work/target.o" "${static_libs[@]}"
if command -v clang++ >/dev/null; then
    block cpp docs/fuzzing.md >"$work/documented.cpp"
    for source in "$programs/target.cpp" "$work/documented.cpp"; do
        clang++ -std=c++20 -Wall -Wextra -Werror -fsanitize=fuzzer "${flags[@]}" "$source" \
            "${libs[@]}" -o "$work/fuzzer"
        LD_LIBRARY_PATH=$libdir "$work/fuzzer" -runs=50 >"$work/log" 2>&1 ||
            { cat "$work/log"; exit 1; }
        # Without the schedule that takes most of the time, see fuzz/library/coverage.cpp.
        ! grep -q 'entropic power schedule' "$work/log" || { echo "entropic"; exit 1; }
    done
fi

cmake -S "$programs" -B "$work/build" -G Ninja -DCMAKE_PREFIX_PATH="$prefix" >/dev/null
cmake --build "$work/build"
for program in c-lkl cpp-lkl c-lkl_static cpp-lkl_static target-static; do
    run "$work/build/$program"
done

# The first programs of README.md, as they stand there.
# refuses MESSAGE COMMAND...: it fails, and one line says why.
refuses()
{
    local message=$1 code=0
    shift
    LD_LIBRARY_PATH=$libdir "$@" >"$work/out" 2>"$work/error" || code=$?
    if [ "$code" -ne 1 ] || [ -s "$work/out" ] || [ "$(wc -l <"$work/error")" -ne 1 ] ||
        ! grep -qF "$message" "$work/error"; then
        echo "$* ends with $code:"
        cat "$work/out" "$work/error"
        exit 1
    fi
}
block c README.md >"$work/first.c"
block cpp README.md >"$work/first.cpp"
flags_of lkl
cc -Wall -Wextra -Werror "${flags[@]}" "$work/first.c" "${libs[@]}" -o "$work/first-c"
c++ -std=c++20 -Wall -Wextra -Werror "${flags[@]}" "$work/first.cpp" "${libs[@]}" -o "$work/first-cpp"
for language in c cpp; do
    [ "$(wc -l <"$work/first.$language")" -le 20 ] || { echo "first.$language is too long"; exit 1; }
done
mkdir "$work/tree"
seq 5000 >"$work/tree/numbers"
truncate -s 8M "$work/disk"
"$(PATH=$PATH:/sbin:/usr/sbin command -v mkfs.ext4)" -q -d "$work/tree" "$work/disk"
LD_LIBRARY_PATH=$libdir "$work/first-c" >"$work/out"
grep -q '^Linux version 6' "$work/out" || { echo "README's C program:"; cat "$work/out"; exit 1; }
LD_LIBRARY_PATH=$libdir "$work/first-cpp" "$work/disk" ext4 /numbers >"$work/out"
cmp "$work/out" "$work/tree/numbers" || { echo "README's C++ program differs"; exit 1; }
refuses usage "$work/first-cpp"
refuses "$work/missing" "$work/first-cpp" "$work/missing" ext4 /numbers
refuses /none "$work/first-cpp" "$work/disk" ext4 /none
refuses "$work/missing" env LKL_KERNEL_IMAGE="$work/missing" "$work/first-c"
refuses "$work/missing" env LKL_KERNEL_IMAGE="$work/missing" "$work/first-cpp" "$work/disk" ext4 /numbers

# Those of C stand for themselves; of C++ all are there, with all that they include. That each of
# these stands for itself is what "make check-headers" looks at.
cd "$prefix/include"
for header in *.h; do
    echo "#include <$header>" | cc -std=c11 -Wall -Wextra -Werror -I. -fsyntax-only -x c -
done
printf '#include <%s>\n' *.h lkl/*.hpp lkl/fuzz/*.hpp |
    c++ -std=c++20 -Wall -Wextra -Werror -I. -fsyntax-only -x c++ -
