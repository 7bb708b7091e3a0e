/* SPDX-License-Identifier: MIT */
/*
 * Hosts: uri-host [ ":" port ] of RFC 9110 section 7.2, that is RFC 3986 sections 3.2.2 and 3.2.3.
 *
 * Userinfo is refused (RFC 9110 section 4.2.4 says to treat it as an error), and so are zone identifiers,
 * which the grammar has not. A port may be any digits, also none.
 */
#include "core/http1_head.h"

static bool all_of(struct stet_span s, unsigned classes)
{
    for (size_t i = 0; i < s.len; i++)
        if (!stet__h1_is(s.ptr[i], classes))
            return false;
    return true;
}

/* dec-octet "." dec-octet "." dec-octet "." dec-octet */
static bool is_ipv4(struct stet_span s)
{
    unsigned parts = 0;
    size_t i = 0;
    while (parts < 4) {
        size_t begin = i;
        unsigned n = 0;
        while (i < s.len && i - begin < 3 && stet__h1_is(s.ptr[i], STET__H1_DIGIT))
            n = n * 10 + (unsigned)(s.ptr[i++] - '0');
        if (i == begin || n > 255 || (i - begin > 1 && s.ptr[begin] == '0'))
            return false;
        if (++parts < 4 && (i == s.len || s.ptr[i++] != '.'))
            return false;
    }
    return i == s.len;
}

/* The length of the run of hexadecimal digits at the front. */
static size_t hex_run(struct stet_span s)
{
    size_t n = 0;
    while (n < s.len && stet__h1_is(s.ptr[n], STET__H1_HEX))
        n++;
    return n;
}

/* IPv6address: eight groups of up to four digits, the last two perhaps as IPv4, one run of zero groups as
 * "::". */
static bool is_ipv6(struct stet_span s)
{
    unsigned groups = 0;
    bool gap = stet_span_starts(s, STET_SPAN("::"));
    if (gap)
        s = stet_span_skip(s, 2);
    while (s.len > 0) {
        size_t digits = hex_run(s);
        if (digits < s.len && s.ptr[digits] == '.') {
            groups += 2;
            return is_ipv4(s) && (gap ? groups < 8 : groups == 8);
        }
        if (digits == 0 || digits > 4)
            return false;
        groups++;
        s = stet_span_skip(s, digits);
        if (s.len == 0)
            break;
        if (stet_span_starts(s, STET_SPAN("::"))) {
            if (gap)
                return false;
            gap = true;
            s = stet_span_skip(s, 2);
        } else if (s.ptr[0] == ':' && s.len > 1) {
            s = stet_span_skip(s, 1);
        } else {
            return false;
        }
    }
    return gap ? groups < 8 : groups == 8;
}

/* IPvFuture = "v" 1*HEXDIG "." 1*( unreserved / sub-delims / ":" ) */
static bool is_ipvfuture(struct stet_span s)
{
    if (s.len == 0 || (s.ptr[0] != 'v' && s.ptr[0] != 'V'))
        return false;
    s = stet_span_skip(s, 1);
    size_t digits = hex_run(s);
    if (digits == 0 || digits + 1 >= s.len || s.ptr[digits] != '.')
        return false;
    for (size_t i = digits + 1; i < s.len; i++)
        if (s.ptr[i] != ':' && !stet__h1_is(s.ptr[i], STET__H1_REGNAME))
            return false;
    return true;
}

/* The length of the IP-literal at the front, with its brackets; 0 if there is none. */
static size_t literal_len(struct stet_span s)
{
    const char *close = memchr(s.ptr, ']', s.len);
    if (!close)
        return 0;
    struct stet_span inside = stet_span_of(s.ptr + 1, (size_t)(close - s.ptr) - 1);
    return is_ipv6(inside) || is_ipvfuture(inside) ? inside.len + 2 : 0;
}

/* The length of the reg-name at the front, perhaps 0. */
static size_t regname_len(struct stet_span s)
{
    size_t i = 0;
    while (i < s.len) {
        if (stet__h1_is(s.ptr[i], STET__H1_REGNAME))
            i++;
        else if (s.ptr[i] == '%' && s.len - i > 2 && all_of(stet_span_of(s.ptr + i + 1, 2), STET__H1_HEX))
            i += 3;
        else
            break;
    }
    return i;
}

bool stet__host_valid(struct stet_span value, size_t *host_len)
{
    bool literal = value.len > 0 && value.ptr[0] == '[';
    size_t len = literal ? literal_len(value) : regname_len(value);
    if (literal && len == 0)
        return false;
    *host_len = len;
    if (len == value.len)
        return true;
    return value.ptr[len] == ':' && all_of(stet_span_skip(value, len + 1), STET__H1_DIGIT);
}
