/* SPDX-License-Identifier: MIT */
/*
 * Range and Content-Range: RFC 9110 section 14.
 *
 * The first octet chooses the complete length, the rest is a field value. What must hold: ranges lie within
 * the representation, neither overlap nor touch, are no more than may be, and together send no more than
 * there is; every octet of a small representation is sent exactly if a reading of the set that is as plain as
 * possible asks for it; whatever Content-Range parses is written as it was read.
 */
#include <stdlib.h>

#include <stet/range.h>

#define INPUT_MAX 1024

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void check_set(const struct stet_range_set *set, uint64_t complete_length)
{
    uint64_t octets = 0;
    require((set->verdict == STET_RANGE_SATISFIABLE) == (set->count > 0) && set->count <= STET_RANGES_MAX);
    for (size_t i = 0; i < set->count; i++) {
        struct stet_range a = set->at[i];
        require(a.first <= a.last && a.last < complete_length);
        octets += a.last - a.first + 1;
        for (size_t j = 0; j < i; j++) {
            struct stet_range b = set->at[j];
            require(a.last + 1 < b.first || b.last + 1 < a.first);
        }
    }
    require(octets <= complete_length);
}

/* A position that is large enough for every representation here reads as `large`. */
static uint64_t position(struct stet_span digits, uint64_t large)
{
    uint64_t n;
    return stet_span_to_u64(digits, &n) == STET_OK && n < large ? n : large;
}

/* Marks what one well-formed spec asks for. */
static void mark(bool *asked, struct stet_span spec, uint64_t complete_length)
{
    const char *dash = memchr(spec.ptr, '-', spec.len);
    require(dash != NULL);
    struct stet_span before = {spec.ptr, (size_t)(dash - spec.ptr)};
    struct stet_span after = stet_span_skip(spec, before.len + 1);
    uint64_t first, end;
    if (before.len == 0) {
        uint64_t suffix = position(after, complete_length);
        first = complete_length - suffix;
        end = complete_length;
    } else {
        first = position(before, complete_length);
        end = after.len == 0 ? complete_length : position(after, complete_length) + 1;
    }
    for (uint64_t i = first; i < end && i < complete_length; i++)
        asked[i] = true;
}

/* A set that is answered was well-formed, so it can be split at its commas. */
static void check_octets(const struct stet_range_set *set, struct stet_span value, uint64_t complete_length)
{
    bool asked[64] = {false}, sent[64] = {false};
    const char *equals = memchr(value.ptr, '=', value.len);
    require(equals != NULL);
    struct stet_span rest = stet_span_skip(value, (size_t)(equals - value.ptr) + 1);
    while (rest.len > 0) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
        struct stet_span spec = stet_span_trim(stet_span_of(rest.ptr, len));
        if (spec.len > 0)
            mark(asked, spec, complete_length);
        rest = stet_span_skip(rest, comma ? len + 1 : len);
    }
    for (size_t i = 0; i < set->count; i++)
        for (uint64_t at = set->at[i].first; at <= set->at[i].last; at++)
            sent[at] = true;
    require(memcmp(asked, sent, sizeof asked) == 0);
}

static void check_content_range(struct stet_span value)
{
    struct stet_content_range read, again;
    char text[STET_CONTENT_RANGE_LEN];
    if (stet_content_range_parse(value, &read) != STET_OK)
        return;
    require(read.unsatisfied || read.range.first <= read.range.last);
    if (!read.complete_known)
        return; /* stet writes no such thing */
    require(read.unsatisfied || read.range.last < read.complete_length);
    size_t len = read.unsatisfied ? stet_content_range_format_unsatisfied(read.complete_length, text)
                                  : stet_content_range_format(read.range, read.complete_length, text);
    require(len <= sizeof text && stet_content_range_parse(stet_span_of(text, len), &again) == STET_OK);
    require(again.unsatisfied == read.unsatisfied && again.complete_length == read.complete_length);
    require(again.range.first == read.range.first && again.range.last == read.range.last);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint64_t large[] = {1000, 1048576, (uint64_t)1 << 32, UINT64_MAX - 1, UINT64_MAX};
    if (size < 1 || size > INPUT_MAX)
        return 0;
    uint64_t complete_length = data[0] < 64 ? data[0] : large[data[0] % 5];
    char *copy = malloc(size);
    require(copy != NULL);
    memcpy(copy, data + 1, size - 1);
    struct stet_span value = {copy, size - 1};
    struct stet_range_set set = stet_range_judge(value, complete_length);
    check_set(&set, complete_length);
    if (set.verdict != STET_RANGE_IGNORE && complete_length < 64)
        check_octets(&set, value, complete_length);
    check_content_range(value);
    free(copy);
    return 0;
}
