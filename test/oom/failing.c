/* SPDX-License-Identifier: MIT */
#include "failing.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>

static _Atomic unsigned long calls;
static _Atomic unsigned long fail_at;
static _Atomic bool fail_after;

void failing_arm(unsigned long n, bool all_after)
{
    atomic_store(&fail_at, 0);
    atomic_store(&calls, 0);
    atomic_store(&fail_after, all_after);
    atomic_store(&fail_at, n);
}

unsigned long failing_calls(void)
{
    return atomic_load(&calls);
}

static bool fails(void)
{
    unsigned long call = atomic_fetch_add(&calls, 1) + 1;
    unsigned long at = atomic_load(&fail_at);
    bool now = at != 0 && (call == at || (call > at && atomic_load(&fail_after)));
    if (now)
        errno = ENOMEM;
    return now;
}

void *__real_malloc(size_t n);
void *__real_calloc(size_t count, size_t n);
void *__real_realloc(void *old, size_t n);
void *__real_reallocarray(void *old, size_t count, size_t n);
void *__real_aligned_alloc(size_t alignment, size_t n);
int __real_posix_memalign(void **out, size_t alignment, size_t n);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t n);

void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t count, size_t n);
void *__wrap_realloc(void *old, size_t n);
void *__wrap_reallocarray(void *old, size_t count, size_t n);
void *__wrap_aligned_alloc(size_t alignment, size_t n);
int __wrap_posix_memalign(void **out, size_t alignment, size_t n);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t n);

void *__wrap_malloc(size_t n)
{
    return fails() ? NULL : __real_malloc(n);
}

void *__wrap_calloc(size_t count, size_t n)
{
    return fails() ? NULL : __real_calloc(count, n);
}

void *__wrap_realloc(void *old, size_t n)
{
    return fails() ? NULL : __real_realloc(old, n);
}

void *__wrap_reallocarray(void *old, size_t count, size_t n)
{
    return fails() ? NULL : __real_reallocarray(old, count, n);
}

void *__wrap_aligned_alloc(size_t alignment, size_t n)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, n);
}

int __wrap_posix_memalign(void **out, size_t alignment, size_t n)
{
    return fails() ? ENOMEM : __real_posix_memalign(out, alignment, n);
}

char *__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *__wrap_strndup(const char *text, size_t n)
{
    return fails() ? NULL : __real_strndup(text, n);
}
