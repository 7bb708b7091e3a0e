/* SPDX-License-Identifier: MIT */
/*
 * Cache directives: RFC 9111 section 5.2, RFC 5861, RFC 8246, RFC 9213.
 *
 * Every doubt is decided for asking the origin (RFC 9111 section 4.2.1 encourages that): of a member that is
 * malformed ("max-age=5; no-store", a quote that is not closed, a missing comma) the names still forbid what
 * they forbid, numbers in it are invalid, and what would allow something is not there.
 */
#include <stet/cache_control.h>

#include <stet/field.h>
#include <stet/sf.h>

#include "core/octet.h"

enum argument { NONE, SECONDS, OPTIONAL, FIELDS };

static const struct stet_span names[] = {
#define X(symbol, name, argument, clause) [symbol] = {name, sizeof(name) - 1},
#include <stet/cache_directive.def>
#undef X
};

static const unsigned char arguments[] = {
#define X(symbol, name, argument, clause) [symbol] = argument,
#include <stet/cache_directive.def>
#undef X
};

/* What stands behind the name of a directive. */
struct given {
    enum { BARE, TEXT, NUMBER, MALFORMED } kind;
    struct stet_span text; /* TEXT: without its quotes, still escaped */
    int64_t number;        /* NUMBER: of a structured field */
};

static bool find(struct stet_span name, enum stet_cache_directive *out)
{
    for (size_t i = 0; i < STET_CC_COUNT; i++) {
        if (stet_span_equal_nocase(name, names[i])) {
            *out = (enum stet_cache_directive)i;
            return true;
        }
    }
    return false;
}

/* Directives that only ever allow something. */
static bool allows(enum stet_cache_directive directive)
{
    return directive == STET_CC_IMMUTABLE || directive == STET_CC_MUST_UNDERSTAND ||
           directive == STET_CC_PUBLIC;
}

static int64_t *number_of(struct stet_cache_control *control, enum stet_cache_directive directive)
{
    switch (directive) {
    case STET_CC_MAX_AGE:
        return &control->max_age;
    case STET_CC_S_MAXAGE:
        return &control->s_maxage;
    case STET_CC_MIN_FRESH:
        return &control->min_fresh;
    case STET_CC_STALE_WHILE_REVALIDATE:
        return &control->stale_while_revalidate;
    case STET_CC_STALE_IF_ERROR:
        return &control->stale_if_error;
    default:
        return &control->max_stale;
    }
}

/* delta-seconds = 1*DIGIT, saturating: RFC 9111 section 1.2.2. */
static bool read_seconds(struct stet_span text, int64_t *out)
{
    int64_t sum = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (!stet__octet_is_digit(text.ptr[i]))
            return false;
        sum = sum * 10 + (text.ptr[i] - '0');
        if (sum > STET_SECONDS_MAX)
            sum = STET_SECONDS_MAX;
    }
    *out = sum;
    return text.len > 0;
}

static bool seconds_given(const struct given *given, bool optional, int64_t *out)
{
    switch (given->kind) {
    case TEXT:
        return read_seconds(given->text, out);
    case NUMBER:
        *out = given->number < STET_SECONDS_MAX ? given->number : STET_SECONDS_MAX;
        return given->number >= 0;
    case BARE:
        *out = STET_SECONDS_MAX;
        return optional;
    default:
        return false;
    }
}

static void take_seconds(struct stet_cache_control *out, enum stet_cache_directive directive,
                         const struct given *given)
{
    int64_t *slot = number_of(out, directive), seconds = 0;
    uint32_t bit = UINT32_C(1) << directive;
    if (!seconds_given(given, arguments[directive] == OPTIONAL, &seconds))
        out->invalid |= bit;
    else if (!stet_cache_control_valid(out, directive) || seconds < *slot)
        *slot = seconds;
    out->present |= bit;
}

/* The next element of a list without quoted strings; false at its end. */
static bool next_name(struct stet_span *list, struct stet_span *name)
{
    while (list->len > 0) {
        const char *comma = memchr(list->ptr, ',', list->len);
        size_t len = comma ? (size_t)(comma - list->ptr) : list->len;
        *name = stet_span_trim(stet_span_of(list->ptr, len));
        *list = stet_span_skip(*list, comma ? len + 1 : len);
        if (name->len > 0)
            return true;
    }
    return false;
}

/* Without these a stored response would be taken for another one: they cannot be left out. */
static bool is_needed(struct stet_span name)
{
    switch (stet_field_id(name)) {
    case STET_FIELD_CACHE_CONTROL:
    case STET_FIELD_CONTENT_ENCODING:
    case STET_FIELD_EXPIRES:
    case STET_FIELD_VARY:
        return true;
    default:
        return false;
    }
}

/* #field-name, at least one, of fields that can be left out. */
static bool is_field_list(struct stet_span list)
{
    struct stet_span name;
    size_t count = 0;
    for (; next_name(&list, &name); count++)
        if (!stet_is_token(name) || is_needed(name))
            return false;
    return count > 0;
}

static void take_fields(struct stet_cache_control *out, enum stet_cache_directive directive,
                        const struct given *given)
{
    struct stet_span *slot = directive == STET_CC_PRIVATE ? &out->private_fields : &out->no_cache_fields;
    bool first = !stet_cache_control_has(out, directive);
    bool qualified = given->kind == TEXT && is_field_list(given->text);
    /* Two different lists do not fit into one span: the unqualified form covers both. */
    if (first && qualified)
        *slot = given->text;
    else if (!qualified || !slot->ptr || !stet_span_equal_nocase(*slot, given->text))
        *slot = STET_SPAN_NONE;
    out->present |= UINT32_C(1) << directive;
}

static void take(struct stet_cache_control *out, enum stet_cache_directive directive,
                 const struct given *given)
{
    switch (arguments[directive]) {
    case SECONDS:
    case OPTIONAL:
        take_seconds(out, directive, given);
        break;
    case FIELDS:
        take_fields(out, directive, given);
        break;
    default:
        if (given->kind != MALFORMED || !allows(directive))
            out->present |= UINT32_C(1) << directive;
    }
}

/* The index after the quoted string that begins at `at`; 0 if it is not closed. */
static size_t closed(struct stet_span s, size_t at)
{
    for (at++; at < s.len; at++) {
        if (s.ptr[at] == '"')
            return at + 1;
        if (s.ptr[at] == '\\')
            at++;
    }
    return 0;
}

/* Every token of a malformed member that is the name of a directive, but for what stands in closed quotes. */
static void salvage(struct stet_cache_control *out, struct stet_span member)
{
    static const struct given malformed = {.kind = MALFORMED};
    bool open = false; /* a quote was not closed: no later one can be */
    enum stet_cache_directive directive;
    for (size_t i = 0; i < member.len;) {
        size_t end = stet__octet_run(member, i, STET__TCHAR);
        if (end > i) {
            if (find(stet_span_of(member.ptr + i, end - i), &directive))
                take(out, directive, &malformed);
            i = end;
            continue;
        }
        size_t behind = member.ptr[i] == '"' && !open ? closed(member, i) : 0;
        open |= member.ptr[i] == '"' && behind == 0;
        i = behind > 0 ? behind : i + 1;
    }
}

/* cache-directive = token [ "=" ( token / quoted-string ) ] */
static bool split(struct stet_span member, struct stet_span *name, struct given *given)
{
    size_t end = stet__octet_run(member, 0, STET__TCHAR);
    struct stet_span rest = stet_span_skip(member, end);
    *name = stet_span_of(member.ptr, end);
    *given = (struct given){.kind = BARE};
    if (end == 0 || rest.len == 0)
        return end > 0;
    if (rest.ptr[0] != '=')
        return false;
    given->kind = TEXT;
    given->text = stet_span_skip(rest, 1);
    if (given->text.len > 0 && given->text.ptr[0] == '"') {
        if (closed(given->text, 0) != given->text.len)
            return false;
        given->text = stet_span_of(given->text.ptr + 1, given->text.len - 2);
        return true;
    }
    return stet_is_token(given->text);
}

void stet_cache_control_read(const struct stet_fields *fields, struct stet_cache_control *out)
{
    struct stet_list list;
    struct stet_span member, name;
    struct given given;
    enum stet_cache_directive directive;
    *out = (struct stet_cache_control){.present = 0};
    if (!stet_fields_have(fields, STET_FIELD_CACHE_CONTROL))
        return;
    out->source = stet_field_name(STET_FIELD_CACHE_CONTROL);
    stet_list_begin(&list, fields, STET_FIELD_CACHE_CONTROL);
    while (stet_list_next(&list, &member) == STET_OK) {
        if (!split(member, &name, &given))
            salvage(out, member);
        else if (find(name, &directive))
            take(out, directive, &given);
    }
}

/* The type of a member as RFC 9213 section 2.1 maps it; others are malformed. */
static struct given given_by(const struct stet_sf_item *item, enum stet_cache_directive directive)
{
    struct given given = {.kind = MALFORMED};
    if (item->type == STET_SF_BOOLEAN)
        given.kind = BARE;
    else if (item->type == STET_SF_INTEGER && arguments[directive] != FIELDS)
        given = (struct given){.kind = NUMBER, .number = item->integer};
    else if (item->type == STET_SF_STRING && arguments[directive] == FIELDS)
        given = (struct given){.kind = TEXT, .text = item->text};
    return given;
}

/* The last of several members with one key counts: RFC 9651 section 3.2. */
static void forget(struct stet_cache_control *out, enum stet_cache_directive directive)
{
    uint32_t bit = UINT32_C(1) << directive;
    out->present &= ~bit;
    out->invalid &= ~bit;
    if (arguments[directive] == SECONDS || arguments[directive] == OPTIONAL)
        *number_of(out, directive) = 0;
    else if (directive == STET_CC_PRIVATE)
        out->private_fields = STET_SPAN_NONE;
    else if (directive == STET_CC_NO_CACHE)
        out->no_cache_fields = STET_SPAN_NONE;
}

/* False if the field is not there, has no members or does not parse; `out` may be written then too. */
static bool read_target(const struct stet_fields *fields, struct stet_span target,
                        struct stet_cache_control *out)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    enum stet_cache_directive directive;
    size_t count = 0;
    int status;
    enum stet_field_id id = stet_field_id(target);
    if (id != STET_FIELD_OTHER && !stet_fields_have(fields, id))
        return false;
    *out = (struct stet_cache_control){.source = target, .targeted = true};
    stet_sf_begin(&sf, STET_SF_DICTIONARY, fields, id, target);
    for (; (status = stet_sf_next(&sf, &member)) == STET_OK; count++) {
        if (!find(member.key, &directive))
            continue;
        struct given given = given_by(&member.item, directive);
        forget(out, directive);
        if (member.item.type != STET_SF_BOOLEAN || member.item.integer != 0)
            take(out, directive, &given);
    }
    return status == STET_END && count > 0;
}

void stet_cache_control_read_targeted(const struct stet_fields *fields, const struct stet_span *targets,
                                      size_t count, struct stet_cache_control *out)
{
    for (size_t i = 0; i < count; i++)
        if (read_target(fields, targets[i], out))
            return;
    stet_cache_control_read(fields, out);
}

bool stet_cache_control_unqualified(const struct stet_cache_control *control,
                                    enum stet_cache_directive directive)
{
    struct stet_span list = directive == STET_CC_PRIVATE ? control->private_fields : control->no_cache_fields;
    return stet_cache_control_has(control, directive) && !list.ptr;
}

bool stet_cache_control_names(struct stet_span list, struct stet_span field)
{
    struct stet_span name;
    while (next_name(&list, &name))
        if (stet_span_equal_nocase(name, field))
            return true;
    return false;
}
