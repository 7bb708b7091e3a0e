/* SPDX-License-Identifier: MIT */
/*
 * Age, and what it says of caches on the way: RFC 9111 sections 4.2.3, 4.2.4 and 5.1.
 */
#include "core/cache.h"
#include "core/lint.h"

static void beside_date(const struct stet__lint_look *look, struct stet_span value, int64_t age)
{
    if (!look->exchange->times_known || look->date == STET_NO_DATE)
        return;
    int64_t since = look->received > look->date ? look->received - look->date : 0;
    if (age <= since + STET__LINT_CLOCK_S)
        return;
    struct stet_lint_finding *finding = stet__lint_came(look->out, STET_LINT_AGE_CONTRADICTS_DATE, value);
    stet__lint_text(finding, "Age: ");
    stet__lint_seconds(finding, age);
    stet__lint_text(finding, ", since Date: ");
    stet__lint_seconds(finding, since);
}

/*
 * The cache that says Age is one that others share, so their rules are the measure. What it guesses is its
 * own matter.
 */
static void beside_lifetime(const struct stet__lint_look *look, struct stet_span value, int64_t age)
{
    const struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    const struct stet_freshness *freshness = &look->shared.freshness;
    if (age < freshness->lifetime_s || !freshness->explicit_expiry)
        return;
    bool never = stet__stored_never_stale(&look->shared, &policy);
    struct stet_lint_finding *finding =
        stet__lint_came(look->out, never ? STET_LINT_STALE_FORBIDDEN : STET_LINT_AGE_BEYOND_LIFETIME, value);
    stet__lint_text(finding, "Age: ");
    stet__lint_seconds(finding, age);
    stet__lint_text(finding, ", lifetime: ");
    stet__lint_seconds(finding, freshness->lifetime_s);
}

static bool unstorable(const struct stet__lint_look *look)
{
    return look->by_shared.reason == STET_REASON_NOT_STORED_NO_STORE ||
           look->by_shared.reason == STET_REASON_NOT_STORED_PRIVATE;
}

/* no-cache or a max-age of the request: section 5.2.1 makes them advice. */
static void beside_request(const struct stet__lint_look *look, struct stet_span value, int64_t age)
{
    struct stet_cache_control asked;
    stet_cache_control_read(&look->request->fields, &asked);
    bool older = stet_cache_control_valid(&asked, STET_CC_MAX_AGE) && age > asked.max_age &&
                 !stet_cache_control_has(&asked, STET_CC_MAX_STALE);
    if (!older && !(stet_cache_control_has(&asked, STET_CC_NO_CACHE) && age > 0))
        return;
    struct stet_lint_finding *finding =
        stet__lint_came(look->out, STET_LINT_CLIENT_DIRECTIVE_DISREGARDED, value);
    if (finding)
        finding->sent = stet__lint_value(&look->request->fields, STET_FIELD_CACHE_CONTROL);
}

static void good_age(const struct stet__lint_look *look, struct stet_span value, int64_t age)
{
    beside_date(look, value, age);
    beside_request(look, value, age);
    if (look->answers)
        stet__lint_seconds(stet__lint_came(look->out, STET_LINT_FROM_CACHE, value), age);
    if (age > 0 && unstorable(look))
        stet__lint_came(look->out, STET_LINT_AGE_OF_UNSTORABLE, value);
    else if (age > 0 && look->by_shared.storable)
        beside_lifetime(look, value, age);
}

void stet__lint_age(const struct stet__lint_look *look)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_AGE);
    uint64_t number;
    if (!value.ptr)
        return;
    if (stet_fields_count(look->fields, STET_FIELD_AGE) > 1)
        stet__lint_came(look->out, STET_LINT_AGE_SEVERAL, value);
    if (stet_span_to_u64(value, &number) == STET_E_SYNTAX)
        stet__lint_came(look->out, STET_LINT_AGE_MALFORMED, value);
    else
        good_age(look, value, look->own.times.age);
}
