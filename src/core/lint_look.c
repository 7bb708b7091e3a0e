/* SPDX-License-Identifier: MIT */
/*
 * One exchange, read once for all subjects of the linter.
 */
#include <stet/partial.h>

#include "core/freshness.h"
#include "core/lint.h"

#define TIME_MAX INT64_C(253402300799) /* the last second that an HTTP-date can say */

int64_t stet__lint_time(int64_t time)
{
    return time < 0 ? 0 : time < TIME_MAX ? time : TIME_MAX;
}

static void read_as(const struct stet__lint_look *look, const struct stet_cache_policy *policy,
                    struct stet_stored *out)
{
    const struct stet_lint_exchange *exchange = look->exchange;
    *out = (struct stet_stored){.response = exchange->response,
                                .method = exchange->request.method,
                                .selecting = exchange->request.fields,
                                .times = {.request = exchange->times_known ? look->requested : look->now,
                                          .response = look->now,
                                          .age = stet_message_age(&exchange->response.fields)},
                                .authorized =
                                    stet_fields_have(&exchange->request.fields, STET_FIELD_AUTHORIZATION)};
    (void)stet_held_read(&exchange->response, &out->held);
    stet_stored_read(out, policy);
}

void stet__lint_look(struct stet__lint_look *look, const struct stet_lint_exchange *exchange,
                     struct stet_lint_findings *out)
{
    const struct stet_cache_policy shared = STET_CACHE_POLICY_SHARED;
    struct stet_cache_policy own = shared;
    own.shared = false;
    enum stet_method method = exchange->request.method;
    *look = (struct stet__lint_look){.exchange = exchange,
                                     .request = &exchange->request,
                                     .response = &exchange->response,
                                     .fields = &exchange->response.fields,
                                     .out = out,
                                     .requested = stet__lint_time(exchange->requested_at),
                                     .received = stet__lint_time(exchange->received_at),
                                     .date = STET_NO_DATE};
    /* Without a clock Date is the best guess: nothing is old then. */
    look->now = exchange->times_known ? look->received : 0;
    (void)stet__date_read(look->fields, STET_FIELD_DATE, look->now, &look->date);
    if (!exchange->times_known && look->date != STET_NO_DATE)
        look->now = stet__lint_time(look->date);
    look->reads = method == STET_METHOD_GET || method == STET_METHOD_HEAD;
    look->answers = look->reads && exchange->response.status == 200;
    read_as(look, &shared, &look->shared);
    read_as(look, &own, &look->own);
    look->by_shared = stet_storable_judge(look->request, look->request->target, &look->shared, &shared);
    look->by_own = stet_storable_judge(look->request, look->request->target, &look->own, &own);
}

struct stet_span stet__lint_value(const struct stet_fields *fields, enum stet_field_id id)
{
    const struct stet_field *field = stet_fields_find(fields, id, 0);
    return field ? field->value : STET_SPAN_NONE;
}

struct stet_span stet__lint_named(const struct stet_fields *fields, struct stet_span name)
{
    for (size_t i = 0; i < fields->count; i++)
        if (stet_span_equal_nocase(fields->at[i].name, name))
            return fields->at[i].value;
    return STET_SPAN_NONE;
}
