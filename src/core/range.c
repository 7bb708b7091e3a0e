/* SPDX-License-Identifier: MIT */
/*
 * Range: RFC 9110 sections 14.1 and 14.2.
 *
 * One pass parses, clamps and coalesces. It stops at the first fault: "one invalid range-spec spoils the
 * entire specifier" (section 14.1.1). Work and memory are bounded by STET_RANGE_SPECS_MAX.
 */
#include <stet/range.h>

/* The specs so far. Those at `at` are disjoint, do not touch, and stand in the order of their first octet's
 * request. */
struct collected {
    struct stet_range at[STET_RANGE_SPECS_MAX];
    size_t count;
    size_t specs;      /* named so far */
    uint64_t octets;   /* asked for, octets asked for twice counted twice */
    bool too_much;     /* `octets` would be larger than the complete length */
    bool empty_suffix; /* a satisfiable suffix of a representation without octets */
};

/* Digits at the front of `*s`, which is advanced past them. False if there are none. Too large a number
 * saturates. */
static bool take_number(struct stet_span *s, uint64_t *out)
{
    size_t i = 0;
    uint64_t n = 0;
    for (; i < s->len; i++) {
        unsigned digit = (unsigned)((unsigned char)s->ptr[i] - '0');
        if (digit > 9)
            break;
        if (__builtin_mul_overflow(n, 10u, &n) || __builtin_add_overflow(n, digit, &n))
            n = UINT64_MAX;
    }
    *s = stet_span_skip(*s, i);
    *out = n;
    return i > 0;
}

static bool touch(struct stet_range a, struct stet_range b)
{
    return a.first <= b.last + 1 && b.first <= a.last + 1;
}

static void widen(struct stet_range *into, struct stet_range by)
{
    into->first = by.first < into->first ? by.first : into->first;
    into->last = by.last > into->last ? by.last : into->last;
}

/* Adds a range whose `last` is below the complete length, so that last + 1 does not wrap. */
static void collect(struct collected *all, struct stet_range range, uint64_t complete_length)
{
    all->too_much |= __builtin_add_overflow(all->octets, range.last - range.first + 1, &all->octets);
    all->too_much |= all->octets > complete_length;
    size_t home = 0;
    while (home < all->count && !touch(all->at[home], range))
        home++;
    if (home == all->count) {
        all->at[all->count++] = range;
        return;
    }
    widen(&all->at[home], range);
    /* The wider range may reach ranges that stand later; those that stand before it did not touch `range`. */
    size_t kept = home + 1;
    for (size_t i = home + 1; i < all->count; i++) {
        if (touch(all->at[home], all->at[i]))
            widen(&all->at[home], all->at[i]);
        else
            all->at[kept++] = all->at[i];
    }
    all->count = kept;
}

/* suffix-range = "-" suffix-length; satisfiable unless the length is 0 (section 14.1.2). */
static bool judge_suffix(struct collected *all, struct stet_span spec, uint64_t complete_length)
{
    uint64_t length;
    if (!take_number(&spec, &length) || spec.len > 0)
        return false;
    if (length > complete_length)
        length = complete_length, all->empty_suffix |= complete_length == 0;
    if (length > 0)
        collect(all, (struct stet_range){complete_length - length, complete_length - 1}, complete_length);
    return true;
}

/* range-spec = int-range / suffix-range. False if it is malformed or invalid. */
static bool judge_spec(struct collected *all, struct stet_span spec, uint64_t complete_length)
{
    struct stet_range range = {0, UINT64_MAX};
    if (spec.ptr[0] == '-')
        return judge_suffix(all, stet_span_skip(spec, 1), complete_length);
    if (!take_number(&spec, &range.first) || spec.len == 0 || spec.ptr[0] != '-')
        return false;
    spec = stet_span_skip(spec, 1);
    if (spec.len > 0 && (!take_number(&spec, &range.last) || spec.len > 0))
        return false;
    if (range.last < range.first)
        return false;
    if (range.first >= complete_length)
        return true; /* valid, not satisfiable */
    if (range.last >= complete_length)
        range.last = complete_length - 1;
    collect(all, range, complete_length);
    return true;
}

/* The reason why the set is malformed or abusive; STET_REASON_RANGE_SATISFIABLE if it is neither. */
static enum stet_reason collect_set(struct collected *all, struct stet_span set, uint64_t complete_length)
{
    while (set.len > 0) {
        const char *comma = memchr(set.ptr, ',', set.len);
        size_t len = comma ? (size_t)(comma - set.ptr) : set.len;
        struct stet_span spec = stet_span_trim(stet_span_of(set.ptr, len));
        set = stet_span_skip(set, comma ? len + 1 : len);
        if (spec.len == 0)
            continue; /* section 5.6.1.2 */
        if (++all->specs > STET_RANGE_SPECS_MAX)
            return STET_REASON_RANGE_ABUSIVE;
        if (!judge_spec(all, spec, complete_length))
            return STET_REASON_RANGE_INVALID;
    }
    return all->specs > 0 ? STET_REASON_RANGE_SATISFIABLE : STET_REASON_RANGE_INVALID;
}

/* The range set after "bytes=", or the reason why there is none. */
static enum stet_reason find_set(struct stet_span value, struct stet_span *set)
{
    const char *equals = value.len > 0 ? memchr(value.ptr, '=', value.len) : NULL;
    if (!equals)
        return STET_REASON_RANGE_INVALID;
    size_t len = (size_t)(equals - value.ptr);
    if (!stet_span_equal_nocase(stet_span_of(value.ptr, len), STET_SPAN("bytes")))
        return STET_REASON_RANGE_UNIT;
    *set = stet_span_skip(value, len + 1);
    return STET_REASON_RANGE_SATISFIABLE;
}

struct stet_range_set stet_range_judge(struct stet_span value, uint64_t complete_length)
{
    struct stet_range_set out;
    struct stet_span set = STET_SPAN_NONE;
    struct collected all;
    all.count = all.specs = 0;
    all.octets = 0;
    all.too_much = all.empty_suffix = false;
    out.count = 0;
    out.verdict = STET_RANGE_IGNORE;
    out.reason = find_set(stet_span_trim(value), &set);
    if (out.reason == STET_REASON_RANGE_SATISFIABLE)
        out.reason = collect_set(&all, set, complete_length);
    if (out.reason != STET_REASON_RANGE_SATISFIABLE)
        return out;
    if (all.too_much || all.count > STET_RANGES_MAX) {
        out.reason = STET_REASON_RANGE_ABUSIVE;
    } else if (all.count > 0) {
        out.verdict = STET_RANGE_SATISFIABLE;
        out.count = all.count;
        memcpy(out.at, all.at, all.count * sizeof *out.at);
    } else if (all.empty_suffix) {
        out.reason = STET_REASON_RANGE_WHOLE;
    } else {
        out.verdict = STET_RANGE_UNSATISFIABLE;
        out.reason = STET_REASON_RANGE_UNSATISFIABLE;
    }
    return out;
}
