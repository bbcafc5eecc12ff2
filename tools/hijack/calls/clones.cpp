// SPDX-License-Identifier: GPL-2.0-only
#include "hijack/calls/clones.hpp"

#include <cerrno>
#include <csignal>
#include <cstdint>
#include <cstring>

#include <sched.h>

#include "hijack/calls/borrowed.hpp"
#include "hijack/calls/rules.hpp"
#include "hijack/preload/host.hpp"
#include "hijack/preload/stack.hpp"

namespace hijack::clones {

namespace {

// The words of clone3()'s structure that count here, and room for what it may have more.
constexpr size_t flags_word = 0, stack_word = 5, size_word = 6, most_words = 32;

long clone3_copying(const long* args)
{
    uint64_t words[most_words] = {};
    const auto size = static_cast<size_t>(args[1]);
    if (size > sizeof words)
        return -E2BIG;
    std::memcpy(words, host::to_pointer<const void>(args[0]), size);
    words[flags_word] &= ~static_cast<uint64_t>(CLONE_VM | CLONE_VFORK);
    words[stack_word] = 0;
    words[size_word] = 0;
    return host::call(SYS_clone3, words, size);
}

long copy_process(long number, const long* args)
{
    switch (number) {
    case SYS_clone3:
        return clone3_copying(args);
    case SYS_clone:
        return host::call(SYS_clone, args[0] & ~static_cast<long>(CLONE_VM | CLONE_VFORK), 0,
                          args[2], args[3], args[4]);
    default:
        return host::call(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    }
}

}  // namespace

Request request(long number, const long* args)
{
    if (number == SYS_clone)
        return {static_cast<unsigned long>(args[0]), args[1]};
    if (number != SYS_clone3)
        return {};
    const auto* const words = host::to_pointer<const uint64_t>(args[0]);
    const auto size = static_cast<size_t>(args[1]);
    Request asked;
    if (words && size >= sizeof *words)
        asked.flags = words[flags_word];
    if (words && size >= (size_word + 1) * sizeof *words && words[stack_word] != 0)
        asked.stack = static_cast<long>(words[stack_word] + words[size_word]);
    return asked;
}

bool copies_memory(const Request& request)
{
    // With another TLS the child has another Thread: it is found out later (fork_mark.hpp).
    if (request.flags & (CLONE_THREAD | CLONE_SETTLS))
        return false;
    return !(request.flags & CLONE_VM) || ((request.flags & CLONE_VFORK) && request.stack == 0);
}

long fork(long number, const long* args)
{
    stack::forking();
    const long result = copy_process(number, args);
    if (result == 0)
        stack::forked();
    else
        stack::fork_made();
    return result;
}

long make(long number, const long* args)
{
    if (const int error = calls::refuse_clone(number, args))
        return error;
    const Request asked = request(number, args);
    if (copies_memory(asked))
        return fork(number, args);
    borrowed::lend(asked.flags);
    return host::raw(number, args);
}

}  // namespace hijack::clones
