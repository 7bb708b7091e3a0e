/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "guard.h"

void guard_init(struct guard *guard, size_t max)
{
    guard->page = (size_t)sysconf(_SC_PAGESIZE);
    guard->room = (max / guard->page + 1) * guard->page;
    guard->base = mmap(NULL, guard->room + 2 * guard->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stet__assert(guard->base != MAP_FAILED);
    stet__assert(mprotect(guard->base + guard->page, guard->room, PROT_READ | PROT_WRITE) == 0);
}

void guard_release(struct guard *guard)
{
    munmap(guard->base, guard->room + 2 * guard->page);
    guard->base = NULL;
}

struct stet_span guard_at_end(struct guard *guard, struct stet_span octets)
{
    stet__assert(octets.len <= guard->room);
    char *at = guard->base + guard->page + guard->room - octets.len;
    memcpy(at, octets.ptr, octets.len);
    return stet_span_of(at, octets.len);
}

struct stet_span guard_at_start(struct guard *guard, struct stet_span octets)
{
    stet__assert(octets.len <= guard->room);
    char *at = guard->base + guard->page;
    memcpy(at, octets.ptr, octets.len);
    return stet_span_of(at, octets.len);
}
