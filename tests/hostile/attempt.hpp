// SPDX-License-Identifier: GPL-2.0-only
// Something that is tried in a child process, which may be shut in before.
#pragma once

#include <csignal>
#include <cstdio>
#include <exception>
#include <functional>

#include <grp.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/sandbox/sandbox.hpp"

namespace lkl::test {

// Of outcome(): the child was killed by this signal.
constexpr int by_signal(int number)
{
    return 1000 + number;
}
constexpr int killed = by_signal(SIGSYS);

// What attempt() returns in a child that belongs to `user`, inside of the sandbox if there
// are rules: 0 to 253, or by_signal(). 254, 255: the child could not be prepared.
inline int outcome(uid_t user, const tools::SandboxRules* rules,
                   const std::function<int()>& attempt)
{
    const pid_t child = fork();
    if (child == 0) {
        if (user != 0 && (setgroups(0, nullptr) != 0 || setresgid(user, user, user) != 0 ||
                          setresuid(user, user, user) != 0))
            _exit(255);
        try {
            if (rules != nullptr)
                tools::enter_sandbox(*rules);
            _exit(attempt());
        } catch (const std::exception& error) {
            std::fprintf(stderr, "%s\n", error.what());
            _exit(254);
        }
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : by_signal(WTERMSIG(status));
}

}  // namespace lkl::test
