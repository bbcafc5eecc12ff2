/* SPDX-License-Identifier: GPL-2.0-only
 *
 * A program in C as somebody else would write it: boots a kernel, writes a file
 * of it and reads it back, and passes a bad pointer.
 */
#define _DEFAULT_SOURCE
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include <lkl.h>
#include <lkl_host.h>

int main(void)
{
    static const char text[] = "a file of the library's kernel";
    char back[sizeof(text)] = "";
    /* What nobody may touch. */
    void *forbidden = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    long fd, result;

    if (forbidden == MAP_FAILED || lkl_init(&lkl_host_ops) != 0 ||
        lkl_set_fault_handler(1) != 0 || lkl_start_kernel("mem=64M") != 0) {
        fputs("the kernel does not start\n", stderr);
        return 1;
    }

    fd = lkl_sys_open("/file", LKL_O_RDWR | LKL_O_CREAT, 0600);
    if (fd < 0) {
        fprintf(stderr, "open: %s\n", lkl_strerror((int)fd));
        return 1;
    }
    result = lkl_sys_write((unsigned int)fd, text, sizeof(text));
    if (result == (long)sizeof(text))
        result = lkl_sys_lseek((unsigned int)fd, 0, LKL_SEEK_SET);
    if (result == 0)
        result = lkl_sys_read((unsigned int)fd, back, sizeof(back));
    if (result != (long)sizeof(text) || strcmp(text, back) != 0) {
        fprintf(stderr, "the file does not read as it was written: %ld \"%s\"\n", result, back);
        return 1;
    }
    result = lkl_sys_open(forbidden, LKL_O_RDONLY, 0);
    if (result != -LKL_EFAULT) {
        fprintf(stderr, "a bad pointer: %ld\n", result);
        return 1;
    }
    if (lkl_sys_close((unsigned int)fd) != 0 || lkl_sys_halt() != 0)
        return 1;
    lkl_cleanup();
    puts(back);
    return 0;
}
