/* SPDX-License-Identifier: MIT */
/*
 * What a client asked with: RFC 9110 sections 13.1 and 14.2, RFC 9111 section 5.2.1. For recordings of
 * browsers and other programs; what `stet check` asks with is what it wants to ask with.
 */
#include <stet/field.h>
#include <stet/range.h>
#include <stet/sf.h>

#include "core/lint.h"
#include "core/octet.h"

static void sent(const struct stet__lint_look *look, enum stet_lint lint, enum stet_field_id id)
{
    struct stet_span value = stet__lint_value(&look->request->fields, id);
    stet__lint_octets(stet__lint_sent(look->out, lint, value), stet_field_name(id));
}

static bool has(const struct stet__lint_look *look, enum stet_field_id id)
{
    return stet_fields_have(&look->request->fields, id);
}

/* What the members of If-Match or If-None-Match are, over all lines. */
struct tags {
    unsigned good, weak, empty, quoted_any, any, malformed;
};

/* The octets of a tag that begins the span; 0 if none does. */
static size_t tag_len(struct stet_span s)
{
    size_t at = stet_span_starts(s, STET_SPAN("W/")) ? 2 : 0;
    if (at >= s.len || s.ptr[at] != '"')
        return 0;
    at = stet__octet_run(s, at + 1, STET__ETAGC);
    return at < s.len && s.ptr[at] == '"' ? at + 1 : 0;
}

static void count_member(struct stet_span member, struct tags *out)
{
    struct stet_etag tag;
    if (stet_span_equal(member, STET_SPAN("*")))
        out->any++;
    else if (stet_etag_parse(member, &tag) != STET_OK)
        out->malformed++;
    else if (stet_span_equal(tag.opaque, STET_SPAN("*")))
        out->quoted_any++;
    else
        out->good++, out->weak += tag.weak, out->empty += tag.opaque.len == 0;
}

/* Members are apart by commas that stand outside of tags. */
static void count_line(struct stet_span line, struct tags *out)
{
    size_t begin = 0;
    for (size_t at = 0; at <= line.len;) {
        if (at < line.len && line.ptr[at] != ',') {
            size_t len = tag_len(stet_span_skip(line, at));
            at += len > 0 ? len : 1;
            continue;
        }
        struct stet_span member = stet_span_trim(stet_span_of(line.ptr + begin, at - begin));
        if (member.len > 0)
            count_member(member, out);
        begin = ++at;
    }
}

static void tags(const struct stet__lint_look *look, enum stet_field_id id)
{
    struct tags tags = {0};
    const struct stet_fields *fields = &look->request->fields;
    for (size_t i = 0; i < fields->count; i++)
        if (fields->at[i].id == id)
            count_line(fields->at[i].value, &tags);
    bool nothing = tags.good + tags.any + tags.quoted_any == 0;
    if (!has(look, id))
        return;
    if (tags.malformed > 0 || nothing)
        sent(look, STET_LINT_REQUEST_ETAG_MALFORMED, id);
    if (tags.empty > 0)
        sent(look, STET_LINT_REQUEST_ETAG_EMPTY, id);
    if (tags.quoted_any > 0 || (tags.any > 0 && tags.any + tags.good + tags.malformed > 1))
        sent(look, STET_LINT_REQUEST_ANY_QUOTED, id);
    if (id == STET_FIELD_IF_MATCH && tags.weak > 0)
        sent(look, STET_LINT_REQUEST_IF_MATCH_WEAK, id);
    if (id == STET_FIELD_IF_NONE_MATCH && tags.good > 0 && !stet_method_safe(look->request->method))
        sent(look, STET_LINT_REQUEST_TAGS_IN_UNSAFE, id);
}

static void obsolete_form(const struct stet__lint_look *look, enum stet_field_id id, struct stet_span value,
                          int64_t date)
{
    char right[STET_DATE_LEN];
    stet_date_format(date, right);
    if (value.len != STET_DATE_LEN || memcmp(right, value.ptr, 3) != 0)
        sent(look, STET_LINT_REQUEST_DATE_OBSOLETE_FORM, id);
}

static void date(const struct stet__lint_look *look, enum stet_field_id id)
{
    struct stet_span value = stet__lint_value(&look->request->fields, id);
    int64_t at;
    if (!value.ptr)
        return;
    if (stet_date_parse(value, look->now, &at) != STET_OK ||
        stet_fields_count(&look->request->fields, id) > 1) {
        sent(look, STET_LINT_REQUEST_DATE_MALFORMED, id);
        return;
    }
    obsolete_form(look, id, value, at);
    if (id != STET_FIELD_IF_MODIFIED_SINCE || !look->exchange->times_known ||
        at <= look->requested + STET__LINT_CLOCK_S)
        return;
    struct stet_lint_finding *finding = stet__lint_sent(look->out, STET_LINT_REQUEST_DATE_FUTURE, value);
    stet__lint_text(finding, "by ");
    stet__lint_seconds(finding, at - look->requested);
}

static void if_range(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(&look->request->fields, STET_FIELD_IF_RANGE);
    struct stet_etag tag;
    int64_t at;
    if (!value.ptr)
        return;
    if (!has(look, STET_FIELD_RANGE))
        sent(look, STET_LINT_REQUEST_IF_RANGE_ALONE, STET_FIELD_IF_RANGE);
    if (stet_etag_parse(value, &tag) == STET_OK) {
        if (tag.weak)
            sent(look, STET_LINT_REQUEST_IF_RANGE_WEAK, STET_FIELD_IF_RANGE);
    } else if (stet_date_parse(value, look->now, &at) == STET_OK) {
        obsolete_form(look, STET_FIELD_IF_RANGE, value, at);
    } else {
        sent(look, STET_LINT_REQUEST_IF_RANGE_MALFORMED, STET_FIELD_IF_RANGE);
    }
}

#define LARGE (UINT64_C(1) << 62) /* a length in which any range that is meant lies */

static void range(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(&look->request->fields, STET_FIELD_RANGE);
    if (!value.ptr)
        return;
    enum stet_reason reason = stet_range_judge(value, LARGE).reason;
    if (look->request->method != STET_METHOD_GET)
        sent(look, STET_LINT_REQUEST_RANGE_METHOD, STET_FIELD_RANGE);
    if (reason == STET_REASON_RANGE_INVALID ||
        stet_fields_count(&look->request->fields, STET_FIELD_RANGE) > 1)
        sent(look, STET_LINT_REQUEST_RANGE_MALFORMED, STET_FIELD_RANGE);
    else if (reason == STET_REASON_RANGE_ABUSIVE)
        sent(look, STET_LINT_REQUEST_RANGE_ABUSIVE, STET_FIELD_RANGE);
}

static bool no_cache(const struct stet__lint_look *look)
{
    struct stet_cache_control control;
    stet_cache_control_read(&look->request->fields, &control);
    return stet_cache_control_has(&control, STET_CC_NO_CACHE);
}

static void together(const struct stet__lint_look *look)
{
    bool by_tag = has(look, STET_FIELD_IF_NONE_MATCH), by_date = has(look, STET_FIELD_IF_MODIFIED_SINCE);
    if (by_date && !look->reads)
        sent(look, STET_LINT_REQUEST_IF_MODIFIED_SINCE_METHOD, STET_FIELD_IF_MODIFIED_SINCE);
    if (!look->reads || !(by_tag || by_date))
        return;
    if (by_tag && by_date)
        sent(look, STET_LINT_REQUEST_BOTH_CONDITIONS, STET_FIELD_IF_NONE_MATCH);
    if (look->request->method == STET_METHOD_HEAD)
        sent(look, STET_LINT_REQUEST_HEAD_CONDITIONAL,
             by_tag ? STET_FIELD_IF_NONE_MATCH : STET_FIELD_IF_MODIFIED_SINCE);
    if (no_cache(look))
        sent(look, STET_LINT_REQUEST_NO_CACHE_CONDITION, STET_FIELD_CACHE_CONTROL);
}

static bool ignores_conditions(enum stet_method method)
{
    return method == STET_METHOD_CONNECT || method == STET_METHOD_OPTIONS || method == STET_METHOD_TRACE;
}

static void without_meaning(const struct stet__lint_look *look)
{
    static const enum stet_field_id conditions[] = {STET_FIELD_IF_MATCH, STET_FIELD_IF_NONE_MATCH,
                                                    STET_FIELD_IF_UNMODIFIED_SINCE};
    for (size_t i = 0; i < sizeof conditions / sizeof *conditions; i++)
        if (ignores_conditions(look->request->method) && has(look, conditions[i]))
            sent(look, STET_LINT_REQUEST_CONDITION_METHOD, conditions[i]);
}

/* RFC 9842 section 2.2: the SHA-256 of the dictionary as a Byte Sequence, for codings that use it. */
static void dictionary(const struct stet__lint_look *look)
{
    struct stet_span name = STET_SPAN("Available-Dictionary"), member;
    struct stet_span value = stet__lint_named(&look->request->fields, name);
    char digest[2 * STET_LINT_DIGEST_BYTES];
    struct stet_sf sf;
    struct stet_sf_member item;
    struct stet_list list;
    bool accepted = false;
    if (!value.ptr)
        return;
    stet_list_begin(&list, &look->request->fields, STET_FIELD_ACCEPT_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK) {
        struct stet_span coding, parameters;
        stet_member_split(member, &coding, &parameters);
        accepted |= stet_span_equal_nocase(coding, STET_SPAN("dcb")) ||
                    stet_span_equal_nocase(coding, STET_SPAN("dcz"));
    }
    stet_sf_begin(&sf, STET_SF_ITEM, &look->request->fields, STET_FIELD_OTHER, name);
    bool good = stet_sf_check(&sf) == STET_OK && stet_sf_next(&sf, &item) == STET_OK &&
                item.item.type == STET_SF_BYTES && item.item.text.len <= sizeof digest &&
                stet_sf_decode(&item.item, digest) == STET_LINT_DIGEST_BYTES;
    if (!good || !accepted)
        stet__lint_sent(look->out, STET_LINT_REQUEST_AVAILABLE_DICTIONARY, value);
}

void stet__lint_request(const struct stet__lint_look *look)
{
    tags(look, STET_FIELD_IF_MATCH);
    tags(look, STET_FIELD_IF_NONE_MATCH);
    date(look, STET_FIELD_IF_MODIFIED_SINCE);
    date(look, STET_FIELD_IF_UNMODIFIED_SINCE);
    if_range(look);
    range(look);
    together(look);
    without_meaning(look);
    dictionary(look);
    stet__lint_request_directive(look);
}
