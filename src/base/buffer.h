/* SPDX-License-Identifier: MIT */
/*
 * buffer: octets on the heap that grow up to a maximum set at birth.
 *
 * A failed append leaves the content as it was and sticks: `failed` stays set until stet__buffer_clear, so a
 * run of appends is checked once at its end.
 */
#ifndef STET_BASE_BUFFER_H
#define STET_BASE_BUFFER_H

#include <stet/span.h>

struct stet__buffer {
    char *ptr; /* NULL while nothing is held */
    size_t len;
    size_t room;
    size_t max;
    bool failed; /* an append met the maximum or the end of memory */
};

/* Holds nothing and allocates nothing yet. */
void stet__buffer_init(struct stet__buffer *buffer, size_t max);

/* Frees what is held; the buffer is as after init. */
void stet__buffer_release(struct stet__buffer *buffer);

/* Forgets the content, keeps the memory. */
void stet__buffer_clear(struct stet__buffer *buffer);

/* Makes room for `n` more octets and returns where they go, or NULL. The caller adds what it wrote to `len`.
 */
char *stet__buffer_reserve(struct stet__buffer *buffer, size_t n);

/* False if there is no room. */
bool stet__buffer_append(struct stet__buffer *buffer, struct stet_span octets);
bool stet__buffer_append_text(struct stet__buffer *buffer,
                              const char *text); /* with a terminator, left out */
bool stet__buffer_append_u64(struct stet__buffer *buffer, uint64_t n);

/* Drops `n` octets from the front. */
void stet__buffer_consume(struct stet__buffer *buffer, size_t n);

static inline struct stet_span stet__buffer_span(const struct stet__buffer *buffer)
{
    return (struct stet_span){buffer->ptr, buffer->len};
}

#endif
