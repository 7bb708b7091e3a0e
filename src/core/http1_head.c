/* SPDX-License-Identifier: MIT */
/*
 * Field lines of a head: RFC 9112 section 5, and the octets of which heads are made.
 *
 * This is where the time of parsing goes: values and targets are looked at sixteen octets at a time where the
 * machine can (SSE2 is part of every x86-64), eight at a time elsewhere. Nothing is read beyond the end of
 * the input.
 */
#include "core/http1_head.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#define IN(c, first, last) ((c) >= (first) && (c) <= (last))
#define ALPHA(c) (IN(c, 'a', 'z') || IN(c, 'A', 'Z'))
#define DIGIT(c) IN(c, '0', '9')
#define VCHAR(c) IN(c, 0x21, 0x7e)
#define TCHAR(c)                                                                                         \
    (ALPHA(c) || DIGIT(c) || (c) == '!' || IN(c, '#', '\'') || (c) == '*' || (c) == '+' || (c) == '-' || \
     (c) == '.' || IN(c, '^', '`') || (c) == '|' || (c) == '~')
#define TARGET(c) (VCHAR(c) && (c) != '"' && (c) != '#' && (c) != '<' && (c) != '>')
/* unreserved / sub-delims */
#define REGNAME(c)                                                                                 \
    (ALPHA(c) || DIGIT(c) || (c) == '-' || (c) == '.' || (c) == '_' || (c) == '~' || (c) == '!' || \
     (c) == '$' || IN(c, '&', ',') || (c) == ';' || (c) == '=')
#define HEX(c) (DIGIT(c) || IN(c, 'a', 'f') || IN(c, 'A', 'F'))
#define CONTROL(c) (((c) < 0x20 && (c) != '\t') || (c) == 0x7f)

#define CLASSES(c)                                                         \
    ((TCHAR(c) ? STET__H1_TCHAR : 0) | (TARGET(c) ? STET__H1_TARGET : 0) | \
     (REGNAME(c) ? STET__H1_REGNAME : 0) | (HEX(c) ? STET__H1_HEX : 0) |   \
     (CONTROL(c) ? STET__H1_CONTROL : 0) | (DIGIT(c) ? STET__H1_DIGIT : 0))
#define FOUR(c) CLASSES(c), CLASSES((c) + 1), CLASSES((c) + 2), CLASSES((c) + 3)
#define SIXTEEN(c) FOUR(c), FOUR((c) + 4), FOUR((c) + 8), FOUR((c) + 12)
#define SIXTY_FOUR(c) SIXTEEN(c), SIXTEEN((c) + 16), SIXTEEN((c) + 32), SIXTEEN((c) + 48)

const unsigned char stet__h1_classes[256] = {SIXTY_FOUR(0), SIXTY_FOUR(64), SIXTY_FOUR(128), SIXTY_FOUR(192)};

#if defined(__SSE2__)

/* Bit i is set if octet i of the sixteen ends a value. */
static unsigned controls_in_16(const char *at)
{
    __m128i octets = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(octets, _mm_set1_epi8(0x1f)), octets);
    __m128i tab = _mm_cmpeq_epi8(octets, _mm_set1_epi8('\t'));
    __m128i del = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_andnot_si128(tab, low), del));
}

/* Bit i is set if octet i of the sixteen cannot be part of a target. Octets from 0x80 are negative here. */
static unsigned target_ends_in_16(const char *at)
{
    __m128i octets = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i low = _mm_cmplt_epi8(octets, _mm_set1_epi8(0x21));
    __m128i del = _mm_cmpeq_epi8(octets, _mm_set1_epi8(0x7f));
    /* '"' and '#' differ in the lowest bit only; '<' and '>' in the next one */
    __m128i quote = _mm_cmpeq_epi8(_mm_or_si128(octets, _mm_set1_epi8(1)), _mm_set1_epi8('#'));
    __m128i angle = _mm_cmpeq_epi8(_mm_or_si128(octets, _mm_set1_epi8(2)), _mm_set1_epi8('>'));
    return (unsigned)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, angle)));
}

/* Bit i is set if octet i of the sixteen is no letter, digit or "-"; nearly all names are made of those. */
static unsigned unusual_in_16(const char *at)
{
    __m128i octets = _mm_loadu_si128((const __m128i *)(const void *)at);
    __m128i lower = _mm_or_si128(octets, _mm_set1_epi8(0x20));
    /* each range is moved to the lowest values there are, so that one signed comparison settles it */
    __m128i letter = _mm_cmplt_epi8(_mm_add_epi8(lower, _mm_set1_epi8(128 - 'a')), _mm_set1_epi8(-128 + 26));
    __m128i digit = _mm_cmplt_epi8(_mm_add_epi8(octets, _mm_set1_epi8(128 - '0')), _mm_set1_epi8(-128 + 10));
    __m128i hyphen = _mm_cmpeq_epi8(octets, _mm_set1_epi8('-'));
    __m128i usual = _mm_or_si128(_mm_or_si128(letter, digit), hyphen);
    return (unsigned)_mm_movemask_epi8(usual) ^ 0xffff;
}

#else

#define ONES 0x0101010101010101u
#define HIGHS 0x8080808080808080u

static uint64_t load_8(const char *at)
{
    uint64_t octets;
    memcpy(&octets, at, sizeof octets);
    return octets;
}

/*
 * The high bit of each octet that is zero in `octets`, or of one after the first such octet by mistake; what
 * matters is whether there is any, since the eight octets are then looked at one by one.
 */
static uint64_t zeros(uint64_t octets)
{
    return (octets - ONES) & ~octets & HIGHS;
}

static uint64_t below(uint64_t octets, unsigned limit)
{
    return (octets - ONES * limit) & ~octets & HIGHS;
}

static bool may_hold_control(const char *at)
{
    uint64_t octets = load_8(at);
    return (below(octets, 0x20) | zeros(octets ^ ONES * 0x7f)) != 0;
}

static bool may_hold_target_end(const char *at)
{
    uint64_t octets = load_8(at);
    return ((octets & HIGHS) | below(octets, 0x21) | zeros(octets ^ ONES * 0x7f) |
            zeros((octets | ONES) ^ ONES * '#') | zeros((octets | ONES * 2) ^ ONES * '>')) != 0;
}

#endif

const char *stet__find_control(const char *at, const char *end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        unsigned found = controls_in_16(at);
        if (found != 0)
            return at + __builtin_ctz(found);
    }
#else
    while (end - at >= 8 && !may_hold_control(at))
        at += 8;
#endif
    while (at < end && !stet__h1_is(*at, STET__H1_CONTROL))
        at++;
    return at;
}

const char *stet__find_target_end(const char *at, const char *end)
{
#if defined(__SSE2__)
    for (; end - at >= 16; at += 16) {
        unsigned found = target_ends_in_16(at);
        if (found != 0)
            return at + __builtin_ctz(found);
    }
#else
    while (end - at >= 8 && !may_hold_target_end(at))
        at += 8;
#endif
    while (at < end && stet__h1_is(*at, STET__H1_TARGET))
        at++;
    return at;
}

/* The first octet that is no tchar, or `end`. */
static const char *find_name_end(const char *at, const char *end)
{
#if defined(__SSE2__)
    if (end - at >= 16) {
        unsigned found = unusual_in_16(at);
        at += found != 0 ? __builtin_ctz(found) : 16;
    }
#endif
    while (at < end && stet__h1_is(*at, STET__H1_TCHAR))
        at++;
    return at;
}

int stet__head_settle(const struct stet__head_cursor *cursor, struct stet_span input, int status)
{
    bool first = cursor->at == input.ptr && *cursor->at != '\r';
    if (status > 0 || cursor->full || first)
        return status;
    return memchr(cursor->at, '\n', (size_t)(cursor->end - cursor->at)) ? status : STET_MORE;
}

int stet__head_take_crlf(struct stet__head_cursor *cursor, int wrong)
{
    const char *at = cursor->at;
    if (at == cursor->end)
        return stet__head_ran_out(cursor);
    if (*at != '\r')
        return *at == '\n' ? STET_E_BARE_LF : wrong;
    if (at + 1 == cursor->end)
        return stet__head_ran_out(cursor);
    if (at[1] != '\n')
        return STET_E_BARE_CR;
    cursor->at = at + 2;
    return STET_OK;
}

int stet__head_take_version(struct stet__head_cursor *cursor, int none, unsigned *major, unsigned *minor)
{
    static const char form[] = "HTTP/1.1";
    const char *begin = cursor->at;
    for (size_t i = 0; i < sizeof form - 1; i++, cursor->at++) {
        if (cursor->at == cursor->end)
            return stet__head_ran_out(cursor);
        char c = *cursor->at;
        if (form[i] == '1' ? stet__h1_is(c, STET__H1_DIGIT) : c == form[i])
            continue;
        int status = stet__head_take_crlf(cursor, i == 0 ? none : STET_E_VERSION);
        return status == STET_OK ? none : status;
    }
    *major = (unsigned)(begin[5] - '0');
    *minor = begin[7] != '0';
    return STET_OK;
}

/* The cursor stands behind a field name, which may be empty, at an octet that is no colon. OK: it is at the
 * colon now. */
static int take_no_colon(struct stet__head_cursor *cursor, bool named, bool lenient)
{
    const char *at = cursor->at;
    if (!stet_is_ows(*at)) {
        int status = stet__head_take_crlf(cursor, STET_E_FIELD_NAME);
        return status == STET_OK ? STET_E_FIELD_NAME : status;
    }
    if (!named)
        return STET_E_OBS_FOLD; /* or whitespace before the first field: RFC 9112 section 2.2 */
    while (at < cursor->end && stet_is_ows(*at))
        at++;
    if (at == cursor->end)
        return stet__head_ran_out(cursor);
    cursor->at = at;
    if (*at != ':')
        return STET_E_FIELD_NAME;
    return lenient ? STET_OK : STET_E_SPACE_BEFORE_COLON;
}

static int take_field(struct stet__head_cursor *cursor, bool lenient, struct stet_field *out)
{
    const char *name = cursor->at, *at = find_name_end(name, cursor->end);
    size_t name_len = (size_t)(at - name);
    cursor->at = at;
    if (at == cursor->end)
        return stet__head_ran_out(cursor);
    if (*at != ':' || name_len == 0) {
        int status = *at == ':' ? STET_E_FIELD_NAME : take_no_colon(cursor, name_len > 0, lenient);
        if (status != STET_OK)
            return status;
        at = cursor->at;
    }
    at++;
    while (at < cursor->end && stet_is_ows(*at))
        at++;
    cursor->at = stet__find_control(at, cursor->end);
    const char *last = cursor->at;
    int status = stet__head_take_crlf(cursor, STET_E_FIELD_VALUE);
    if (status != STET_OK)
        return status;
    while (last > at && stet_is_ows(last[-1]))
        last--;
    out->name = stet_span_of(name, name_len);
    out->value = stet_span_of(at, (size_t)(last - at));
    out->id = stet_field_id(out->name);
    return STET_OK;
}

int stet__head_take_fields(struct stet__head_cursor *cursor, const struct stet_http1_limits *limits,
                           bool lenient, struct stet_field *room, struct stet__head_fields *out)
{
    size_t count = 0;
    uint64_t present = 0, repeated = 0;
    for (;; count++) {
        if (cursor->at == cursor->end)
            return stet__head_ran_out(cursor);
        if (*cursor->at == '\r')
            break;
        if (count == limits->fields)
            return STET_E_TOO_MANY_FIELDS;
        int status = take_field(cursor, lenient, &room[count]);
        if (status != STET_OK)
            return status;
        uint64_t bit = 1ull << room[count].id;
        repeated |= present & bit;
        present |= bit;
    }
    out->fields = (struct stet_fields){room, count, present};
    out->repeated = repeated;
    return stet__head_take_crlf(cursor, STET_E_BARE_CR);
}
