/* SPDX-License-Identifier: MIT */
/*
 * Stored parts: RFC 9111 sections 3.3 and 3.4, RFC 9110 section 15.3.7.3.
 *
 * One range is held of a response, never several: what would leave a hole replaces what was held. All sums
 * are of octets that a Content-Range or a Range named, so any of them may be the largest number there is.
 */
#include <stet/partial.h>

#include "core/answer.h"
#include "core/cache.h"

bool stet_partial_keeps(const struct stet_field *field)
{
    switch (field->id) {
    case STET_FIELD_CONTENT_LENGTH:
    case STET_FIELD_CONTENT_RANGE:
    case STET_FIELD_CONTENT_MD5:
    case STET_FIELD_CONTENT_DIGEST:
        return false;
    default:
        return true;
    }
}

/* The one Content-Range that there is, and that is valid. */
static bool read_content_range(const struct stet_fields *fields, struct stet_content_range *out)
{
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_CONTENT_RANGE, 0);
    return stet_fields_count(fields, STET_FIELD_CONTENT_RANGE) == 1 &&
           stet_content_range_parse(field->value, out) == STET_OK && !out->unsatisfied;
}

/* Content-Length; the parser has seen to it that several lines agree. */
static bool read_content_length(const struct stet_fields *fields, uint64_t *out)
{
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_CONTENT_LENGTH, 0);
    return field && stet_span_to_u64(field->value, out) == STET_OK;
}

static bool multipart(const struct stet_fields *fields)
{
    static const struct stet_span type = {"multipart/byteranges", 20};
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_CONTENT_TYPE, 0);
    return field && field->value.len >= type.len &&
           stet_span_equal_nocase(stet_span_of(field->value.ptr, type.len), type);
}

static void settle(struct stet_held *held)
{
    held->complete =
        held->length_known && held->range.first == 0 && held->range.last == held->complete_length - 1;
}

/* Puts right, or refuses, a range whose length is not that of the content. */
static int fit(struct stet_held *held, uint64_t content_length)
{
    uint64_t less_one = held->range.last - held->range.first;
    if (content_length > 0 && content_length - 1 == less_one)
        return STET_OK;
    bool to_the_end = held->length_known && held->range.last == held->complete_length - 1;
    if (!to_the_end || content_length == 0 || content_length - 1 > less_one)
        return STET_E_SYNTAX;
    held->range.last = held->range.first + (content_length - 1);
    held->complete_length = held->range.last + 1;
    return STET_OK;
}

int stet_held_read(const struct stet_response *response, struct stet_held *out)
{
    struct stet_held held = {.complete = true};
    struct stet_content_range content_range;
    uint64_t content_length = 0;
    bool length = read_content_length(&response->fields, &content_length);
    if (response->status != 206) {
        held.length_known = length;
        held.complete_length = content_length;
        *out = held;
        return STET_OK;
    }
    if (!read_content_range(&response->fields, &content_range) || multipart(&response->fields))
        return STET_E_SYNTAX;
    held.length_known = content_range.complete_known;
    held.complete_length = content_range.complete_known ? content_range.complete_length : 0;
    held.range = content_range.range;
    if (length && fit(&held, content_length) != STET_OK)
        return STET_E_SYNTAX;
    settle(&held);
    *out = held;
    return STET_OK;
}

bool stet_held_cut(struct stet_held *held, uint64_t octets)
{
    if (held->complete && held->length_known && octets >= held->complete_length)
        return true;
    if (octets == 0)
        return false;
    if (held->complete)
        held->range = (struct stet_range){0, octets - 1};
    else if (octets - 1 < held->range.last - held->range.first)
        held->range.last = held->range.first + (octets - 1);
    held->complete = false;
    settle(held);
    return true;
}

/* RFC 9111 section 3.4: "if they all share the same strong validator". */
static bool same_strong_validator(const struct stet_stored *a, const struct stet_stored *b)
{
    struct stet_etag tag_a = stet__origin_etag(a), tag_b = stet__origin_etag(b);
    if (stet_etag_present(tag_a) || stet_etag_present(tag_b))
        return stet_etag_strong_equal(tag_a, tag_b);
    return a->selected.last_modified != STET_NO_DATE &&
           a->selected.last_modified == b->selected.last_modified && a->selected.last_modified_strong &&
           b->selected.last_modified_strong;
}

static bool lengths_agree(const struct stet_held *a, const struct stet_held *b)
{
    return !a->length_known || !b->length_known || a->complete_length == b->complete_length;
}

/* No octet is missing between the two, and they need not overlap. */
static bool meets(struct stet_range a, struct stet_range b)
{
    bool a_reaches = a.last >= b.first || b.first - a.last == 1;
    bool b_reaches = b.last >= a.first || a.first - b.last == 1;
    return a_reaches && b_reaches;
}

/* Both ranges meet. */
static void join(struct stet_range old, struct stet_range new, struct stet_combination *out)
{
    struct stet_range *range = &out->held.range;
    if (old.first <= new.first &&new.last <= old.last) {
        *range = old;
        out->verdict = STET_COMBINE_WITHIN;
        return;
    }
    if (old.first <= new.first) {
        *range = (struct stet_range){old.first, new.last};
        out->verdict = STET_COMBINE_AFTER;
        out->skip = new.first > old.last ? 0 : old.last - new.first + 1;
        return;
    }
    uint64_t old_len = old.last - old.first + 1; /* old.first > 0, so this does not wrap */
    *range = (struct stet_range){new.first, new.last > old.last ? new.last : old.last};
    out->verdict = STET_COMBINE_BEFORE;
    out->skip = new.last < old.first ? 0 : new.last - old.first + 1;
    if (out->skip > old_len)
        out->skip = old_len;
}

void stet_partial_combine(const struct stet_stored *stored, const struct stet_stored *next,
                          struct stet_combination *out)
{
    out->verdict = STET_COMBINE_NOT;
    out->reason = STET_REASON_COMBINE_VALIDATOR;
    out->skip = 0;
    out->held = next->held;
    if (!same_strong_validator(stored, next) || !lengths_agree(&stored->held, &next->held))
        return;
    out->reason = STET_REASON_REPLACED;
    if (next->held.complete) /* a whole one needs no part of another */
        return;
    out->reason = STET_REASON_COMBINED;
    if (stored->held.complete) {
        out->held = stored->held;
        out->verdict = STET_COMBINE_WITHIN;
        return;
    }
    if (!meets(stored->held.range, next->held.range)) {
        out->reason = STET_REASON_COMBINE_HOLE;
        return;
    }
    if (stored->held.length_known) {
        out->held.length_known = true;
        out->held.complete_length = stored->held.complete_length;
    }
    join(stored->held.range, next->held.range, out);
    settle(&out->held);
}

/*
 * The one range that is asked for, as far as the complete length is known; where it is not, an open end or a
 * suffix becomes one that lies beyond all that can be held. False if the whole is asked for, or several
 * ranges, or nothing that exists.
 */
static bool wanted(const struct stet_request *request, const struct stet_stored *stored, int64_t now,
                   struct stet_range *out)
{
    struct stet_range_set ranges;
    struct stet_representation selected = stored->selected;
    selected.length = stored->held.length_known ? stored->held.complete_length : UINT64_MAX;
    if (stet_if_range(request, &selected, now).condition == STET_CONDITION_FALSE)
        return false;
    stet__answer_ranges(request, selected.length, &ranges);
    if (ranges.verdict != STET_RANGE_SATISFIABLE || ranges.count != 1)
        return false;
    *out = ranges.at[0];
    return true;
}

bool stet_partial_satisfies(const struct stet_request *request, const struct stet_stored *stored, int64_t now)
{
    struct stet_range range;
    if (stored->held.complete)
        return true;
    if (!stet_fields_have(&request->fields, STET_FIELD_RANGE) || !wanted(request, stored, now, &range))
        return false;
    return stored->held.range.first <= range.first && range.last <= stored->held.range.last;
}

/* What completes `held` to `range`, if one side of it is missing and no hole is left. */
static bool missing_side(struct stet_range held, struct stet_range range, struct stet_range *out)
{
    if (!meets(held, range))
        return false;
    bool before = range.first<held.first, after = range.last> held.last;
    if (before == after)
        return false;
    *out = before ? (struct stet_range){range.first, held.first - 1}
                  : (struct stet_range){held.last + 1, range.last};
    return true;
}

static bool missing_of_whole(const struct stet_held *held, struct stet_range *out)
{
    struct stet_range whole = {0, STET_RANGE_OPEN};
    if (held->length_known && held->range.last == held->complete_length - 1)
        whole.last = held->range.last;
    return missing_side(held->range, whole, out);
}

static bool has_strong_validator(const struct stet_stored *stored)
{
    struct stet_etag tag = stet__origin_etag(stored);
    return stet_etag_present(tag) ? !tag.weak : stored->selected.last_modified_strong;
}

static bool has_validator(const struct stet_stored *stored)
{
    return stet_etag_present(stet__origin_etag(stored)) || stored->selected.last_modified != STET_NO_DATE;
}

bool stet_partial_missing(const struct stet_request *request, const struct stet_stored *stored, int64_t now,
                          struct stet_range *out)
{
    struct stet_range range;
    bool whole = !stet_fields_have(&request->fields, STET_FIELD_RANGE);
    if (stored->held.complete || request->method != STET_METHOD_GET)
        return false;
    if (!has_strong_validator(stored) && (has_validator(stored) || !whole))
        return false;
    if (whole)
        return missing_of_whole(&stored->held, out);
    return stored->held.length_known && wanted(request, stored, now, &range) &&
           missing_side(stored->held.range, range, out);
}
