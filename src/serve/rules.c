/* SPDX-License-Identifier: MIT */
#include "serve/rules.h"

#include <stet/field.h>

/*
 * Fields that no rule may set. Framing and connection fields (RFC 9110 section 7.6.1, RFC 9112 section 6) are
 * the driver's. Validators and range fields are made from the file's octets; a rule that sets them would make
 * a wrong 304 or a wrong 206 (sections 8.8, 14.4). Date and Age are about the message.
 */
static const enum stet_field_id forbidden[] = {
    STET_FIELD_CONNECTION,
    STET_FIELD_CONTENT_LENGTH,
    STET_FIELD_TRANSFER_ENCODING,
    STET_FIELD_TE,
    STET_FIELD_TRAILER,
    STET_FIELD_UPGRADE,
    STET_FIELD_KEEP_ALIVE,
    STET_FIELD_DATE,
    STET_FIELD_AGE,
    STET_FIELD_ETAG,
    STET_FIELD_LAST_MODIFIED,
    STET_FIELD_CONTENT_RANGE,
    STET_FIELD_ACCEPT_RANGES,
    STET_FIELD_PROXY_CONNECTION,
};

static bool is_forbidden(struct stet_span name)
{
    enum stet_field_id id = stet_field_id(name);
    for (size_t i = 0; i < sizeof(forbidden) / sizeof(forbidden[0]); i++)
        if (forbidden[i] == id)
            return true;
    return false;
}

/* field-value: RFC 9110 section 5.5. */
static bool is_value(struct stet_span value)
{
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

int stet__rule_parse_header(struct stet_span text, struct stet__rule *out)
{
    const char *colon = text.len ? memchr(text.ptr, ':', text.len) : NULL;
    if (!colon || colon == text.ptr)
        return STET_E_SYNTAX;
    struct stet_span pattern = stet_span_trim(stet_span_of(text.ptr, (size_t)(colon - text.ptr)));
    struct stet_span field = stet_span_trim(stet_span_skip(text, (size_t)(colon - text.ptr) + 1));
    colon = field.len ? memchr(field.ptr, ':', field.len) : NULL;
    if (!colon || pattern.len == 0)
        return STET_E_SYNTAX;
    struct stet_span name = {field.ptr, (size_t)(colon - field.ptr)};
    struct stet_span value = stet_span_trim(stet_span_skip(field, name.len + 1));
    if (!stet_is_token(name) || is_forbidden(name))
        return STET_E_FIELD_NAME;
    if (!is_value(value))
        return STET_E_FIELD_VALUE;
    *out = (struct stet__rule){STET__RULE_HEADER, pattern, name, value, -1};
    return STET_OK;
}

/*
 * The max-age of a Cache-Control value, -1 if it has none, or none that counts: no-store and no-cache forbid
 * reuse without validation, so an Expires in the future would say the opposite to a receiver that knows
 * nothing else.
 */
static int64_t max_age(struct stet_span value)
{
    struct stet_field line = {STET_SPAN("Cache-Control"), value, STET_FIELD_CACHE_CONTROL};
    struct stet_fields fields = {&line, 1, UINT64_C(1) << STET_FIELD_CACHE_CONTROL};
    struct stet_list list;
    struct stet_span member;
    uint64_t seconds;
    int64_t result = -1;
    stet_list_begin(&list, &fields, STET_FIELD_CACHE_CONTROL);
    while (stet_list_next(&list, &member) == STET_OK) {
        if (stet_span_equal_nocase(member, STET_SPAN("no-store")) ||
            stet_span_equal_nocase(member, STET_SPAN("no-cache")))
            return -1;
        struct stet_span prefix = {member.ptr, member.len < 8 ? member.len : 8};
        if (!stet_span_equal_nocase(prefix, STET_SPAN("max-age=")))
            continue;
        if (stet_span_to_u64(stet_span_skip(member, 8), &seconds) == STET_OK && result < 0)
            result = seconds < INT32_MAX ? (int64_t)seconds : INT32_MAX;
    }
    return result;
}

int stet__rule_parse_cache(struct stet_span text, struct stet__rule *out)
{
    const char *equals = text.len ? memchr(text.ptr, '=', text.len) : NULL;
    if (!equals)
        return STET_E_SYNTAX;
    struct stet_span pattern = stet_span_trim(stet_span_of(text.ptr, (size_t)(equals - text.ptr)));
    struct stet_span value = stet_span_trim(stet_span_skip(text, (size_t)(equals - text.ptr) + 1));
    if (pattern.len == 0 || value.len == 0)
        return STET_E_SYNTAX;
    if (!is_value(value))
        return STET_E_FIELD_VALUE;
    *out = (struct stet__rule){STET__RULE_CACHE, pattern, STET_SPAN("Cache-Control"), value, max_age(value)};
    return STET_OK;
}

/*
 * Wildcards are resolved from the left; the last "*" and the last "**" that were met are remembered and given
 * one more octet when the rest does not fit. So the time is at most the product of the two lengths, whatever
 * the pattern.
 */
struct glob {
    struct stet_span pattern, text;
    size_t p, t;
    size_t star_p, star_t; /* where to go on after the last "*"; SIZE_MAX: none */
    size_t deep_p, deep_t; /* the same for "**" */
};

static bool take_star(struct glob *g)
{
    if (g->p >= g->pattern.len || g->pattern.ptr[g->p] != '*')
        return false;
    bool deep = g->p + 1 < g->pattern.len && g->pattern.ptr[g->p + 1] == '*';
    while (g->p < g->pattern.len && g->pattern.ptr[g->p] == '*')
        g->p++;
    if (deep) {
        g->deep_p = g->p, g->deep_t = g->t;
        g->star_p = SIZE_MAX;
    } else {
        g->star_p = g->p, g->star_t = g->t;
    }
    return true;
}

/* Gives the innermost wildcard one octet more; false if none can take it. */
static bool back_up(struct glob *g)
{
    if (g->star_p != SIZE_MAX && g->star_t < g->text.len && g->text.ptr[g->star_t] != '/') {
        g->p = g->star_p, g->t = ++g->star_t;
        return true;
    }
    if (g->deep_p != SIZE_MAX && g->deep_t < g->text.len) {
        g->star_p = SIZE_MAX;
        g->p = g->deep_p, g->t = ++g->deep_t;
        return true;
    }
    return false;
}

/* "?" does not take a slash: then no wildcard before the last one ever needs another try. */
static bool one_matches(char pattern, char text)
{
    return pattern == text || (pattern == '?' && text != '/');
}

static bool glob_matches(struct stet_span pattern, struct stet_span text)
{
    struct glob g = {pattern, text, 0, 0, SIZE_MAX, 0, SIZE_MAX, 0};
    for (;;) {
        if (take_star(&g))
            continue;
        bool end_p = g.p == pattern.len, end_t = g.t == text.len;
        if (end_p && end_t)
            return true;
        if (!end_p && !end_t && one_matches(pattern.ptr[g.p], text.ptr[g.t])) {
            g.p++, g.t++;
            continue;
        }
        if (!back_up(&g))
            return false;
    }
}

bool stet__rule_matches(const struct stet__rule *rule, struct stet_span path)
{
    if (!memchr(rule->pattern.ptr, '/', rule->pattern.len)) {
        const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
        if (slash)
            path = stet_span_skip(path, (size_t)(slash - path.ptr) + 1);
    }
    return glob_matches(rule->pattern, path);
}
