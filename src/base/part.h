/* SPDX-License-Identifier: MIT */
/*
 * part: a run of octets that stands in memory or in a file, for sending.
 */
#ifndef STET_BASE_PART_H
#define STET_BASE_PART_H

#include <stet/span.h>

struct stet__part {
    struct stet_span memory; /* if memory.ptr is not NULL; else `fd` counts */
    int fd;                  /* regular file or memfd: octets `offset` to offset + length */
    uint64_t offset;
    uint64_t length; /* of a memory part: memory.len */
};

static inline struct stet__part stet__part_memory(struct stet_span memory)
{
    return (struct stet__part){.memory = memory, .fd = -1, .length = memory.len};
}

#endif
