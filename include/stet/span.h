/* SPDX-License-Identifier: MIT */
/*
 * span: a borrowed run of octets, passed by value.
 *
 * HTTP is parsed as octets, never as text (RFC 9112 section 2.2), so a span may hold any octet and has no
 * terminator. A span owns nothing: the function that hands one out says what it points into and for how long.
 * An absent value is { NULL, 0 }; a value that is present but empty has a pointer that is not NULL. The two
 * differ in HTTP (an empty field is not a missing one), so keep them apart.
 */
#ifndef STET_SPAN_H
#define STET_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct stet_span {
    const char *ptr;
    size_t len;
};

/* The span of a string literal. */
#define STET_SPAN(literal) ((struct stet_span){"" literal, sizeof(literal) - 1})

/* The absent span. */
#define STET_SPAN_NONE ((struct stet_span){NULL, 0})

static inline struct stet_span stet_span_of(const char *ptr, size_t len)
{
    return (struct stet_span){ptr, len};
}

static inline bool stet_span_equal(struct stet_span a, struct stet_span b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool stet_span_starts(struct stet_span s, struct stet_span prefix)
{
    return s.len >= prefix.len && (prefix.len == 0 || memcmp(s.ptr, prefix.ptr, prefix.len) == 0);
}

/* `s` without its first `n` octets; `n` is at most `s.len`. */
static inline struct stet_span stet_span_skip(struct stet_span s, size_t n)
{
    return (struct stet_span){s.ptr + n, s.len - n};
}

/* OWS: RFC 9110 section 5.6.3. */
static inline bool stet_is_ows(char c)
{
    return c == ' ' || c == '\t';
}

/* `s` without the optional whitespace around it: RFC 9110 section 5.5. */
static inline struct stet_span stet_span_trim(struct stet_span s)
{
    while (s.len > 0 && stet_is_ows(s.ptr[0]))
        s.ptr++, s.len--;
    while (s.len > 0 && stet_is_ows(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

/* Equal but for ASCII case, as field names (RFC 9110 5.1) and most tokens compare. Locale plays no part. */
bool stet_span_equal_nocase(struct stet_span a, struct stet_span b);

/*
 * The decimal digits of `s`, which must be all of it and at least one. STET_E_SYNTAX if there is another
 * octet or none, STET_E_NUMBER if the value does not fit 64 bits (RFC 9110 section 8.6: no wrap, no loss).
 * `*out` is written on STET_OK only.
 */
int stet_span_to_u64(struct stet_span s, uint64_t *out);

/* Writes `n` in decimal to `out` (room for 20), returns the number of octets; no terminator. */
size_t stet_format_u64(uint64_t n, char *out);

#endif
