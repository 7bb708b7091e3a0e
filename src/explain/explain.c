/* SPDX-License-Identifier: MIT */
#include "explain/explain.h"

#include <stdio.h>

#include <stet/cache.h>

struct stet_cache_policy stet__explain_policy(bool shared)
{
    struct stet_cache_policy policy = STET_CACHE_POLICY_SHARED;
    policy.shared = shared;
    return policy;
}

int64_t stet__explain_time(const struct stet__explain_when *when, int64_t arrival)
{
    int64_t sum;
    if (!when->given)
        return arrival;
    if (!when->after_arrival)
        return when->at;
    return __builtin_add_overflow(arrival, when->at, &sum) ? INT64_MAX : sum;
}

const char *stet__explain_sentence(enum stet_reason reason)
{
    return stet_reason_row(reason)->sentence;
}

bool stet__explain_when_read(const char *text, int64_t clock, struct stet__explain_when *out)
{
    struct stet__explain_when when = {.given = true};
    struct stet_span span = stet_span_trim(stet_span_of(text, strlen(text)));
    uint64_t seconds;
    when.after_arrival = span.len > 0 && span.ptr[0] == '+';
    if (when.after_arrival)
        span = stet_span_skip(span, 1);
    if (stet_span_to_u64(span, &seconds) == STET_OK && seconds <= INT64_MAX)
        when.at = (int64_t)seconds;
    else if (when.after_arrival || stet_date_parse(span, clock, &when.at) != STET_OK)
        return false;
    *out = when;
    return true;
}

void stet__explain_view(const struct stet_request *request, const struct stet_response *response,
                        const struct stet_cache_policy *policy, int64_t clock, struct stet__explain_view *out)
{
    int64_t age = stet_message_age(&response->fields);
    int64_t date = stet_message_date(&response->fields, clock);
    *out = (struct stet__explain_view){.arrival = date == clock ? clock : date + age};
    struct stet_stored *stored = &out->stored;
    stored->response = *response;
    stored->times = (struct stet_times){out->arrival, out->arrival, age};
    stored->method = request->method == STET_METHOD_HEAD ? STET_METHOD_HEAD : STET_METHOD_GET;
    stored->selecting = request->fields;
    stored->authorized = stet_fields_have(&request->fields, STET_FIELD_AUTHORIZATION);
    if (stet_held_read(response, &stored->held) != STET_OK)
        stored->held = (struct stet_held){.complete = false};
    stet_stored_read(stored, policy);
}

void stet__explain_view_read(struct stet__explain_view *view, const struct stet_cache_policy *policy,
                             const struct stet_trace *trace)
{
    view->stored.response.trace = trace;
    stet_stored_read(&view->stored, policy);
    view->stored.response.trace = NULL;
}

/* Two caches that do and say the same are told as one. */
static bool same_told(const struct stet__chapter *a, const struct stet__chapter *b)
{
    if (a->count != b->count || !stet_span_equal(a->verdict, b->verdict))
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->steps[i].step.rule != b->steps[i].step.rule ||
            a->steps[i].step.outcome != b->steps[i].step.outcome ||
            a->steps[i].step.seconds != b->steps[i].step.seconds)
            return false;
    return true;
}

void stet__explain_caches(const struct stet__explain_input *input, struct stet__story *story)
{
    if (!input->shared_only)
        stet__explain_storing(input, false, story);
    if (!input->private_only)
        stet__explain_storing(input, true, story);
    if (input->shared_only || input->private_only || story->count < 2)
        return;
    struct stet__chapter *private = story->parts[story->count - 2], *shared = story->parts[story->count - 1];
    if (!same_told(private, shared))
        return;
    private->name = "caches";
    private->title = "Any cache, private or shared: may the response be stored, and for how long?";
    private->brief = shared->either;
    story->count--;
}

/* One sentence of what the parts have to say in brief. */
void stet__explain_conclude(struct stet__story *story)
{
    struct stet_span all = STET_SPAN_NONE;
    for (size_t i = 0; i < story->count; i++) {
        const struct stet_span *brief = &story->parts[i]->brief;
        if (!brief->ptr)
            continue;
        if (all.ptr)
            stet__story_say(story, &all, "%.*s; %.*s", (int)all.len, all.ptr, (int)brief->len, brief->ptr);
        else
            all = *brief;
    }
    if (!all.ptr)
        return;
    char first = all.ptr[0] >= 'a' && all.ptr[0] <= 'z' ? (char)(all.ptr[0] - 'a' + 'A') : all.ptr[0];
    stet__story_say(story, &story->conclusion, "%c%.*s.", first, (int)all.len - 1, all.ptr + 1);
}

bool stet__explain_invalidates(const struct stet_request *request, const struct stet_response *response)
{
    return !stet_method_safe(request->method) && response->status >= 200 && response->status <= 399;
}

void stet__explain(const struct stet__explain_input *input, struct stet__story *story)
{
    stet__explain_slips(input->exchange, story);
    if (input->stored) {
        stet__explain_slips(input->stored, story);
        stet__explain_stored(input, input->shared_only, story);
    } else {
        stet__explain_origin(input, story);
        if (input->exchange->has_response)
            stet__explain_caches(input, story);
    }
    stet__explain_conclude(story);
}
