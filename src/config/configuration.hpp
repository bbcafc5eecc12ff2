// SPDX-License-Identifier: GPL-2.0-only
// What the network stack of a program is to be: the options of `lkl run`, the variables
// LKL_HIJACK_* and the JSON file of LKL_HIJACK_CONFIG_FILE say it, the first over the
// second over the third. docs/run.md has the table.
//
// All are texts as they were given; an empty one is not given. check() judges them before
// a program starts.
#pragma once

#include <string>
#include <vector>

#include <lkl/result.hpp>

namespace lkl::config {

// A network device.
struct Interface {
    std::string type;       // as device_types.hpp has them
    std::string parameter;  // what the type needs: a device, a path
    std::string dhcp;       // not 0: a server says address, router and name servers
    std::string mac;
    std::string mtu;  // bytes
    std::string ip;   // ADDRESS or ADDRESS/LENGTH
    std::string mask_length;
    std::string ip6;
    std::string mask_length6;
    std::string gateway;  // for packets that come from the interface's address
    std::string gateway6;
    std::string neighbours;  // ADDRESS|MAC;...
    std::string qdisc;       // PARENT|TYPE;...
    std::string offload;     // virtio feature bits, hexadecimal
    // The number of an open descriptor of the device, from `lkl run`, which may open what the
    // program may not.
    std::string descriptor;
};

struct Configuration {
    std::vector<Interface> interfaces;
    std::string gateway;
    std::string gateway6;
    std::string sysctl;  // PATH=VALUE;...
    std::string congestion;
    std::string nameserver;    // addresses, separated by commas
    std::string boot_cmdline;  // of the kernel; mem=SIZE among it
    std::string mount;         // file systems without a disk, separated by commas
    std::string pcap;          // a file for all packets of all devices
    std::string debug;         // not 0: the kernel's log goes to standard error
    std::string dump;          // not 0: this configuration does, as JSON
    std::string dispatch;      // 0: system calls past libc go to the host
    std::string single_cpu;    // understood, without meaning here, as is the next one
    std::string delay_main;
    std::vector<std::string> images;  // IMAGE:DIRECTORY, seen by the program there
};

// A text that switches something on.
inline bool is_on(const std::string& text)
{
    return !text.empty() && text != "0" && text != "no";
}

// Whose JSON it is: a user's, or what `lkl run` hands to the program, with descriptors of
// devices.
enum class Origin { user, launcher };

// From JSON. `where` begins the text of an error, which names the key.
lkl::Result<Configuration> parse_json(const std::string& text, const std::string& where,
                                      Origin origin = Origin::user);
std::string to_json(const Configuration& configuration, Origin origin = Origin::user);

// Lays the variables LKL_HIJACK_* over it.
void add_environment(Configuration& configuration);

// The established way: the file that the argument or LKL_HIJACK_CONFIG_FILE names, else
// lkl-hijack.json here if there is one, and the variables over it.
lkl::Result<Configuration> read_established(const std::string& file = {});

// What `lkl run` has left in LKL_RUN_CONFIG, else the established way.
lkl::Result<Configuration> read_configuration();

// All that can be told wrong without a kernel: addresses, numbers, types of devices.
lkl::Result<void> check(const Configuration& configuration);

// What is a path in it does not depend on the working directory any more, which the program
// may change before its network starts.
void make_paths_full(Configuration& configuration);

// A new LKL_RUN_ID, for the processes that share one network stack.
std::string make_run_id();

}  // namespace lkl::config
