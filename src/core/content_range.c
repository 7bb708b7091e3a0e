/* SPDX-License-Identifier: MIT */
/*
 * Content-Range in bytes: RFC 9110 section 14.4.
 */
#include <stet/range.h>

/* Digits at the front of `*s`, which is advanced past them. */
static bool take_number(struct stet_span *s, uint64_t *out)
{
    size_t len = 0;
    while (len < s->len && s->ptr[len] >= '0' && s->ptr[len] <= '9')
        len++;
    if (stet_span_to_u64(stet_span_of(s->ptr, len), out) != STET_OK)
        return false;
    *s = stet_span_skip(*s, len);
    return true;
}

static bool take_octet(struct stet_span *s, char octet)
{
    if (s->len == 0 || s->ptr[0] != octet)
        return false;
    *s = stet_span_skip(*s, 1);
    return true;
}

static bool take_unit(struct stet_span *s)
{
    static const struct stet_span unit = {"bytes", 5};
    if (s->len < unit.len || !stet_span_equal_nocase(stet_span_of(s->ptr, unit.len), unit))
        return false;
    *s = stet_span_skip(*s, unit.len);
    return take_octet(s, ' ');
}

/* range-resp = incl-range "/" ( complete-length / "*" ) */
static bool take_range_resp(struct stet_span *s, struct stet_content_range *out)
{
    if (!take_number(s, &out->range.first) || !take_octet(s, '-') || !take_number(s, &out->range.last) ||
        !take_octet(s, '/') || out->range.last < out->range.first)
        return false;
    out->complete_known = !take_octet(s, '*');
    if (!out->complete_known)
        return true;
    /* "a complete-length value less than or equal to its last-pos value" is invalid */
    return take_number(s, &out->complete_length) && out->complete_length > out->range.last;
}

int stet_content_range_parse(struct stet_span value, struct stet_content_range *out)
{
    struct stet_content_range parsed = {false, true, {0, 0}, 0};
    value = stet_span_trim(value);
    if (!take_unit(&value))
        return STET_E_SYNTAX;
    parsed.unsatisfied = take_octet(&value, '*');
    if (parsed.unsatisfied ? !take_octet(&value, '/') || !take_number(&value, &parsed.complete_length)
                           : !take_range_resp(&value, &parsed))
        return STET_E_SYNTAX;
    if (value.len > 0)
        return STET_E_SYNTAX;
    *out = parsed;
    return STET_OK;
}

static size_t put(char *out, struct stet_span s)
{
    memcpy(out, s.ptr, s.len);
    return s.len;
}

size_t stet_content_range_format(struct stet_range range, uint64_t complete_length, char *out)
{
    size_t n = put(out, STET_SPAN("bytes "));
    n += stet_format_u64(range.first, out + n);
    out[n++] = '-';
    n += stet_format_u64(range.last, out + n);
    out[n++] = '/';
    return n + stet_format_u64(complete_length, out + n);
}

size_t stet_content_range_format_unsatisfied(uint64_t complete_length, char *out)
{
    size_t n = put(out, STET_SPAN("bytes */"));
    return n + stet_format_u64(complete_length, out + n);
}
