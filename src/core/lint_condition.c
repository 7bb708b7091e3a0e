/* SPDX-License-Identifier: MIT */
/*
 * Whether an answer is what its request's conditions lead to, as far as its own validators say: RFC 9110
 * section 13.2. A 200 or 206 that a stet_precondition_judge would not have given, and a 412 that nobody
 * would.
 */
#include "core/lint.h"

static struct stet_lint_finding *add(const struct stet__lint_look *look, enum stet_lint lint,
                                     enum stet_field_id condition, enum stet_field_id validator)
{
    struct stet_lint_finding *finding =
        stet__lint_came(look->out, lint, stet__lint_value(look->fields, validator));
    if (finding)
        finding->sent = stet__lint_value(&look->request->fields, condition);
    return finding;
}

static bool asks(const struct stet__lint_look *look, enum stet_field_id id)
{
    return stet_fields_have(&look->request->fields, id);
}

static void performed(const struct stet__lint_look *look)
{
    struct stet_judgement judgement =
        stet_precondition_judge(look->request, &look->own.selected, STET_PARTY_ORIGIN, look->now);
    if (judgement.verdict == STET_PRECONDITION_FAILED)
        add(look, STET_LINT_CONDITION_DISREGARDED,
            asks(look, STET_FIELD_IF_MATCH) ? STET_FIELD_IF_MATCH : STET_FIELD_IF_UNMODIFIED_SINCE,
            asks(look, STET_FIELD_IF_MATCH) ? STET_FIELD_ETAG : STET_FIELD_LAST_MODIFIED);
    else if (judgement.verdict == STET_NOT_MODIFIED && asks(look, STET_FIELD_IF_NONE_MATCH))
        add(look, STET_LINT_IF_NONE_MATCH_IGNORED, STET_FIELD_IF_NONE_MATCH, STET_FIELD_ETAG);
    else if (judgement.verdict == STET_NOT_MODIFIED)
        add(look, STET_LINT_IF_MODIFIED_SINCE_IGNORED, STET_FIELD_IF_MODIFIED_SINCE,
            STET_FIELD_LAST_MODIFIED);
}

/* Extensions have conditions of their own: If (RFC 4918), If-Schedule-Tag-Match (RFC 6638). */
static bool conditional(const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        struct stet_span name = fields->at[i].name;
        if (name.len >= 2 && stet_span_equal_nocase(stet_span_of(name.ptr, 2), STET_SPAN("If")) &&
            (name.len == 2 || name.ptr[2] == '-'))
            return true;
    }
    return false;
}

static void failed(const struct stet__lint_look *look)
{
    if (!conditional(&look->request->fields))
        stet__lint_add(look->out, STET_LINT_FAILED_UNASKED);
    else if (look->reads && asks(look, STET_FIELD_IF_NONE_MATCH) && !asks(look, STET_FIELD_IF_MATCH) &&
             !asks(look, STET_FIELD_IF_UNMODIFIED_SINCE))
        add(look, STET_LINT_FAILED_FOR_READ, STET_FIELD_IF_NONE_MATCH, STET_FIELD_ETAG);
}

static void required(const struct stet__lint_look *look)
{
    if (conditional(&look->request->fields))
        stet__lint_add(look->out, STET_LINT_CONDITION_REQUIRED);
}

void stet__lint_condition(const struct stet__lint_look *look)
{
    unsigned status = look->response->status;
    if (status == 412)
        failed(look);
    else if (status == 428)
        required(look);
    else if (look->reads && (status == 200 || status == 206))
        performed(look);
}
