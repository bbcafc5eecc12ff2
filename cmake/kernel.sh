#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Everything that touches the kernel's source and its Kbuild.
#
#   kernel.sh [options] source              bring WORK/source up to date
#   kernel.sh [options] headers DIR         install the user API headers to DIR
#   kernel.sh [options] image CONFIG FILE   build arch/lkl/configs/CONFIG, install as
#                                           FILE and FILE.debug, and the kernel's commands for
#                                           gdb, where CONFIG has them, as FILE.gdb/
#   kernel.sh [options] check-pristine      compare WORK/source with its origin
#   kernel.sh [options] check-sparse CONFIG sparse on arch/lkl, as CONFIG compiles it
#
#   --root DIR      the project
#   --work DIR      everything is made below this one
#   --linux PATH    kernel source: a tarball or a directory; neither is changed
#   --jobs N        parallel compilations
#   --ccache FILE   the compiler cache; empty: none
#   --compiler CC   gcc, or clang, whose objects are beside those of gcc
#
# WORK/source is a copy of the kernel's source with the project's arch/lkl laid
# in. Kbuild writes to WORK/<config> only, so that the copy stays comparable
# with where it came from (check-pristine.py).
set -euo pipefail
export LC_ALL=C

root='' work='' linux='' jobs=1 ccache='' compiler=gcc
while [ $# -gt 0 ]; do
    case $1 in
    --root) root=$2 ;;
    --work) work=$2 ;;
    --linux) linux=$2 ;;
    --jobs) jobs=$2 ;;
    --ccache) ccache=$2 ;;
    --compiler) compiler=$2 ;;
    *) break ;;
    esac
    shift 2
done
source=$work/source

fail()
{
    echo "kernel: $*" >&2
    exit 1
}

# What the source is: changes when another tree or another package is named.
# A directory's contents may change under the same identity.
identity()
{
    if [ -d "$linux" ]; then
        echo "directory $(realpath "$linux")"
    else
        echo "tarball $(realpath "$linux") $(stat -c '%s %Y' "$linux")"
    fi
}

# Copies or unpacks the source, and touches WORK/source.stamp when it changed.
# A new identity throws away all objects: files of the new tree may be older than
# objects that were made from the old one, so make could not tell. The compiler
# cache makes up for it.
update_source()
{
    [ -e "$linux" ] || fail "no kernel source at $linux (make deps installs it; LKL_LINUX names another)"
    case $source in
    *[[:space:]:]*) fail "the kernel cannot be built in a path with blanks or colons: $source" ;;
    esac

    local id
    id=$(identity)
    if [ "$(cat "$work/source.id" 2>/dev/null)" != "$id" ]; then
        rm -rf "$work"
        mkdir -p "$work/source.new"
        if [ ! -d "$linux" ]; then
            echo "kernel: unpacking $linux"
            tar -x -f "$linux" -C "$work/source.new" --strip-components=1 --no-same-owner
            rm -rf "$work/source.new/arch/lkl"
        fi
        mv "$work/source.new" "$source"
        [ -d "$linux" ] || finish_source "$id"
    fi
    if [ -d "$linux" ]; then
        # Excluded names are also protected from --delete.
        local changes
        changes=$(rsync -a --no-owner --no-group --omit-dir-times --delete --itemize-changes \
            --exclude=/.git --exclude=/arch/lkl "$linux/" "$source/")
        if [ -n "$changes" ]; then
            echo "kernel: copied $(grep -c . <<<"$changes") changes from $linux"
            finish_source "$id"
        fi
    fi
    [ -e "$work/source.stamp" ] || touch "$work/source.stamp"
}

finish_source()
{
    [ -f "$source/Kbuild" ] || fail "$linux is not a Linux kernel source"
    echo "$1" >"$work/source.id"
    touch "$work/source.stamp"
}

# Lays arch/lkl in. Times are not copied: a file whose contents differ gets the
# time of now, one that is the same keeps its own, which is all make needs to
# know. Several builds may come here at once.
overlay()
{
    exec 9>"$work/overlay.lock"
    flock 9
    mkdir -p "$source/arch/lkl"
    rsync -rlp --checksum --delete "$root/arch/lkl/" "$source/arch/lkl/"
    exec 9>&-
}

# Kbuild in the object directory $1. It gets a bare environment, since it obeys
# many variables, those of a make above us included. Names of host, user, time
# and directories are fixed: the same source gives the same image everywhere,
# and the compiler cache serves every clone of the project. The debugger finds
# sources by "set substitute-path /usr/src/lkl WORK".
kbuild()
{
    local objects=$1 cc=$compiler hostcc=gcc variable maps
    shift
    local clean=(PATH="$PATH" HOME="${HOME:-/}" ${TMPDIR:+"TMPDIR=$TMPDIR"} LC_ALL=C
        PYTHONDONTWRITEBYTECODE=1)
    if [ -n "$ccache" ]; then
        cc="$ccache $compiler" hostcc="$ccache gcc"
        clean+=(CCACHE_BASEDIR="$root")
        for variable in $(compgen -e CCACHE_ || true); do
            clean+=("$variable=${!variable}")
        done
    fi
    # With CCACHE_BASEDIR the compiler sees relative paths, without absolute ones.
    maps="-fmacro-prefix-map=../source/= -fdebug-prefix-map=../source/=/usr/src/lkl/source/"
    maps+=" -fdebug-prefix-map=$work=/usr/src/lkl"

    mkdir -p "$objects"
    # Kbuild's list of what clang is to compile for does not have this architecture.
    env -i "${clean[@]}" make -C "$source" O="$objects" ARCH=lkl -j"$jobs" \
        CC="$cc" HOSTCC="$hostcc" CLANG_TARGET_FLAGS_lkl=x86_64-linux-gnu \
        KCFLAGS="$maps" KAFLAGS="$maps" LOCALVERSION= \
        KBUILD_BUILD_USER=lkl KBUILD_BUILD_HOST=lkl KBUILD_BUILD_VERSION=1 \
        KBUILD_BUILD_TIMESTAMP="$(date -u -r "$source/Makefile")" "$@" </dev/null
}

# Shows Kbuild's warnings and errors, and of its thousands of steps a line now
# and then. Everything goes to the log.
progress()
{
    local name=$1 log=$2 line steps=0
    while IFS= read -r line; do
        printf '%s\n' "$line" >&3
        case $line in
        '  '[A-Z]*)
            steps=$((steps + 1))
            [ $((steps % 250)) != 0 ] || printf 'kernel %s: %5d steps,%s\n' "$name" "$steps" "$line"
            ;;
        make*directory*) ;;
        *) printf '%s\n' "$line" ;;
        esac
    done 3>"$log"
}

# Kconfig drops silently what it cannot have; a renamed option would so be lost
# with a stable update. The build goes on, but says it.
warn_dropped()
{
    local wanted=$1 got=$2 line
    grep -vxFf "$got" "$wanted" | grep '^CONFIG_' |
        while IFS= read -r line; do
            [[ $line == *=n ]] || echo "kernel: warning: $(basename "$wanted"): not taken: $line"
        done || true
    sed -n 's/^# \(CONFIG_[A-Za-z0-9_]*\) is not set$/\1/p' "$wanted" |
        while IFS= read -r line; do
            ! grep -q "^$line=" "$got" ||
                echo "kernel: warning: $(basename "$wanted"): set all the same: $line"
        done
}

build_image()
{
    local config=$1 output=$2 objects=$work/$1 wanted
    [ "$compiler" = gcc ] || objects+=-$compiler
    wanted=$source/arch/lkl/configs/$config
    overlay
    # Some are a fragment on top of the full configuration, see arch/lkl/Makefile.
    [ -f "$wanted" ] || wanted=${wanted%_defconfig}.config
    [ -f "$wanted" ] || fail "no configuration arch/lkl/configs/$config"

    # Leaves alone what would not change, so that nothing is rebuilt.
    kbuild "$objects" -s "$config"
    warn_dropped "$wanted" "$objects/.config"
    kbuild "$objects" vmlinux 2>&1 | progress "${objects##*/}" "$objects.log" ||
        fail "$config does not build, see $objects.log"

    # Debug information goes to a file of its own, found by the link in the image.
    local name staging
    name=$(basename "$output")
    staging=$(mktemp -d "$work/staging.XXXXXX")
    # shellcheck disable=SC2064  # the name of now
    trap "rm -rf '$staging'" EXIT
    objcopy --only-keep-debug "$objects/vmlinux" "$staging/$name.debug"
    objcopy --strip-debug --add-gnu-debuglink="$staging/$name.debug" \
        "$objects/vmlinux" "$staging/$name"
    chmod 0644 "$staging/$name" "$staging/$name.debug"
    python3 "$root/cmake/check-image.py" "$staging/$name"
    mkdir -p "$(dirname "$output")"
    rm -rf "$output.gdb"
    if grep -qx CONFIG_GDB_SCRIPTS=y "$objects/.config"; then
        kbuild "$objects" -s scripts_gdb
        # Links to the source among them.
        mkdir -p "$output.gdb/scripts"
        cp -L "$objects/vmlinux-gdb.py" "$output.gdb/"
        cp -rL "$objects/scripts/gdb" "$output.gdb/scripts/"
    fi
    mv -f "$staging/$name.debug" "$output.debug"
    mv -f "$staging/$name" "$output"
}

# The object directory has no configuration: headers do not depend on one.
install_headers()
{
    local output=$1
    overlay
    rm -rf "$output.new"
    kbuild "$work/headers" -s INSTALL_HDR_PATH="$output.new" headers_install
    rm -rf "$output"
    mv "$output.new" "$output"
}

# The source is taken as the last build left it, so that what a build wrote there
# is found; only where there is none yet it is made.
check_pristine()
{
    [ -e "$work/source.stamp" ] || update_source
    python3 "$root/cmake/check-pristine.py" "$linux" "$source"
}

# It does not know vectors (__attribute__((vector_size))), so that it cannot read the
# functions of the files that have them, nor say anything of value; nor the builtin for the
# counter of cycles, for which it gets a number. What arch/lkl/kernel/tests includes from the
# kernel's lib/ is the kernel's own.
check_sparse()
{
    local config=$1 log=$work/sparse.log
    local others='arch/lkl/(lib/(csum|mem)|kernel/tests/(switch_kunit|\.\./[./]*/lib/[a-z_]*))\.c:'
    overlay
    kbuild "$work/$config" C=2 CHECK=sparse arch/lkl/ \
        CF='-D__CHECK_ENDIAN__ "-D__builtin_ia32_rdtsc()=0ul"' >"$log" 2>&1 ||
        fail "sparse: $config does not build, see $log"
    grep -q '^  CHECK ' "$log" || fail "sparse has seen no file, see $log"
    if grep -E '(warning|error): ' "$log" | grep -vE "$others"; then
        fail "sparse is not content with arch/lkl in $config"
    fi
}

if [ -z "$root" ] || [ -z "$work" ]; then
    fail "--root and --work are needed"
fi
case ${1:-} in
source) update_source ;;
headers) install_headers "$2" ;;
image) build_image "$2" "$3" ;;
check-pristine) check_pristine ;;
check-sparse) check_sparse "$2" ;;
*) fail "unknown command: ${1:-}" ;;
esac
