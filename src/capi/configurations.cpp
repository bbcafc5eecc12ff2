// SPDX-License-Identifier: GPL-2.0-only
// The settings of lkl_config.h: texts of C, which config/ reads, judges and carries out.
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <utility>

#include <lkl.h>
#include <lkl/dhcp.hpp>
#include <lkl/net.hpp>
#include <lkl/netlink.hpp>
#include <lkl_config.h>

#include "capi/default_kernel.hpp"
#include "capi/errors.hpp"
#include "capi/guarded.hpp"
#include "capi/netdevs.hpp"
#include "config/backends.hpp"
#include "config/configuration.hpp"
#include "config/device_options.hpp"
#include "config/device_types.hpp"
#include "config/links.hpp"
#include "config/lists.hpp"

namespace lkl::capi {

namespace {

using namespace std::chrono_literals;
using config::Configuration;
using config::Interface;

constexpr int loopback = 1;
constexpr auto dhcp_patience = 20s;

template <typename C, typename Cpp>
struct Text {
    char* C::*ours;
    std::string Cpp::*theirs;
};

constexpr Text<lkl_config_iface, Interface> interface_texts[] = {
    {&lkl_config_iface::iftype, &Interface::type},
    {&lkl_config_iface::ifparams, &Interface::parameter},
    {&lkl_config_iface::ifdhcp, &Interface::dhcp},
    {&lkl_config_iface::ifmtu_str, &Interface::mtu},
    {&lkl_config_iface::ifmac_str, &Interface::mac},
    {&lkl_config_iface::ifip, &Interface::ip},
    {&lkl_config_iface::ifnetmask_len, &Interface::mask_length},
    {&lkl_config_iface::ifipv6, &Interface::ip6},
    {&lkl_config_iface::ifnetmask6_len, &Interface::mask_length6},
    {&lkl_config_iface::ifgateway, &Interface::gateway},
    {&lkl_config_iface::ifgateway6, &Interface::gateway6},
    {&lkl_config_iface::ifneigh_entries, &Interface::neighbours},
    {&lkl_config_iface::ifqdisc_entries, &Interface::qdisc},
    {&lkl_config_iface::ifoffload_str, &Interface::offload},
};

constexpr Text<lkl_config, Configuration> global_texts[] = {
    {&lkl_config::gateway, &Configuration::gateway},
    {&lkl_config::gateway6, &Configuration::gateway6},
    {&lkl_config::sysctls, &Configuration::sysctl},
    {&lkl_config::boot_cmdline, &Configuration::boot_cmdline},
    {&lkl_config::mount, &Configuration::mount},
    {&lkl_config::debug, &Configuration::debug},
    {&lkl_config::dump, &Configuration::dump},
    {&lkl_config::congestion, &Configuration::congestion},
    {&lkl_config::pcap, &Configuration::pcap},
    {&lkl_config::nameserver, &Configuration::nameserver},
    {&lkl_config::single_cpu, &Configuration::single_cpu},
    {&lkl_config::delay_main, &Configuration::delay_main},
    {&lkl_config::dispatch, &Configuration::dispatch},
};

char* duplicate(const std::string& text)
{
    char* const copy = ::strdup(text.c_str());
    if (!copy)
        throw std::bad_alloc();
    return copy;
}

template <typename C, typename Cpp, size_t count>
Cpp read_texts(const C& from, const Text<C, Cpp> (&texts)[count])
{
    Cpp to;
    for (const auto& text : texts)
        if (from.*text.ours)
            to.*text.theirs = from.*text.ours;
    return to;
}

// An empty text is one that is not given.
template <typename C, typename Cpp, size_t count>
void write_texts(C& to, const Cpp& from, const Text<C, Cpp> (&texts)[count])
{
    for (const auto& text : texts) {
        if ((from.*text.theirs).empty())
            continue;
        std::free(to.*text.ours);
        to.*text.ours = duplicate(from.*text.theirs);
    }
}

template <typename C, typename Cpp, size_t count>
void free_texts(C& of, const Text<C, Cpp> (&texts)[count])
{
    for (const auto& text : texts)
        std::free(std::exchange(of.*text.ours, nullptr));
}

Configuration read(const lkl_config& from)
{
    Configuration all = read_texts(from, global_texts);
    for (const lkl_config_iface* one = from.ifaces; one; one = one->next)
        all.interfaces.push_back(read_texts(*one, interface_texts));
    return all;
}

void end_device(lkl_config_iface& one)
{
    if (one.nd && one.nd->id >= 0)
        lkl_netdev_remove(one.id);
    lkl_netdev_free(std::exchange(one.nd, nullptr));
    one.id = -1;
}

void free_interfaces(lkl_config& config)
{
    while (lkl_config_iface* const first = config.ifaces) {
        config.ifaces = first->next;
        end_device(*first);
        free_texts(*first, interface_texts);
        std::free(first);
    }
}

lkl_config_iface* add_interface(lkl_config_iface*& place)
{
    place = static_cast<lkl_config_iface*>(std::calloc(1, sizeof *place));
    if (!place)
        throw std::bad_alloc();
    place->id = -1;
    return place;
}

void write(lkl_config& to, const Configuration& from)
{
    write_texts(to, from, global_texts);
    lkl_config_iface** place = &to.ifaces;
    for (const Interface& one : from.interfaces) {
        lkl_config_iface* const made = *place ? *place : add_interface(*place);
        write_texts(*made, one, interface_texts);
        place = &made->next;
    }
}

bool any_device(const lkl_config& config)
{
    for (const lkl_config_iface* one = config.ifaces; one; one = one->next)
        if (one->nd)
            return true;
    return false;
}

// The first device makes the file, and the others go on with it.
Result<std::unique_ptr<NetBackend>> open_captured(const Interface& one, const std::string& pcap,
                                                  bool first)
{
    auto backend = config::open_backend(one);
    if (!backend || !*backend || pcap.empty())
        return backend;
    return make_pcap(*std::move(backend), pcap, {.append = !first});
}

int open_devices(lkl_config& config, const Configuration& all)
{
    lkl_config_iface* place = config.ifaces;
    for (const Interface& one : all.interfaces) {
        place->id = -1;
        auto backend = open_captured(one, all.pcap, !any_device(config));
        if (!backend)
            return fail(backend.error());
        if (*backend)
            place->nd = make_device(std::move(backend), LKL_NETDEV_OFFLOAD_ALL);
        place = place->next;
    }
    return 0;
}

Result<void> take_lease(Netlink& net, int index, bool own_mtu)
{
    const DhcpOptions options{.timeout = dhcp_patience, .first_wait = 1s, .host_name = {}};
    auto lease = dhcp_request(net.kernel(), index, options);
    if (!lease)
        return lease.error();
    if (own_mtu)
        lease->mtu.reset();
    return apply_lease(net, index, *lease);
}

int add_interface(Netlink& net, lkl_config_iface& place, const Interface& one)
{
    if (!place.nd)
        return one.type == "none"
                   ? 0
                   : fail(LKL_EINVAL, "configuration: lkl_load_config_pre() comes first");
    const auto options = config::device_options(one);
    if (!options)
        return fail(options.error());
    place.id = add_device(*place.nd, *options);
    if (place.id < 0)
        return place.id;
    const int index = lkl_netdev_get_ifindex(place.id);
    Result<void> done = config::set_up_link(net, index, one);
    if (done && config::wants_dhcp(one))
        done = take_lease(net, index, !one.mtu.empty());
    return done ? 0 : fail(done.error());
}

int set_up_network(Kernel& kernel, lkl_config& config, const Configuration& all)
{
    auto net = Netlink::open(kernel);
    if (!net)
        return fail(net.error());
    if (const auto up = net->set_up(loopback); !up)
        return fail(up.error());
    lkl_config_iface* place = config.ifaces;
    for (const Interface& one : all.interfaces) {
        if (const int error = add_interface(*net, *place, one))
            return error;
        place = place->next;
    }
    const auto set = config::set_gateways(*net, all);
    return set ? 0 : fail(set.error());
}

int set_up(Kernel& kernel, lkl_config& config, const Configuration& all)
{
    for (const std::string& type : config::split(all.mount, ','))
        if (const int mounted = lkl_mount_fs(type.c_str()); mounted < 0)
            return fail(-mounted, "mount " + type + ": " + lkl_strerror(mounted));
    if (const int error = set_up_network(kernel, config, all))
        return error;
    if (!all.congestion.empty())
        if (const int error = lkl_sysctl("net.ipv4.tcp_congestion_control", all.congestion.c_str()))
            return error;
    return lkl_sysctl_parse_write(all.sysctl.c_str());
}

}  // namespace

}  // namespace lkl::capi

using namespace lkl::capi;

extern "C" {

int lkl_load_config_json(struct lkl_config* cfg, const char* jstr)
{
    return guarded(__func__, {cfg, jstr}, [&] {
        const auto parsed = lkl::config::parse_json(jstr, "configuration");
        if (!parsed)
            return fail(parsed.error());
        if (!parsed->images.empty())
            return fail(LKL_EOPNOTSUPP, "configuration: \"images\" is for lkl run alone");
        if (!parsed->interfaces.empty())
            free_interfaces(*cfg);
        write(*cfg, *parsed);
        return 0;
    });
}

int lkl_load_config_env(struct lkl_config* cfg)
{
    return guarded(__func__, {cfg}, [&] {
        lkl::config::Configuration all = read(*cfg);
        lkl::config::add_environment(all);
        write(*cfg, all);
        return 0;
    });
}

int lkl_load_config_pre(struct lkl_config* cfg)
{
    return guarded(__func__, {cfg}, [&] {
        if (any_device(*cfg))
            return fail(LKL_EBUSY, "configuration: its devices are open already");
        const auto all = read(*cfg);
        if (const auto checked = lkl::config::check(all); !checked)
            return fail(checked.error());
        if (const int error = open_devices(*cfg, all)) {
            for (lkl_config_iface* one = cfg->ifaces; one; one = one->next)
                end_device(*one);
            return error;
        }
        if (lkl::config::is_on(all.debug) && !lkl_host_ops.print)
            lkl_host_ops.print = lkl_print_to_stderr;
        if (lkl::config::is_on(all.dump))
            lkl_show_config(cfg);
        if (!cfg->boot_cmdline)
            cfg->boot_cmdline = duplicate("");
        return 0;
    });
}

int lkl_load_config_post(struct lkl_config* cfg)
{
    return guarded(__func__, {cfg}, [&] {
        const auto kernel = running_kernel();
        if (!kernel)
            return fail(kernel.error());
        return set_up(**kernel, *cfg, read(*cfg));
    });
}

int lkl_unload_config(struct lkl_config* cfg)
{
    return guarded(__func__, {cfg}, [&] {
        free_interfaces(*cfg);
        free_texts(*cfg, global_texts);
        return 0;
    });
}

void lkl_show_config(struct lkl_config* cfg)
{
    guarded(__func__, {cfg}, [&] { lkl_printf("%s\n", lkl::config::to_json(read(*cfg)).c_str()); });
}

}  // extern "C"
