// SPDX-License-Identifier: GPL-2.0-only
// What is agreed with the host's kernel when it mounts.
#include "lklfuse/operations.hpp"
#include "lklfuse/read_ahead.hpp"

namespace tools::lklfuse {

namespace {

// Requests that the host's kernel sends ahead of need: reads ahead and writes behind.
// The pool of threads is a little smaller, so that there is always one to take.
constexpr unsigned background = 32;

void want(fuse_conn_info& connection, unsigned capabilities)
{
    connection.want |= connection.capable & capabilities;
}

void init(void* data, fuse_conn_info* connection)
{
    const FileSystem& fs = *static_cast<FileSystem*>(data);
    // The umask counts, or a default ACL in its place: the kernel inside knows which.
    want(*connection, FUSE_CAP_DONT_MASK | FUSE_CAP_CACHE_SYMLINKS | FUSE_CAP_EXPLICIT_INVAL_DATA);
    // The host's kernel checks what ACLs allow, and keeps them in its cache; what they
    // do to modes and to new files is done inside.
    if (fs.has_acls())
        want(*connection, FUSE_CAP_POSIX_ACL);
    if (!fs.read_only())
        want(*connection, FUSE_CAP_WRITEBACK_CACHE);
    // Set-ID bits go when somebody writes who may not keep them, which the host's
    // kernel knows; data and attributes change through it alone.
    connection->want &= ~static_cast<unsigned>(FUSE_CAP_HANDLE_KILLPRIV | FUSE_CAP_AUTO_INVAL_DATA);
    // docs/decisions/0008; the filter of system calls knows none that libfuse would need.
    connection->want &=
        ~static_cast<unsigned>(FUSE_CAP_SPLICE_READ | FUSE_CAP_SPLICE_WRITE | FUSE_CAP_SPLICE_MOVE);
    // Where each file that is known costs memory inside, none but those asked for.
    if (!fs.has_handles())
        connection->want &= ~static_cast<unsigned>(FUSE_CAP_READDIRPLUS);
    connection->max_readahead = read_ahead;
    connection->max_background = background;
    connection->congestion_threshold = background * 3 / 4;
}

}  // namespace

void add_connection_operations(fuse_lowlevel_ops& table)
{
    table.init = init;
}

}  // namespace tools::lklfuse
