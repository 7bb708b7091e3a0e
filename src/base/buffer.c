/* SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdlib.h>

#include "base/assert.h"

#define FIRST_ROOM 256

void stet__buffer_init(struct stet__buffer *buffer, size_t max)
{
    *buffer = (struct stet__buffer){.max = max};
}

void stet__buffer_release(struct stet__buffer *buffer)
{
    free(buffer->ptr);
    stet__buffer_init(buffer, buffer->max);
}

void stet__buffer_clear(struct stet__buffer *buffer)
{
    buffer->len = 0;
    buffer->failed = false;
}

char *stet__buffer_reserve(struct stet__buffer *buffer, size_t n)
{
    if (buffer->failed || n > buffer->max - buffer->len) {
        buffer->failed = true;
        return NULL;
    }
    if (n > buffer->room - buffer->len) {
        size_t room = buffer->room ? buffer->room : FIRST_ROOM;
        while (room < buffer->len + n)
            room = room > buffer->max / 2 ? buffer->max : room * 2;
        if (room > buffer->max)
            room = buffer->max;
        char *ptr = realloc(buffer->ptr, room);
        if (!ptr) {
            buffer->failed = true;
            return NULL;
        }
        buffer->ptr = ptr;
        buffer->room = room;
    }
    return buffer->ptr + buffer->len;
}

bool stet__buffer_append(struct stet__buffer *buffer, struct stet_span octets)
{
    if (octets.len == 0)
        return !buffer->failed;
    char *to = stet__buffer_reserve(buffer, octets.len);
    if (!to)
        return false;
    memcpy(to, octets.ptr, octets.len);
    buffer->len += octets.len;
    return true;
}

bool stet__buffer_append_text(struct stet__buffer *buffer, const char *text)
{
    return stet__buffer_append(buffer, stet_span_of(text, strlen(text)));
}

bool stet__buffer_append_u64(struct stet__buffer *buffer, uint64_t n)
{
    char digits[20];
    return stet__buffer_append(buffer, stet_span_of(digits, stet_format_u64(n, digits)));
}

void stet__buffer_consume(struct stet__buffer *buffer, size_t n)
{
    stet__assert(n <= buffer->len);
    buffer->len -= n;
    if (buffer->len > 0)
        memmove(buffer->ptr, buffer->ptr + n, buffer->len);
}
