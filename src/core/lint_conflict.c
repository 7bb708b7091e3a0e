/* SPDX-License-Identifier: MIT */
/*
 * Cache directives together, and beside validators: RFC 9111 section 5.2.2, RFC 5861, RFC 8246. Judged by
 * what a cache makes of the field, so what is malformed counts as there (cache_control.h).
 */
#include "core/lint.h"

static bool has(const struct stet__lint_look *look, enum stet_cache_directive directive)
{
    return stet__lint_has(look, directive);
}

static bool positive(const struct stet__lint_look *look, enum stet_cache_directive directive, int64_t seconds)
{
    return stet_cache_control_valid(&look->shared.control, directive) && seconds > 0;
}

static bool has_lifetime(const struct stet__lint_look *look)
{
    const struct stet_cache_control *control = &look->shared.control;
    return positive(look, STET_CC_MAX_AGE, control->max_age) ||
           positive(look, STET_CC_S_MAXAGE, control->s_maxage);
}

static struct stet_lint_finding *add(const struct stet__lint_look *look, enum stet_lint lint)
{
    return stet__lint_came(look->out, lint, stet__lint_value(look->fields, STET_FIELD_CACHE_CONTROL));
}

static bool stale_window(const struct stet__lint_look *look)
{
    return has(look, STET_CC_STALE_WHILE_REVALIDATE) || has(look, STET_CC_STALE_IF_ERROR);
}

/* Section 5.2.2.3 wants no-store beside must-understand, and a lifetime for those that understand. */
static void no_store(const struct stet__lint_look *look)
{
    if (!has(look, STET_CC_NO_STORE) || has(look, STET_CC_MUST_UNDERSTAND))
        return;
    if (has_lifetime(look) || has(look, STET_CC_PUBLIC) || has(look, STET_CC_IMMUTABLE) || stale_window(look))
        add(look, STET_LINT_NO_STORE_CONFLICT);
    else if (has(look, STET_CC_NO_CACHE) || has(look, STET_CC_MUST_REVALIDATE) ||
             has(look, STET_CC_MAX_AGE) || has(look, STET_CC_PROXY_REVALIDATE) || has(look, STET_CC_PRIVATE))
        add(look, STET_LINT_NO_STORE_REDUNDANT);
    if (look->answers && stet__lint_has_validator(look))
        add(look, STET_LINT_NO_STORE_VALIDATORS);
}

static void sharing(const struct stet__lint_look *look)
{
    bool private = has(look, STET_CC_PRIVATE) && !look->shared.control.private_fields.ptr;
    if (private && has(look, STET_CC_PUBLIC))
        add(look, STET_LINT_PUBLIC_PRIVATE);
    else if (has(look, STET_CC_PUBLIC) && has_lifetime(look) && !look->shared.authorized)
        add(look, STET_LINT_PUBLIC_UNNEEDED);
    if (private && has(look, STET_CC_S_MAXAGE))
        add(look, STET_LINT_S_MAXAGE_PRIVATE);
}

static void validation(const struct stet__lint_look *look)
{
    bool no_cache = stet_cache_control_unqualified(&look->shared.control, STET_CC_NO_CACHE);
    if (has(look, STET_CC_NO_STORE)) /* what is not there is not validated */
        return;
    if (no_cache && has_lifetime(look))
        add(look, STET_LINT_NO_CACHE_WITH_LIFETIME);
    if (!look->answers || stet__lint_has_validator(look))
        return;
    if (no_cache)
        add(look, STET_LINT_NO_CACHE_WITHOUT_VALIDATOR);
    else if (has(look, STET_CC_MUST_REVALIDATE) || has(look, STET_CC_PROXY_REVALIDATE))
        add(look, STET_LINT_MUST_REVALIDATE_WITHOUT_VALIDATOR);
}

#define IMMUTABLE_SHORT_S 604800 /* what never changes can be fresh for a week at least */

static void immutable(const struct stet__lint_look *look)
{
    const struct stet_freshness *freshness = &look->own.freshness;
    if (!has(look, STET_CC_IMMUTABLE))
        return;
    if (!freshness->explicit_expiry || freshness->lifetime_s == 0)
        add(look, STET_LINT_IMMUTABLE_WITHOUT_LIFETIME);
    else if (freshness->lifetime_s < IMMUTABLE_SHORT_S)
        stet__lint_seconds(add(look, STET_LINT_IMMUTABLE_SHORT), freshness->lifetime_s);
    if (!look->exchange->secure)
        add(look, STET_LINT_IMMUTABLE_INSECURE);
    if (look->exchange->wire_known && look->answers &&
        !stet_fields_have(look->fields, STET_FIELD_CONTENT_LENGTH) &&
        !stet_fields_have(look->fields, STET_FIELD_TRANSFER_ENCODING))
        add(look, STET_LINT_IMMUTABLE_INCOMPLETE);
}

static void stale(const struct stet__lint_look *look)
{
    const struct stet_cache_control *control = &look->shared.control;
    if (!stale_window(look) || has(look, STET_CC_NO_STORE))
        return;
    if (has(look, STET_CC_MUST_REVALIDATE) || stet_cache_control_unqualified(control, STET_CC_NO_CACHE))
        add(look, STET_LINT_STALE_WINDOW_FORBIDDEN);
    else if (!look->own.freshness.explicit_expiry && !look->shared.freshness.explicit_expiry)
        add(look, STET_LINT_STALE_WINDOW_WITHOUT_LIFETIME);
    else if (positive(look, STET_CC_STALE_WHILE_REVALIDATE, control->stale_while_revalidate) ||
             positive(look, STET_CC_STALE_IF_ERROR, control->stale_if_error))
        add(look, STET_LINT_STALE_WINDOW);
}

void stet__lint_conflict(const struct stet__lint_look *look)
{
    no_store(look);
    sharing(look);
    validation(look);
    immutable(look);
    stale(look);
}
