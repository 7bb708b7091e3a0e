/* SPDX-License-Identifier: MIT */
/*
 * The same GET once more: at once, after some seconds, at another address of the host. RFC 9110 section 8.8.
 *
 * The contents are compared first. If they are the same, so should the validators be; if not, a strong tag
 * has to be another one (8.8.1). Tags of different codings are not compared: each has its own. A server may
 * code an answer only from the second request on, so the coding need not be that of the first.
 */
#include <stet/coding.h>

#include "core/lint_probe.h"

/* What the tags of one content, and of two, say. `node`: the two came from different addresses. */
static void tags(const struct stet__probing *p, enum stet__lint_sameness identity, bool node)
{
    struct stet_etag before = stet__probe_tag(p->base), after = stet__probe_tag(p->probe);
    bool equal = stet_etag_weak_equal(before, after), strong = !before.weak && !after.weak;
    if (!stet_etag_present(before) || !stet_etag_present(after))
        return;
    if (equal && identity == STET__LINT_OTHER)
        stet__probe_found(p,
                          !strong ? STET_LINT_ETAG_WEAK_REUSED
                          : node  ? STET_LINT_NODES_TAG_REUSED
                                  : STET_LINT_ETAG_REUSED,
                          STET_FIELD_ETAG);
    else if (equal && strong && identity == STET__LINT_SAME && stet__probe_octets(p) == STET__LINT_OTHER)
        stet__probe_found(p, STET_LINT_ETAG_OTHER_OCTETS, STET_FIELD_ETAG);
    else if (!equal && identity == STET__LINT_SAME)
        stet__probe_differs(p, node ? STET_LINT_NODES_ETAG : STET_LINT_ETAG_UNSTABLE, STET_FIELD_ETAG);
    else if (!equal && identity == STET__LINT_OTHER && !node)
        stet__probe_found(p, STET_LINT_ETAG_FOLLOWS, STET_FIELD_ETAG);
}

static void comes_and_goes(const struct stet__probing *p)
{
    bool before = stet_fields_have(&p->base->response.fields, STET_FIELD_ETAG);
    bool after = stet_fields_have(&p->probe->response.fields, STET_FIELD_ETAG);
    if (!before && after)
        stet__probe_found(p, STET_LINT_ETAG_COMES, STET_FIELD_ETAG);
    if (before && !after)
        stet__probe_found(p, STET_LINT_ETAG_GOES, STET_FIELD_OTHER);
}

static void dates(const struct stet__probing *p, enum stet__lint_sameness identity, bool node)
{
    int64_t before = stet__probe_modified(p->base), after = stet__probe_modified(p->probe);
    bool tagged = stet_fields_have(&p->base->response.fields, STET_FIELD_ETAG);
    if (before == STET_NO_DATE || after == STET_NO_DATE)
        return;
    if (node && before != after && identity == STET__LINT_SAME)
        stet__probe_differs(p, STET_LINT_NODES_DATE, STET_FIELD_LAST_MODIFIED);
    else if (after < before && !node)
        stet__probe_differs(p, STET_LINT_DATE_BACKWARDS, STET_FIELD_LAST_MODIFIED);
    else if (after > before && identity == STET__LINT_SAME && !node)
        stet__probe_differs(p, STET_LINT_DATE_MOMENT, STET_FIELD_LAST_MODIFIED);
    else if (after == before && identity == STET__LINT_OTHER && !tagged)
        stet__probe_found(p, STET_LINT_DATE_KEPT, STET_FIELD_LAST_MODIFIED);
}

static void contents(const struct stet__probing *p, enum stet__lint_sameness identity)
{
    if (identity != STET__LINT_OTHER)
        return;
    if (p->kind == STET_PROBE_REPEATED)
        stet__probe_found(p, STET_LINT_CONTENT_CHANGES, STET_FIELD_OTHER);
    else if (p->kind == STET_PROBE_NODE && !p->base->changing)
        stet__probe_found(p, STET_LINT_NODES_CONTENT, STET_FIELD_OTHER);
}

static void status(const struct stet__probing *p)
{
    unsigned now = p->probe->response.status;
    if (now == 429)
        stet__probe_unexpected(p);
    else
        stet__lint_number(
            stet__probe_found(p,
                              p->kind == STET_PROBE_NODE ? STET_LINT_NODE_STATUS : STET_LINT_REPEATED_STATUS,
                              STET_FIELD_OTHER),
            now);
}

void stet__probe_again(const struct stet__probing *p)
{
    size_t before = p->out->count;
    bool node = p->kind == STET_PROBE_NODE;
    enum stet__lint_sameness identity = stet__probe_identity(p);
    if (p->probe->response.status != p->base->response.status) {
        status(p);
        return;
    }
    if (stet_coding_of(&p->base->response.fields) == stet_coding_of(&p->probe->response.fields)) {
        tags(p, identity, node);
        comes_and_goes(p);
    }
    dates(p, identity, node);
    contents(p, identity);
    if (stet__probe_vary_differs(p))
        stet__probe_differs(p, STET_LINT_VARY_UNSTABLE, STET_FIELD_VARY);
    if (stet__probe_freshness_differs(p))
        stet__probe_differs(p, STET_LINT_FRESHNESS_UNSTABLE, STET_FIELD_CACHE_CONTROL);
    if (p->out->count == before && identity != STET__LINT_OTHER)
        stet__probe_found(p, node ? STET_LINT_NODES_AGREE : STET_LINT_STABLE, STET_FIELD_OTHER);
}
