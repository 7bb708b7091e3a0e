/* SPDX-License-Identifier: MIT */
/*
 * A 206 beside the 200 of the same: which part it is, whether its octets are those of the content there, and
 * what its head has to say. RFC 9110 sections 14.4, 14.6 and 15.3.7.
 *
 * A server may send less of a range than was asked for ("a server might want to send only a subset of the
 * data requested"), as long as it begins there. Octets are compared only if the tags are the same, or there
 * are none and the content is not known to change.
 */
#include <stet/field.h>
#include <stet/http1.h>
#include <stet/range.h>

#include "core/lint_probe.h"

enum { PART_FIELDS = 16 };

static struct stet_lint_finding *add(const struct stet__probing *p, enum stet_lint lint)
{
    return stet__probe_found(p, lint, STET_FIELD_CONTENT_RANGE);
}

static bool comparable(const struct stet__probing *p)
{
    return !p->base->changing && !stet__probe_changed(p);
}

static bool coded(const struct stet_lint_exchange *exchange)
{
    return stet_fields_have(&exchange->response.fields, STET_FIELD_CONTENT_ENCODING);
}

/* Whether the range lies within what was asked for. Of several the outermost octets count: they may be
 * coalesced. */
static bool wanted(const struct stet__probing *p, struct stet_range range, uint64_t length)
{
    struct stet_range_set set =
        stet_range_judge(stet__lint_value(&p->probe->request.fields, STET_FIELD_RANGE), length);
    if (set.verdict != STET_RANGE_SATISFIABLE)
        return set.verdict == STET_RANGE_IGNORE; /* too much for stet's own taste: nothing can be said */
    if (set.count == 1)
        return range.first == set.at[0].first && range.last <= set.at[0].last;
    struct stet_range hull = set.at[0];
    for (size_t i = 1; i < set.count; i++) {
        hull.first = set.at[i].first < hull.first ? set.at[i].first : hull.first;
        hull.last = set.at[i].last > hull.last ? set.at[i].last : hull.last;
    }
    return range.first >= hull.first && range.last <= hull.last;
}

/* The octets of one part. */
static void octets(const struct stet__probing *p, struct stet_range range, struct stet_span content)
{
    struct stet_span whole = p->base->content;
    if (!comparable(p) || !whole.ptr || !content.ptr || range.last >= whole.len)
        return;
    if (!stet_span_equal(content,
                         stet_span_of(whole.ptr + range.first, (size_t)(range.last - range.first) + 1)))
        add(p, STET_LINT_206_OCTETS);
}

/* One part, be it all of the answer or of a multipart. `content` is absent if it is not known; its length is
 * right. */
static void part(const struct stet__probing *p, const struct stet_content_range *told,
                 struct stet_span content)
{
    uint64_t length = told->complete_length;
    bool known = stet__probe_length(p->base, &length);
    bool other_length = told->complete_known && known && comparable(p) && told->complete_length != length;
    if (other_length && coded(p->base) && !coded(p->probe)) {
        add(p, STET_LINT_206_OTHER_CODING);
    } else if (other_length) {
        struct stet_lint_finding *finding = add(p, STET_LINT_206_LENGTH);
        stet__lint_text(finding, "the 200 has ");
        stet__lint_number(finding, length > INT64_MAX ? INT64_MAX : (int64_t)length);
        stet__lint_text(finding, " octets");
    } else if ((known || told->complete_known) && comparable(p) && !wanted(p, told->range, length)) {
        add(p, STET_LINT_206_OTHER_RANGE);
    } else {
        octets(p, told->range, content);
    }
}

static void single(const struct stet__probing *p)
{
    struct stet_content_range told;
    struct stet_span value = stet__lint_value(&p->probe->response.fields, STET_FIELD_CONTENT_RANGE);
    if (!value.ptr || stet_content_range_parse(value, &told) != STET_OK || told.unsatisfied) {
        add(p, STET_LINT_206_NO_RANGE);
        return;
    }
    bool known = p->probe->content_known && !p->probe->cut;
    if (known && p->probe->content_length != told.range.last - told.range.first + 1) {
        struct stet_lint_finding *finding = add(p, STET_LINT_206_LENGTH);
        stet__lint_text(finding, "with ");
        stet__lint_number(finding, p->probe->content_length > INT64_MAX ? INT64_MAX
                                                                        : (int64_t)p->probe->content_length);
        stet__lint_text(finding, " octets");
        return;
    }
    part(p, &told, known ? p->probe->content : STET_SPAN_NONE);
}

/* Takes `with` off the front of `*rest`. */
static bool take(struct stet_span *rest, struct stet_span with)
{
    if (!stet_span_starts(*rest, with))
        return false;
    *rest = stet_span_skip(*rest, with.len);
    return true;
}

/* The head of a part, of which `*rest` is at the front: its octets with the empty line. */
static bool part_head(struct stet_span *rest, struct stet_span *head)
{
    for (size_t i = 0; i + 4 <= rest->len; i++) {
        if (memcmp(rest->ptr + i, "\r\n\r\n", 4) != 0)
            continue;
        *head = stet_span_of(rest->ptr, i + 4);
        *rest = stet_span_skip(*rest, i + 4);
        return true;
    }
    return false;
}

/* One part behind its delimiter, which has been taken. */
static bool next_part(const struct stet__probing *p, struct stet_span *rest)
{
    struct stet_field room[PART_FIELDS];
    struct stet_fields fields;
    struct stet_span head;
    struct stet_content_range told;
    if (!take(rest, STET_SPAN("\r\n")) || !part_head(rest, &head) ||
        stet_trailers_parse(head, PART_FIELDS, room, &fields) != STET_OK)
        return false;
    struct stet_span value = stet__lint_value(&fields, STET_FIELD_CONTENT_RANGE);
    if (!value.ptr || stet_content_range_parse(value, &told) != STET_OK || told.unsatisfied ||
        told.range.last - told.range.first >= rest->len)
        return false;
    size_t len = (size_t)(told.range.last - told.range.first) + 1;
    part(p, &told, stet_span_of(rest->ptr, len));
    *rest = stet_span_skip(*rest, len);
    return true;
}

/* RFC 2046 section 5.1.1; "additional CRLFs might precede the first boundary" (RFC 9110 section 14.6). False
 * if it is not well-formed. */
static bool parts(const struct stet__probing *p, struct stet_span boundary)
{
    struct stet_span rest = p->probe->content;
    while (take(&rest, STET_SPAN("\r\n"))) {
    }
    if (!take(&rest, STET_SPAN("--")) || !take(&rest, boundary))
        return false;
    do {
        if (!next_part(p, &rest) || !take(&rest, STET_SPAN("\r\n--")) || !take(&rest, boundary))
            return false;
    } while (!stet_span_starts(rest, STET_SPAN("--")));
    return true;
}

/* The boundary, if the answer is multipart/byteranges. `room` has 256 octets. */
static bool multipart(const struct stet__probing *p, char *room, struct stet_span *boundary)
{
    struct stet_span type, params, name, value;
    stet_member_split(stet__lint_value(&p->probe->response.fields, STET_FIELD_CONTENT_TYPE), &type, &params);
    if (!stet_span_equal_nocase(type, STET_SPAN("multipart/byteranges")))
        return false;
    *boundary = STET_SPAN_NONE;
    for (int status; (status = stet_param_next(&params, &name, &value)) != STET_END;)
        if (status == STET_OK && stet_span_equal_nocase(name, STET_SPAN("boundary")) && value.ptr &&
            value.len <= 256)
            (void)stet_unquote(value, room, boundary);
    return true;
}

/* "MUST generate the following header fields, in addition to those required in the subsections below, if the
 * field would have been sent in a 200 (OK) response to the same request" */
static void head(const struct stet__probing *p)
{
    static const enum stet_field_id ids[] = {STET_FIELD_DATE, STET_FIELD_CACHE_CONTROL,
                                             STET_FIELD_ETAG, STET_FIELD_EXPIRES,
                                             STET_FIELD_VARY, STET_FIELD_CONTENT_LOCATION};
    struct stet_lint_finding *finding = NULL;
    bool found = false; /* there may be no room for it */
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        if (!stet_fields_have(&p->base->response.fields, ids[i]) ||
            stet_fields_have(&p->probe->response.fields, ids[i]))
            continue;
        if (found)
            stet__lint_text(finding, ", ");
        else
            finding = add(p, STET_LINT_206_NO_FIELD);
        found = true;
        stet__lint_octets(finding, stet_field_name(ids[i]));
    }
    struct stet_etag before = stet__probe_tag(p->base), after = stet__probe_tag(p->probe);
    int64_t then = stet__probe_modified(p->base), now = stet__probe_modified(p->probe);
    if (p->base->changing)
        return;
    if (stet_etag_present(before) && stet_etag_present(after) &&
        (!stet_etag_weak_equal(before, after) || before.weak != after.weak))
        stet__probe_differs(p, STET_LINT_206_OTHER_ETAG, STET_FIELD_ETAG);
    if (then != STET_NO_DATE && now != STET_NO_DATE && then != now)
        stet__probe_differs(p, STET_LINT_206_OTHER_DATE, STET_FIELD_LAST_MODIFIED);
}

void stet__probe_part(const struct stet__probing *p)
{
    size_t before = p->out->count;
    char room[256];
    struct stet_span boundary;
    if (!multipart(p, room, &boundary)) {
        single(p);
    } else {
        if (p->probe->content.ptr && !p->probe->cut && (!boundary.ptr || !parts(p, boundary)))
            add(p, STET_LINT_MULTIPART_MALFORMED);
    }
    head(p);
    if (p->out->count == before)
        add(p, STET_LINT_RANGES);
}
