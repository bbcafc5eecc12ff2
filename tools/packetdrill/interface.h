/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How packetdrill calls a network stack in a shared object (--so_filename): the layout of
 * struct packetdrill_interface in its gtests/net/packetdrill/packetdrill.h (2015). The
 * order and the types are its ABI; names and comments are ours.
 *
 * Each function gets `userdata` first and is otherwise the call of its name: -1 and errno
 * for errors, with the host's types and constants. Calls that wait are made on a second
 * thread, beside those of the first.
 */
#ifndef LKL_PACKETDRILL_INTERFACE_H
#define LKL_PACKETDRILL_INTERFACE_H

#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

#ifdef __cplusplus
extern "C" {
#endif

struct packetdrill_interface {
    void* userdata;
    void (*free)(void* userdata);
    int (*socket)(void* userdata, int domain, int type, int protocol);
    int (*bind)(void* userdata, int fd, const struct sockaddr* address, socklen_t length);
    int (*listen)(void* userdata, int fd, int backlog);
    int (*accept)(void* userdata, int fd, struct sockaddr* address, socklen_t* length);
    int (*connect)(void* userdata, int fd, const struct sockaddr* address, socklen_t length);
    ssize_t (*read)(void* userdata, int fd, void* data, size_t size);
    ssize_t (*readv)(void* userdata, int fd, const struct iovec* parts, int count);
    ssize_t (*recv)(void* userdata, int fd, void* data, size_t size, int flags);
    ssize_t (*recvfrom)(void* userdata, int fd, void* data, size_t size, int flags,
                        struct sockaddr* address, socklen_t* length);
    ssize_t (*recvmsg)(void* userdata, int fd, struct msghdr* message, int flags);
    ssize_t (*write)(void* userdata, int fd, const void* data, size_t size);
    ssize_t (*writev)(void* userdata, int fd, const struct iovec* parts, int count);
    ssize_t (*send)(void* userdata, int fd, const void* data, size_t size, int flags);
    ssize_t (*sendto)(void* userdata, int fd, const void* data, size_t size, int flags,
                      const struct sockaddr* address, socklen_t length);
    ssize_t (*sendmsg)(void* userdata, int fd, const struct msghdr* message, int flags);
    int (*fcntl)(void* userdata, int fd, int command, ...);
    int (*ioctl)(void* userdata, int fd, unsigned long request, ...);
    int (*close)(void* userdata, int fd);
    int (*shutdown)(void* userdata, int fd, int how);
    int (*getsockopt)(void* userdata, int fd, int level, int name, void* value, socklen_t* length);
    int (*setsockopt)(void* userdata, int fd, int level, int name, const void* value,
                      socklen_t length);
    int (*poll)(void* userdata, struct pollfd* fds, nfds_t count, int timeout);
    /* An IPv4 or IPv6 packet arrives at the stack. */
    int (*netdev_send)(void* userdata, const void* packet, size_t size);
    /*
     * The next packet that leaves the stack, and when it did, on the clock of
     * gettimeofday. *size is the room at first, then the packet's length. packetdrill asks
     * again after -1, for as long as it takes; a length of 0 ends the script.
     */
    int (*netdev_receive)(void* userdata, void* packet, size_t* size, long long* microseconds);
    int (*usleep)(void* userdata, useconds_t microseconds);
    int (*gettimeofday)(void* userdata, struct timeval* now, struct timezone* zone);
    int (*epoll_create)(void* userdata, int size);
    int (*epoll_ctl)(void* userdata, int epoll, int operation, int fd, struct epoll_event* event);
    int (*epoll_wait)(void* userdata, int epoll, struct epoll_event* events, int most, int timeout);
    int (*pipe)(void* userdata, int fds[2]);
    int (*splice)(void* userdata, int from, loff_t* from_offset, int to, loff_t* to_offset,
                  size_t size, unsigned int flags);
};

/* What the shared object exports, and packetdrill calls once for each script. `flags` is
 * the text of --so_flags, or null. */
void packetdrill_interface_init(const char* flags, struct packetdrill_interface* interface);
typedef void (*packetdrill_interface_init_t)(const char* flags,
                                             struct packetdrill_interface* interface);

#ifdef __cplusplus
}
#endif

#endif
