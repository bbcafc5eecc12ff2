// SPDX-License-Identifier: GPL-2.0-only
#include <cerrno>

#include <lkl/net.hpp>

namespace lkl {

Result<NetDevice> NetDevice::add(Kernel& kernel, std::unique_ptr<NetBackend> backend,
                                 const NetOptions& options)
{
    auto id = kernel.add_net(std::move(backend), options);
    if (!id)
        return std::move(id).error();
    return NetDevice(kernel, *id);
}

Result<void> NetDevice::set_link(bool up)
{
    if (!kernel_)
        return Error{ENODEV, "changing a network link: the interface was removed"};
    return kernel_->set_net_link(id_, up);
}

Result<NetDeviceStatistics> NetDevice::statistics() const
{
    if (!kernel_)
        return Error{ENODEV, "statistics of a network interface: it was removed"};
    return kernel_->net_statistics(id_);
}

Result<void> NetDevice::remove()
{
    if (!kernel_)
        return {};
    auto removed = kernel_->remove_net(id_);
    // Of a kernel that has ended, too, nothing is left.
    if (removed || removed.error().code == ENODEV)
        kernel_ = nullptr;
    return removed;
}

}  // namespace lkl
