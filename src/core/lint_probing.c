/* SPDX-License-Identifier: MIT */
/*
 * What the rules of probes share: what two exchanges have in common, and findings about their difference.
 */
#include <stet/cache_control.h>
#include <stet/field.h>
#include <stet/freshness.h>
#include <stet/vary.h>

#include "core/freshness.h"
#include "core/lint_probe.h"

/* A lifetime that counts down on the way, and clocks that tick in between, are no other lifetime. */
enum { TOLERANCE_S = 5 };

struct stet_etag stet__probe_tag(const struct stet_lint_exchange *exchange)
{
    const struct stet_fields *fields = &exchange->response.fields;
    struct stet_etag tag = STET_NO_ETAG;
    if (stet_fields_count(fields, STET_FIELD_ETAG) == 1)
        (void)stet_etag_parse(stet__lint_value(fields, STET_FIELD_ETAG), &tag);
    return tag;
}

int64_t stet__probe_modified(const struct stet_lint_exchange *exchange)
{
    int64_t date = STET_NO_DATE;
    (void)stet__date_read(&exchange->response.fields, STET_FIELD_LAST_MODIFIED, exchange->received_at, &date);
    return date;
}

bool stet__probe_length(const struct stet_lint_exchange *exchange, uint64_t *out)
{
    if (exchange->content_known && !exchange->cut) {
        *out = exchange->content_length;
        return true;
    }
    struct stet_span value = stet__lint_value(&exchange->response.fields, STET_FIELD_CONTENT_LENGTH);
    return value.ptr && stet_span_to_u64(value, out) == STET_OK;
}

bool stet__probe_changed(const struct stet__probing *p)
{
    struct stet_etag before = stet__probe_tag(p->base), after = stet__probe_tag(p->probe);
    if (stet_etag_present(before) && stet_etag_present(after))
        return !stet_etag_weak_equal(before, after);
    int64_t then = stet__probe_modified(p->base), now = stet__probe_modified(p->probe);
    return then != STET_NO_DATE && now != STET_NO_DATE && then != now;
}

static enum stet__lint_sameness compare(const unsigned char *a, const unsigned char *b)
{
    return memcmp(a, b, STET_LINT_DIGEST_BYTES) == 0 ? STET__LINT_SAME : STET__LINT_OTHER;
}

enum stet__lint_sameness stet__probe_octets(const struct stet__probing *p)
{
    if (!p->base->content_known || !p->probe->content_known || p->base->cut || p->probe->cut)
        return STET__LINT_UNKNOWN;
    return compare(p->base->digest, p->probe->digest);
}

enum stet__lint_sameness stet__probe_identity(const struct stet__probing *p)
{
    if (!p->base->identity_known || !p->probe->identity_known || p->base->cut || p->probe->cut)
        return STET__LINT_UNKNOWN;
    return compare(p->base->identity_digest, p->probe->identity_digest);
}

static bool vary_within(const struct stet_fields *some, const struct stet_fields *all)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, some, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK)
        if (!stet_vary_names(all, member) && !(stet_vary_any(some) && stet_vary_any(all)))
            return false;
    return true;
}

bool stet__probe_vary_differs(const struct stet__probing *p)
{
    const struct stet_fields *before = &p->base->response.fields, *after = &p->probe->response.fields;
    return !vary_within(before, after) || !vary_within(after, before);
}

static bool apart(int64_t a, int64_t b)
{
    return a > b ? a - b > TOLERANCE_S : b - a > TOLERANCE_S;
}

/* Expires less Date, as RFC 9111 section 4.2.1 has it; 0 if it is none, in the past or invalid. */
static int64_t expires_in(const struct stet_lint_exchange *exchange)
{
    int64_t expires;
    const struct stet_fields *fields = &exchange->response.fields;
    if (stet__date_read(fields, STET_FIELD_EXPIRES, exchange->received_at, &expires) != STET_OK)
        return 0;
    int64_t date = stet_message_date(fields, exchange->received_at);
    return expires > date ? expires - date : 0;
}

bool stet__probe_freshness_differs(const struct stet__probing *p)
{
    struct stet_cache_control a, b;
    stet_cache_control_read(&p->base->response.fields, &a);
    stet_cache_control_read(&p->probe->response.fields, &b);
    if (a.present != b.present)
        return true;
#define APART(directive, member)                                                           \
    (stet_cache_control_valid(&a, directive) && stet_cache_control_valid(&b, directive) && \
     apart(a.member, b.member))
    if (APART(STET_CC_MAX_AGE, max_age) || APART(STET_CC_S_MAXAGE, s_maxage) ||
        APART(STET_CC_STALE_WHILE_REVALIDATE, stale_while_revalidate) ||
        APART(STET_CC_STALE_IF_ERROR, stale_if_error))
        return true;
#undef APART
    return !stet_cache_control_has(&a, STET_CC_MAX_AGE) && apart(expires_in(p->base), expires_in(p->probe));
}

/* What was asked, in the field that makes the probe. */
static struct stet_span asked(const struct stet_request *request)
{
    static const enum stet_field_id ids[] = {
        STET_FIELD_IF_RANGE,       STET_FIELD_IF_NONE_MATCH,       STET_FIELD_IF_MODIFIED_SINCE,
        STET_FIELD_IF_MATCH,       STET_FIELD_IF_UNMODIFIED_SINCE, STET_FIELD_RANGE,
        STET_FIELD_ACCEPT_ENCODING};
    for (size_t i = 0; i < sizeof ids / sizeof *ids; i++) {
        struct stet_span value = stet__lint_value(&request->fields, ids[i]);
        if (value.ptr)
            return value;
    }
    return STET_SPAN_NONE;
}

struct stet_lint_finding *stet__probe_found(const struct stet__probing *p, enum stet_lint lint,
                                            enum stet_field_id id)
{
    struct stet_lint_finding *finding = stet__lint_sent(p->out, lint, asked(&p->probe->request));
    if (finding && id != STET_FIELD_OTHER)
        finding->came = stet__lint_value(&p->probe->response.fields, id);
    return finding;
}

static void tell(struct stet_lint_finding *finding, struct stet_span value)
{
    if (value.ptr)
        stet__lint_octets(finding, value);
    else
        stet__lint_text(finding, "none");
}

void stet__probe_differs(const struct stet__probing *p, enum stet_lint lint, enum stet_field_id id)
{
    struct stet_lint_finding *finding = stet__probe_found(p, lint, id);
    struct stet_span name = stet_field_name(id);
    stet__lint_octets(finding, name);
    stet__lint_text(finding, " was ");
    tell(finding, stet__lint_value(&p->base->response.fields, id));
    stet__lint_text(finding, ", now ");
    tell(finding, stet__lint_value(&p->probe->response.fields, id));
}

void stet__probe_unexpected(const struct stet__probing *p)
{
    unsigned status = p->probe->response.status;
    struct stet_lint_finding *finding;
    if (status == 429)
        finding = stet__probe_found(p, STET_LINT_PROBE_THROTTLED, STET_FIELD_OTHER);
    else if (status >= 500)
        finding = stet__probe_found(p, STET_LINT_PROBE_SERVER_ERROR, STET_FIELD_OTHER);
    else if (status >= 400)
        finding = stet__probe_found(p, STET_LINT_PROBE_REFUSED, STET_FIELD_OTHER);
    else
        return;
    stet__lint_number(finding, status);
    stet__lint_text(finding, " to ");
    stet__lint_text(finding, stet_lint_probe_row(p->kind)->sentence);
}
