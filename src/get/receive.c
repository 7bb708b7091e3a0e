/* SPDX-License-Identifier: MIT */
/*
 * receive: the answer of the origin, and what is done with it, as core says (stet_cache_receive).
 *
 * When its head has come it is known whose the content is: the sink's and the store's, or nobody's. The rest
 * is done when the transfer has ended, so a step never begins within another.
 */
#include "get/task.h"

#define DISCARD_MAX 65536 /* octets that are read to keep a connection */

/* ---- the head ---- */

static bool take_head(struct stet__task *task, const struct stet_http1_response *answer)
{
    struct stet__hop *hop = &task->hop;
    struct stet_held held = {.complete = false};
    hop->answered = true;
    hop->framing = answer->body;
    hop->response = (struct stet_response){.status = answer->head.status};
    hop->response.reason_phrase = stet__arena_copy(&task->hop_arena, answer->head.reason_phrase);
    if (!stet__fields_copy(&task->hop_arena, &answer->head.fields, &hop->response.fields))
        return false;
    if (!stet__delta_take(task, &hop->response.fields)) {
        task->failure = STET_E_CODED_SYNTAX;
        return false;
    }
    if (task->delta.coded && hop->framing == STET_BODY_LENGTH)
        hop->framing = STET_BODY_CHUNKED; /* decoded, its end is known, but its length is not */
    hop->times.response = stet__now();
    hop->times.age = stet_message_age(&hop->response.fields);
    stet_held_read(&hop->response, &held);
    hop->next = (struct stet_stored){
        .response = hop->response,
        .method = hop->request.method == STET_METHOD_HEAD ? STET_METHOD_HEAD : STET_METHOD_GET,
        .selecting = hop->request.fields,
        .times = hop->times,
        .held = held,
        .authorized = stet_fields_have(&hop->request.fields, STET_FIELD_AUTHORIZATION),
    };
    stet_stored_read(&hop->next, &task->get->settings.policy);
    task->result.origin_code = hop->response.status;
    return true;
}

/*
 * The user's own conditions and ranges: what comes is the answer to them. It may confirm or replace what is
 * stored, but a part is not kept, and nothing is asked again on its behalf.
 */
static void judge_own(struct stet__task *task)
{
    struct stet_receipt *receipt = &task->hop.receipt;
    bool part = task->hop.response.status == 206;
    if (receipt->action == STET_RECEIVE_FRESHEN && !receipt->adopts)
        receipt->chosen = task->hop.question.count;
    else if (receipt->action != STET_RECEIVE_STORE || part)
        receipt->action = STET_RECEIVE_PASS;
    if (part)
        receipt->storing = STET_REASON_NOT_STORED_BYPASS;
}

/* A part, or a 304 where not even the cache has asked: nobody can use them. What is unsafe is not sent twice.
 */
static bool is_unasked(const struct stet__hop *hop)
{
    bool reads = hop->request.method == STET_METHOD_GET || hop->request.method == STET_METHOD_HEAD;
    return reads && (hop->response.status == 206 || hop->response.status == 304);
}

/*
 * RFC 9110 section 15.3.7: a 206 may bring less than was asked for. As long as it goes on where the stored
 * part ends, that part grows, and the rest is asked for again.
 */
static void judge_part(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    struct stet_receipt *receipt = &hop->receipt;
    bool short_of = receipt->action == STET_RECEIVE_RETRY && receipt->reason == STET_REASON_PARTIAL_MISS;
    if (receipt->action == STET_RECEIVE_PASS && is_unasked(hop))
        receipt->action = STET_RECEIVE_RETRY;
    if (receipt->action != STET_RECEIVE_COMBINE && !short_of)
        return;
    receipt->action = STET_RECEIVE_RETRY;
    if (hop->decision.chosen >= hop->question.count)
        return;
    stet_partial_combine(hop->stored[hop->decision.chosen], &hop->next, &hop->combination);
    if (hop->combination.verdict != STET_COMBINE_AFTER)
        return;
    receipt->action = STET_RECEIVE_COMBINE;
    hop->extends = true;
}

static void judge(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    hop->receipt = (struct stet_receipt){.action = STET_RECEIVE_PASS,
                                         .reason = STET_REASON_BYPASS,
                                         .storing = STET_REASON_NOT_STORED_BYPASS,
                                         .chosen = hop->question.count};
    if (!hop->uncached)
        stet_cache_receive(&hop->question, &hop->decision, &hop->validation, &hop->next, &hop->receipt);
    if (hop->own)
        judge_own(task);
    else
        judge_part(task);
    if (!hop->uncached)
        task->result.reason = hop->receipt.reason;
    task->result.storing = hop->receipt.storing;
}

/* ---- whose the content is ---- */

/* The answer that came is the sink's, or the store's alone. */
static int pass(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    hop->redirects = stet__redirect_followed(task, &hop->response);
    if (hop->receipt.action == STET_RECEIVE_STORE)
        stet__commit_begin(task);
    else
        stet__commit_invalidated(task);
    int status = STET_OK;
    if (!hop->redirects && !(task->background && !task->body))
        status = stet__answer_open(task, &hop->next, NULL, STET__GET_ORIGIN);
    bool wanted = task->body || !(hop->redirects || task->background || task->flow.skips);
    task->intake = wanted ? STET__INTAKE_PASS : STET__INTAKE_DISCARD;
    return status;
}

/* The part that is there goes first. */
static int combine(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    const struct stet__disk_entry *part = &hop->entries[hop->decision.chosen];
    task->intake = STET__INTAKE_DISCARD;
    int fd = stet__disk_body(task->get->disk, part);
    if (fd < 0) {
        hop->receipt.action = STET_RECEIVE_RETRY;
        return STET_OK;
    }
    int status = STET_E_GET_MEMORY;
    if (stet__commit_begin_combined(task))
        status = stet__answer_open(task, &hop->combined, NULL, STET__GET_COMBINED);
    uint64_t here = task->flow.raw;
    if (part->octets > here)
        task->result.saved_octets += part->octets - here;
    task->intake = STET__INTAKE_PASS;
    hop->offset = hop->next.held.range.first;
    int fed = stet__stored_feed(task, fd, status == STET_OK);
    return status == STET_OK ? fed : status;
}

static int act(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    switch (hop->receipt.action) {
    case STET_RECEIVE_PASS:
    case STET_RECEIVE_FAIL:
    case STET_RECEIVE_STORE:
        return pass(task);
    case STET_RECEIVE_COMBINE:
        return combine(task);
    case STET_RECEIVE_FRESHEN:
        if (hop->receipt.chosen < hop->question.count)
            break;
        stet__commit_freshen(task);
        return pass(task);
    case STET_RECEIVE_STALE:
    case STET_RECEIVE_RETRY:
        break;
    }
    task->intake = STET__INTAKE_DISCARD;
    return STET_OK;
}

static bool on_head(void *owner, const struct stet_http1_response *answer)
{
    struct stet__task *task = owner;
    task->failure = STET_E_GET_MEMORY;
    if (!take_head(task, answer))
        return false;
    stet__invalidate(task);
    judge(task);
    task->failure = act(task);
    return task->failure == STET_OK;
}

/* ---- the content ---- */

/* Into the body, from where it ends. */
static void keep(struct stet__task *task, struct stet_span octets)
{
    if (!task->body)
        return;
    uint64_t known = stet__disk_body_octets(task->body) - task->hop.offset;
    if (known >= octets.len)
        return;
    if (stet__disk_body_append(task->body, stet_span_skip(octets, (size_t)known)))
        return;
    stet__commit_drop(task);
    task->result.storing = STET_REASON_NOT_STORED_TOO_LARGE;
}

static void tell_progress(struct stet__task *task)
{
    const struct stet__get_sink *sink = &task->job.sink;
    const struct stet_held *held = task->hop.extends ? &task->hop.combination.held : &task->hop.next.held;
    if (task->background || !sink->progress)
        return;
    sink->progress(sink->owner, task->hop.offset, held->length_known ? held->complete_length : UINT64_MAX);
}

static void take(struct stet__task *task, struct stet_span octets)
{
    keep(task, octets);
    if (!task->hop.redirects)
        task->failure = stet__flow_feed(&task->flow, task->hop.offset, octets);
    task->hop.offset += octets.len;
}

static bool on_data(void *owner, struct stet_span octets)
{
    struct stet__task *task = owner;
    if (task->intake != STET__INTAKE_PASS) {
        task->discarded += octets.len;
        return task->discarded <= DISCARD_MAX;
    }
    if (task->delta.coded)
        task->failure = stet__delta_feed(task, octets, take);
    else
        take(task, octets);
    tell_progress(task);
    return task->failure == STET_OK;
}

/* The words last until this returns; the result has to last longer. */
static void on_done(void *owner, const struct stet__transfer_result *result)
{
    struct stet__task *task = owner;
    task->transfer = NULL;
    task->result.transfer = *result;
    struct stet_span words = stet_span_of(result->cause, strlen(result->cause));
    task->result.transfer.cause = stet__terminated(&task->arena, words).ptr;
    if (!task->result.transfer.cause)
        task->result.transfer.cause = "";
    task->result.received_octets += result->content_octets;
    task->step = STET__STEP_CONCLUDE;
    stet__task_wake(task);
}

const struct stet__transfer_events stet__receive_events = {.head = on_head, .data = on_data, .done = on_done};

/* ---- the end ---- */

static enum stet_reason error_of(const struct stet__transfer_result *result)
{
    switch (result->status) {
    case STET__TRANSFER_E_RESOLVE:
        return STET_REASON_UPSTREAM_DNS;
    case STET__TRANSFER_E_CONNECT:
        return result->refused ? STET_REASON_UPSTREAM_REFUSED : STET_REASON_UPSTREAM_UNREACHABLE;
    case STET__TRANSFER_E_TLS:
        return STET_REASON_UPSTREAM_TLS;
    case STET__TRANSFER_E_TIME:
        return STET_REASON_UPSTREAM_READ_TIMEOUT;
    case STET__TRANSFER_E_CUT:
        return STET_REASON_UPSTREAM_RESET;
    default:
        return STET_REASON_UPSTREAM_MALFORMED;
    }
}

static enum stet__step unanswered(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    hop->receipt = (struct stet_receipt){.action = STET_RECEIVE_FAIL};
    if (task->get->stopping)
        return stet__task_fail(task, STET_E_GET_STOPPED);
    if (!hop->own && !hop->uncached)
        stet_cache_unanswered(&hop->question, &hop->decision, error_of(&task->result.transfer),
                              &hop->receipt);
    task->result.reason = hop->receipt.reason;
    if (hop->receipt.action == STET_RECEIVE_STALE)
        return stet__stored_answer(task, hop->receipt.chosen, STET__GET_STALE);
    return stet__task_fail(task, task->result.transfer.status);
}

/* It ended within its content. */
static enum stet__step cut_off(struct stet__task *task)
{
    stet__commit_cut(task);
    if (task->get->stopping)
        return stet__task_fail(task, STET_E_GET_STOPPED);
    bool again = !task->background && !task->hop.own && task->hop.request.method == STET_METHOD_GET &&
                 !task->has_content && task->resumes < task->get->settings.retries;
    if (!again || !stet__flow_may_go_on(&task->flow))
        return stet__task_fail(task, task->result.transfer.status);
    task->resumes++;
    task->result.resumed++;
    return STET__STEP_LOOK;
}

/* The whole that was made of parts, or the octets of a part, are not what they should be. */
static enum stet__step damaged(struct stet__task *task)
{
    stet__commit_drop(task);
    stet__flow_spoil(&task->flow);
    return stet__task_mend(task);
}

/* RFC 9842 section 5: the dictionary is another one, or the octets are damaged. */
static enum stet__step without_delta(struct stet__task *task)
{
    task->plain = true;
    task->failure = STET_OK;
    return damaged(task);
}

static void tell_changed(struct stet__task *task, const struct stet__disk_entry *entry)
{
    struct stet__get_result *result = &task->result;
    bool head = task->hop.request.method == STET_METHOD_HEAD || task->hop.response.status == 304;
    result->stored = entry != NULL;
    result->has_digest = entry && entry->has_digest && entry->stored.method == STET_METHOD_GET;
    if (result->has_digest)
        memcpy(result->digest, entry->digest, sizeof result->digest);
    if (head)
        result->changed = !result->had || task->hop.receipt.invalidated != 0;
    else
        result->changed = !task->had_digest || !result->has_digest ||
                          memcmp(task->old_digest, entry->digest, sizeof task->old_digest) != 0;
}

/* A part has become longer. Should the store not keep it, there is an end to that. */
static enum stet__step go_on(struct stet__task *task)
{
    uint64_t held = task->hop.stored[task->hop.decision.chosen]->held.range.last + 1;
    if (held <= task->reached)
        return stet__task_mend(task);
    task->reached = held;
    return STET__STEP_LOOK;
}

/* All of it has come: what it is of is known only now. */
static enum stet__step came(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    struct stet__disk_entry entry;
    if (hop->extends && hop->offset != hop->next.held.range.last + 1)
        return damaged(task);
    bool whole = !hop->extends || hop->combination.held.complete;
    int status = stet__delta_finish(task, take);
    if (task->delta.failed)
        return without_delta(task);
    if (status == STET_OK)
        status = whole && !hop->redirects ? stet__flow_close(&task->flow) : STET_OK;
    if (status != STET_OK) {
        stet__commit_drop(task);
        return stet__task_fail(task, status);
    }
    bool kept = stet__commit_end(task, &entry);
    if (!whole)
        return go_on(task);
    const struct stet_fields *fields = hop->extends ? &hop->combined.response.fields : &hop->response.fields;
    if (kept && stet__digest_judge(fields, entry.digest) == STET__DIGEST_DIFFERS) {
        stet__disk_remove_entry(task->get->disk, entry.id);
        if (hop->extends)
            return damaged(task);
        kept = false;
        task->result.damaged = true;
    }
    if (task->get->disk)
        stet__disk_count(task->get->disk, STET__DISK_MISS,
                         hop->extends || task->delta.coded ? task->result.saved_octets : 0);
    tell_changed(task, kept ? &entry : NULL);
    if (!hop->redirects)
        return STET__STEP_END;
    if (!stet__answer_redirect(task, &hop->next, NULL, STET__GET_ORIGIN))
        return stet__task_fail(task, STET_E_GET_MEMORY);
    return stet__redirect_follow(task, &hop->response);
}

/* Its content was nobody's. */
static enum stet__step without_content(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    switch (hop->receipt.action) {
    case STET_RECEIVE_FRESHEN:
        if (hop->receipt.chosen >= hop->question.count)
            break;
        stet__commit_freshen(task);
        return stet__stored_answer(task, hop->receipt.chosen, STET__GET_VALIDATED);
    case STET_RECEIVE_STALE:
        return stet__stored_answer(task, hop->receipt.chosen, STET__GET_STALE);
    case STET_RECEIVE_RETRY:
        return stet__task_mend(task);
    default:
        break;
    }
    return came(task);
}

enum stet__step stet__receive_conclude(struct stet__task *task)
{
    if (task->failure != STET_OK) {
        if (task->delta.failed && !task->get->stopping)
            return without_delta(task);
        if (task->failure == STET_E_GET_SINK || task->failure == STET_E_GET_STOPPED)
            stet__commit_cut(task);
        else
            stet__commit_drop(task);
        return stet__task_fail(task, task->failure);
    }
    if (!task->hop.answered)
        return unanswered(task);
    if (task->intake == STET__INTAKE_DISCARD)
        return without_content(task);
    if (task->result.transfer.status != STET_OK && !task->hop.redirects)
        return cut_off(task);
    if (task->result.transfer.status != STET_OK) /* where it leads is known */
        stet__commit_cut(task);
    return came(task);
}
