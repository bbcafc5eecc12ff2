// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/programs/preloadable.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <vector>

#include <elf.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

namespace hijack::programs {

namespace {

// How many scripts may stand behind each other, as in the host's kernel.
constexpr int most_scripts = 5;

// It is linked statically itself, and takes the library all the same.
constexpr const char* loader = "/lib64/ld-linux-x86-64.so.2";

using Answer = std::optional<Objection>;
using Kind = Objection::Kind;

bool is_loader(const std::string& path)
{
    std::error_code error;
    return std::filesystem::equivalent(path, loader, error);
}

bool gets_more_rights(const std::string& path, const struct stat& status)
{
    struct statvfs system {};
    if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ||
        (statvfs(path.c_str(), &system) == 0 && (system.f_flag & ST_NOSUID)))
        return false;
    const bool other_user = (status.st_mode & S_ISUID) && status.st_uid != geteuid();
    const bool other_group =
        (status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getegid();
    const bool capabilities =
        geteuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
    return other_user || other_group || capabilities;
}

Answer judge_elf(const std::string& path, std::ifstream& file, const Elf64_Ehdr& header)
{
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        return Objection{Kind::left_out, path, "is no program for x86-64"};
    std::vector<Elf64_Phdr> segments(header.e_phnum);
    file.seekg(static_cast<std::streamoff>(header.e_phoff));
    file.read(reinterpret_cast<char*>(segments.data()),
              static_cast<std::streamsize>(segments.size() * sizeof segments.front()));
    if (!file || header.e_phentsize != sizeof segments.front())
        return Objection{Kind::unknown, path, "is damaged"};
    for (const Elf64_Phdr& segment : segments)
        if (segment.p_type == PT_INTERP)
            return {};
    if (is_loader(path))
        return {};
    return Objection{Kind::left_out, path,
                     "is linked statically, so that no library can be laid under it"};
}

// "#!INTERPRETER ARGUMENT": the interpreter.
std::string interpreter_of(std::ifstream& file)
{
    std::string line;
    file.clear();
    file.seekg(2);
    std::getline(file, line);
    std::stringstream words(line);
    std::string interpreter;
    words >> interpreter;
    return interpreter;
}

Answer judge(const std::string& path, int scripts)
{
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || access(path.c_str(), X_OK) != 0)
        return Objection{Kind::not_there, path, std::strerror(errno)};
    if (!S_ISREG(status.st_mode))
        return Objection{Kind::not_there, path, "is no program"};
    std::ifstream file(path, std::ios::binary);
    Elf64_Ehdr header{};
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    if (file.gcount() >= 2 && header.e_ident[0] == '#' && header.e_ident[1] == '!') {
        if (scripts == 0)
            return Objection{Kind::unknown, path, "too many scripts behind each other"};
        return judge(interpreter_of(file), scripts - 1);
    }
    if (gets_more_rights(path, status))
        return Objection{Kind::left_out, path,
                         "it runs with more rights than yours (set-user-ID, set-group-ID or "
                         "capabilities), so that no library can be laid under it"};
    // It may be run and not be read.
    if (file.gcount() == 0 && access(path.c_str(), R_OK) != 0)
        return Objection{Kind::unknown, path,
                         "cannot be read, so that nobody can tell whether it is linked statically"};
    if (file.gcount() < static_cast<std::streamsize>(sizeof header) ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        return Objection{Kind::unknown, path, "is no program"};
    return judge_elf(path, file, header);
}

}  // namespace

std::string look_up(const std::string& name)
{
    if (name.find('/') != std::string::npos || name.empty())
        return name;
    const char* const path = std::getenv("PATH");
    std::stringstream directories(path ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        std::string file = (directory.empty() ? "." : directory) + "/" + name;
        struct stat status;
        // Not a directory, which has that permission as well.
        if (stat(file.c_str(), &status) == 0 && S_ISREG(status.st_mode) &&
            access(file.c_str(), X_OK) == 0)
            return file;
    }
    return {};
}

std::optional<Objection> objection(const std::string& path)
{
    return judge(path, most_scripts);
}

}  // namespace hijack::programs
