/* SPDX-License-Identifier: MIT */
/*
 * Octets without meaning: comparison and decimal numbers. Comparison without case is asked for each field
 * line of each request, so it takes eight octets at a time (RFC 9110 section 5.1: names compare without
 * regard to case).
 */
#include <stet/span.h>
#include <stet/status.h>

/* All of a word's eight octets at once. */
#define EACH(octet) (0x0101010101010101u * (octet))
#define TOP EACH(0x80u)

/* `word` with the letters A to Z among its octets made a to z; other octets, 0x80 and above too, stay. */
static uint64_t lower(uint64_t word)
{
    uint64_t seven_bits = word & ~TOP;
    uint64_t from_a = seven_bits + EACH(0x80u - 'A'); /* sets the top bit of an octet that is 'A' or more */
    uint64_t past_z = seven_bits + EACH(0x7fu - 'Z'); /* the same for more than 'Z' */
    return word | ((from_a & ~past_z & ~word & TOP) >> 2);
}

static bool words_differ(const char *a, const char *b, size_t len)
{
    uint64_t x = 0, y = 0;
    memcpy(&x, a, len);
    memcpy(&y, b, len);
    return x != y && lower(x) != lower(y);
}

bool stet_span_equal_nocase(struct stet_span a, struct stet_span b)
{
    if (a.len != b.len)
        return false;
    size_t word = sizeof(uint64_t);
    size_t i = 0;
    for (; a.len - i >= word; i += word)
        if (words_differ(a.ptr + i, b.ptr + i, word))
            return false;
    if (i == a.len)
        return true;
    if (a.len >= word) /* the last word overlaps with the one before */
        return !words_differ(a.ptr + a.len - word, b.ptr + a.len - word, word);
    word /= 2;
    if (a.len >= word)
        return !words_differ(a.ptr, b.ptr, word) &&
               !words_differ(a.ptr + a.len - word, b.ptr + a.len - word, word);
    for (; i < a.len; i++)
        if (words_differ(a.ptr + i, b.ptr + i, 1))
            return false;
    return true;
}

int stet_span_to_u64(struct stet_span s, uint64_t *out)
{
    if (s.len == 0)
        return STET_E_SYNTAX;
    uint64_t n = 0;
    bool overflow = false;
    for (size_t i = 0; i < s.len; i++) {
        unsigned digit = (unsigned)((unsigned char)s.ptr[i] - '0');
        if (digit > 9)
            return STET_E_SYNTAX;
        overflow |= __builtin_mul_overflow(n, 10u, &n);
        overflow |= __builtin_add_overflow(n, digit, &n);
    }
    if (overflow)
        return STET_E_NUMBER;
    *out = n;
    return STET_OK;
}

size_t stet_format_u64(uint64_t n, char *out)
{
    size_t len = 1;
    /* Multiplication is cheaper than division; there are no more than 20 digits, and 10^20 does not fit. */
    for (uint64_t limit = 10; n >= limit && ++len < 20; limit *= 10)
        continue;
    for (size_t i = len; i-- > 0; n /= 10)
        out[i] = (char)('0' + n % 10);
    return len;
}
