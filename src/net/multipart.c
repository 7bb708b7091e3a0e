/* SPDX-License-Identifier: MIT */
#include "net/multipart.h"

#include <xxhash.h>

#define CONTENT_TYPE "\r\nContent-Type: "
#define CONTENT_RANGE "\r\nContent-Range: "

void stet__multipart_boundary(const void *secret, size_t secret_len, struct stet_span tag,
                              const struct stet_range_set *ranges, char out[STET__BOUNDARY_LEN])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char text[64 + sizeof(ranges->at)];
    size_t tag_len = tag.len < 64 ? tag.len : 64, ranges_len = ranges->count * sizeof(ranges->at[0]);
    if (tag_len > 0)
        memcpy(text, tag.ptr, tag_len);
    memcpy(text + tag_len, ranges->at, ranges_len);
    XXH128_canonical_t hash;
    XXH128_canonicalFromHash(&hash, XXH3_128bits_withSecret(text, tag_len + ranges_len, secret, secret_len));
    for (size_t i = 0; i < STET__BOUNDARY_LEN; i++)
        out[i] = digits[hash.digest[i / 2] >> (i % 2 ? 0 : 4) & 15];
}

size_t stet__multipart_text_max(const struct stet_range_set *ranges, struct stet_span type)
{
    size_t each = 4 + STET__BOUNDARY_LEN + sizeof(CONTENT_TYPE) + type.len + sizeof(CONTENT_RANGE) +
                  STET_CONTENT_RANGE_LEN + 4;
    return ranges->count * each + 8 + STET__BOUNDARY_LEN;
}

struct stet__part stet__part_of_range(const struct stet__part *body, struct stet_range range)
{
    struct stet__part part = *body;
    part.length = range.last - range.first + 1;
    part.offset = body->offset + range.first;
    if (body->memory.ptr) {
        part.memory = stet_span_of(body->memory.ptr + range.first, part.length);
        part.offset = 0;
    }
    return part;
}

static char *put(char *to, struct stet_span text)
{
    memcpy(to, text.ptr, text.len);
    return to + text.len;
}

static struct stet__part text_part(const char *from, const char *to)
{
    size_t len = (size_t)(to - from);
    return (struct stet__part){.memory = stet_span_of(from, len), .fd = -1, .length = len};
}

size_t stet__multipart_parts(const struct stet__multipart_source *source, const struct stet_range_set *ranges,
                             const char *boundary, char *text, struct stet__part *parts)
{
    size_t count = 0;
    struct stet_span line = {boundary, STET__BOUNDARY_LEN};
    for (size_t i = 0; i < ranges->count; i++) {
        char *from = text;
        text = put(put(text, STET_SPAN("\r\n--")), line);
        if (source->type.ptr)
            text = put(put(text, STET_SPAN(CONTENT_TYPE)), source->type);
        text = put(text, STET_SPAN(CONTENT_RANGE));
        text += stet_content_range_format(ranges->at[i], source->complete_length, text);
        text = put(text, STET_SPAN("\r\n\r\n"));
        parts[count++] = text_part(from, text);
        parts[count++] = stet__part_of_range(source->body, ranges->at[i]);
    }
    char *from = text;
    text = put(put(put(text, STET_SPAN("\r\n--")), line), STET_SPAN("--\r\n"));
    parts[count++] = text_part(from, text);
    return count;
}
