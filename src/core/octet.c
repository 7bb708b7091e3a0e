/* SPDX-License-Identifier: MIT */
/*
 * The table is computed by the compiler from the grammars, so that each stands here once and can be read.
 */
#include "core/octet.h"

#define IN(c, first, last) ((c) >= (first) && (c) <= (last))
#define LCALPHA(c) IN(c, 'a', 'z')
#define ALPHA(c) (LCALPHA(c) || IN(c, 'A', 'Z'))
#define DIGIT(c) IN(c, '0', '9')
#define OBS_TEXT(c) IN(c, 0x80, 0xff)
#define HTAB 0x09
#define SP 0x20

/* tchar = "!" / "#" / "$" / "%" / "&" / "'" / "*" / "+" / "-" / "." / "^" / "_" / "`" / "|" / "~" / DIGIT /
 * ALPHA */
#define TCHAR(c)                                                                                         \
    (ALPHA(c) || DIGIT(c) || (c) == '!' || IN(c, '#', '\'') || (c) == '*' || (c) == '+' || (c) == '-' || \
     (c) == '.' || IN(c, '^', '`') || (c) == '|' || (c) == '~')
/* etagc = %x21 / %x23-7E / obs-text */
#define ETAGC(c) ((c) == 0x21 || IN(c, 0x23, 0x7e) || OBS_TEXT(c))
/* qdtext = HTAB / SP / %x21 / %x23-5B / %x5D-7E / obs-text */
#define QDTEXT(c) \
    ((c) == HTAB || (c) == SP || (c) == 0x21 || IN(c, 0x23, 0x5b) || IN(c, 0x5d, 0x7e) || OBS_TEXT(c))
/* quoted-pair = "\" ( HTAB / SP / VCHAR / obs-text ) */
#define QUOTABLE(c) ((c) == HTAB || IN(c, SP, 0x7e) || OBS_TEXT(c))
#define SF_KEY(c) (LCALPHA(c) || DIGIT(c) || (c) == '_' || (c) == '-' || (c) == '.' || (c) == '*')
#define SF_TOKEN(c) (TCHAR(c) || (c) == ':' || (c) == '/')
#define SF_STRING(c) (IN(c, SP, 0x7e) && (c) != '"' && (c) != '\\')
#define BASE64(c) (ALPHA(c) || DIGIT(c) || (c) == '+' || (c) == '/')

#define BITS(c)                                                                                     \
    ((TCHAR(c) ? STET__TCHAR : 0) | (ETAGC(c) ? STET__ETAGC : 0) | (QDTEXT(c) ? STET__QDTEXT : 0) | \
     (QUOTABLE(c) ? STET__QUOTABLE : 0) | (SF_KEY(c) ? STET__SF_KEY : 0) |                          \
     (SF_TOKEN(c) ? STET__SF_TOKEN : 0) | (SF_STRING(c) ? STET__SF_STRING : 0) |                    \
     (BASE64(c) ? STET__BASE64 : 0))
#define FOUR(c) BITS(c), BITS((c) + 1), BITS((c) + 2), BITS((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const unsigned char stet__octet_bits[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};
