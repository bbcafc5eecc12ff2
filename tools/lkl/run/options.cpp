// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/run/options.hpp"

#include <string>

#include <lkl/kernel.hpp>

#include "capi/command_line.hpp"
#include "common/report.hpp"

namespace tools::run {

namespace {

// What its image needs at least is known when it starts.
void check_kernel(const std::string& command_line)
{
    const auto words = lkl::capi::parse_command_line(command_line);
    if (!words)
        throw ToolError(ExitCode::usage, "run: kernel: " + escaped(words.error().what));
    if (words->memory < lkl::least_memory_of_any || words->memory > lkl::most_memory)
        throw ToolError(ExitCode::usage, "run: kernel: memory of " + std::to_string(words->memory) +
                                             " bytes: at least 16 MiB, at most 4 TiB");
    if (words->command_line.size() > lkl::most_command_line)
        throw ToolError(ExitCode::usage, "run: kernel: command line longer than " +
                                             std::to_string(lkl::most_command_line) + " bytes");
}

}  // namespace

Options::Options(CLI::App& parent)
    : command_(parent, "run", "Run a program on a network stack of its own")
{
    command_.take_rest();
    command_.option("--net", net_, "TYPE[:PARAM]",
                    "Its network device: tap:NAME, passt, slirp, ...; see lkl-run(1)");
    command_.option("--ip", ip_, "ADDRESS", "Its IPv4 address, as 192.0.2.2/24");
    command_.option("--ip6", ip6_, "ADDRESS", "Its IPv6 address, as 2001:db8::2/64");
    command_.flag("--dhcp", dhcp_, "Address, router and name servers from a DHCP server");
    command_.option("--gateway", gateway_, "ADDRESS", "The IPv4 router to all other networks");
    command_.option("--gateway6", gateway6_, "ADDRESS", "The IPv6 router");
    command_.option("--dns", dns_, "ADDRESS", "Name servers, separated by commas");
    command_.option("--mac", mac_, "MAC", "The device's hardware address");
    command_.option("--mtu", mtu_, "BYTES", "The largest packet");
    command_.option("--neighbour", neighbours_, "ADDRESS|MAC",
                    "Hardware addresses of neighbours, separated by semicolons");
    command_.list("--sysctl", sysctls_, "K=V",
                  "A setting, as net.ipv4.tcp_rmem=...; several times");
    command_.option("--qdisc", qdisc_, "TYPE",
                    "The queueing discipline in the words of tc(8), as \"netem delay 10ms\"");
    command_.option("--congestion", congestion_, "NAME", "TCP's congestion control: bbr, cubic");
    command_.list("--mount", images_, "IMAGE:DIR",
                  "The files of a disk image, below a directory; several times");
    command_.option("--pcap", pcap_, "FILE", "Write all packets to a file, for tcpdump(8)");
    command_.option("--config", file_, "FILE", "Settings in JSON; see lkl-run(1)");
    command_.option("--kernel-memory", memory_, "SIZE", "Memory of its kernel, 256M if not given");
    command_.option("--boot", boot_cmdline_, "TEXT", "Words for the kernel's command line");
    command_.off("--no-dispatch", dispatch_,
                 "Leave system calls to the host that go past replaced functions of libc");
    command_.flag("--kernel-log", log_, "The kernel's log on standard error");
    command_.notes("Example: lkl run --net tap:tap0 --ip 192.0.2.2/24 -- curl http://192.0.2.1/");
}

void Options::add_to(lkl::config::Configuration& configuration) const
{
    const auto set = [](std::string& target, const std::string& given) {
        if (!given.empty())
            target = given;
    };
    const bool any = !(net_ + ip_ + ip6_ + mac_ + mtu_ + qdisc_ + neighbours_).empty() || dhcp_;
    if (configuration.interfaces.empty() && any)
        configuration.interfaces.emplace_back();
    if (any) {
        lkl::config::Interface& first = configuration.interfaces.front();
        if (!net_.empty()) {
            const size_t colon = net_.find(':');
            first.type = net_.substr(0, colon);
            first.parameter = colon == std::string::npos ? "" : net_.substr(colon + 1);
        }
        set(first.ip, ip_);
        set(first.ip6, ip6_);
        if (dhcp_)
            first.dhcp = "1";
        set(first.mac, mac_);
        set(first.mtu, mtu_);
        set(first.neighbours, neighbours_);
        if (!qdisc_.empty())
            first.qdisc = "root|" + qdisc_;
    }
    set(configuration.gateway, gateway_);
    set(configuration.gateway6, gateway6_);
    set(configuration.nameserver, dns_);
    set(configuration.congestion, congestion_);
    set(configuration.pcap, pcap_);
    for (const std::string& one : sysctls_)
        configuration.sysctl += (configuration.sysctl.empty() ? "" : ";") + one;
    // The last one counts.
    if (!boot_cmdline_.empty())
        configuration.boot_cmdline += " " + boot_cmdline_;
    if (!memory_.empty())
        configuration.boot_cmdline += " mem=" + memory_;
    configuration.images.insert(configuration.images.end(), images_.begin(), images_.end());
    if (!dispatch_)
        configuration.dispatch = "0";
    if (log_)
        configuration.debug = "1";
}

lkl::config::Configuration Options::configuration() const
{
    auto configuration = lkl::config::read_established(file_);
    if (!configuration)
        throw ToolError(ExitCode::usage, "run: " + escaped(configuration.error().what));
    add_to(*configuration);
    if (auto checked = lkl::config::check(*configuration); !checked)
        throw ToolError(ExitCode::usage, "run: " + escaped(checked.error().what));
    check_kernel(configuration->boot_cmdline);
    lkl::config::make_paths_full(*configuration);
    return *std::move(configuration);
}

std::vector<std::string> Options::program() const
{
    std::vector<std::string> words = command_.rest();
    if (words.empty())
        throw ToolError(ExitCode::usage,
                        "run: a program is needed (lkl run --help shows the options)");
    return words;
}

}  // namespace tools::run
