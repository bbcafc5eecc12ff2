// SPDX-License-Identifier: GPL-2.0-only
// Programs of the host that serve a test.
#pragma once

#include <string>
#include <vector>

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace lkl::test {

// A program that ends with the test. Its standard input stays open and has nothing.
class Program {
public:
    explicit Program(std::vector<std::string> words)
    {
        EXPECT_EQ(::pipe2(input_, O_CLOEXEC), 0);
        std::vector<char*> arguments;
        for (std::string& word : words)
            arguments.push_back(word.data());
        arguments.push_back(nullptr);
        pid_ = ::fork();
        if (pid_ != 0)
            return;
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // a test may be killed
        ::dup2(input_[0], 0);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ~Program()
    {
        ::kill(pid_, SIGKILL);
        ::waitpid(pid_, nullptr, 0);
        ::close(input_[0]);
        ::close(input_[1]);
    }
    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

private:
    int input_[2];
    pid_t pid_;
};

// Waits for a file that a program makes. False: it does not come.
inline bool appears(const std::string& path)
{
    for (int i = 0; i < 200; ++i) {
        if (::access(path.c_str(), F_OK) == 0)
            return true;
        ::usleep(50'000);
    }
    return false;
}

}  // namespace lkl::test
