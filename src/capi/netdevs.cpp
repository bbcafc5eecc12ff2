// SPDX-License-Identifier: GPL-2.0-only
// Network devices of the default kernel, by the numbers that lkl_netdev_add() gave.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sys/ioctl.h>

#include <lkl.h>
#include <lkl/net.hpp>
#include <virtio/net/header.hpp>

#include "capi/callback_net.hpp"
#include "capi/default_kernel.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"
#include "capi/netdevs.hpp"
#include "config/device_types.hpp"
#include "net/error.hpp"
#include "platform/posix/descriptor.hpp"

namespace lkl::capi {

namespace {

using Backend = Result<std::unique_ptr<NetBackend>>;

// A device of the library. Its back end is the kernel's from lkl_netdev_add() on.
struct LibraryDevice {
    lkl_netdev device{};  // first: programs have its address
    std::unique_ptr<NetBackend> backend;
    unsigned offload = 0;
    lkl_netdev* inside = nullptr;  // whose packets are captured
};

void free_library_device(lkl_netdev* device)
{
    const std::unique_ptr<LibraryDevice> own(reinterpret_cast<LibraryDevice*>(device));
    own->backend.reset();
    lkl_netdev_free(own->inside);
}

// Only `free` is called: this is how the library knows its own.
lkl_dev_net_ops library_ops = {nullptr, nullptr, nullptr, nullptr, free_library_device};

Backend take_backend(lkl_netdev& device, unsigned& offload)
{
    if (device.ops != &library_ops)
        return make_callback_net(device);
    auto& own = reinterpret_cast<LibraryDevice&>(device);
    if (!own.backend)
        return Error{EBUSY, "add network device: it was added before"};
    offload &= own.offload;
    return std::move(own.backend);
}

NetOptions to_options(const lkl_netdev_args* args, unsigned offload)
{
    NetOptions options;
    if (args && args->mac)
        std::memcpy(options.mac.bytes.data(), args->mac, options.mac.bytes.size());
    // The bits of UDP segmentation are past those of an int.
    const uint64_t features = offload == LKL_NETDEV_OFFLOAD_ALL ? ~uint64_t{0} : uint64_t{offload};
    options.transmit_offload = virtio::host_offload(features);
    options.receive_offload = virtio::guest_offload(features);
    // Without it, packets with segmentation have to fit one buffer each.
    options.mergeable_buffers =
        !args || (features & virtio::net_mrg_rxbuf) != 0 || options.receive_offload == 0;
    return options;
}

// "PATH|PATH"
Backend open_pipes(const std::string& paths)
{
    const auto both = config::parse_pipes(paths);
    if (!both)
        return Error{EINVAL, "network pipe " + both.error().what};
    return open_net_fifos(both->first, both->second);
}

Backend open_slirp_with(const std::string& parameters)
{
    const auto options = config::parse_slirp(parameters);
    if (!options)
        return Error{EINVAL, "slirp " + options.error().what};
    return open_slirp(*options);
}

// Adds the device with options_for(what it offers of `offload`). Its number, or a negative
// error number.
template <typename OptionsFor>
int add(lkl_netdev& device, unsigned offload, const OptionsFor& options_for)
{
    if (const auto accepts = check_accepts_devices(); !accepts)
        return fail(accepts.error());
    auto backend = take_backend(device, offload);
    if (!backend)
        return fail(backend.error());

    State& own = state();
    const std::lock_guard lock(own.mutex);
    NetEntry entry;
    if (auto* const kernel = default_kernel.load()) {
        const auto added = kernel->add_net(*std::move(backend), options_for(offload));
        if (!added)
            return fail(added.error());
        entry.id = *added;
    } else {
        entry.waiting = *std::move(backend);
        entry.options = options_for(offload);
    }
    own.nets.push_back(std::move(entry));
    device.id = static_cast<int>(own.nets.size() - 1);
    return device.id;
}

Backend open_tap_device(const char* path, const ifreq* interface)
{
    posix::Descriptor file(::open(path, O_RDWR | O_CLOEXEC));
    if (!file)
        return net::host_error(path);
    if (interface) {
        ifreq request = *interface;
        if (::ioctl(file.get(), TUNSETIFF, &request) != 0)
            return net::host_error(std::string(path) + ": " + interface->ifr_name);
    }
    return open_tap(file.get());
}

bool has_net(const State& own, int id)
{
    return id >= 0 && static_cast<size_t>(id) < own.nets.size() &&
           own.nets[static_cast<size_t>(id)].id.has_value();
}

int no_such_device(int id)
{
    return fail(LKL_ENODEV, "network device " + std::to_string(id) + ": no such device");
}

}  // namespace

lkl_netdev* make_device(Backend backend, unsigned offload)
{
    if (!backend) {
        fail(backend.error());
        return nullptr;
    }
    auto made = std::make_unique<LibraryDevice>();
    const NetInfo info = (*backend)->info();
    made->device.ops = &library_ops;
    made->device.id = -1;
    made->device.has_vnet_hdr = info.header != 0;
    std::copy(info.mac.bytes.begin(), info.mac.bytes.end(), std::begin(made->device.mac));
    made->backend = *std::move(backend);
    made->offload = offload;
    return &made.release()->device;
}

int add_device(lkl_netdev& device, const NetOptions& options)
{
    return add(device, 0, [&](unsigned) { return options; });
}

}  // namespace lkl::capi

using namespace lkl::capi;

extern "C" {

int lkl_netdev_add(struct lkl_netdev* nd, struct lkl_netdev_args* args)
{
    return guarded(__func__, {nd}, [&] {
        return add(*nd, args ? args->offload : LKL_NETDEV_OFFLOAD_ALL,
                   [args](unsigned offload) { return to_options(args, offload); });
    });
}

void lkl_netdev_remove(int id)
{
    guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        if (id < 0 || static_cast<size_t>(id) >= own.nets.size())
            return;
        auto& net = own.nets[static_cast<size_t>(id)];
        if (net.id && !own.halted) {
            if (const auto removed = default_kernel.load()->remove_net(*net.id); !removed) {
                fail(removed.error());
                return;
            }
        }
        net = {};
    });
}

void lkl_netdev_free(struct lkl_netdev* nd)
{
    if (nd && nd->ops && nd->ops->free)
        nd->ops->free(nd);
}

int lkl_netdev_get_ifindex(int id)
{
    return guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        if (!has_net(own, id))
            return no_such_device(id);
        return own.nets[static_cast<size_t>(id)].id->ifindex;
    });
}

int lkl_netdev_set_link(int id, int up)
{
    return guarded(__func__, {}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        if (!has_net(own, id) || own.halted)
            return no_such_device(id);
        const auto set =
            default_kernel.load()->set_net_link(*own.nets[static_cast<size_t>(id)].id, up != 0);
        return set ? 0 : fail(set.error());
    });
}

int lkl_netdev_get_stats(int id, struct lkl_netdev_stats* stats)
{
    return guarded(__func__, {stats}, [&] {
        State& own = state();
        const std::lock_guard lock(own.mutex);
        // A halted kernel has no devices.
        if (!has_net(own, id) || own.halted)
            return no_such_device(id);
        const auto found =
            default_kernel.load()->net_statistics(*own.nets[static_cast<size_t>(id)].id);
        if (!found)
            return fail(found.error());
        *stats = {found->received_frames, found->received_bytes, found->receive_errors,
                  found->sent_frames,     found->sent_bytes,     found->send_errors,
                  found->send_dropped};
        return 0;
    });
}

struct lkl_netdev* lkl_netdev_tap_create(const char* ifname, int offload)
{
    return guarded(__func__, {ifname}, [&] {
        return make_device(lkl::open_tap(ifname), static_cast<unsigned>(offload));
    });
}

struct lkl_netdev* lkl_netdev_tap_create_mq(const char* ifname, int offload,
                                            unsigned int queue_pairs)
{
    return guarded(__func__, {ifname}, [&] {
        const auto pairs = static_cast<uint16_t>(std::min<unsigned>(queue_pairs, UINT16_MAX));
        return make_device(lkl::open_tap(ifname, {.queue_pairs = pairs}),
                           static_cast<unsigned>(offload));
    });
}

struct lkl_netdev* lkl_netdev_tap_init(const char* path, int offload, struct ifreq* ifr)
{
    return guarded(__func__, {path}, [&] {
        return make_device(open_tap_device(path, ifr), static_cast<unsigned>(offload));
    });
}

struct lkl_netdev* lkl_netdev_macvtap_create(const char* path, int offload)
{
    return guarded(__func__, {path}, [&] {
        return make_device(lkl::open_macvtap(path), static_cast<unsigned>(offload));
    });
}

struct lkl_netdev* lkl_netdev_raw_create(const char* ifname)
{
    return guarded(__func__, {ifname},
                   [&] { return make_device(lkl::open_raw(ifname), LKL_NETDEV_OFFLOAD_ALL); });
}

struct lkl_netdev* lkl_netdev_pipe_create(const char* ifname, int offload)
{
    return guarded(__func__, {ifname},
                   [&] { return make_device(open_pipes(ifname), static_cast<unsigned>(offload)); });
}

struct lkl_netdev* lkl_netdev_vde_create(const char* switch_path)
{
    return guarded(__func__, {switch_path},
                   [&] { return make_device(lkl::open_vde(switch_path), LKL_NETDEV_OFFLOAD_ALL); });
}

struct lkl_netdev* lkl_netdev_slirp_create(const char* ifparams)
{
    return guarded(__func__, {}, [&] {
        return make_device(open_slirp_with(ifparams ? ifparams : ""), LKL_NETDEV_OFFLOAD_ALL);
    });
}

struct lkl_netdev* lkl_netdev_passt_create(const char* ifparams)
{
    return guarded(__func__, {}, [&] {
        return make_device(lkl::open_passt(lkl::config::parse_passt(ifparams ? ifparams : "")),
                           LKL_NETDEV_OFFLOAD_ALL);
    });
}

struct lkl_netdev* lkl_netdev_socket_create(int fd)
{
    return guarded(__func__, {},
                   [&] { return make_device(lkl::open_net_socket(fd), LKL_NETDEV_OFFLOAD_ALL); });
}

struct lkl_netdev* lkl_netdev_pcap_create(struct lkl_netdev* nd, const char* path)
{
    lkl_netdev* const made = guarded(__func__, {nd, path}, [&] {
        unsigned offload = LKL_NETDEV_OFFLOAD_ALL;
        auto backend = take_backend(*nd, offload);
        if (backend)
            backend = lkl::make_pcap(*std::move(backend), path);
        return make_device(std::move(backend), offload);
    });
    if (made)
        reinterpret_cast<LibraryDevice*>(made)->inside = nd;
    else
        lkl_netdev_free(nd);
    return made;
}

struct lkl_netdev* lkl_netdev_dpdk_create(const char* /*ifparams*/, int /*offload*/,
                                          unsigned char* /*mac*/)
{
    return guarded(__func__, {}, []() -> lkl_netdev* {
        fail(LKL_EOPNOTSUPP, "DPDK network device: not in this library");
        return nullptr;
    });
}

}  // extern "C"
