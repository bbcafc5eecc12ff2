// SPDX-License-Identifier: GPL-2.0-only
// What a test does in a child of fork(2).
#pragma once

#include <chrono>
#include <csignal>
#include <functional>
#include <thread>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace lkl::test {

// Runs a function in a child, whose failures it prints. What wait(2) says of the child, 0
// without failures; -1 if it hangs.
inline int in_forked_child(const std::function<void()>& job)
{
    const pid_t child = ::fork();
    if (child == 0) {
        job();
        ::_exit(testing::Test::HasFailure() ? 1 : 0);
    }
    for (int i = 0; i < 2000; ++i) {
        int status = 0;
        if (::waitpid(child, &status, WNOHANG) == child)
            return status;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    return -1;
}

}  // namespace lkl::test
