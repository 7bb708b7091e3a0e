/* SPDX-License-Identifier: MIT */
/*
 * HEAD beside GET: RFC 9110 sections 8.6 and 9.3.2.
 *
 * "The server SHOULD send the same header fields in response to a HEAD request as it would have sent if the
 * request method had been GET", but may leave out those that are known only when content is generated; so
 * what is missing is told for validators alone.
 */
#include "core/lint_probe.h"

static bool has(const struct stet_lint_exchange *exchange, enum stet_field_id id)
{
    return stet_fields_have(&exchange->response.fields, id);
}

static void validators(const struct stet__probing *p)
{
    static const enum stet_field_id ids[] = {STET_FIELD_ETAG, STET_FIELD_LAST_MODIFIED};
    for (unsigned i = 0; i < 2; i++)
        if (has(p->base, ids[i]) && !has(p->probe, ids[i]))
            stet__probe_differs(p, STET_LINT_HEAD_NO_VALIDATOR, ids[i]);
    struct stet_etag get = stet__probe_tag(p->base), head = stet__probe_tag(p->probe);
    int64_t then = stet__probe_modified(p->base), now = stet__probe_modified(p->probe);
    if (stet_etag_present(get) && stet_etag_present(head) &&
        (!stet_etag_weak_equal(get, head) || get.weak != head.weak))
        stet__probe_differs(p, STET_LINT_HEAD_OTHER_VALIDATOR, STET_FIELD_ETAG);
    else if (then != STET_NO_DATE && now != STET_NO_DATE && then != now)
        stet__probe_differs(p, STET_LINT_HEAD_OTHER_VALIDATOR, STET_FIELD_LAST_MODIFIED);
}

/* "MUST NOT send Content-Length in such a response unless its field value equals the decimal number of octets
 * that would have been sent in the content of a response if the same request had used the GET method" */
static void length(const struct stet__probing *p)
{
    uint64_t get, head;
    struct stet_span value = stet__lint_value(&p->probe->response.fields, STET_FIELD_CONTENT_LENGTH);
    if (!value.ptr || stet_span_to_u64(value, &head) != STET_OK || !stet__probe_length(p->base, &get) ||
        get == head)
        return;
    struct stet_lint_finding *finding =
        stet__probe_found(p, STET_LINT_HEAD_OTHER_LENGTH, STET_FIELD_CONTENT_LENGTH);
    stet__lint_text(finding, "GET sends ");
    stet__lint_number(finding, get > INT64_MAX ? INT64_MAX : (int64_t)get);
    stet__lint_text(finding, " octets");
}

static void type(const struct stet__probing *p)
{
    struct stet_span get = stet__lint_value(&p->base->response.fields, STET_FIELD_CONTENT_TYPE);
    struct stet_span head = stet__lint_value(&p->probe->response.fields, STET_FIELD_CONTENT_TYPE);
    if (get.ptr && head.ptr && !stet_span_equal_nocase(get, head))
        stet__probe_differs(p, STET_LINT_HEAD_OTHER_TYPE, STET_FIELD_CONTENT_TYPE);
}

static void status(const struct stet__probing *p)
{
    unsigned now = p->probe->response.status;
    if (now == 429)
        stet__probe_unexpected(p);
    else if (now == 405 || now == 501)
        stet__lint_number(stet__probe_found(p, STET_LINT_HEAD_REFUSED, STET_FIELD_OTHER), now);
    else
        stet__lint_number(stet__probe_found(p, STET_LINT_HEAD_OTHER_STATUS, STET_FIELD_OTHER), now);
}

void stet__probe_head(const struct stet__probing *p)
{
    size_t before = p->out->count;
    if (p->probe->response.status != p->base->response.status) {
        status(p);
        return;
    }
    if (!p->base->changing) {
        validators(p);
        if (!stet__probe_changed(p))
            length(p);
    }
    type(p);
    if (stet__probe_vary_differs(p))
        stet__probe_differs(p, STET_LINT_HEAD_OTHER_VARY, STET_FIELD_VARY);
    if (stet__probe_freshness_differs(p))
        stet__probe_differs(p, STET_LINT_HEAD_OTHER_FRESHNESS, STET_FIELD_CACHE_CONTROL);
    if (p->out->count == before)
        stet__probe_found(p, STET_LINT_HEAD_RIGHT, STET_FIELD_OTHER);
}
