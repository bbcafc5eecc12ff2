// SPDX-License-Identifier: GPL-2.0-only
#include <platform/posix/stack_observer.hpp>

#include <algorithm>
#include <new>

#if __has_include(<valgrind/memcheck.h>)
#include <valgrind/memcheck.h>
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#define VALGRIND_STACK_REGISTER(start, end) 0
#define VALGRIND_STACK_DEREGISTER(id)
#define VALGRIND_DISABLE_ADDR_ERROR_REPORTING_IN_RANGE(start, length)
#define VALGRIND_ENABLE_ADDR_ERROR_REPORTING_IN_RANGE(start, length)
#endif

// Of <sanitizer/common_interface_defs.h>; null in a process without AddressSanitizer.
extern "C" {
// NOLINTBEGIN(bugprone-reserved-identifier,readability-identifier-naming): their names
[[gnu::weak]] void __sanitizer_start_switch_fiber(void** frames, const void* bottom, size_t size);
[[gnu::weak]] void __sanitizer_finish_switch_fiber(void* frames, const void** old_bottom,
                                                   size_t* old_size);
// NOLINTEND(bugprone-reserved-identifier,readability-identifier-naming)
}

namespace lkl::posix {

bool StackObserver::wanted() noexcept
{
    return &__sanitizer_start_switch_fiber != nullptr || RUNNING_ON_VALGRIND;
}

StackObserver::~StackObserver()
{
    for ([[maybe_unused]] const Known& known : known_) {
        VALGRIND_STACK_DEREGISTER(known.id);
        VALGRIND_ENABLE_ADDR_ERROR_REPORTING_IN_RANGE(known.stack, known.size);
    }
}

// Not instrumented: AddressSanitizer's copy of its own frame would be one of another
// stack when it returns.
__attribute__((no_sanitize("address"))) void StackObserver::switched(uintptr_t stack,
                                                                     size_t size) noexcept
{
    if (&__sanitizer_start_switch_fiber == nullptr)
        return announce_to_valgrind(stack, size);

    // Both halves at once, since the kernel that runs in between is not instrumented.
    // NOLINTNEXTLINE(performance-no-int-to-ptr): the kernel has addresses as numbers
    const auto* bottom = reinterpret_cast<const void*>(stack);
    if (stack == 0) {
        // Null: nothing on the kernel stacks is in use, drop the copies.
        __sanitizer_start_switch_fiber(nullptr, bottom_, size_);
        __sanitizer_finish_switch_fiber(frames_, nullptr, nullptr);
        away_ = false;
    } else if (away_) {
        void* frames = nullptr;
        __sanitizer_start_switch_fiber(&frames, bottom, size);
        __sanitizer_finish_switch_fiber(frames, nullptr, nullptr);
    } else {
        __sanitizer_start_switch_fiber(&frames_, bottom, size);
        __sanitizer_finish_switch_fiber(nullptr, &bottom_, &size_);
        away_ = true;
    }
}

// A stack stays registered until the kernel is gone; when its addresses serve for
// another purpose meanwhile, no stack pointer comes there.
void StackObserver::announce_to_valgrind(uintptr_t stack, size_t size) noexcept
{
    if (stack == 0)
        return;
    const auto at =
        std::lower_bound(known_.begin(), known_.end(), stack,
                         [](const Known& known, uintptr_t wanted) { return known.stack < wanted; });
    if (at != known_.end() && at->stack == stack)
        return;
    const unsigned id = VALGRIND_STACK_REGISTER(stack, stack + size - 1);
    // The kernel clears a stack whole before another task has it, also what lies
    // below the stack pointer that the last one left.
    VALGRIND_DISABLE_ADDR_ERROR_REPORTING_IN_RANGE(stack, size);
    try {
        known_.insert(at, {stack, size, id});
    } catch (const std::bad_alloc&) {
        // Registered once more the next time: costs valgrind a little.
    }
}

}  // namespace lkl::posix
