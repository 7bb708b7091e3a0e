/* SPDX-License-Identifier: MIT */
/*
 * What is told to a trace. Nothing here decides: it finds the field that a rule has looked at and puts it
 * beside the outcome.
 */
#include "core/trace.h"

#include "base/assert.h"

static const struct stet_rule_row rows[] = {
#define X(symbol, name, clause, source, field, question) {name, clause, source, field, question},
#include <stet/rule.def>
#undef X
};

static const char *const outcomes[] = {
    [STET_OUTCOME_ABSENT] = "absent", [STET_OUTCOME_IGNORED] = "ignored", [STET_OUTCOME_YES] = "yes",
    [STET_OUTCOME_NO] = "no",         [STET_OUTCOME_NUMBER] = "number",
};

const struct stet_rule_row *stet_rule_row(enum stet_rule rule)
{
    stet__assert((unsigned)rule < STET_RULE_COUNT);
    return &rows[rule];
}

const char *stet_outcome_name(enum stet_outcome outcome)
{
    stet__assert((unsigned)outcome <= STET_OUTCOME_NUMBER);
    return outcomes[outcome];
}

struct stet_looked stet__looked_text(struct stet_span text)
{
    return (struct stet_looked){.kind = text.ptr ? STET_LOOKED_TEXT : STET_LOOKED_NONE, .text = text};
}

struct stet_looked stet__looked_tag(struct stet_etag tag)
{
    return (struct stet_looked){.kind = stet_etag_present(tag) ? STET_LOOKED_TAG : STET_LOOKED_NONE,
                                .weak = tag.weak,
                                .text = tag.opaque};
}

struct stet_looked stet__looked_date(int64_t date)
{
    return (struct stet_looked){.kind = date == STET_NO_DATE ? STET_LOOKED_NONE : STET_LOOKED_DATE,
                                .number = date};
}

struct stet_looked stet__looked_seconds(int64_t seconds)
{
    return (struct stet_looked){.kind = STET_LOOKED_SECONDS, .number = seconds};
}

struct stet_looked stet__looked_count(uint64_t count)
{
    return (struct stet_looked){.kind = count <= INT64_MAX ? STET_LOOKED_COUNT : STET_LOOKED_NONE,
                                .number = count <= INT64_MAX ? (int64_t)count : 0};
}

struct stet_looked stet__looked_field(const struct stet_fields *fields, enum stet_field_id id)
{
    const struct stet_field *field = id == STET_FIELD_OTHER ? NULL : stet_fields_find(fields, id, 0);
    return stet__looked_text(field ? field->value : STET_SPAN_NONE);
}

struct stet_looked stet__looked_control(const struct stet_response *response,
                                        const struct stet_cache_control *control)
{
    const struct stet_fields *fields = &response->fields;
    for (size_t i = 0; control->source.ptr && i < fields->count; i++)
        if (stet_span_equal_nocase(fields->at[i].name, control->source))
            return stet__looked_text(fields->at[i].value);
    return stet__looked_text(STET_SPAN_NONE);
}

struct stet_step stet__step(enum stet_rule rule, enum stet_outcome outcome, enum stet_reason reason,
                            bool decides)
{
    return (struct stet_step){
        .rule = rule, .outcome = outcome, .decides = decides, .has_reason = true, .reason = reason};
}

static struct stet_looked looked_at(const struct stet_request *request, const struct stet_stored *stored,
                                    enum stet_rule rule)
{
    const struct stet_rule_row *row = &rows[rule];
    if (rule == STET_RULE_STORE_METHOD || rule == STET_RULE_CACHE_METHOD)
        return stet__looked_text(request->method_name);
    if (rule == STET_RULE_STORE_STATUS && stored)
        return stet__looked_count(stored->response.status);
    if (row->source == STET_RULE_OF_REQUEST)
        return stet__looked_field(&request->fields, row->field);
    if (row->source == STET_RULE_OF_NONE || !stored)
        return stet__looked_text(STET_SPAN_NONE);
    return row->field == STET_FIELD_CACHE_CONTROL ? stet__looked_control(&stored->response, &stored->control)
                                                  : stet__looked_field(&stored->response.fields, row->field);
}

void stet__tell_rule(const struct stet_request *request, const struct stet_stored *stored,
                     enum stet_rule rule, bool applies, enum stet_reason reason)
{
    struct stet_step step = {.rule = rule, .outcome = STET_OUTCOME_NO};
    if (applies)
        step = stet__step(rule, STET_OUTCOME_YES, reason, true);
    step.input = looked_at(request, stored, rule);
    if (!applies && step.input.kind == STET_LOOKED_NONE && rows[rule].source != STET_RULE_OF_NONE)
        step.outcome = STET_OUTCOME_ABSENT;
    stet__tell_step(request->trace, &step);
}
