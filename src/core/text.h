/* SPDX-License-Identifier: MIT */
/*
 * text: octets written one after another into a caller's room. What does not fit is left out and remembered,
 * so that a writer checks once, at its end.
 */
#ifndef STET_CORE_TEXT_H
#define STET_CORE_TEXT_H

#include <stet/span.h>

struct stet__text {
    char *out;
    size_t room;
    size_t len;
    bool failed; /* something did not fit, or could not be written */
};

static inline void stet__text_put(struct stet__text *text, struct stet_span octets)
{
    if (octets.len > text->room - text->len) {
        text->failed = true;
        return;
    }
    if (octets.len > 0)
        memcpy(text->out + text->len, octets.ptr, octets.len);
    text->len += octets.len;
}

static inline void stet__text_put_octet(struct stet__text *text, char c)
{
    if (text->len == text->room)
        text->failed = true;
    else
        text->out[text->len++] = c;
}

/* ASCII letters in lower case, other octets as they are. */
static inline void stet__text_put_lower(struct stet__text *text, struct stet_span octets)
{
    for (size_t i = 0; i < octets.len; i++) {
        char c = octets.ptr[i];
        stet__text_put_octet(text, c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c);
    }
}

static inline void stet__text_put_u64(struct stet__text *text, uint64_t n)
{
    char digits[20];
    stet__text_put(text, stet_span_of(digits, stet_format_u64(n, digits)));
}

/* The octets that were written; 0 if there was not room for all. */
static inline size_t stet__text_end(const struct stet__text *text)
{
    return text->failed ? 0 : text->len;
}

#endif
