// SPDX-License-Identifier: GPL-2.0-only
// Servers of network file systems, each for one directory of the host.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include "host_network.hpp"

namespace lkl::test {

// A program of Debian's. It and all that it starts are in a PID namespace, and end with it.
class FileServer {
public:
    virtual ~FileServer() { kill(); }
    FileServer(const FileServer&) = delete;
    FileServer& operator=(const FileServer&) = delete;

    // What has to be installed, by the names of commands.
    virtual std::vector<std::string> programs() const = 0;
    // For mount(2); more options may follow.
    virtual std::string source() const = 0;
    virtual std::string options() const = 0;
    // The directory of the host that it exports.
    std::string exported() const { return work_.path("exported"); }

    // Returns when connections are accepted. False: it has ended, or takes too long.
    bool start();
    void kill();
    std::string log() const;

protected:
    FileServer(std::string address, uint16_t port);
    const std::string& address() const { return address_; }
    std::string path(const std::string& name) const { return work_.path(name); }
    // Writes the configuration; the program with its arguments. Empty: it did not work.
    virtual std::vector<std::string> prepare() = 0;
    // Commands of the shell that start what it needs beside it.
    virtual std::string helper() const { return {}; }

private:
    bool has_ended();

    const std::string address_;
    const uint16_t port_;
    Directory work_;
    pid_t process_ = -1;
};

// diod: 9P2000.L. `client`: the address of the one that it serves.
std::unique_ptr<FileServer> make_9p_server(const std::string& address, const std::string& client);
// smbd with a user of its own; more lines for its configuration.
std::unique_ptr<FileServer> make_smb_server(const std::string& address,
                                            const std::string& settings = "");
// nfs-ganesha, with rpcbind for version 3.
std::unique_ptr<FileServer> make_nfs_server(const std::string& address, int version);

}  // namespace lkl::test
