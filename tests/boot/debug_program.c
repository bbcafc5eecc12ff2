// SPDX-License-Identifier: GPL-2.0-only
// What debuggers and profilers are shown: a program whose main() calls the kernel by
// way of functions with names.
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>

static void check(long result, const char *what)
{
    if (result >= 0)
        return;
    fprintf(stderr, "%s: %s\n", what, lkl_strerror((int)result));
    exit(1);
}

static void ready(void)
{
    puts("ready");
    fflush(stdout);
}

__attribute__((noinline)) static long program_opens_a_file(const char *name)
{
    // A task that was taken off its thread meanwhile is brought back by a call; the
    // next one begins on an empty stack that leads to the caller, if nobody else is in
    // the kernel then.
    usleep(20000);
    check(lkl_sys_getpid(), "getpid");
    const long fd = lkl_sys_open(name, LKL_O_RDWR | LKL_O_CREAT, 0600);
    check(fd, name);
    return fd;
}

static int fds[2];

__attribute__((noinline)) static long program_reads_a_pipe(void)
{
    char byte;

    return lkl_sys_read((unsigned)fds[0], &byte, 1);
}

static void *reading_thread(void *argument)
{
    (void)argument;
    check(program_reads_a_pipe(), "read");
    return NULL;
}

static void *opening_thread(void *argument)
{
    (void)argument;
    check(program_opens_a_file("/by-a-thread"), "open");
    return NULL;
}

// Reads a file over and over.
static void work(double seconds)
{
    static char data[1 << 16];
    const long fd = program_opens_a_file("/data");
    struct timespec start, now;

    check(lkl_sys_write((unsigned)fd, data, sizeof data), "write");
    clock_gettime(CLOCK_MONOTONIC, &start);
    do {
        for (int i = 0; i < 1000; i++)
            check(lkl_sys_pread64((unsigned)fd, data, 512, i), "pread");
        clock_gettime(CLOCK_MONOTONIC, &now);
    } while ((double)(now.tv_sec - start.tv_sec) + (double)(now.tv_nsec - start.tv_nsec) / 1e9 <
             seconds);
    check(lkl_sys_close((unsigned)fd), "close");
}

int main(int argc, char **argv)
{
    const char *what = argc > 1 ? argv[1] : "";
    pthread_t thread;

    check(lkl_init(&lkl_host_ops), "init");
    check(lkl_start_kernel("mem=64M"), "start");
    check(lkl_sys_pipe2(fds, 0), "pipe");
    if (strcmp(what, "open") == 0) {
        check(program_opens_a_file("/by-main"), "open");
        pthread_create(&thread, NULL, opening_thread, NULL);
        pthread_join(thread, NULL);
    } else if (strcmp(what, "block") == 0) {
        pthread_create(&thread, NULL, reading_thread, NULL);
        ready();
        check(program_reads_a_pipe(), "read");
    } else if (strcmp(what, "work") == 0) {
        work(2);
    } else {
        // A little of everything, for tools that follow each instruction.
        pthread_create(&thread, NULL, reading_thread, NULL);
        work(0);
        check(lkl_sys_write((unsigned)fds[1], "x", 1), "write");
        pthread_join(thread, NULL);
        struct __lkl__kernel_timespec time = {0, 1000000};
        check(lkl_sys_nanosleep(&time, NULL), "sleep");
        char name[256];
        check(lkl_sys_mkdir("/proc", 0755), "mkdir");
        check(lkl_sys_mount("proc", "/proc", "proc", 0, NULL), "mount");
        const long fd = program_opens_a_file("/proc/version");
        check(lkl_sys_read((unsigned)fd, name, sizeof name), "read");
        check(lkl_sys_close((unsigned)fd), "close");
    }
    check(lkl_sys_halt(), "halt");
    lkl_cleanup();
    return 0;
}
