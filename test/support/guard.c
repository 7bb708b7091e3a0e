/* SPDX-License-Identifier: MIT */
#include <sys/mman.h>
#include <unistd.h>

#include "base/assert.h"
#include "guard.h"

static void make_room(struct guard *guard, size_t len)
{
    if (guard->base && len <= guard->room)
        return;
    if (guard->base)
        munmap(guard->base, guard->room + 2 * guard->page);
    guard->page = (size_t)sysconf(_SC_PAGESIZE);
    guard->room = (len / guard->page + 1) * guard->page;
    guard->base = mmap(NULL, guard->room + 2 * guard->page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    stet__assert(guard->base != MAP_FAILED);
    stet__assert(mprotect(guard->base + guard->page, guard->room, PROT_READ | PROT_WRITE) == 0);
}

char *guard_room(struct guard *guard, size_t len)
{
    make_room(guard, len);
    return guard->base + guard->page + guard->room - len;
}

struct stet_span guard_at_end(struct guard *guard, struct stet_span octets)
{
    char *at = guard_room(guard, octets.len);
    memcpy(at, octets.ptr, octets.len);
    return stet_span_of(at, octets.len);
}

struct stet_span guard_at_start(struct guard *guard, struct stet_span octets)
{
    make_room(guard, octets.len);
    char *at = guard->base + guard->page;
    memcpy(at, octets.ptr, octets.len);
    return stet_span_of(at, octets.len);
}
