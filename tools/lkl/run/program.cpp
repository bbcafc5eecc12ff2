// SPDX-License-Identifier: GPL-2.0-only
#include "lkl/run/program.hpp"

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include <elf.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/report.hpp"

namespace tools::run {

namespace {

// How many scripts may stand behind each other, as in the host's kernel.
constexpr int most_scripts = 5;

[[noreturn]] void cannot(const std::string& path, const std::string& why)
{
    throw ToolError(ExitCode::usage, "run: " + escaped(path) + ": " + why);
}

std::string look_up(const std::string& name)
{
    if (name.find('/') != std::string::npos)
        return name;
    const char* const path = std::getenv("PATH");
    std::stringstream directories(path ? path : "/usr/local/bin:/usr/bin:/bin");
    for (std::string directory; std::getline(directories, directory, ':');) {
        const std::string file = (directory.empty() ? "." : directory) + "/" + name;
        if (access(file.c_str(), X_OK) == 0)
            return file;
    }
    throw ToolError(ExitCode::path, "run: " + escaped(name) + ": not found");
}

// The loader is told by the kernel that it must not trust its environment.
void refuse_more_rights(const std::string& path, const struct stat& status)
{
    const bool other_user = (status.st_mode & S_ISUID) && status.st_uid != geteuid();
    const bool other_group =
        (status.st_mode & S_ISGID) && (status.st_mode & S_IXGRP) && status.st_gid != getegid();
    const bool capabilities =
        geteuid() != 0 && getxattr(path.c_str(), "security.capability", nullptr, 0) > 0;
    if (other_user || other_group || capabilities)
        cannot(path,
               "it runs with more rights than yours (set-user-ID, set-group-ID or "
               "capabilities), so that no library can be laid under it");
}

void judge_elf(const std::string& path, std::ifstream& file, const Elf64_Ehdr& header)
{
    if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
        cannot(path, "is no program for x86-64");
    std::vector<Elf64_Phdr> segments(header.e_phnum);
    file.seekg(static_cast<std::streamoff>(header.e_phoff));
    file.read(reinterpret_cast<char*>(segments.data()),
              static_cast<std::streamsize>(segments.size() * sizeof segments.front()));
    if (!file || header.e_phentsize != sizeof segments.front())
        cannot(path, "is damaged");
    for (const Elf64_Phdr& segment : segments)
        if (segment.p_type == PT_INTERP)
            return;
    cannot(path, "is linked statically, so that no library can be laid under it");
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

void judge(const std::string& path, int scripts)
{
    struct stat status {};
    if (stat(path.c_str(), &status) != 0 || access(path.c_str(), X_OK) != 0)
        throw ToolError(ExitCode::path, "run: " + escaped(path) + ": " + std::strerror(errno));
    if (!S_ISREG(status.st_mode))
        throw ToolError(ExitCode::path, "run: " + escaped(path) + ": is no program");
    std::ifstream file(path, std::ios::binary);
    Elf64_Ehdr header{};
    file.read(reinterpret_cast<char*>(&header), sizeof header);
    if (file.gcount() >= 2 && header.e_ident[0] == '#' && header.e_ident[1] == '!') {
        if (scripts == 0)
            cannot(path, "too many scripts behind each other");
        return judge(interpreter_of(file), scripts - 1);
    }
    // A file that may be run and not be read says nothing; the host has the last word.
    if (file.gcount() == 0 && access(path.c_str(), R_OK) != 0)
        cannot(path, "cannot be read, so that nobody can tell whether it is linked statically");
    if (file.gcount() < static_cast<std::streamsize>(sizeof header) ||
        std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0)
        cannot(path, "is no program");
    refuse_more_rights(path, status);
    judge_elf(path, file, header);
}

}  // namespace

std::string find_program(const std::string& name)
{
    const std::string path = look_up(name);
    judge(path, most_scripts);
    return path;
}

}  // namespace tools::run
