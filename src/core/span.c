/* SPDX-License-Identifier: MIT */
#include <stet/span.h>
#include <stet/status.h>

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c | 0x20 : c);
}

bool stet_span_equal_nocase(struct stet_span a, struct stet_span b)
{
    if (a.len != b.len)
        return false;
    for (size_t i = 0; i < a.len; i++)
        if (lower(a.ptr[i]) != lower(b.ptr[i]))
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
    char digits[20];
    size_t len = 0;
    do {
        digits[len++] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    for (size_t i = 0; i < len; i++)
        out[i] = digits[len - 1 - i];
    return len;
}
