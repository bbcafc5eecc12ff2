// SPDX-License-Identifier: GPL-2.0-only
// What ThreadSanitizer does not see: the kernel's image is not instrumented. What one
// thread has written before it gave something to the kernel, and another reads when the
// kernel gives that to it, is in order by the image's own atomic operations, and would be
// reported as a race.
#pragma once

#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LKL_THREAD_SANITIZER
#endif
#elif defined(__SANITIZE_THREAD__)
#define LKL_THREAD_SANITIZER
#endif

#ifdef LKL_THREAD_SANITIZER
// Of <sanitizer/tsan_interface.h>.
extern "C" {
void __tsan_acquire(void* address);
void __tsan_release(void* address);
}
#endif

namespace lkl::posix {

// The calling thread is about to give `what` to the kernel.
inline void give_to_kernel([[maybe_unused]] void* what) noexcept
{
#ifdef LKL_THREAD_SANITIZER
    __tsan_release(what);
#endif
}

// The kernel has given `what` to the calling thread.
inline void got_from_kernel([[maybe_unused]] void* what) noexcept
{
#ifdef LKL_THREAD_SANITIZER
    __tsan_acquire(what);
#endif
}

}  // namespace lkl::posix
