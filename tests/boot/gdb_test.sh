#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# gdb shows kernel code in a live process and in a core file: symbols, source lines,
# and the way from a function of the kernel into the program's main(); and, with the image
# of "make kernel-trace", the kernel's own commands.
# ctest: TIMEOUT=300
# shellcheck source-path=SCRIPTDIR source=../support/program.sh
. "$LKL_SOURCE/tests/support/program.sh"
need gdb cc
build_program "$LKL_SOURCE/tests/boot/debug_program.c"
# Leaks cannot be looked for under a debugger.
export ASAN_OPTIONS=detect_leaks=0:disable_coredump=0:${ASAN_OPTIONS:-}
export TSAN_OPTIONS=disable_coredump=0:${TSAN_OPTIONS:-}
script=$LKL_BUILD/share/lkl/lkl-gdb.py
gdb=(gdb -nx -batch -ex 'set confirm off' -ex 'set pagination off' -ex 'set width 0'
    -ex "set debuginfod enabled off")

echo "== stopped inside a system call"
cat >stop.gdb <<EOF
handle SIGSEGV nostop noprint pass
break program_opens_a_file
run open
source $script
lkl symbols
break do_filp_open
delete 1
continue
backtrace
list do_filp_open
info symbol do_filp_open
python
try:
    gdb.execute("lkl backtrace")
except gdb.error as error:
    print(error)
end
delete
break do_filp_open thread 1
delete
tbreak do_filp_open
continue
echo by a thread\n
backtrace
kill
EOF
# On a busy machine another thread may take a call on, from whose stack no frame leads to
# the program.
for _ in {1..10}; do
    "${gdb[@]}" -x stop.gdb ./program >stop.log 2>&1 || { cat stop.log; fail "gdb"; }
    grep -qE ' (lkl_user_off|lkl_user_first) ' stop.log || break
done
frame='^#[0-9]+ '
expect stop.log "Breakpoint .* do_filp_open .*fs/namei\.c:[0-9]+" \
    "${frame}.*do_filp_open \(.*fs/namei\.c:[0-9]+" \
    "${frame}.* do_sys_openat2? .*fs/open\.c:[0-9]+" \
    "${frame}.* lkl_syscall .*arch/lkl/kernel/syscall\.c:[0-9]+" \
    "${frame}.* lkl_call_on_stack \(\).*switch\.S:[0-9]+" \
    "${frame}.*program_opens_a_file \(name=.*/by-main.*debug_program\.c:[0-9]+" \
    "${frame}.*main \(.*debug_program\.c:[0-9]+" \
    "do_filp_open in section .text of .*/vmlinux[-a-z]*.debug" \
    "^(not with this image \(make kernel-trace\): |task 0 swapper)" \
    "^by a thread" \
    "${frame}.*do_filp_open \(.*fs/namei\.c:[0-9]+" \
    "${frame}.* lkl_call_on_stack \(\).*switch\.S:[0-9]+" \
    "${frame}.*program_opens_a_file \(name=.*/by-a-thread.*debug_program\.c:[0-9]+" \
    "${frame}.*opening_thread \(.*debug_program\.c:[0-9]+"

image=$(realpath "${LKL_KERNEL_IMAGE:-$LKL_BUILD/lib/lkl/vmlinux}")
look() {
    cat <<EOF
source $script
lkl symbols
thread apply all backtrace
info line pipe_read
print init_task.comm
print linux_banner
EOF
    # The first that would throw the symbols away which the others need.
    # shellcheck disable=SC2016  # gdb's variables
    [ ! -d "$image.gdb" ] || printf '%s\n' lx-symbols lx-version lx-ps lx-mounts lx-dmesg \
        'print $lx_current().comm' 'print $lx_per_cpu(runqueues).nr_switches' lx-interruptlist \
        'lkl backtrace'
}
check_blocked() {
    # What the host sees: threads that wait for their calls.
    expect "$1" "^Thread " "${frame}.*program_reads_a_pipe .*debug_program\.c:[0-9]+" \
        "${frame}.*reading_thread"
    expect "$1" "${frame}.*program_reads_a_pipe" "${frame}.*main \(.*debug_program\.c:[0-9]+"
    # Code and data of the kernel, from its own memory.
    expect "$1" "Line [0-9]+ of .*source/.* <pipe_read>" '= "swapper' '"Linux version '
    if [ ! -d "$image.gdb" ]; then
        echo "lx-ps and its like are not looked at: this kernel has no scripts (make test-trace)"
        return 0
    fi
    expect "$1" '^this kernel has no modules' '^Linux version ' '^\$[0-9]+ = "[^"]+' '^\$[0-9]+ = [1-9][0-9]*$' '^ +CPU0'
    # lx-ps: the program's threads are tasks of process 1; lx-dmesg from the first line.
    expect "$1" '^Linux version ' '^ *TASK +PID +COMM' ' 0 +swapper' ' 1 +' ' 2 +kthreadd' \
        'rootfs' '^\[ *0\.[0-9]+\].* Linux version '
    # The stacks on which no thread stands: of idle, and through the switch of fibers.
    expect "$1" '^task 0 swapper' '^ +#[0-9]+ .* in do_idle ' '^ +#[0-9]+ .* in start_kernel '
    expect "$1" '^task 2 kthreadd' '^ +#0 +0x[0-9a-f]+ in (__schedule|context_switch|schedule) ' \
        '^ +#[0-9]+ .* in kthreadd .*kernel/kthread\.c:[0-9]+'
    expect "$1" '^ +#[0-9]+ .* in (anon_)?pipe_read .*fs/pipe\.c:[0-9]+' \
        '^ +#[0-9]+ .* in lkl_syscall .*arch/lkl/kernel/syscall\.c:[0-9]+'
}

echo "== blocked in system calls"
ulimit -c unlimited
start_program block
sleep 1
# Nobody runs any more: both are in their calls.
while awk '$1 == "State:" && $2 != "S" { runs = 1 } END { exit !runs }' \
    /proc/"$child"/task/*/status; do
    sleep 0.1
done
look >look.gdb
"${gdb[@]}" -p "$child" -x look.gdb >live.log 2>&1 || { cat live.log; fail "gdb"; }
check_blocked live.log

# What was looked at until here held; the rest is not told as passed.
case $(cat /proc/sys/kernel/core_pattern) in
*[/\|]*) skip "live processes are right; core files are put elsewhere by this host" ;;
esac
echo "== a core file"
# The host's kernel leaves out what was never touched, as most of the addresses that a
# kernel reserves; gdb's generate-core-file does not.
kill -ABRT "$child"
wait "$child" || true
child=''
core=$(echo core*)
[ -f "$core" ] || fail "no core file"
"${gdb[@]}" ./program "$core" -x look.gdb >dead.log 2>&1 || { cat dead.log; fail "gdb"; }
check_blocked dead.log
