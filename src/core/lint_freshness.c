/* SPDX-License-Identifier: MIT */
/*
 * For how long an answer may be used: RFC 9111 section 4.2. Only of what a cache may store, and by what a
 * private cache (a browser's) computes; shared ones are named where they differ.
 */
#include "core/lint.h"
#include "core/octet.h"

#define MINUTE_S 60
#define HOUR_S 3600
#define DAY_S 86400
#define MONTH_S (30 * DAY_S)
#define YEAR_S (366 * DAY_S) /* leap years have that many days, and nobody should be told of one */

static struct stet_lint_finding *add(const struct stet__lint_look *look, enum stet_lint lint)
{
    struct stet_span came = stet__lint_value(look->fields, STET_FIELD_CACHE_CONTROL);
    return stet__lint_came(look->out, lint,
                           came.ptr ? came : stet__lint_value(look->fields, STET_FIELD_EXPIRES));
}

static int64_t lifetime(const struct stet__lint_look *look)
{
    return look->own.freshness.lifetime_s;
}

/* Lower-case octets of `needle` in `s`, in any case. */
static bool holds(struct stet_span s, struct stet_span needle)
{
    for (; s.len >= needle.len; s = stet_span_skip(s, 1))
        if (stet_span_equal_nocase(stet_span_of(s.ptr, needle.len), needle))
            return true;
    return false;
}

static bool is_page(const struct stet__lint_look *look)
{
    struct stet_span type = stet__lint_value(look->fields, STET_FIELD_CONTENT_TYPE);
    return holds(type, STET_SPAN("text/html")) || holds(type, STET_SPAN("application/xhtml+xml"));
}

static bool is_alphanumeric(char c)
{
    return stet__octet_is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

/*
 * Whether the last segment of the path, or the query, has what tools put there for a version: eight or more
 * letters and digits in one run, with digits among them, of which some stand between letters (a date has
 * none).
 */
static bool versioned(struct stet_span target)
{
    size_t run = 0, changes = 0;
    for (size_t i = 0; i < target.len; i++) {
        char c = target.ptr[i];
        if (!is_alphanumeric(c)) {
            run = changes = 0;
            continue;
        }
        changes += run > 0 && stet__octet_is_digit(c) != stet__octet_is_digit(target.ptr[i - 1]);
        if (++run >= 8 && changes >= 2)
            return true;
    }
    return false;
}

static struct stet_span last_segment(struct stet_span target)
{
    size_t begin = 0;
    for (size_t i = 0; i < target.len && target.ptr[i] != '?'; i++)
        if (target.ptr[i] == '/')
            begin = i + 1;
    return target.ptr ? stet_span_skip(target, begin) : target;
}

static void long_lifetime(const struct stet__lint_look *look)
{
    bool version = versioned(last_segment(look->request->target));
    if (lifetime(look) > YEAR_S)
        stet__lint_seconds(add(look, STET_LINT_LIFETIME_OVER_A_YEAR), lifetime(look));
    if (is_page(look) && !version && lifetime(look) >= 2 * DAY_S)
        stet__lint_seconds(add(look, STET_LINT_LIFETIME_OF_PAGE), lifetime(look));
    if (version && !is_page(look) && lifetime(look) >= MONTH_S && !stet__lint_has(look, STET_CC_IMMUTABLE) &&
        look->exchange->secure)
        add(look, STET_LINT_IMMUTABLE_MISSING);
}

static bool no_cache(const struct stet__lint_look *look)
{
    return stet_cache_control_unqualified(&look->own.control, STET_CC_NO_CACHE);
}

/* For one kind of cache at least. */
static bool said_so(const struct stet__lint_look *look)
{
    return look->own.freshness.explicit_expiry || look->shared.freshness.explicit_expiry;
}

static void said(const struct stet__lint_look *look)
{
    if (no_cache(look))
        return;
    if (lifetime(look) == 0) {
        if (look->answers && !stet__lint_has_validator(look) && look->shared.freshness.lifetime_s == 0)
            add(look, STET_LINT_STALE_WITHOUT_VALIDATOR);
        return;
    }
    stet__lint_seconds(add(look, STET_LINT_EXPLICIT_LIFETIME), lifetime(look));
    if (lifetime(look) < MINUTE_S && !stet__lint_has(look, STET_CC_STALE_WHILE_REVALIDATE))
        stet__lint_seconds(add(look, STET_LINT_LIFETIME_SHORT), lifetime(look));
    if (look->answers)
        long_lifetime(look);
}

/* Nothing is said: section 4.2.2. */
static void unsaid(const struct stet__lint_look *look)
{
    unsigned status = look->response->status;
    if (status == 301 || status == 308) {
        add(look, STET_LINT_REDIRECT_FOR_EVER);
    } else if (look->answers && look->own.freshness.heuristic) {
        struct stet_lint_finding *finding = add(look, STET_LINT_HEURISTIC_LIFETIME);
        stet__lint_text(finding, "stet would take it for fresh for ");
        stet__lint_seconds(finding, lifetime(look));
    } else if (look->answers) {
        add(look, STET_LINT_NO_LIFETIME);
    }
}

static void error(const struct stet__lint_look *look)
{
    unsigned status = look->response->status;
    int64_t longest = look->shared.freshness.lifetime_s > lifetime(look) ? look->shared.freshness.lifetime_s
                                                                         : lifetime(look);
    if (status == 421)
        add(look, STET_LINT_MISDIRECTED_STORED);
    else if (status >= 400 && said_so(look) && longest > HOUR_S && !no_cache(look))
        stet__lint_seconds(add(look, STET_LINT_ERROR_KEPT_LONG), longest);
}

void stet__lint_freshness(const struct stet__lint_look *look)
{
    unsigned status = look->response->status;
    if (!look->reads || status < 200 || status == 206 || status == 304)
        return;
    bool useless = look->by_own.reason == STET_REASON_NOT_STORED_USELESS;
    if (!look->by_own.storable && !useless)
        return;
    error(look);
    if (said_so(look))
        said(look);
    else if (!no_cache(look))
        unsaid(look);
}
