/* SPDX-License-Identifier: MIT */
/*
 * A GET that accepts one content coding only, beside one that accepts none: RFC 9110 sections 8.4, 8.8.3.3,
 * 12.5.3 and 12.5.5.
 */
#include <stet/cache_control.h>
#include <stet/coding.h>
#include <stet/vary.h>

#include "core/lint_probe.h"

/* From here on compression pays: less fits into one packet anyway. */
enum { WORTH_OCTETS = 1400 };

static bool starts(struct stet_span value, struct stet_span with)
{
    return value.len >= with.len && stet_span_equal_nocase(stet_span_of(value.ptr, with.len), with);
}

/* Content that compresses well. */
static bool text(const struct stet_lint_exchange *exchange)
{
    static const struct stet_span types[] = {
        {"text/", 5},
        {"application/json", 16},
        {"application/javascript", 22},
        {"image/svg+xml", 13},
        {"application/xml", 15},
        {"application/xhtml+xml", 21},
        {"application/rss+xml", 19},
        {"application/atom+xml", 20},
    };
    struct stet_span type = stet__lint_value(&exchange->response.fields, STET_FIELD_CONTENT_TYPE);
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (starts(type, types[i]))
            return true;
    return false;
}

static bool varies(const struct stet_lint_exchange *exchange)
{
    return stet_vary_any(&exchange->response.fields) ||
           stet_vary_names(&exchange->response.fields, STET_SPAN("Accept-Encoding"));
}

/* A shared cache may keep it: elsewhere nobody mixes codings up. */
static bool shared(const struct stet_lint_exchange *exchange)
{
    struct stet_cache_control control;
    stet_cache_control_read(&exchange->response.fields, &control);
    return !stet_cache_control_has(&control, STET_CC_NO_STORE) &&
           !stet_cache_control_has(&control, STET_CC_PRIVATE);
}

static void validators(const struct stet__probing *p)
{
    struct stet_etag plain = stet__probe_tag(p->base), coded = stet__probe_tag(p->probe);
    if (stet_etag_strong_equal(plain, coded))
        stet__probe_found(p, STET_LINT_CODED_SAME_TAG, STET_FIELD_ETAG);
    else if (stet_etag_present(plain) && !stet_fields_have(&p->probe->response.fields, STET_FIELD_ETAG))
        stet__probe_differs(p, STET_LINT_CODED_NO_ETAG, STET_FIELD_ETAG);
    else if (stet_etag_present(plain) && stet_etag_present(coded) && coded.weak && !plain.weak)
        stet__probe_differs(p, STET_LINT_CODED_WEAK, STET_FIELD_ETAG);
    if (stet_fields_have(&p->base->response.fields, STET_FIELD_LAST_MODIFIED) &&
        !stet_fields_have(&p->probe->response.fields, STET_FIELD_LAST_MODIFIED))
        stet__probe_differs(p, STET_LINT_CODED_NO_DATE, STET_FIELD_LAST_MODIFIED);
}

static void selection(const struct stet__probing *p)
{
    if (!shared(p->probe) || !shared(p->base))
        return;
    if (!varies(p->probe))
        stet__probe_found(p, STET_LINT_CODED_NO_VARY, STET_FIELD_VARY);
    else if (!varies(p->base))
        stet__probe_differs(p, STET_LINT_CODED_OTHER_VARY, STET_FIELD_VARY);
}

static void contents(const struct stet__probing *p)
{
    if (!p->base->changing && stet__probe_identity(p) == STET__LINT_OTHER)
        stet__probe_found(p, STET_LINT_CODED_OTHER_CONTENT, STET_FIELD_CONTENT_ENCODING);
}

/* Not coded, though it was asked for. */
static void plain(const struct stet__probing *p, const struct stet_accept_encoding *accept)
{
    uint64_t length;
    if (stet_accept_encoding_quality(accept, STET_CODING_GZIP) > 0 && text(p->probe) &&
        stet__probe_length(p->probe, &length) && length >= WORTH_OCTETS)
        stet__probe_found(p, STET_LINT_NOT_CODED, STET_FIELD_CONTENT_TYPE);
}

void stet__probe_coding(const struct stet__probing *p)
{
    size_t before = p->out->count;
    struct stet_accept_encoding accept;
    enum stet_coding coding = stet_coding_of(&p->probe->response.fields);
    stet_accept_encoding_read(&p->probe->request.fields, &accept);
    if (p->probe->response.status != p->base->response.status) {
        if (p->probe->response.status != 406)
            stet__probe_unexpected(p);
        return;
    }
    if (coding == STET_CODING_IDENTITY) {
        plain(p, &accept);
        return;
    }
    if (coding == STET_CODING_UNKNOWN)
        return;
    if (coding == stet_coding_of(&p->base->response.fields))
        return;
    validators(p);
    selection(p);
    contents(p);
    if (stet__probe_freshness_differs(p))
        stet__probe_differs(p, STET_LINT_CODED_FRESHNESS, STET_FIELD_CACHE_CONTROL);
    if (p->out->count == before)
        stet__probe_found(p, STET_LINT_CODED_APART, STET_FIELD_ETAG);
}
