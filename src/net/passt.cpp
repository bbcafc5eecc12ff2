// SPDX-License-Identifier: GPL-2.0-only
// The host's network through passt(1), a process that translates between frames and the
// host's sockets. It speaks the protocol of QEMU's stream sockets.
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include <spawn.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <lkl/net.hpp>

#include <net/duplicate.hpp>
#include <net/error.hpp>
#include <net/stream.hpp>

namespace lkl {

namespace {

// Where the process finds its end of the socket.
constexpr int child_descriptor = 3;

Result<posix::Descriptor> connect_to(const std::string& path)
{
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    if (path.size() >= sizeof address.sun_path)
        return Error{ENAMETOOLONG, "passt socket " + path + ": the path is too long"};
    std::memcpy(address.sun_path, path.c_str(), path.size());
    posix::Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    if (!socket ||
        ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0)
        return net::host_error("passt socket " + path);
    return socket;
}

std::vector<char*> pointers(std::vector<std::string>& words)
{
    std::vector<char*> result;
    result.reserve(words.size() + 1);
    for (std::string& word : words)
        result.push_back(word.data());
    result.push_back(nullptr);
    return result;
}

// What is needed to start a program; it has no signal blocked or ignored.
class Starter {
public:
    Starter(const PasstOptions& options, int socket)
        : program_(options.program),
          words_{options.program, "--foreground", "--quiet", "--fd",
                 std::to_string(child_descriptor)}
    {
        words_.insert(words_.end(), options.arguments.begin(), options.arguments.end());
        if (options.environment)
            variables_ = *options.environment;
        arguments_ = pointers(words_);
        environment_ = pointers(variables_);
        inherit_ = !options.environment;
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawn_file_actions_adddup2(&actions_, socket, child_descriptor);
        sigset_t none, all;
        ::sigemptyset(&none);
        ::sigfillset(&all);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setsigmask(&attributes_, &none);
        ::posix_spawnattr_setsigdefault(&attributes_, &all);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    }
    ~Starter()
    {
        ::posix_spawn_file_actions_destroy(&actions_);
        ::posix_spawnattr_destroy(&attributes_);
    }
    Starter(const Starter&) = delete;
    Starter& operator=(const Starter&) = delete;

    // 0, or what failed. Allocates nothing: other threads may have had the locks for it
    // when this process was forked.
    int start() const
    {
        pid_t child = -1;
        return ::posix_spawnp(&child, program_.c_str(), &actions_, &attributes_, arguments_.data(),
                              inherit_ ? environ : environment_.data());
    }

private:
    const std::string program_;
    std::vector<std::string> words_, variables_;
    std::vector<char*> arguments_, environment_;
    bool inherit_;
    posix_spawn_file_actions_t actions_;
    posix_spawnattr_t attributes_;
};

// Starts the program with `socket` as its end, by a process in between that ends at once:
// the program is then nobody's child whom a wait(2) of this process could wait for.
Result<void> start(const PasstOptions& options, int socket)
{
    const std::string what = "starting " + options.program;
    const Starter starter(options, socket);
    const pid_t between = ::_Fork();
    if (between < 0)
        return net::host_error(what);
    if (between == 0)
        ::_exit(starter.start());
    int status = 0;
    while (::waitpid(between, &status, 0) < 0) {
        // Another thread has waited for any child: what became of it is not known.
        if (errno != EINTR)
            return {};
    }
    if (!WIFEXITED(status))
        return Error{ECHILD, what + ": ended by a signal"};
    if (WEXITSTATUS(status) != 0)
        return net::host_error(what, WEXITSTATUS(status));
    return {};
}

}  // namespace

Result<std::unique_ptr<NetBackend>> open_passt(const PasstOptions& options)
{
    posix::Descriptor socket;
    if (options.socket.empty()) {
        int ends[2];
        if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0)
            return net::host_error("passt: a pair of sockets");
        socket = posix::Descriptor(ends[0]);
        const posix::Descriptor other(ends[1]);
        if (auto started = start(options, other.get()); !started)
            return std::move(started).error();
    } else {
        auto connected = connect_to(options.socket);
        if (!connected)
            return std::move(connected).error();
        socket = std::move(*connected);
    }
    auto input = net::duplicate(socket.get());
    auto output = net::duplicate(socket.get());
    NetInfo info;
    info.name = options.socket.empty() ? options.program : options.socket;
    info.mtu = options.mtu;
    if (!input || !output)
        return std::move(!input ? input : output).error();
    return std::unique_ptr<NetBackend>(
        std::make_unique<net::StreamLink>(std::move(info), std::move(*input), std::move(*output)));
}

}  // namespace lkl
