// SPDX-License-Identifier: GPL-2.0-only
#include "capi/errors.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include <lkl.h>

namespace lkl::capi {

namespace {

thread_local std::string last_error;

struct Text {
    int code;
    const char* text;
};

// The kernel's generic numbers, whatever the host's are, in the words of the GNU
// C library. 41 and 58 are not in use.
constexpr std::array texts{
    Text{0, "Success"},
    Text{LKL_EPERM, "Operation not permitted"},
    Text{LKL_ENOENT, "No such file or directory"},
    Text{LKL_ESRCH, "No such process"},
    Text{LKL_EINTR, "Interrupted system call"},
    Text{LKL_EIO, "Input/output error"},
    Text{LKL_ENXIO, "No such device or address"},
    Text{LKL_E2BIG, "Argument list too long"},
    Text{LKL_ENOEXEC, "Exec format error"},
    Text{LKL_EBADF, "Bad file descriptor"},
    Text{LKL_ECHILD, "No child processes"},
    Text{LKL_EAGAIN, "Resource temporarily unavailable"},
    Text{LKL_ENOMEM, "Cannot allocate memory"},
    Text{LKL_EACCES, "Permission denied"},
    Text{LKL_EFAULT, "Bad address"},
    Text{LKL_ENOTBLK, "Block device required"},
    Text{LKL_EBUSY, "Device or resource busy"},
    Text{LKL_EEXIST, "File exists"},
    Text{LKL_EXDEV, "Invalid cross-device link"},
    Text{LKL_ENODEV, "No such device"},
    Text{LKL_ENOTDIR, "Not a directory"},
    Text{LKL_EISDIR, "Is a directory"},
    Text{LKL_EINVAL, "Invalid argument"},
    Text{LKL_ENFILE, "Too many open files in system"},
    Text{LKL_EMFILE, "Too many open files"},
    Text{LKL_ENOTTY, "Inappropriate ioctl for device"},
    Text{LKL_ETXTBSY, "Text file busy"},
    Text{LKL_EFBIG, "File too large"},
    Text{LKL_ENOSPC, "No space left on device"},
    Text{LKL_ESPIPE, "Illegal seek"},
    Text{LKL_EROFS, "Read-only file system"},
    Text{LKL_EMLINK, "Too many links"},
    Text{LKL_EPIPE, "Broken pipe"},
    Text{LKL_EDOM, "Numerical argument out of domain"},
    Text{LKL_ERANGE, "Numerical result out of range"},
    Text{LKL_EDEADLK, "Resource deadlock avoided"},
    Text{LKL_ENAMETOOLONG, "File name too long"},
    Text{LKL_ENOLCK, "No locks available"},
    Text{LKL_ENOSYS, "Function not implemented"},
    Text{LKL_ENOTEMPTY, "Directory not empty"},
    Text{LKL_ELOOP, "Too many levels of symbolic links"},
    Text{LKL_ENOMSG, "No message of desired type"},
    Text{LKL_EIDRM, "Identifier removed"},
    Text{LKL_ECHRNG, "Channel number out of range"},
    Text{LKL_EL2NSYNC, "Level 2 not synchronized"},
    Text{LKL_EL3HLT, "Level 3 halted"},
    Text{LKL_EL3RST, "Level 3 reset"},
    Text{LKL_ELNRNG, "Link number out of range"},
    Text{LKL_EUNATCH, "Protocol driver not attached"},
    Text{LKL_ENOCSI, "No CSI structure available"},
    Text{LKL_EL2HLT, "Level 2 halted"},
    Text{LKL_EBADE, "Invalid exchange"},
    Text{LKL_EBADR, "Invalid request descriptor"},
    Text{LKL_EXFULL, "Exchange full"},
    Text{LKL_ENOANO, "No anode"},
    Text{LKL_EBADRQC, "Invalid request code"},
    Text{LKL_EBADSLT, "Invalid slot"},
    Text{LKL_EBFONT, "Bad font file format"},
    Text{LKL_ENOSTR, "Device not a stream"},
    Text{LKL_ENODATA, "No data available"},
    Text{LKL_ETIME, "Timer expired"},
    Text{LKL_ENOSR, "Out of streams resources"},
    Text{LKL_ENONET, "Machine is not on the network"},
    Text{LKL_ENOPKG, "Package not installed"},
    Text{LKL_EREMOTE, "Object is remote"},
    Text{LKL_ENOLINK, "Link has been severed"},
    Text{LKL_EADV, "Advertise error"},
    Text{LKL_ESRMNT, "Srmount error"},
    Text{LKL_ECOMM, "Communication error on send"},
    Text{LKL_EPROTO, "Protocol error"},
    Text{LKL_EMULTIHOP, "Multihop attempted"},
    Text{LKL_EDOTDOT, "RFS specific error"},
    Text{LKL_EBADMSG, "Bad message"},
    Text{LKL_EOVERFLOW, "Value too large for defined data type"},
    Text{LKL_ENOTUNIQ, "Name not unique on network"},
    Text{LKL_EBADFD, "File descriptor in bad state"},
    Text{LKL_EREMCHG, "Remote address changed"},
    Text{LKL_ELIBACC, "Can not access a needed shared library"},
    Text{LKL_ELIBBAD, "Accessing a corrupted shared library"},
    Text{LKL_ELIBSCN, ".lib section in a.out corrupted"},
    Text{LKL_ELIBMAX, "Attempting to link in too many shared libraries"},
    Text{LKL_ELIBEXEC, "Cannot exec a shared library directly"},
    Text{LKL_EILSEQ, "Invalid or incomplete multibyte or wide character"},
    Text{LKL_ERESTART, "Interrupted system call should be restarted"},
    Text{LKL_ESTRPIPE, "Streams pipe error"},
    Text{LKL_EUSERS, "Too many users"},
    Text{LKL_ENOTSOCK, "Socket operation on non-socket"},
    Text{LKL_EDESTADDRREQ, "Destination address required"},
    Text{LKL_EMSGSIZE, "Message too long"},
    Text{LKL_EPROTOTYPE, "Protocol wrong type for socket"},
    Text{LKL_ENOPROTOOPT, "Protocol not available"},
    Text{LKL_EPROTONOSUPPORT, "Protocol not supported"},
    Text{LKL_ESOCKTNOSUPPORT, "Socket type not supported"},
    Text{LKL_EOPNOTSUPP, "Operation not supported"},
    Text{LKL_EPFNOSUPPORT, "Protocol family not supported"},
    Text{LKL_EAFNOSUPPORT, "Address family not supported by protocol"},
    Text{LKL_EADDRINUSE, "Address already in use"},
    Text{LKL_EADDRNOTAVAIL, "Cannot assign requested address"},
    Text{LKL_ENETDOWN, "Network is down"},
    Text{LKL_ENETUNREACH, "Network is unreachable"},
    Text{LKL_ENETRESET, "Network dropped connection on reset"},
    Text{LKL_ECONNABORTED, "Software caused connection abort"},
    Text{LKL_ECONNRESET, "Connection reset by peer"},
    Text{LKL_ENOBUFS, "No buffer space available"},
    Text{LKL_EISCONN, "Transport endpoint is already connected"},
    Text{LKL_ENOTCONN, "Transport endpoint is not connected"},
    Text{LKL_ESHUTDOWN, "Cannot send after transport endpoint shutdown"},
    Text{LKL_ETOOMANYREFS, "Too many references: cannot splice"},
    Text{LKL_ETIMEDOUT, "Connection timed out"},
    Text{LKL_ECONNREFUSED, "Connection refused"},
    Text{LKL_EHOSTDOWN, "Host is down"},
    Text{LKL_EHOSTUNREACH, "No route to host"},
    Text{LKL_EALREADY, "Operation already in progress"},
    Text{LKL_EINPROGRESS, "Operation now in progress"},
    Text{LKL_ESTALE, "Stale file handle"},
    Text{LKL_EUCLEAN, "Structure needs cleaning"},
    Text{LKL_ENOTNAM, "Not a XENIX named type file"},
    Text{LKL_ENAVAIL, "No XENIX semaphores available"},
    Text{LKL_EISNAM, "Is a named type file"},
    Text{LKL_EREMOTEIO, "Remote I/O error"},
    Text{LKL_EDQUOT, "Disk quota exceeded"},
    Text{LKL_ENOMEDIUM, "No medium found"},
    Text{LKL_EMEDIUMTYPE, "Wrong medium type"},
    Text{LKL_ECANCELED, "Operation canceled"},
    Text{LKL_ENOKEY, "Required key not available"},
    Text{LKL_EKEYEXPIRED, "Key has expired"},
    Text{LKL_EKEYREVOKED, "Key has been revoked"},
    Text{LKL_EKEYREJECTED, "Key was rejected by service"},
    Text{LKL_EOWNERDEAD, "Owner died"},
    Text{LKL_ENOTRECOVERABLE, "State not recoverable"},
    Text{LKL_ERFKILL, "Operation not possible due to RF-kill"},
    Text{LKL_EHWPOISON, "Memory page has hardware error"},
    // Not for programs, but some drivers let it out (linux/errno.h: ENOTSUPP).
    Text{524, "Operation is not supported"},
};
static_assert(std::is_sorted(texts.begin(), texts.end(),
                             [](const Text& a, const Text& b) { return a.code < b.code; }));

}  // namespace

int fail(const Error& error)
{
    last_error = error.what;
    return -error.code;
}

int fail(int code, std::string what)
{
    last_error = std::move(what);
    return -code;
}

}  // namespace lkl::capi

using namespace lkl::capi;

extern "C" {

const char* lkl_strerror(int err)
{
    const long code = err < 0 ? -static_cast<long>(err) : err;
    const auto found = std::lower_bound(texts.begin(), texts.end(), code,
                                        [](const Text& text, long c) { return text.code < c; });
    return found != texts.end() && found->code == code ? found->text : "Unknown error";
}

void lkl_perror(const char* msg, int err)
{
    // As perror(3).
    if (msg != nullptr && *msg != '\0')
        std::fprintf(stderr, "%s: ", msg);
    std::fprintf(stderr, "%s\n", lkl_strerror(err));
}

const char* lkl_error_message(void)
{
    return last_error.c_str();
}

}  // extern "C"
