// SPDX-License-Identifier: GPL-2.0-only
// What becomes of each system call, however the program made it: by a function of libc
// that is ours (symbols/), or by an instruction of its own (dispatch.cpp).
#pragma once

#include <string>

namespace hijack {

// A call by its number on the host (x86-64) and its six arguments. Returns what the
// kernel returns: a value, or a negative errno. The caller is not Inside.
long run_call(long number, const long* args);

namespace calls {

// sockets.cpp
long socket(const long* args);
long socket_pair(const long* args);
long bind(const long* args);
long connect(const long* args);
long send_to(const long* args);
long set_option(const long* args);
long accept(const long* args);
long accept4(const long* args);
long send_message(const long* args);
long send_messages(const long* args);

// numbers.cpp: descriptors as such
long close(const long* args);
long close_range(const long* args);
long dup(const long* args);
long dup2(const long* args);
long dup3(const long* args);
long fcntl(const long* args);
long fstat(const long* args);

// requests.cpp
long ioctl(const long* args);

// copies.cpp, splice.cpp: from descriptor to descriptor
long sendfile(const long* args);
long copy_file_range(const long* args);
long splice(const long* args);
long tee(const long* args);

// execute.cpp
long execve(const long* args);
long execveat(const long* args);
// 0; or -EACCES, and the reason was told: the library, which `environment` has, does not
// reach the program, or the program is a file of our kernel. The caller is Inside.
int refuse_program(const std::string& path, const char* const* environment);

// both.cpp
long umask(const long* args);
long sync(const long* args);
// Our kernel, which is being started, takes over the process's umask(2). The caller is Inside.
void copy_file_mask();

// process.cpp
long exit_group(const long* args);
long sigaction(const long* args);
long sigprocmask(const long* args);
long sigsuspend(const long* args);
long prctl(const long* args);
long add_landlock_rule(const long* args);
long unshare(const long* args);
long setns(const long* args);
long fork(const long* args);  // vfork(2) too
long clone(const long* args);
long clone3(const long* args);
// EOPNOTSUPP, and the reason was told, where clone() or clone3() asks for a network namespace,
// which would be the host's; else 0.
int refuse_clone(long number, const long* args);
long io_uring(const long* args);

}  // namespace calls

}  // namespace hijack
