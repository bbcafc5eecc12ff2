// SPDX-License-Identifier: GPL-2.0-only
#include "file_server.hpp"

#include <chrono>
#include <csignal>
#include <fstream>
#include <iterator>
#include <thread>
#include <utility>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lkl::test {

namespace {

using namespace std::chrono_literals;

// As fork(2), where the child is the first process of a PID namespace: when it is killed, all
// others are, and waitpid(2) returns after the last of them.
pid_t fork_into_namespace()
{
    return static_cast<pid_t>(
        ::syscall(SYS_clone, CLONE_NEWPID | SIGCHLD, nullptr, nullptr, nullptr, 0));
}

bool write_text(const std::string& path, const std::string& text)
{
    std::ofstream file(path);
    file << text;
    file.close();
    return !file.fail();
}

class Diod final : public FileServer {
public:
    Diod(const std::string& address, std::string client)
        : FileServer(address, 564), client_(std::move(client))
    {
    }
    ~Diod() override
    {
        kill();
        if (has_hosts_)
            ::umount2(hosts, MNT_DETACH);
    }
    std::vector<std::string> programs() const override { return {"diod"}; }
    std::string source() const override { return address(); }
    std::string options() const override
    {
        return "trans=tcp,port=564,version=9p2000.L,uname=root,access=user,aname=" + exported();
    }

protected:
    std::vector<std::string> prepare() override
    {
        if (!has_hosts_ && !name_client())
            return {};
        // clang-format off
        return {"diod", "--foreground", "--no-auth", "--config-file", "/dev/null",
                "--listen", address() + ":564", "--export", exported()};
        // clang-format on
    }

private:
    static constexpr const char* hosts = "/etc/hosts";

    // It serves nobody who has no name. The file is the test's own where it is in a namespace.
    bool name_client()
    {
        has_hosts_ = write_text(path("hosts"), client_ + " client\n") &&
                     ::mount(path("hosts").c_str(), hosts, nullptr, MS_BIND, nullptr) == 0;
        return has_hosts_;
    }

    const std::string client_;
    bool has_hosts_ = false;
};

class Samba final : public FileServer {
public:
    Samba(const std::string& address, std::string settings)
        : FileServer(address, 445), settings_(std::move(settings))
    {
    }
    std::vector<std::string> programs() const override { return {"smbd", "smbpasswd"}; }
    std::string source() const override { return "//" + address() + "/files"; }
    std::string options() const override
    {
        return "ip=" + address() + ",username=root,password=secret";
    }

protected:
    std::vector<std::string> prepare() override
    {
        const std::string configuration = path("smb.conf");
        std::string text =
            "[global]\nserver role = standalone server\nbind interfaces only = yes\n"
            "disable netbios = yes\nload printers = no\ndisable spoolss = yes\n";
        text += "interfaces = " + address() + "\nsmb ports = 445\n";
        text += "log file = " + path("smbd.log") + '\n';
        text += "passdb backend = tdbsam:" + path("passdb.tdb") + '\n';
        for (const char* const kind : {"private dir", "lock directory", "state directory",
                                       "cache directory", "pid directory", "ncalrpc dir"})
            text += kind + (" = " + path("state")) + '\n';
        text += settings_ + "\n[files]\nread only = no\npath = " + exported() + '\n';
        ::mkdir(path("state").c_str(), 0755);
        if (!write_text(configuration, text) || !add_user(configuration))
            return {};
        return {"smbd", "--foreground", "--no-process-group", "--configfile=" + configuration};
    }

private:
    bool add_user(const std::string& configuration) const
    {
        return run("printf 'secret\\nsecret\\n' | smbpasswd -s -a -c " + configuration +
                   " root >>" + path("log"));
    }

    const std::string settings_;
};

class Ganesha final : public FileServer {
public:
    Ganesha(const std::string& address, int version) : FileServer(address, 2049), version_(version)
    {
    }
    std::vector<std::string> programs() const override
    {
        if (version_ == 3)
            return {"ganesha.nfsd", "rpcbind"};
        return {"ganesha.nfsd"};
    }
    std::string source() const override
    {
        return address() + ":" + (version_ == 3 ? exported() : "/exported");
    }
    std::string options() const override
    {
        std::string text = "proto=tcp,port=2049,addr=" + address();
        if (version_ == 3)
            text += ",mountproto=tcp,mountport=20048,nolock";
        return text;
    }

protected:
    std::vector<std::string> prepare() override
    {
        const std::string version = std::to_string(version_);
        std::string text = "NFS_CORE_PARAM { Bind_addr = " + address() + ";\n";
        text += "NFS_Port = 2049; MNT_Port = 20048; Protocols = " + version + ";\n";
        text += "Enable_NLM = false; Enable_RQUOTA = false; }\n";
        text += "NFSV4 { Graceless = true; Only_Numeric_Owners = true; Minor_Versions = 0, 1, 2;\n";
        text += "RecoveryBackend = fs; RecoveryRoot = " + path("state") + "; }\n";
        text += "NFS_KRB5 { Active_krb5 = false; }\n";
        text += "EXPORT { Export_Id = 1; Filesystem_Id = 1.1; FSAL { Name = VFS; }\n";
        text += "Path = " + exported() + "; Pseudo = /exported; Protocols = " + version + ";\n";
        text += "Transports = TCP; SecType = sys; Access_Type = RW; Squash = None; }\n";
        ::mkdir(path("state").c_str(), 0755);
        if (!write_text(path("ganesha.conf"), text) || !make_room())
            return {};
        // clang-format off
        return {"ganesha.nfsd", "-F", "-f", path("ganesha.conf"), "-L", path("ganesha.log"),
                "-p", path("pid")};
        // clang-format on
    }
    std::string helper() const override
    {
        if (version_ != 3)
            return {};
        return "rpcbind -f & until test -S /run/rpcbind.sock; do sleep 0.05; done; ";
    }

private:
    // The sockets of rpcbind and of D-Bus are at a fixed place, which is the test's own where
    // it is in a namespace.
    bool make_room()
    {
        if (!has_run_)
            has_run_ = ::mount("tmpfs", "/run", "tmpfs", 0, nullptr) == 0;
        ::unlink("/run/rpcbind.sock");
        return has_run_;
    }

    const int version_;
    bool has_run_ = false;
};

}  // namespace

FileServer::FileServer(std::string address, uint16_t port)
    : address_(std::move(address)), port_(port)
{
    EXPECT_EQ(::mkdir(exported().c_str(), 0755), 0);
}

bool FileServer::start()
{
    const std::vector<std::string> program = prepare();
    if (program.empty())
        return false;
    // The shell stays, since a program that changes its user is no longer told of the death of
    // its parent.
    std::vector<std::string> words{
        "sh", "-c", helper() + "\"$@\" & trap \"kill -9 $!\" TERM; wait $!; wait $!; exit", "sh"};
    words.insert(words.end(), program.begin(), program.end());
    std::vector<char*> arguments;
    for (std::string& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    const int log = ::open(path("log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int nothing = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
    process_ = fork_into_namespace();
    if (process_ == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test may be killed
        ::dup2(nothing, 0);
        ::dup2(log, 1);
        ::dup2(log, 2);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(log);
    ::close(nothing);
    const auto host = host_stack();
    for (int i = 0; process_ > 0 && i < 400; ++i) {
        if (has_ended())
            return false;
        if (const long fd = host->connect_to(address_, port_); fd >= 0) {
            host->close(fd);
            return true;
        }
        std::this_thread::sleep_for(50ms);
    }
    return false;
}

bool FileServer::has_ended()
{
    if (::waitpid(process_, nullptr, WNOHANG) != process_)
        return false;
    process_ = -1;
    return true;
}

// The program goes first, which accepts connections, and then what it has started for each:
// no client finds it half dead.
void FileServer::kill()
{
    if (process_ <= 0)
        return;
    ::kill(process_, SIGTERM);
    for (int i = 0; i < 500; ++i) {
        if (has_ended())
            return;
        std::this_thread::sleep_for(10ms);
    }
    ::kill(process_, SIGKILL);
    ::waitpid(process_, nullptr, 0);
    process_ = -1;
}

std::string FileServer::log() const
{
    constexpr size_t most = 4000;
    std::string all;
    for (const char* const name : {"log", "smbd.log", "ganesha.log"}) {
        std::ifstream file(path(name));
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        all += text.substr(text.size() < most ? 0 : text.size() - most);
    }
    return all;
}

std::unique_ptr<FileServer> make_9p_server(const std::string& address, const std::string& client)
{
    return std::make_unique<Diod>(address, client);
}

std::unique_ptr<FileServer> make_smb_server(const std::string& address, const std::string& settings)
{
    return std::make_unique<Samba>(address, settings);
}

std::unique_ptr<FileServer> make_nfs_server(const std::string& address, int version)
{
    return std::make_unique<Ganesha>(address, version);
}

}  // namespace lkl::test
