// SPDX-License-Identifier: GPL-2.0-only
// No device can be opened by its node, whoever has made that and wherever it is: the process
// has a mount namespace of its own (mount_namespaces(7)), all mounts of which are nodev.
#pragma once

namespace tools {

// For the calling thread and those that it starts. Needs CAP_SYS_ADMIN. The working directory
// and open directories are in that namespace too; other descriptors stay as they are. Nodes are
// still made, and what the host unmounts is unmounted there as well, if its mounts are shared.
// False: there is no such namespace (ordinary users, most containers, a root directory that is
// no mount point, before Linux 5.12), or a directory is not found in it; devices can be opened.
bool refuse_devices();

}  // namespace tools
