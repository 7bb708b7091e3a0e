/* SPDX-License-Identifier: MIT */
/*
 * An edge beside its origin, the base: what was changed on the way. RFC 9110 section 7.7, RFC 9111.
 *
 * Much of it is an operator's right, so what changes nothing for clients that revalidate is a note.
 */
#include <stet/cache_control.h>
#include <stet/coding.h>
#include <stet/field.h>
#include <stet/freshness.h>
#include <stet/vary.h>

#include "core/lint_probe.h"

static bool dropped(const struct stet__probing *p, enum stet_field_id id)
{
    return stet_fields_have(&p->base->response.fields, id) &&
           !stet_fields_have(&p->probe->response.fields, id);
}

static void validators(const struct stet__probing *p, bool recoded)
{
    struct stet_etag origin = stet__probe_tag(p->base), edge = stet__probe_tag(p->probe);
    int64_t then = stet__probe_modified(p->base), now = stet__probe_modified(p->probe);
    bool both = stet_etag_present(origin) && stet_etag_present(edge);
    if (dropped(p, STET_FIELD_ETAG))
        stet__probe_differs(p, STET_LINT_EDGE_NO_ETAG, STET_FIELD_ETAG);
    else if (both && stet_etag_weak_equal(origin, edge) && edge.weak && !origin.weak)
        stet__probe_differs(p, STET_LINT_EDGE_WEAK, STET_FIELD_ETAG);
    else if (both && !recoded && !stet_etag_weak_equal(origin, edge) &&
             stet__probe_identity(p) == STET__LINT_SAME)
        stet__probe_differs(p, STET_LINT_EDGE_OTHER_ETAG, STET_FIELD_ETAG);
    if (dropped(p, STET_FIELD_LAST_MODIFIED))
        stet__probe_differs(p, STET_LINT_EDGE_NO_DATE, STET_FIELD_LAST_MODIFIED);
    else if (then != STET_NO_DATE && now != STET_NO_DATE && then != now &&
             stet__probe_identity(p) == STET__LINT_SAME)
        stet__probe_differs(p, STET_LINT_EDGE_OTHER_DATE, STET_FIELD_LAST_MODIFIED);
}

/* freshness_lifetime for a browser: RFC 9111 section 4.2.1. */
static int64_t lifetime(const struct stet_lint_exchange *exchange)
{
    struct stet_cache_control control;
    const struct stet_times times = {exchange->requested_at, exchange->received_at, 0};
    const struct stet_heuristic none = {0, 0};
    stet_cache_control_read(&exchange->response.fields, &control);
    return stet_freshness_read(&exchange->response, &control, times, false, none).lifetime_s;
}

static void directives(const struct stet__probing *p)
{
    int64_t origin = lifetime(p->base), edge = lifetime(p->probe);
    if (!stet__probe_freshness_differs(p))
        return;
    if (edge <= origin) {
        stet__probe_differs(p, STET_LINT_EDGE_DIRECTIVES, STET_FIELD_CACHE_CONTROL);
        return;
    }
    struct stet_lint_finding *finding = stet__probe_found(p, STET_LINT_EDGE_LONGER, STET_FIELD_CACHE_CONTROL);
    stet__lint_number(finding, origin);
    stet__lint_text(finding, " s at the origin, ");
    stet__lint_number(finding, edge);
    stet__lint_text(finding, " s at the edge");
}

static void vary(const struct stet__probing *p)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, &p->base->response.fields, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK)
        if (!stet_vary_names(&p->probe->response.fields, member) &&
            !stet_vary_any(&p->probe->response.fields)) {
            stet__lint_octets(stet__probe_found(p, STET_LINT_EDGE_NO_VARY, STET_FIELD_VARY), member);
            return;
        }
}

void stet__probe_edge(const struct stet__probing *p)
{
    size_t before = p->out->count;
    bool recoded = stet_coding_of(&p->base->response.fields) != stet_coding_of(&p->probe->response.fields);
    if (p->probe->response.status != p->base->response.status) {
        stet__lint_number(stet__probe_found(p, STET_LINT_EDGE_STATUS, STET_FIELD_OTHER),
                          p->probe->response.status);
        return;
    }
    validators(p, recoded);
    directives(p);
    vary(p);
    if (recoded)
        stet__probe_differs(p, STET_LINT_EDGE_CODES, STET_FIELD_CONTENT_ENCODING);
    if (stet__probe_identity(p) == STET__LINT_OTHER && !p->base->changing)
        stet__probe_found(p, STET_LINT_EDGE_CONTENT, STET_FIELD_OTHER);
    if (p->out->count == before)
        stet__probe_found(p, STET_LINT_EDGE_FAITHFUL, STET_FIELD_OTHER);
}
