/* SPDX-License-Identifier: MIT */
/*
 * job: the life of a job. task.h has the picture.
 */
#include "get/task.h"

enum stet__step stet__task_fail(struct stet__task *task, int status)
{
    const struct stet__transfer_result *transfer = &task->result.transfer;
    bool transfers = status == transfer->status && transfer->cause[0];
    task->result.status = status;
    task->result.cause = transfers ? transfer->cause : stet_status_row(status)->sentence;
    return STET__STEP_END;
}

enum stet__step stet__task_mend(struct stet__task *task)
{
    if (++task->mended > STET__MENDS_MAX)
        return stet__task_fail(task, STET_E_GET_ANSWER);
    task->unconditional = true;
    if (task->get->settings.mode == STET__GET_OFFLINE)
        return stet__task_fail(task, STET_E_GET_OFFLINE);
    return STET__STEP_ASK;
}

/* The sink has its answer; what is left is for the store. */
static void tell(struct stet__task *task)
{
    struct stet__get_sink *sink = &task->job.sink;
    if (task->background)
        return;
    task->result.content_octets = task->flow.out;
    task->result.undecoded = task->flow.undecoded;
    sink->end(sink->owner, &task->result);
}

/* ---- looking ---- */

/*
 * RFC 8246 section 3: immutable counts only where nobody on the way can have changed or cut the response: it
 * came over TLS and has a length. What ended with its connection was stored without one (commit.c).
 */
static void judge_immutable(const struct stet__task *task, struct stet_stored *stored)
{
    bool secure = stet_span_equal_nocase(task->uri.scheme, STET_SPAN("https"));
    if (!secure || !stet_fields_have(&stored->response.fields, STET_FIELD_CONTENT_LENGTH))
        stored->control.present &= ~(UINT32_C(1) << STET_CC_IMMUTABLE);
}

/* The candidates, in hop_arena. Whatever is wrong with the store, the origin can still be asked. */
static void find(struct stet__task *task)
{
    struct stet__get *get = task->get;
    struct stet__hop *hop = &task->hop;
    size_t count = 0;
    if (hop->uncached || stet__disk_find(get->disk, task->key, &get->settings.policy, &task->hop_arena,
                                         get->found, &count) != STET_OK)
        count = 0;
    hop->entries = stet__arena_alloc(&task->hop_arena, (count + 1) * sizeof *hop->entries);
    hop->stored = stet__arena_alloc(&task->hop_arena, (count + 1) * sizeof(struct stet_stored *));
    if (!hop->entries || !hop->stored)
        count = 0;
    size_t taken = 0;
    for (size_t i = 0; i < count; i++) {
        if (!stet__asker_may(hop->asker, &get->found[i]))
            continue;
        struct stet__disk_entry *entry = &hop->entries[taken];
        *entry = get->found[i];
        judge_immutable(task, &entry->stored);
        hop->stored[taken] = &entry->stored;
        if (entry->invalidated)
            hop->question.invalidated |= UINT64_C(1) << taken;
        taken++;
    }
    hop->question.count = taken;
}

/* A response of this very second is within max-age=0 (RFC 9111 section 5.2.1.1), but not what --refresh is
 * for. */
static void insist(struct stet__hop *hop)
{
    const struct stet_stored *chosen = hop->stored[hop->decision.chosen];
    bool fresh = hop->decision.ttl_s > 0;
    if (fresh && stet_cache_control_has(&chosen->control, STET_CC_IMMUTABLE))
        return;
    hop->decision.action = STET_CACHE_REVALIDATE;
    hop->decision.reason = STET_REASON_REQUEST_MAX_AGE;
    hop->decision.forward = fresh ? STET_FWD_REQUEST : STET_FWD_STALE;
}

static bool selects(const struct stet__hop *hop, size_t i)
{
    const struct stet_stored *stored = hop->stored[i];
    return stet_vary_matches(&stored->response.fields, &stored->selecting, &hop->request.fields);
}

/*
 * What has begun to replace a stored response, and was cut off, is gone on with: the origin has said that the
 * stored one is not what it has now, and to ask for that by its tag would fetch all of the new one again.
 */
static void prefer_part(struct stet__hop *hop)
{
    struct stet_range range;
    for (size_t i = 0; i < hop->question.count && i < hop->decision.chosen; i++) {
        const struct stet_stored *stored = hop->stored[i];
        if (!stet_partial_missing(&hop->request, stored, hop->now, &range) || !selects(hop, i))
            continue;
        hop->decision.chosen = i;
        hop->decision.reason = STET_REASON_PARTIAL_MISS;
        hop->decision.forward = STET_FWD_PARTIAL;
        return;
    }
}

static void decide(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    hop->question.request = &hop->request;
    hop->question.target = hop->request.target;
    hop->question.stored = hop->stored;
    hop->question.policy = &task->get->settings.policy;
    hop->question.now = hop->now;
    stet_cache_decide(&hop->question, &hop->decision);
    if (task->get->settings.mode == STET__GET_REFRESH && hop->decision.action == STET_CACHE_SERVE)
        insist(hop);
    if (hop->decision.action == STET_CACHE_REVALIDATE && hop->decision.chosen < hop->question.count &&
        hop->stored[hop->decision.chosen]->held.complete)
        prefer_part(hop);
    bool fails = task->get->settings.mode == STET__GET_OFFLINE &&
                 (hop->own || hop->decision.action != STET_CACHE_SERVE);
    if (hop->own || fails) {
        hop->decision.action = fails ? STET_CACHE_FAIL : STET_CACHE_FORWARD;
        hop->decision.reason = fails ? STET_REASON_ONLY_IF_CACHED : STET_REASON_CONDITION_FORWARDED;
        hop->decision.may_collapse = false;
    }
    task->result.reason = hop->decision.reason;
}

/* What `changed` will be about. */
static void remember_old(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    if (task->looked)
        return;
    task->looked = true;
    for (size_t i = hop->decision.chosen; i < hop->question.count; i++) {
        const struct stet__disk_entry *entry = &hop->entries[i];
        if (!entry->stored.held.complete || !selects(hop, i))
            continue;
        task->result.had = true;
        task->had_digest = entry->has_digest && entry->stored.method == STET_METHOD_GET;
        memcpy(task->old_digest, entry->digest, sizeof task->old_digest);
        return;
    }
}

/* RFC 5861 section 3: the answer now, its validation afterwards. A redirect has to be followed before that.
 */
static enum stet__step serve_first(struct stet__task *task)
{
    size_t chosen = task->hop.decision.chosen;
    if (task->background || stet__redirect_followed(task, &task->hop.stored[chosen]->response))
        return STET__STEP_ASK;
    enum stet__step step = stet__stored_answer(task, chosen, STET__GET_STORE);
    if (step != STET__STEP_END || task->result.status != STET_OK)
        return step;
    struct stet_fields copy;
    bool kept = stet__fields_copy(&task->hop_arena, &task->hop.request.fields, &copy);
    tell(task);
    task->background = true;
    task->flow.sink = NULL;
    task->method = task->hop.request.method == STET_METHOD_HEAD ? STET_SPAN("HEAD") : STET_SPAN("GET");
    task->hop.request.fields = copy;
    return kept ? STET__STEP_ASK : STET__STEP_END;
}

static enum stet__step look(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    stet__arena_reset(&task->hop_arena);
    *hop = (struct stet__hop){.now = stet__now()};
    if (task->get->stopping)
        return stet__task_fail(task, STET_E_GET_STOPPED);
    if (!stet__request_make(task))
        return stet__task_fail(task, STET_E_GET_MEMORY);
    find(task);
    decide(task);
    remember_old(task);
    switch (hop->decision.action) {
    case STET_CACHE_SERVE:
        return stet__stored_answer(task, hop->decision.chosen, STET__GET_STORE);
    case STET_CACHE_SERVE_AND_REVALIDATE:
        return serve_first(task);
    case STET_CACHE_FAIL:
        task->result.code = 504;
        return stet__task_fail(task, STET_E_GET_OFFLINE);
    case STET_CACHE_REVALIDATE:
    case STET_CACHE_FORWARD:
        break;
    }
    task->leader = task->waited ? NULL : stet__task_leader(task);
    task->waited |= task->leader != NULL;
    return task->leader ? STET__STEP_WAIT : STET__STEP_ASK;
}

/* ---- from begin to end ---- */

static int read_uri(struct stet__task *task, struct stet_span text)
{
    struct stet_uri uri;
    if (stet_uri_parse(text, &uri) != STET_OK)
        return STET_E_GET_URI;
    size_t room = text.len + 32;
    char *key = stet__arena_alloc(&task->arena, room + 1);
    size_t len = key ? stet_uri_write(&uri, key, room) : 0;
    if (len == 0)
        return STET_E_GET_MEMORY;
    key[len] = '\0';
    task->key = stet_span_of(key, len);
    const char *hash = memchr(text.ptr, '#', text.len);
    task->fragment = STET_SPAN_NONE;
    if (hash)
        task->fragment = stet_span_skip(text, (size_t)(hash - text.ptr));
    int status = stet_uri_parse(task->key, &task->uri);
    task->first = task->uri;
    return status;
}

void stet__task_begin(struct stet__task *task, const struct stet__get_job *job)
{
    stet__arena_reset(&task->arena);
    task->job = *job;
    task->result = (struct stet__get_result){.status = STET_OK, .storing = STET_REASON_NOT_STORED_BYPASS};
    task->plain = false;
    task->background = task->looked = task->waited = task->unconditional = task->had_digest = false;
    task->leader = NULL;
    task->transfer = NULL;
    task->body = NULL;
    task->visited = NULL;
    task->mended = task->resumes = 0;
    task->reached = 0;
    task->failure = STET_OK;
    task->method = stet_span_of(job->method, strlen(job->method));
    task->has_content = job->content.ptr != NULL;
    stet__flow_init(&task->flow, &task->job.sink, task->get->settings.compressed);
    int status = read_uri(task, stet_span_of(job->uri, strlen(job->uri)));
    task->step = status == STET_OK ? STET__STEP_LOOK : stet__task_fail(task, status);
}

bool stet__task_run(struct stet__task *task)
{
    for (;;)
        switch (task->step) {
        case STET__STEP_LOOK:
            task->step = look(task);
            break;
        case STET__STEP_ASK:
            task->step = stet__request_send(task);
            break;
        case STET__STEP_CONCLUDE:
            task->step = stet__receive_conclude(task);
            if (task->step != STET__STEP_ASK)
                stet__task_release(task);
            break;
        case STET__STEP_WAIT:
        case STET__STEP_ASKING:
            return false;
        case STET__STEP_END:
            stet__flow_release(&task->flow);
            stet__delta_release(task);
            tell(task);
            return true;
        }
}
