/* SPDX-License-Identifier: MIT */
/*
 * octet: which octets the grammars of field values allow, as one table of bits.
 *
 * RFC 9110 sections 5.6.2, 5.6.4 and 8.8.3; RFC 9651 sections 4.2.3.3 and 4.2.5 to 4.2.7. No locale plays a
 * part.
 */
#ifndef STET_CORE_OCTET_H
#define STET_CORE_OCTET_H

#include <stet/span.h>

enum stet__octet {
    STET__TCHAR = 1 << 0,     /* of a token */
    STET__ETAGC = 1 << 1,     /* of an entity tag, between its quotes */
    STET__QDTEXT = 1 << 2,    /* of a quoted string, unescaped */
    STET__QUOTABLE = 1 << 3,  /* of a quoted string, after a backslash */
    STET__SF_KEY = 1 << 4,    /* of a structured field's key, after its first */
    STET__SF_TOKEN = 1 << 5,  /* of a structured field's token, after its first */
    STET__SF_STRING = 1 << 6, /* of a structured field's string, unescaped */
    STET__BASE64 = 1 << 7,    /* of base64, but for the padding */
};

extern const unsigned char stet__octet_bits[256];

static inline bool stet__octet_is(char c, enum stet__octet what)
{
    return (stet__octet_bits[(unsigned char)c] & what) != 0;
}

/* The index of the first octet of `s`, at `from` or later, that is not one of `what`; `s.len` if all are. */
static inline size_t stet__octet_run(struct stet_span s, size_t from, enum stet__octet what)
{
    while (from < s.len && stet__octet_is(s.ptr[from], what))
        from++;
    return from;
}

static inline bool stet__octet_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

#endif
