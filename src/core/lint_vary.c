/* SPDX-License-Identifier: MIT */
/*
 * Vary: RFC 9110 section 12.5.5. What it costs is told only of answers that a cache may store; whether
 * content codings, hints and origins that an answer depends on are named, as well.
 */
#include <stet/field.h>
#include <stet/vary.h>

#include "core/lint.h"

#define MANY 5 /* so many fields, each with two values at least, make 32 variants */
#define COUNTED_MAX 64

static struct stet_lint_finding *add(const struct stet__lint_look *look, enum stet_lint lint)
{
    return stet__lint_came(look->out, lint, stet__lint_value(look->fields, STET_FIELD_VARY));
}

/* What is named, each once. Returns their number. */
struct members {
    struct stet_span at[COUNTED_MAX];
    size_t count;
    bool any, malformed, repeated;
};

static bool is_among(const struct members *members, struct stet_span name)
{
    for (size_t i = 0; i < members->count; i++)
        if (stet_span_equal_nocase(members->at[i], name))
            return true;
    return false;
}

static void read_members(const struct stet_fields *fields, struct members *out)
{
    struct stet_list list;
    struct stet_span member;
    out->count = 0;
    out->any = out->malformed = out->repeated = false;
    stet_list_begin(&list, fields, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK) {
        if (stet_span_equal(member, STET_SPAN("*")))
            out->any = true;
        else if (!stet_is_token(member))
            out->malformed = true;
        else if (is_among(out, member))
            out->repeated = true;
        else if (out->count < COUNTED_MAX)
            out->at[out->count++] = member;
    }
}

/* What splits a shared cache into copies that nobody else is served. */
static void excessive(const struct stet__lint_look *look)
{
    static const struct {
        enum stet_field_id id;
        enum stet_lint lint;
    } rows[] = {
        {STET_FIELD_USER_AGENT, STET_LINT_VARY_USER_AGENT},
        {STET_FIELD_COOKIE, STET_LINT_VARY_COOKIE},
        {STET_FIELD_REFERER, STET_LINT_VARY_REFERER},
        {STET_FIELD_AUTHORIZATION, STET_LINT_VARY_AUTHORIZATION},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (stet_vary_names(look->fields, stet_field_name(rows[i].id)))
            add(look, rows[i].lint);
}

static void named(const struct stet__lint_look *look, const struct members *members)
{
    if (members->malformed)
        add(look, STET_LINT_VARY_MALFORMED);
    if (members->any && members->count > 0)
        add(look, STET_LINT_VARY_ANY_BESIDE_NAMES);
    else if (members->any && look->by_own.reason == STET_REASON_NOT_STORED_VARY)
        add(look, STET_LINT_VARY_ANY);
    if (members->repeated)
        add(look, STET_LINT_VARY_DUPLICATE);
    if (stet_vary_names(look->fields, STET_SPAN("Host")))
        add(look, STET_LINT_VARY_HOST);
    if (members->any || !look->by_shared.storable)
        return;
    excessive(look);
    if (members->count >= MANY) {
        struct stet_lint_finding *finding = add(look, STET_LINT_VARY_MANY);
        stet__lint_number(finding, (int64_t)members->count);
        stet__lint_text(finding, " fields");
    }
}

/* Client hints that are asked for but not named: RFC 8942 section 3.2. */
static void hints(const struct stet__lint_look *look, const struct members *members)
{
    struct stet_span name = STET_SPAN("Accept-CH"), member;
    struct stet_lint_finding *finding = NULL;
    bool found = false;
    struct stet_list list;
    stet_list_begin_named(&list, look->fields, name);
    while (stet_list_next(&list, &member) == STET_OK) {
        if (is_among(members, member))
            continue;
        if (!found)
            finding = stet__lint_came(look->out, STET_LINT_ACCEPT_CH_WITHOUT_VARY,
                                      stet__lint_named(look->fields, name));
        else
            stet__lint_text(finding, ", ");
        found = true;
        stet__lint_octets(finding, member);
    }
}

/* Fetch, "CORS protocol and HTTP caches": an answer that names the origin that asked depends on it. */
static void origin(const struct stet__lint_look *look)
{
    struct stet_span asked = stet__lint_named(&look->request->fields, STET_SPAN("Origin"));
    struct stet_span allowed = stet__lint_named(look->fields, STET_SPAN("Access-Control-Allow-Origin"));
    if (asked.ptr && allowed.ptr && allowed.len > 0 && stet_span_equal(asked, allowed) &&
        !stet_vary_names(look->fields, STET_SPAN("Origin")))
        stet__lint_came(look->out, STET_LINT_CORS_WITHOUT_VARY, allowed);
}

void stet__lint_vary(const struct stet__lint_look *look)
{
    struct members members;
    if (look->response->status < 200)
        return;
    read_members(look->fields, &members);
    named(look, &members);
    if (members.any || !look->answers || !look->by_own.storable)
        return;
    hints(look, &members);
    origin(look);
}
