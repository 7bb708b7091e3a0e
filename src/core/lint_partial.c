/* SPDX-License-Identifier: MIT */
/*
 * 206 and 416, and what is said of ranges elsewhere: RFC 9110 sections 13.1.5, 14, 15.3.7 and 15.5.17.
 */
#include <stet/field.h>
#include <stet/range.h>

#include "core/lint.h"

/* A 206 and what was asked for. */
struct part {
    const struct stet__lint_look *look;
    struct stet_span asked; /* Range; absent if there is none */
    struct stet_span said;  /* Content-Range; absent if there is none */
    bool multipart;
    bool wrong; /* something was found */
};

static struct stet_lint_finding *wrong(struct part *part, enum stet_lint lint)
{
    struct stet_lint_finding *finding = stet__lint_came(part->look->out, lint, part->said);
    if (finding)
        finding->sent = part->asked;
    part->wrong = true;
    return finding;
}

static bool begins(struct stet_span s, struct stet_span with)
{
    return s.len >= with.len && stet_span_equal_nocase(stet_span_of(s.ptr, with.len), with);
}

/* Another unit than bytes, which somebody asked for and only the two of them know. */
static bool other_unit(const struct part *part)
{
    return part->asked.ptr && !begins(part->asked, STET_SPAN("bytes=")) && part->said.ptr &&
           !begins(part->said, STET_SPAN("bytes"));
}

static void length(struct part *part, const struct stet_content_range *range)
{
    const struct stet_lint_exchange *exchange = part->look->exchange;
    struct stet_span value = stet__lint_value(part->look->fields, STET_FIELD_CONTENT_LENGTH);
    uint64_t octets = range->range.last - range->range.first + 1, other;
    bool announced = value.ptr && stet_span_to_u64(value, &other) == STET_OK && other != octets;
    if (!announced && exchange->content_known && !exchange->cut && exchange->content_length != octets) {
        other = exchange->content_length;
        announced = true;
    }
    if (!announced || octets > INT64_MAX || other > INT64_MAX)
        return;
    struct stet_lint_finding *finding = wrong(part, STET_LINT_PARTIAL_LENGTH);
    stet__lint_number(finding, (int64_t)other);
    stet__lint_text(finding, " octets, but the range has ");
    stet__lint_number(finding, (int64_t)octets);
}

/* "MAY coalesce any of the ranges that overlap, or that are separated by a gap that is smaller than the
 * overhead of sending multiple parts": section 15.3.7.2. A long media type makes much of that. */
enum { GAP_MAX = 512 };

static bool covered(const struct stet_range_set *set, struct stet_range range)
{
    uint64_t next = range.first; /* the octets before it are covered */
    for (size_t i = 0; i < set->count && next <= range.last; i++)
        for (size_t j = 0; j < set->count; j++) {
            uint64_t gap = next == range.first ? 0 : GAP_MAX;
            bool reaches = set->at[j].first <= next || set->at[j].first - next <= gap;
            if (reaches && set->at[j].last >= next)
                next = set->at[j].last + 1;
        }
    return next > range.last;
}

/* Section 15.3.7 lets a server send less than was asked for, never something else. */
static void place(struct part *part, const struct stet_content_range *range)
{
    if (!part->asked.ptr || !range->complete_known)
        return;
    struct stet_range_set set = stet_range_judge(part->asked, range->complete_length);
    if (set.verdict != STET_RANGE_IGNORE && !covered(&set, range->range))
        wrong(part, STET_LINT_PARTIAL_ELSEWHERE);
}

static void content_range(struct part *part)
{
    struct stet_content_range range;
    if (stet_fields_count(part->look->fields, STET_FIELD_CONTENT_RANGE) > 1) {
        wrong(part, STET_LINT_CONTENT_RANGE_SEVERAL);
    } else if (part->multipart) {
        if (part->said.ptr)
            wrong(part, STET_LINT_CONTENT_RANGE_IN_MULTIPART);
    } else if (!part->said.ptr) {
        wrong(part, STET_LINT_PARTIAL_WITHOUT_RANGE);
    } else if (stet_content_range_parse(part->said, &range) != STET_OK || range.unsatisfied) {
        if (!other_unit(part))
            wrong(part, STET_LINT_CONTENT_RANGE_MALFORMED);
    } else {
        length(part, &range);
        place(part, &range);
        if (!range.complete_known)
            stet__lint_came(part->look->out, STET_LINT_CONTENT_RANGE_UNKNOWN_LENGTH, part->said);
    }
}

static void if_range(struct part *part)
{
    const struct stet_representation *selected = &part->look->own.selected;
    struct stet_span value = stet__lint_value(&part->look->request->fields, STET_FIELD_IF_RANGE);
    struct stet_etag tag;
    int64_t date;
    if (!value.ptr)
        return;
    if (stet_etag_parse(value, &tag) != STET_OK) {
        if (stet_date_parse(value, part->look->now, &date) == STET_OK &&
            selected->last_modified != STET_NO_DATE && selected->last_modified != date)
            wrong(part, STET_LINT_PARTIAL_IF_RANGE_DIFFERS);
    } else if (tag.weak) {
        wrong(part, STET_LINT_PARTIAL_IF_RANGE_WEAK);
    } else if (stet_etag_present(selected->etag) && !stet_etag_strong_equal(tag, selected->etag)) {
        wrong(part, STET_LINT_PARTIAL_IF_RANGE_DIFFERS);
    }
}

/* "SHOULD NOT generate other representation header fields beyond those required". A Content-Type of several
 * parts is of this message. */
static void metadata(const struct part *part)
{
    static const enum stet_field_id superfluous[] = {STET_FIELD_CONTENT_TYPE, STET_FIELD_CONTENT_ENCODING,
                                                     STET_FIELD_CONTENT_LANGUAGE};
    const struct stet__lint_look *look = part->look;
    if (!stet_fields_have(&look->request->fields, STET_FIELD_IF_RANGE) || part->multipart)
        return;
    for (size_t i = 0; i < sizeof superfluous / sizeof *superfluous; i++)
        if (stet_fields_have(look->fields, superfluous[i]))
            stet__lint_octets(stet__lint_came(look->out, STET_LINT_PARTIAL_METADATA,
                                              stet__lint_value(look->fields, superfluous[i])),
                              stet_field_name(superfluous[i]));
}

static void partial(const struct stet__lint_look *look)
{
    struct stet_span type = stet__lint_value(look->fields, STET_FIELD_CONTENT_TYPE);
    struct part part = {.look = look,
                        .asked = stet__lint_value(&look->request->fields, STET_FIELD_RANGE),
                        .said = stet__lint_value(look->fields, STET_FIELD_CONTENT_RANGE),
                        .multipart = begins(type, STET_SPAN("multipart/byteranges"))};
    if (look->request->method != STET_METHOD_GET)
        wrong(&part, STET_LINT_PARTIAL_METHOD);
    else if (!part.asked.ptr)
        wrong(&part, STET_LINT_PARTIAL_UNASKED);
    content_range(&part);
    if (part.multipart && part.asked.ptr && !memchr(part.asked.ptr, ',', part.asked.len))
        wrong(&part, STET_LINT_PARTIAL_MULTIPART_OF_ONE);
    if_range(&part);
    if (!stet__lint_has_validator(look))
        wrong(&part, STET_LINT_PARTIAL_WITHOUT_VALIDATOR);
    metadata(&part);
    if (!part.wrong)
        stet__lint_came(look->out, STET_LINT_PARTIAL_RIGHT, part.said);
}

static void unsatisfied(const struct stet__lint_look *look)
{
    struct stet_span asked = stet__lint_value(&look->request->fields, STET_FIELD_RANGE);
    struct stet_span said = stet__lint_value(look->fields, STET_FIELD_CONTENT_RANGE);
    struct stet_content_range range;
    bool known = said.ptr && stet_content_range_parse(said, &range) == STET_OK && range.unsatisfied;
    if (!asked.ptr)
        stet__lint_came(look->out, STET_LINT_UNSATISFIED_UNASKED, said);
    if (!known)
        stet__lint_came(look->out, STET_LINT_UNSATISFIED_WITHOUT_LENGTH, said);
    if (!asked.ptr || !known ||
        stet_range_judge(asked, range.complete_length).verdict != STET_RANGE_SATISFIABLE)
        return;
    struct stet_lint_finding *finding = stet__lint_came(look->out, STET_LINT_UNSATISFIED_SATISFIABLE, said);
    if (finding)
        finding->sent = asked;
}

static bool has_strong(const struct stet__lint_look *look)
{
    const struct stet_representation *selected = &look->own.selected;
    return (stet_etag_present(selected->etag) && !selected->etag.weak) ||
           (selected->last_modified != STET_NO_DATE && selected->last_modified_strong);
}

static void accept_ranges(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_ACCEPT_RANGES), member;
    struct stet_list list;
    if (!value.ptr)
        return;
    stet_list_begin(&list, look->fields, STET_FIELD_ACCEPT_RANGES);
    while (stet_list_next(&list, &member) == STET_OK) {
        bool none = stet_span_equal_nocase(member, STET_SPAN("none"));
        bool bytes = stet_span_equal_nocase(member, STET_SPAN("bytes"));
        if (none && look->response->status == 206)
            stet__lint_came(look->out, STET_LINT_ACCEPT_RANGES_CONTRADICTS, value);
        else if (bytes && look->answers)
            stet__lint_came(look->out,
                            has_strong(look) ? STET_LINT_ACCEPT_RANGES
                                             : STET_LINT_RANGES_WITHOUT_STRONG_VALIDATOR,
                            value);
        else if (!none && !bytes)
            stet__lint_octets(stet__lint_came(look->out, STET_LINT_ACCEPT_RANGES_UNKNOWN, value), member);
    }
}

void stet__lint_partial(const struct stet__lint_look *look)
{
    struct stet_span said = stet__lint_value(look->fields, STET_FIELD_CONTENT_RANGE);
    switch (look->response->status) {
    case 206:
        partial(look);
        break;
    case 416:
        unsatisfied(look);
        break;
    case 304: /* not_modified.c */
        break;
    default:
        if (said.ptr)
            stet__lint_came(look->out, STET_LINT_CONTENT_RANGE_ELSEWHERE, said);
    }
    accept_ranges(look);
}
