// SPDX-License-Identifier: GPL-2.0-only
// lkl::NetworkNamespace: a network stack of its own inside a kernel: interfaces,
// addresses, routes, ports, settings.
//
// Which one a call works in belongs to the thread that makes it, as in Linux: a thread's
// first call starts in the kernel's first namespace, enter() changes it for the calling
// thread alone. A socket stays in the namespace that it was made in, whichever thread
// uses it, and so does a Netlink. To work in several namespaces, open a Netlink in each
// and use them side by side.
//
// Errors: EPERM (the calling thread's user has no rights over the namespace), EMFILE,
// ENOMEM, and what any system call may return.
#pragma once

#include <lkl/file.hpp>
#include <lkl/kernel.hpp>
#include <lkl/result.hpp>

namespace lkl {

// Holds a namespace: it ends when no NetworkNamespace, socket or thread has it any more.
// Its interfaces end with it, or go back to the first namespace if they are devices. The
// Kernel object must stay where it is until then.
class NetworkNamespace {
public:
    // Makes a new one, with nothing in it but a `lo` that is down. The calling thread
    // stays where it is. ENOSPC: there are as many as user.max_net_namespaces allows.
    static Result<NetworkNamespace> create(Kernel& kernel);
    // The calling thread's.
    static Result<NetworkNamespace> current(Kernel& kernel);
    // That of a socket, given by its descriptor. EBADF, ENOTTY: it is none.
    static Result<NetworkNamespace> of_socket(Kernel& kernel, int descriptor);

    // From here on, the calling thread works in this namespace. EBADF: the object was moved
    // from.
    Result<void> enter() const;

    // A descriptor of the kernel, for LKL_IFLA_NET_NS_FD or setns(2).
    int descriptor() const { return file_.descriptor(); }

private:
    explicit NetworkNamespace(File file) : file_(std::move(file)) {}

    File file_;
};

// The calling thread works in another namespace for as long as this object is there; it
// is for the thread that made it.
class InNetworkNamespace {
public:
    // Errors: those of NetworkNamespace::current() and enter().
    static Result<InNetworkNamespace> enter(const NetworkNamespace& space, Kernel& kernel);
    InNetworkNamespace(InNetworkNamespace&&) = default;
    InNetworkNamespace& operator=(InNetworkNamespace&&) = delete;
    ~InNetworkNamespace();

private:
    explicit InNetworkNamespace(NetworkNamespace before) : before_(std::move(before)) {}

    NetworkNamespace before_;
};

}  // namespace lkl
