// SPDX-License-Identifier: GPL-2.0-only
#include "network_filesystem.hpp"

#include <cstdio>
#include <cstdlib>

#include <sys/mount.h>

namespace lkl::test {

namespace {

constexpr const char* host_address = "10.9.0.1";
constexpr const char* our_address = "10.9.0.2";

// diod has one version for all files (qid.version), by which Linux would cache nothing. Linux
// keeps seconds alone (no s_time_gran).
Protocol over_9p(const char* name, const char* options)
{
    return {.name = name,
            .server = [] { return make_9p_server(host_address, our_address); },
            .type = "9p",
            .options = options,
            .traits = {.time_step = 1'000'000'000}};
}

Protocol over_smb(const char* name, const char* options)
{
    return {.name = name,
            .server = [] { return make_smb_server(host_address); },
            .type = "cifs",
            .options = options,
            // A file that is open by one name cannot be opened by another one: its lease is the
            // first one's.
            .traits = {.modes = false,
                       .symlinks = false,
                       .hard_links = false,
                       .fifos = false,
                       .time_step = 100},
            .soft = ",soft,echo_interval=1",
            .reconnects = true};
}

// Version 1 has what Unix has, by extensions; but times of a FIFO are not set.
Protocol over_old_smb(const char* name, const char* options)
{
    Protocol protocol = over_smb(name, options);
    protocol.server = [] {
        return make_smb_server(host_address, "server min protocol = NT1\nunix extensions = yes");
    };
    protocol.traits = {.fifos = false, .time_step = 100};
    return protocol;
}

Protocol over_nfs(const char* name, const char* options, int version)
{
    return {.name = name,
            .server = [version] { return make_nfs_server(host_address, version); },
            .type = "nfs",
            .options = options,
            .soft = ",soft,timeo=5,retrans=1",
            .reconnects = true};
}

// Linux reads with READ_PLUS, and the answers of nfs-ganesha 4.3 to that have no data.
Protocol without_contents(Protocol protocol)
{
    protocol.traits.contents = false;
    return protocol;
}

// Without a cache, where pages are pinned that a program reads to and writes from.
Protocol with_pinned_pages(Protocol protocol)
{
    protocol.pins = true;
    return protocol;
}

}  // namespace

void PrintTo(const Protocol& protocol, std::ostream* out)
{
    *out << protocol.name;
}

const std::vector<Protocol>& all_protocols()
{
    static const std::vector<Protocol> all{
        with_pinned_pages(over_9p("p9", "cache=none")),
        over_9p("p9_mmap", "cache=mmap,ignoreqv"),
        over_old_smb("smb1", "vers=1.0"),
        over_smb("smb2_signed", "vers=2.1,sign"),
        over_smb("smb30_sealed", "vers=3.0,seal"),
        over_smb("smb3", "vers=3.1.1"),
        over_smb("smb3_sealed", "vers=3.1.1,seal"),
        over_nfs("nfs3", "vers=3", 3),
        over_nfs("nfs40", "vers=4.0", 4),
        over_nfs("nfs41", "vers=4.1", 4),
        without_contents(over_nfs("nfs42", "vers=4.2", 4)),
    };
    return all;
}

std::vector<Protocol> protocols(const std::vector<std::string>& names)
{
    std::vector<Protocol> chosen;
    for (const std::string& name : names) {
        for (const Protocol& protocol : all_protocols()) {
            if (protocol.name == name)
                chosen.push_back(protocol);
        }
    }
    if (chosen.size() != names.size())
        std::abort();  // this is asked before there are tests that could fail
    return chosen;
}

std::string name_of_protocol(const testing::TestParamInfo<Protocol>& info)
{
    return info.param.name;
}

void NetworkFilesystem::SetUp()
{
    if (!enter_new_namespace())
        GTEST_SKIP() << "needs root";
    server = GetParam().server();
    for (const std::string& program : server->programs()) {
        if (!has_program(program))
            GTEST_SKIP() << program << " is not installed";
    }
    auto tap = open_tap("tap%d");
    ASSERT_TRUE(tap) << tap.error().what;
    tap_name = (*tap)->info().name;
    ASSERT_EQ(host->configure(tap_name, host_address), 0);
    auto added = NetDevice::add(kernel, *std::move(tap));
    ASSERT_TRUE(added) << added.error().what;
    device = std::make_unique<NetDevice>(*std::move(added));
    ASSERT_EQ(ours->configure(ours->name_of(device->ifindex()), our_address), 0);
    ASSERT_TRUE(server->start()) << server->log();
    ASSERT_EQ(calls.mkdir(mount_point), 0);
    if (GetParam().pins) {
        ASSERT_EQ(our_files.use_mapped_memory(), 0);
    }
    log.clear();
}

void NetworkFilesystem::TearDown()
{
    // Where a test has failed in the middle, the end would wait for the server.
    if (HasFailure() && kernel.running())
        kernel.syscall(__lkl__NR_umount2, mount_point, MNT_FORCE | MNT_DETACH);
    if (HasFailure() && server)
        std::fprintf(stderr, "the server:\n%s\nthe kernel:\n%s\n", server->log().c_str(),
                     log.c_str());
}

long NetworkFilesystem::mount(const std::string& more)
{
    const std::string options = server->options() + ',' + GetParam().options + more;
    return calls.mount(server->source().c_str(), mount_point, GetParam().type, 0, options.c_str());
}

}  // namespace lkl::test
