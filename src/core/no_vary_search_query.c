/* SPDX-License-Identifier: MIT */
/*
 * Queries as forms: the application/x-www-form-urlencoded parser and serialiser of the URL Standard
 * (sections 5.1 and 5.2), and sections 5.3 and 6 of draft-ietf-httpbis-no-vary-search.
 *
 * Names and values are never decoded into memory: they are read as code points, once to compare them and once
 * to write them. UTF-8 that is broken reads as U+FFFD, one for each longest part of a character, as the
 * Encoding Standard has it; so "%f6" and "%ef%bf%bd" are the same. Sorting compares code points, where the
 * draft has UTF-16 code units: the order differs above U+FFFF, but which queries are equivalent does not.
 */
#include "core/no_vary_search.h"

#include "core/octet.h"
#include "core/text.h"
#include "core/utf8.h"

#define AT_END (-1)
#define REPLACEMENT 0xfffd

/* Reads a name or value code point by code point. */
struct reader {
    struct stet_span rest;
    bool escaped; /* it comes from a String: a backslash stands before a quote or a backslash */
};

struct parameter {
    struct stet_span name, value;
    bool listed;
};

static int hex(char c)
{
    if (stet__octet_is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int next_octet(struct reader *reader)
{
    if (reader->escaped && reader->rest.len > 1 && reader->rest.ptr[0] == '\\')
        reader->rest = stet_span_skip(reader->rest, 1);
    struct stet_span s = reader->rest;
    if (s.len == 0)
        return AT_END;
    if (s.ptr[0] == '%' && s.len > 2 && hex(s.ptr[1]) >= 0 && hex(s.ptr[2]) >= 0) {
        reader->rest = stet_span_skip(s, 3);
        return hex(s.ptr[1]) << 4 | hex(s.ptr[2]);
    }
    reader->rest = stet_span_skip(s, 1);
    return s.ptr[0] == '+' ? ' ' : (unsigned char)s.ptr[0];
}

static int next_code(struct reader *reader)
{
    struct stet__utf8 utf8 = {0};
    int octet = next_octet(reader);
    if (octet < 0x80)
        return octet;
    if (!stet__utf8_step(&utf8, (unsigned char)octet))
        return REPLACEMENT;
    int code = octet & (0x3f >> utf8.left);
    while (utf8.left > 0) {
        struct reader before = *reader;
        octet = next_octet(reader);
        if (octet < 0 || !stet__utf8_step(&utf8, (unsigned char)octet)) {
            *reader = before;
            return REPLACEMENT;
        }
        code = code << 6 | (octet & 0x3f);
    }
    return code;
}

/* Steps over letters and digits that both have next: they stand for themselves, however long the names are.
 */
static void skip_common(struct reader *a, struct reader *b)
{
    size_t i = 0;
    while (i < a->rest.len && i < b->rest.len && a->rest.ptr[i] == b->rest.ptr[i] &&
           stet__octet_is(a->rest.ptr[i], STET__BASE64) && a->rest.ptr[i] != '+')
        i++;
    a->rest = stet_span_skip(a->rest, i);
    b->rest = stet_span_skip(b->rest, i);
}

static int compare(struct reader a, struct reader b)
{
    for (;;) {
        skip_common(&a, &b);
        int x = next_code(&a), y = next_code(&b);
        if (x != y)
            return x < y ? -1 : 1;
        if (x == AT_END)
            return 0;
    }
}

static struct reader name_of(const struct parameter *parameter)
{
    return (struct reader){parameter->name, false};
}

/* The parameters of `query`, without empty ones; SIZE_MAX if there are more than STET_QUERY_PARAMETERS_MAX.
 */
static size_t split(struct stet_span query, struct parameter *room)
{
    size_t count = 0;
    while (query.len > 0) {
        const char *end = memchr(query.ptr, '&', query.len);
        size_t len = end ? (size_t)(end - query.ptr) : query.len;
        const char *equals = len > 0 ? memchr(query.ptr, '=', len) : NULL;
        size_t name_len = equals ? (size_t)(equals - query.ptr) : len;
        if (len > 0 && count == STET_QUERY_PARAMETERS_MAX)
            return SIZE_MAX;
        if (len > 0)
            room[count++] = (struct parameter){.name = stet_span_of(query.ptr, name_len),
                                               .value = equals ? stet_span_of(equals + 1, len - name_len - 1)
                                                               : STET_SPAN_NONE};
        query = stet_span_skip(query, end ? len + 1 : len);
    }
    return count;
}

/* Whether `name` is `key`, or begins with it if that ends in an asterisk and `prefixes` gives it a meaning.
 */
static bool fits(struct reader key, struct reader name, bool prefixes)
{
    for (;;) {
        skip_common(&key, &name);
        int x = next_code(&key);
        if (prefixes && x == '*' && key.rest.len == 0)
            return true;
        if (x != next_code(&name))
            return false;
        if (x == AT_END)
            return true;
    }
}

/* Drops what does not matter; the rest keeps its order. */
static size_t drop(const struct stet_no_vary_search *nvs, struct parameter *at, size_t count)
{
    struct stet__nvs_keys keys;
    struct stet_span key;
    size_t kept = 0;
    bool some = stet__nvs_keys_begin(&keys, nvs);
    while (some && stet__nvs_keys_next(&keys, &key))
        for (size_t i = 0; i < count; i++)
            at[i].listed = at[i].listed || fits((struct reader){key, true}, name_of(&at[i]), nvs->prefixes);
    for (size_t i = 0; i < count; i++)
        if (at[i].listed == nvs->all)
            at[kept++] = at[i];
    return kept;
}

/* Merges the sorted runs from[a..b) and from[b..c) into to[a..c). Of equal names the first stays first. */
static void merge(const struct parameter *at, const uint16_t *from, uint16_t *to, const size_t bounds[3])
{
    size_t i = bounds[0], k = bounds[1];
    for (size_t out = bounds[0]; out < bounds[2]; out++) {
        bool second = i == bounds[1];
        if (!second && k < bounds[2])
            second = compare(name_of(&at[from[k]]), name_of(&at[from[i]])) < 0;
        to[out] = second ? from[k++] : from[i++];
    }
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Sorts `order` by name, stably. `spare` has room for as many. The result is in the array that is returned.
 */
static uint16_t *sort(const struct parameter *at, uint16_t *order, uint16_t *spare, size_t count)
{
    for (size_t width = 1; width < count; width *= 2) {
        for (size_t begin = 0; begin < count; begin += 2 * width)
            merge(at, order, spare,
                  (const size_t[]){begin, least(begin + width, count), least(begin + 2 * width, count)});
        uint16_t *sorted = spare;
        spare = order;
        order = sorted;
    }
    return order;
}

static void put_escaped(struct stet__text *text, unsigned octet)
{
    static const char digits[] = "0123456789ABCDEF";
    const char escaped[] = {'%', digits[octet >> 4], digits[octet & 15]};
    stet__text_put(text, stet_span_of(escaped, sizeof escaped));
}

/* What the serialiser leaves as it is: letters, digits and four others. */
static bool is_plain(int code)
{
    return code < 0x80 && ((code >= '0' && code <= '9') || ((code | 0x20) >= 'a' && (code | 0x20) <= 'z') ||
                           code == '*' || code == '-' || code == '.' || code == '_');
}

static void put_code(struct stet__text *text, int code)
{
    unsigned c = (unsigned)code;
    unsigned tails = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    static const unsigned char leads[] = {0, 0xc0, 0xe0, 0xf0};
    put_escaped(text, leads[tails] | c >> (6 * tails));
    while (tails-- > 0)
        put_escaped(text, 0x80 | (c >> (6 * tails) & 0x3f));
}

static void put(struct stet__text *text, struct stet_span encoded)
{
    struct reader reader = {encoded, false};
    int code;
    while ((code = next_code(&reader)) != AT_END) {
        if (is_plain(code))
            stet__text_put_octet(text, (char)code);
        else if (code == ' ')
            stet__text_put_octet(text, '+');
        else
            put_code(text, code);
    }
}

static size_t finish(const struct stet__text *text)
{
    return text->failed ? SIZE_MAX : text->len;
}

size_t stet_no_vary_search_write(const struct stet_no_vary_search *nvs, struct stet_span query, char *out,
                                 size_t room)
{
    struct parameter at[STET_QUERY_PARAMETERS_MAX];
    uint16_t first[STET_QUERY_PARAMETERS_MAX], spare[STET_QUERY_PARAMETERS_MAX];
    uint16_t *order = first;
    struct stet__text text = {.out = out, .room = room};
    size_t count = nvs->given ? split(query, at) : SIZE_MAX;
    if (count == SIZE_MAX) {
        stet__text_put(&text, query);
        return finish(&text);
    }
    count = drop(nvs, at, count);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint16_t)i;
    if (nvs->key_order)
        order = sort(at, first, spare, count);
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            stet__text_put_octet(&text, '&');
        put(&text, at[order[i]].name);
        stet__text_put_octet(&text, '=');
        put(&text, at[order[i]].value);
    }
    return finish(&text);
}
