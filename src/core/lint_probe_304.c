/* SPDX-License-Identifier: MIT */
/*
 * A 304 beside the 200 that it stands for: RFC 9110 section 15.4.5, RFC 9111 sections 3.2 and 4.3.4.
 *
 * "The server generating a 304 response MUST generate any of the following header fields that would have
 * been sent in a 200 (OK) response to the same request: Content-Location, Date, ETag, and Vary;
 * Cache-Control and Expires."
 */
#include "core/lint_probe.h"

static bool lacks(const struct stet__probing *p, enum stet_field_id id)
{
    return stet_fields_have(&p->base->response.fields, id) &&
           !stet_fields_have(&p->probe->response.fields, id);
}

/* The names of those of `ids` that are missing. */
static void missing(const struct stet__probing *p, enum stet_lint lint, const enum stet_field_id ids[2])
{
    struct stet_lint_finding *finding = NULL;
    bool found = false; /* there may be no room for it */
    for (unsigned i = 0; i < 2; i++) {
        if (!lacks(p, ids[i]))
            continue;
        if (found)
            stet__lint_text(finding, ", ");
        else
            finding = stet__probe_found(p, lint, STET_FIELD_OTHER);
        found = true;
        stet__lint_octets(finding, stet_field_name(ids[i]));
        stet__lint_text(finding, ": ");
        stet__lint_octets(finding, stet__lint_value(&p->base->response.fields, ids[i]));
    }
}

static void tags(const struct stet__probing *p)
{
    struct stet_etag before = stet__probe_tag(p->base), after = stet__probe_tag(p->probe);
    if (lacks(p, STET_FIELD_ETAG))
        stet__lint_octets(stet__probe_found(p, STET_LINT_304_NO_ETAG, STET_FIELD_OTHER),
                          stet__lint_value(&p->base->response.fields, STET_FIELD_ETAG));
    if (!stet_etag_present(before) || !stet_etag_present(after) || p->base->changing)
        return;
    if (!stet_etag_weak_equal(before, after))
        stet__probe_differs(p, STET_LINT_304_OTHER_ETAG, STET_FIELD_ETAG);
    else if (before.weak != after.weak)
        stet__probe_differs(p, STET_LINT_304_OTHER_STRENGTH, STET_FIELD_ETAG);
}

static void dates(const struct stet__probing *p)
{
    int64_t before = stet__probe_modified(p->base), after = stet__probe_modified(p->probe);
    if (before != STET_NO_DATE && after != STET_NO_DATE && before != after && !p->base->changing)
        stet__probe_differs(p, STET_LINT_304_OTHER_DATE, STET_FIELD_LAST_MODIFIED);
}

static void directives(const struct stet__probing *p)
{
    static const enum stet_field_id freshness[] = {STET_FIELD_CACHE_CONTROL, STET_FIELD_EXPIRES};
    static const enum stet_field_id others[] = {STET_FIELD_DATE, STET_FIELD_CONTENT_LOCATION};
    missing(p, STET_LINT_304_NO_FIELD, others);
    missing(p, STET_LINT_304_NO_FRESHNESS, freshness);
    if (!lacks(p, freshness[0]) && !lacks(p, freshness[1]) && stet__probe_freshness_differs(p))
        stet__probe_differs(p, STET_LINT_304_OTHER_FRESHNESS,
                            stet_fields_have(&p->probe->response.fields, freshness[0]) ? freshness[0]
                                                                                       : freshness[1]);
    if (lacks(p, STET_FIELD_VARY))
        stet__lint_octets(stet__probe_found(p, STET_LINT_304_NO_VARY, STET_FIELD_OTHER),
                          stet__lint_value(&p->base->response.fields, STET_FIELD_VARY));
    else if (stet__probe_vary_differs(p))
        stet__probe_differs(p, STET_LINT_304_OTHER_VARY, STET_FIELD_VARY);
}

static void cors(const struct stet__probing *p)
{
    static const struct stet_span prefix = {"access-control-", 15};
    const struct stet_fields *fields = &p->base->response.fields;
    for (size_t i = 0; i < fields->count; i++) {
        struct stet_span name = fields->at[i].name;
        if (name.len <= prefix.len || !stet_span_equal_nocase(stet_span_of(name.ptr, prefix.len), prefix))
            continue;
        struct stet_span now = stet__lint_named(&p->probe->response.fields, name);
        if (now.ptr && stet_span_equal(now, stet__lint_named(fields, name)))
            continue;
        struct stet_lint_finding *finding = stet__probe_found(p, STET_LINT_304_NO_CORS, STET_FIELD_OTHER);
        stet__lint_octets(finding, name);
        stet__lint_text(finding, now.ptr ? " differs" : " is missing");
        if (finding)
            finding->came = now;
    }
}

static void policies(const struct stet__probing *p)
{
    static const struct stet_span csp = {"Content-Security-Policy", 23};
    static const struct stet_span names[] = {
        {"Content-Security-Policy", 23},
        {"Strict-Transport-Security", 25},
        {"X-Frame-Options", 15},
        {"Permissions-Policy", 18},
        {"Referrer-Policy", 15},
        {"Cross-Origin-Opener-Policy", 26},
        {"Cross-Origin-Embedder-Policy", 28},
        {"Cross-Origin-Resource-Policy", 28},
    };
    struct stet_span before = stet__lint_named(&p->base->response.fields, csp);
    struct stet_span after = stet__lint_named(&p->probe->response.fields, csp);
    if (before.ptr && after.ptr && !stet_span_equal(before, after)) {
        struct stet_lint_finding *finding = stet__probe_found(p, STET_LINT_304_OTHER_CSP, STET_FIELD_OTHER);
        if (finding)
            finding->came = after;
    }
    struct stet_lint_finding *finding = NULL;
    bool found = false; /* there may be no room for it */
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (!stet__lint_named(&p->base->response.fields, names[i]).ptr ||
            stet__lint_named(&p->probe->response.fields, names[i]).ptr)
            continue;
        if (found)
            stet__lint_text(finding, ", ");
        else
            finding = stet__probe_found(p, STET_LINT_304_NO_POLICY, STET_FIELD_OTHER);
        found = true;
        stet__lint_octets(finding, names[i]);
    }
}

static void content(const struct stet__probing *p)
{
    uint64_t octets = p->probe->wire_known ? p->probe->octets_behind : p->probe->content_length;
    uint64_t said, due;
    struct stet_span value = stet__lint_value(&p->probe->response.fields, STET_FIELD_CONTENT_LENGTH);
    if (octets > 0) {
        struct stet_lint_finding *finding = stet__probe_found(p, STET_LINT_304_BODY, STET_FIELD_OTHER);
        stet__lint_number(finding, octets > INT64_MAX ? INT64_MAX : (int64_t)octets);
        stet__lint_text(finding, " octets");
    } else if (p->probe->wire_known) {
        stet__probe_found(p, STET_LINT_304_NO_BODY, STET_FIELD_OTHER);
    }
    /* Of a probe that accepts another coding the 200 would have had another length. */
    if (value.ptr && p->kind != STET_PROBE_INM_CODING && !p->base->changing &&
        stet_span_to_u64(value, &said) == STET_OK && stet__probe_length(p->base, &due) && said != due) {
        struct stet_lint_finding *finding =
            stet__probe_found(p, STET_LINT_304_LENGTH, STET_FIELD_CONTENT_LENGTH);
        stet__lint_text(finding, "the 200 has ");
        stet__lint_number(finding, due > INT64_MAX ? INT64_MAX : (int64_t)due);
    }
}

void stet__probe_not_modified(const struct stet__probing *p)
{
    size_t before = p->out->count;
    tags(p);
    dates(p);
    directives(p);
    cors(p);
    policies(p);
    if (p->out->count == before)
        stet__probe_found(p, STET_LINT_304_COMPLETE, STET_FIELD_OTHER);
    content(p);
}
