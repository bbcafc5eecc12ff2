// SPDX-License-Identifier: GPL-2.0-only
// A process ends by exit(3) while one of its threads is between two handlers of fork(), which
// goes on when the destructors of all libraries have run. Exit code 7, as asked for.
//
//     exit_in_fork [IMAGE]
//
// With IMAGE it has started a kernel that has this disk, by the library it is linked to.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <lkl.h>

// pthread_atfork() without an object whose end takes the handlers away.
int __register_atfork(void (*prepare)(void), void (*parent)(void), void (*child)(void), void *dso);

static sem_t forking, finalized, handled;

static void wait_for(sem_t *semaphore, const char *what)
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += 20;
    if (sem_timedwait(semaphore, &end) == 0)
        return;
    fprintf(stderr, "exit_in_fork: not in 20 seconds: %s\n", what);
    _exit(1);
}

// The last one that is registered is called first.
static void first_handler(void)
{
    sem_post(&forking);
    wait_for(&finalized, "the end of all libraries");
}

static void second_handler(void)
{
    sem_post(&handled);
}

static void *fork_once(void *unused)
{
    if (fork() == 0)
        _exit(0);
    return unused;
}

// Streams are flushed when all destructors have run.
static ssize_t when_flushed(void *unused, const char *text, size_t size)
{
    (void)unused;
    (void)text;
    sem_post(&finalized);
    wait_for(&handled, "the second handler of fork()");
    return (ssize_t)size;
}

int main(int count, char **words)
{
    pthread_t thread;

    if (count > 1) {
        struct lkl_disk disk = {.fd = open(words[1], O_RDWR | O_CLOEXEC)};

        if (lkl_init(&lkl_host_ops) < 0 || lkl_disk_add(&disk) < 0 ||
            lkl_start_kernel("mem=64M") < 0)
            return 1;
    }
    sem_init(&forking, 0, 0);
    sem_init(&finalized, 0, 0);
    sem_init(&handled, 0, 0);
    __register_atfork(second_handler, NULL, NULL, NULL);
    __register_atfork(first_handler, NULL, NULL, NULL);
    FILE *const stream = fopencookie(NULL, "w", (cookie_io_functions_t){.write = when_flushed});
    if (!stream || fputs("unflushed", stream) < 0 ||
        pthread_create(&thread, NULL, fork_once, NULL) != 0)
        return 1;
    wait_for(&forking, "fork()");
    exit(7);
}
