/*
 * Lock contracts as attributes, checked by clang's -Wthread-safety in `make lint`.
 * gcc does not know them and sees nothing.
 */
#pragma once

#ifdef __clang__
#define THREAD_SAFETY(x) __attribute__((x))
#else
#define THREAD_SAFETY(x)
#endif

#define CAPABILITY(name)          THREAD_SAFETY(capability(name))
#define GUARDED_BY(lock)          THREAD_SAFETY(guarded_by(lock))
#define REQUIRES(...)             THREAD_SAFETY(requires_capability(__VA_ARGS__))
#define EXCLUDES(...)             THREAD_SAFETY(locks_excluded(__VA_ARGS__))
#define ACQUIRES(...)             THREAD_SAFETY(acquire_capability(__VA_ARGS__))
#define TRY_ACQUIRES(...)         THREAD_SAFETY(try_acquire_capability(__VA_ARGS__))
#define RELEASES(...)             THREAD_SAFETY(release_capability(__VA_ARGS__))
#define ASSERTS_HELD(lock)        THREAD_SAFETY(assert_capability(lock))
#define RETURNS_LOCK(lock)        THREAD_SAFETY(lock_returned(lock))
#define NO_THREAD_SAFETY_ANALYSIS THREAD_SAFETY(no_thread_safety_analysis)
