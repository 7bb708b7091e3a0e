/* SPDX-License-Identifier: MIT */
/*
 * Cache directives, each by itself: RFC 9111 sections 1.2.2, 4.2.1 and 5.2. What they mean together is
 * lint_conflict.c's matter, and is judged by what cache_control.c makes of them.
 *
 * This reads the field a second time, because a cache only asks what is allowed, and here the question is how
 * it was said.
 */
#include <stet/field.h>

#include "core/lint.h"
#include "core/octet.h"

#define MISSPELT_MAX 32 /* octets of a name that may be a misspelt one */

enum argument { NONE, SECONDS, OPTIONAL, FIELDS };
enum side { BOTH, ANSWERS, REQUESTS };

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

/* RFC 9111 sections 5.2.1 and 5.2.2. stale-if-error is of both (RFC 5861 section 4). */
static const unsigned char sides[STET_CC_COUNT] = {
    [STET_CC_IMMUTABLE] = ANSWERS,
    [STET_CC_MAX_STALE] = REQUESTS,
    [STET_CC_MIN_FRESH] = REQUESTS,
    [STET_CC_MUST_REVALIDATE] = ANSWERS,
    [STET_CC_MUST_UNDERSTAND] = ANSWERS,
    [STET_CC_ONLY_IF_CACHED] = REQUESTS,
    [STET_CC_PRIVATE] = ANSWERS,
    [STET_CC_PROXY_REVALIDATE] = ANSWERS,
    [STET_CC_PUBLIC] = ANSWERS,
    [STET_CC_S_MAXAGE] = ANSWERS,
    [STET_CC_STALE_WHILE_REVALIDATE] = ANSWERS,
};

/* One walk over the members. */
struct walk {
    struct stet_lint_findings *out;
    bool request;
    uint32_t seen;                          /* bit of each directive that was met */
    struct stet_span values[STET_CC_COUNT]; /* of the first of each; absent if it had none */
};

/* A directive as it stands there. */
struct member {
    struct stet_span whole, name;
    struct stet_span value; /* without its quotes; absent if there is no "=" */
    bool quoted;
};

/* Requests have one row for all that can be wrong: what comes of it is the same. */
static struct stet_lint_finding *add(struct walk *walk, enum stet_lint lint, struct stet_span whole)
{
    if (!walk->request)
        return stet__lint_came(walk->out, lint, whole);
    return stet__lint_sent(walk->out, STET_LINT_REQUEST_CACHE_CONTROL_SYNTAX, whole);
}

/* The octets of a quoted string that begins the span, its quotes among them; 0 if it is not closed. */
static size_t quoted_len(struct stet_span s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '"')
            return i + 1;
        if (s.ptr[i] == '\\')
            i++;
    }
    return 0;
}

/* cache-directive = token [ "=" ( token / quoted-string ) ] */
static bool split(struct stet_span whole, struct member *out)
{
    size_t end = stet__octet_run(whole, 0, STET__TCHAR);
    struct stet_span rest = stet_span_skip(whole, end);
    *out = (struct member){.whole = whole, .name = stet_span_of(whole.ptr, end)};
    if (end == 0 || rest.len == 0)
        return end > 0;
    if (rest.ptr[0] != '=')
        return false;
    out->value = stet_span_skip(rest, 1);
    out->quoted = out->value.len > 0 && out->value.ptr[0] == '"';
    if (!out->quoted)
        return out->value.len == 0 || stet_is_token(out->value);
    if (quoted_len(out->value) != out->value.len)
        return false;
    out->value = stet_span_of(out->value.ptr + 1, out->value.len - 2);
    return true;
}

static bool find(struct stet_span name, enum stet_cache_directive *out)
{
    for (unsigned i = 0; i < STET_CC_COUNT; i++) {
        if (stet_span_equal_nocase(name, names[i])) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* Letters and digits in lower case: "max_age", "MaxAge" and "max-age" are one. Returns their number. */
static size_t plain(struct stet_span name, char out[MISSPELT_MAX])
{
    size_t len = 0;
    for (size_t i = 0; i < name.len && len < MISSPELT_MAX; i++) {
        char c = name.ptr[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        if (stet__octet_is_digit(c) || (c >= 'a' && c <= 'z'))
            out[len++] = c;
    }
    return len;
}

/* How many letters have to be put in, taken out or exchanged: Levenshtein, a row at a time. */
static size_t distance(struct stet_span a, struct stet_span b)
{
    size_t row[MISSPELT_MAX + 1];
    for (size_t j = 0; j <= b.len; j++)
        row[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        size_t diagonal = row[0];
        row[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            size_t exchanged = diagonal + (a.ptr[i - 1] != b.ptr[j - 1]);
            size_t moved = (row[j] < row[j - 1] ? row[j] : row[j - 1]) + 1;
            diagonal = row[j];
            row[j] = exchanged < moved ? exchanged : moved;
        }
    }
    return row[b.len];
}

/* The directive that was probably meant. */
static bool meant(struct stet_span name, enum stet_cache_directive *out)
{
    char text[MISSPELT_MAX], known[MISSPELT_MAX];
    struct stet_span given = {text, plain(name, text)};
    size_t best = given.len < 5 ? 1 : given.len < 8 ? 2 : 3; /* fewer than so many letters may be wrong */
    bool found = false;
    for (unsigned i = 0; i < STET_CC_COUNT; i++) {
        size_t apart = distance(given, stet_span_of(known, plain(names[i], known)));
        if (apart < best) {
            best = apart;
            *out = i;
            found = true;
        }
    }
    return found;
}

static void unknown(struct walk *walk, const struct member *member)
{
    enum stet_cache_directive directive;
    struct stet_lint_finding *finding;
    if (stet_span_equal_nocase(member->name, STET_SPAN("pre-check")) ||
        stet_span_equal_nocase(member->name, STET_SPAN("post-check"))) {
        add(walk, STET_LINT_CACHE_CONTROL_CHECK, member->whole);
    } else if (member->name.len <= MISSPELT_MAX && meant(member->name, &directive)) {
        finding = add(walk, STET_LINT_CACHE_CONTROL_MISSPELT, member->whole);
        stet__lint_octets(finding, member->name);
        stet__lint_text(finding, ", perhaps ");
        stet__lint_octets(finding, names[directive]);
    } else if (!walk->request) { /* in a request it may be an agreement with a cache of theirs */
        stet__lint_octets(add(walk, STET_LINT_CACHE_CONTROL_UNKNOWN, member->whole), member->name);
    }
}

static void seconds(struct walk *walk, const struct member *member, bool optional)
{
    uint64_t number;
    int status = member->value.ptr ? stet_span_to_u64(member->value, &number) : STET_E_SYNTAX;
    if (member->value.len == 0) {
        if (!optional || member->value.ptr)
            add(walk, STET_LINT_CACHE_CONTROL_VALUE_MISSING, member->whole);
    } else if (status == STET_E_SYNTAX) {
        add(walk, STET_LINT_CACHE_CONTROL_NUMBER_MALFORMED, member->whole);
    } else {
        if (member->quoted)
            add(walk, STET_LINT_CACHE_CONTROL_NUMBER_QUOTED, member->whole);
        if (status != STET_OK || number > (uint64_t)STET_SECONDS_MAX)
            add(walk, STET_LINT_CACHE_CONTROL_NUMBER_HUGE, member->whole);
    }
}

/* #field-name in quotes: sections 5.2.2.4 and 5.2.2.7. */
static void field_list(struct walk *walk, const struct member *member)
{
    struct stet_span rest = member->value;
    bool good = member->quoted && rest.len > 0;
    if (!member->value.ptr)
        return;
    while (good && rest.len > 0) {
        const char *comma = memchr(rest.ptr, ',', rest.len);
        size_t len = comma ? (size_t)(comma - rest.ptr) : rest.len;
        good = stet_is_token(stet_span_trim(stet_span_of(rest.ptr, len)));
        rest = stet_span_skip(rest, comma ? len + 1 : len);
    }
    add(walk, good ? STET_LINT_CACHE_CONTROL_QUALIFIED : STET_LINT_CACHE_CONTROL_FIELD_LIST, member->whole);
}

static void argument(struct walk *walk, enum stet_cache_directive directive, const struct member *member)
{
    switch (arguments[directive]) {
    case SECONDS:
    case OPTIONAL:
        seconds(walk, member, arguments[directive] == OPTIONAL);
        break;
    case FIELDS:
        field_list(walk, member);
        break;
    default:
        if (member->value.ptr)
            add(walk, STET_LINT_CACHE_CONTROL_VALUE_UNNEEDED, member->whole);
    }
}

static void repeated(struct walk *walk, enum stet_cache_directive directive, const struct member *member)
{
    uint32_t bit = UINT32_C(1) << directive;
    struct stet_span first = walk->values[directive];
    if ((walk->seen & bit) == 0) {
        walk->seen |= bit;
        walk->values[directive] = member->value;
        return;
    }
    bool same = !first.ptr == !member->value.ptr && stet_span_equal_nocase(first, member->value);
    struct stet_lint_finding *finding = add(
        walk, same ? STET_LINT_CACHE_CONTROL_REPEATED : STET_LINT_CACHE_CONTROL_CONTRADICTS, member->whole);
    stet__lint_octets(finding, member->whole);
    stet__lint_text(finding, same ? " again" : ", before: ");
    if (!same)
        stet__lint_octets(finding, first.ptr ? first : STET_SPAN("no value"));
}

static void known(struct walk *walk, enum stet_cache_directive directive, const struct member *member)
{
    if (!walk->request && sides[directive] == REQUESTS)
        stet__lint_came(walk->out, STET_LINT_CACHE_CONTROL_OF_REQUESTS, member->whole);
    else if (walk->request && sides[directive] == ANSWERS)
        stet__lint_sent(walk->out, STET_LINT_REQUEST_DIRECTIVE_OF_ANSWERS, member->whole);
    else
        argument(walk, directive, member);
    repeated(walk, directive, member);
}

static void each(struct walk *walk, const struct stet_fields *fields)
{
    struct stet_list list;
    struct stet_span whole;
    struct member member;
    enum stet_cache_directive directive;
    if (!stet_fields_have(fields, STET_FIELD_CACHE_CONTROL))
        return;
    stet_list_begin(&list, fields, STET_FIELD_CACHE_CONTROL);
    while (stet_list_next(&list, &whole) == STET_OK) {
        if (!split(whole, &member))
            add(walk, STET_LINT_CACHE_CONTROL_SYNTAX, whole);
        else if (find(member.name, &directive))
            known(walk, directive, &member);
        else
            unknown(walk, &member);
    }
}

/* Two commas outside of quotes with nothing between, or one at either end. */
static bool has_empty_member(struct stet_span line)
{
    bool empty = true;
    for (size_t i = 0; i < line.len; i++) {
        size_t quoted = line.ptr[i] == '"' ? quoted_len(stet_span_skip(line, i)) : 0;
        if (line.ptr[i] == ',' && empty)
            return true;
        if (!stet_is_ows(line.ptr[i]))
            empty = line.ptr[i] == ',';
        i += quoted > 0 ? quoted - 1 : 0;
    }
    return empty;
}

static void empty_members(const struct stet__lint_look *look)
{
    for (size_t i = 0; i < look->fields->count; i++)
        if (look->fields->at[i].id == STET_FIELD_CACHE_CONTROL && has_empty_member(look->fields->at[i].value))
            stet__lint_came(look->out, STET_LINT_CACHE_CONTROL_EMPTY_MEMBER, look->fields->at[i].value);
}

void stet__lint_directive(const struct stet__lint_look *look)
{
    struct walk walk = {.out = look->out};
    struct stet_span pragma = stet__lint_value(look->fields, STET_FIELD_PRAGMA);
    each(&walk, look->fields);
    empty_members(look);
    if (pragma.ptr)
        stet__lint_came(look->out, STET_LINT_PRAGMA, pragma);
}

void stet__lint_request_directive(const struct stet__lint_look *look)
{
    struct walk walk = {.out = look->out, .request = true};
    each(&walk, &look->request->fields);
}
