/* SPDX-License-Identifier: MIT */
/*
 * Whether a response may be stored: RFC 9111 section 3, one function per rule, in the order of stored.h.
 */
#include "core/cache.h"
#include "core/trace.h"

#include <stet/uri.h>
#include <stet/vary.h>

struct question {
    const struct stet_request *request;
    struct stet_span target;
    const struct stet_stored *stored;
    const struct stet_cache_policy *policy;
};

static bool has(const struct question *q, enum stet_cache_directive directive)
{
    return stet_cache_control_has(&q->stored->control, directive);
}

static bool method(const struct question *q)
{
    enum stet_method m = q->request->method;
    return m != STET_METHOD_GET && m != STET_METHOD_HEAD && m != STET_METHOD_POST;
}

/* The final status codes of RFC 9110 section 15, whose rules for caches are followed here. */
static bool understood(unsigned status)
{
    return (status >= 200 && status <= 206) || (status >= 300 && status <= 303) || status == 305 ||
           status == 307 || status == 308 || (status >= 400 && status <= 417) || status == 421 ||
           status == 422 || status == 426 || (status >= 500 && status <= 505);
}

static bool status(const struct question *q)
{
    switch (q->stored->response.status) {
    case 304: /* updates what is stored: section 4.3.4 */
    case 407:
    case 412:
    case 416:
    case 417:
    case 428: /* "MUST NOT be stored by a cache": RFC 6585 sections 3 to 6 */
    case 429:
    case 431:
    case 511:
        return true;
    default:
        return q->stored->response.status < 200 ||
               (has(q, STET_CC_MUST_UNDERSTAND) && !understood(q->stored->response.status));
    }
}

static bool partial(const struct question *q)
{
    const struct stet_fields *fields = &q->stored->response.fields;
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_CONTENT_RANGE, 0);
    struct stet_content_range range;
    if (q->stored->response.status != 206)
        return false;
    return q->request->method != STET_METHOD_GET || !field ||
           stet_fields_count(fields, STET_FIELD_CONTENT_RANGE) > 1 ||
           stet_content_range_parse(field->value, &range) != STET_OK || range.unsatisfied;
}

static bool request_no_store(const struct question *q)
{
    struct stet_cache_control control;
    if (!stet_fields_have(&q->request->fields, STET_FIELD_CACHE_CONTROL))
        return false;
    stet_cache_control_read(&q->request->fields, &control);
    return stet_cache_control_has(&control, STET_CC_NO_STORE);
}

/* What must-understand lifts, if the rule of the status did not object: section 5.2.2.3. */
static bool no_store(const struct question *q)
{
    return has(q, STET_CC_NO_STORE) && !has(q, STET_CC_MUST_UNDERSTAND);
}

static bool private(const struct question *q)
{
    return q->policy->shared && stet_cache_control_unqualified(&q->stored->control, STET_CC_PRIVATE);
}

static bool authorization(const struct question *q)
{
    return q->policy->shared && !stet_stored_shareable(q->stored);
}

/* The response says that it may be stored, or for how long: the list at the end of section 3. */
static bool marked(const struct question *q)
{
    return q->stored->freshness.explicit_expiry || has(q, STET_CC_PUBLIC) ||
           (!q->policy->shared && has(q, STET_CC_PRIVATE));
}

static bool no_lifetime(const struct question *q)
{
    return !marked(q) && !stet_status_heuristic(q->stored->response.status);
}

static bool says_fresh(const struct question *q)
{
    return q->stored->freshness.explicit_expiry && q->stored->freshness.lifetime_s > 0;
}

/* The part of an http or https URI behind its authority, if that is the Host of the request. */
static bool take_own_authority(const struct stet_fields *request, struct stet_span *uri)
{
    struct stet_uri parsed;
    const struct stet_field *host = stet_fields_find(request, STET_FIELD_HOST, 0);
    if (!host || host->value.len == 0 || stet_uri_parse(*uri, &parsed) != STET_OK)
        return false;
    struct stet_span rest = stet_span_skip(*uri, parsed.scheme.len + (sizeof("://") - 1));
    if (rest.len < host->value.len ||
        !stet_span_equal_nocase(stet_span_of(rest.ptr, host->value.len), host->value))
        return false;
    *uri = stet_span_skip(rest, host->value.len);
    if (uri->len == 0)
        *uri = STET_SPAN("/");
    return uri->ptr[0] == '/';
}

static bool located_at_target(const struct question *q)
{
    const struct stet_fields *fields = &q->stored->response.fields;
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_CONTENT_LOCATION, 0);
    if (!field || stet_fields_count(fields, STET_FIELD_CONTENT_LOCATION) > 1 || field->value.len == 0)
        return false;
    struct stet_span location = field->value;
    if (location.ptr[0] != '/' && !take_own_authority(&q->request->fields, &location))
        return false;
    return q->target.ptr && stet_span_equal(location, q->target);
}

static bool post(const struct question *q)
{
    return q->request->method == STET_METHOD_POST &&
           (q->stored->response.status != 200 || !says_fresh(q) || !located_at_target(q));
}

static bool vary(const struct question *q)
{
    return stet_vary_any(&q->stored->response.fields);
}

static bool sets_cookie(const struct question *q)
{
    const struct stet_fields *fields = &q->stored->response.fields;
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_SET_COOKIE, 0);
    return field && stet_stored_keeps(field, fields, &q->stored->control);
}

/* With no-cache another client's answer would be asked for each time, and then carry the first one's cookie.
 */
static bool cookie(const struct question *q)
{
    return q->policy->shared && sets_cookie(q) &&
           (!q->policy->keep_cookies || !says_fresh(q) ||
            stet_cache_control_unqualified(&q->stored->control, STET_CC_NO_CACHE));
}

bool stet__cookie_forbidden(const struct stet_stored *stored, const struct stet_cache_policy *policy)
{
    return cookie(&(struct question){.stored = stored, .policy = policy});
}

static bool window(const struct stet_cache_control *control, enum stet_cache_directive directive, int64_t own,
                   int64_t fallback)
{
    if (stet_cache_control_has(control, directive))
        return stet_cache_control_valid(control, directive) && own > 0;
    return fallback > 0;
}

/* It may be sent when it is stale, for a time: RFC 5861, and RFC 9111 section 4.2.4. */
static bool stale_is_of_use(const struct question *q)
{
    const struct stet_cache_control *control = &q->stored->control;
    if (has(q, STET_CC_MUST_REVALIDATE) ||
        (q->policy->shared && (has(q, STET_CC_PROXY_REVALIDATE) || has(q, STET_CC_S_MAXAGE))))
        return false;
    return window(control, STET_CC_STALE_WHILE_REVALIDATE, control->stale_while_revalidate,
                  q->policy->grace_s) ||
           window(control, STET_CC_STALE_IF_ERROR, control->stale_if_error, q->policy->error_grace_s);
}

static bool useless(const struct question *q)
{
    const struct stet_representation *selected = &q->stored->selected;
    if (stet_etag_present(selected->etag) || selected->last_modified != STET_NO_DATE)
        return false;
    if (stet_cache_control_unqualified(&q->stored->control, STET_CC_NO_CACHE))
        return true;
    return q->stored->freshness.lifetime_s == 0 && !stale_is_of_use(q);
}

static const struct {
    bool (*objects)(const struct question *q);
    enum stet_rule rule;
    enum stet_reason reason;
} rules[] = {
    {method, STET_RULE_STORE_METHOD, STET_REASON_NOT_STORED_METHOD},
    {status, STET_RULE_STORE_STATUS, STET_REASON_NOT_STORED_STATUS},
    {partial, STET_RULE_STORE_PARTIAL, STET_REASON_NOT_STORED_PARTIAL},
    {request_no_store, STET_RULE_STORE_REQUEST_NO_STORE, STET_REASON_NOT_STORED_REQUEST_NO_STORE},
    {no_store, STET_RULE_STORE_NO_STORE, STET_REASON_NOT_STORED_NO_STORE},
    {private, STET_RULE_STORE_PRIVATE, STET_REASON_NOT_STORED_PRIVATE},
    {authorization, STET_RULE_STORE_AUTHORIZATION, STET_REASON_NOT_STORED_AUTHORIZATION},
    {no_lifetime, STET_RULE_STORE_NO_LIFETIME, STET_REASON_NOT_STORED_NO_LIFETIME},
    {post, STET_RULE_STORE_POST, STET_REASON_NOT_STORED_POST},
    {vary, STET_RULE_STORE_VARY, STET_REASON_NOT_STORED_VARY},
    {cookie, STET_RULE_STORE_COOKIE, STET_REASON_NOT_STORED_COOKIE},
    {useless, STET_RULE_STORE_USELESS, STET_REASON_NOT_STORED_USELESS},
};

static enum stet_reason storable_because(const struct question *q)
{
    if (has(q, STET_CC_NO_STORE))
        return STET_REASON_STORABLE_MUST_UNDERSTAND;
    return marked(q) ? STET_REASON_STORABLE : STET_REASON_STORABLE_HEURISTIC;
}

struct stet_storable stet_storable_judge(const struct stet_request *request, struct stet_span target,
                                         const struct stet_stored *stored,
                                         const struct stet_cache_policy *policy)
{
    const struct question q = {request, target, stored, policy};
    for (size_t i = 0; i < sizeof rules / sizeof *rules; i++)
        if (stet__rule(request, stored, rules[i].rule, rules[i].objects(&q), rules[i].reason))
            return (struct stet_storable){false, rules[i].reason};
    enum stet_reason reason = storable_because(&q);
    (void)stet__rule(request, stored, STET_RULE_STORE, true, reason);
    return (struct stet_storable){true, reason};
}
