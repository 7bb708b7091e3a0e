/* SPDX-License-Identifier: MIT */
/*
 * fetch: what happens to a request to an origin. Its memory is fetch_new.c's, what its answer means
 * receive.c's.
 */
#include "proxy/fetch.h"

#include <stet/field.h>
#include <stet/forward.h>

#include "base/assert.h"
#include "proxy/lately.h"

#define HELD_MS 1000 /* an answer is held back for a tag no longer than that */

/* ---- the way to the origin ---- */

static void on_interim(void *owner, const struct stet_response *response)
{
    struct stet__fetch *fetch = owner;
    if (fetch->visit)
        stet__relay_interim(fetch, response);
}

/* RFC 9110 section 8.6: one that is there twice, or as a list. */
static bool is_odd_length(const struct stet_field *field, const struct stet_fields *all)
{
    uint64_t length;
    return field->id == STET_FIELD_CONTENT_LENGTH && (stet_fields_count(all, STET_FIELD_CONTENT_LENGTH) > 1 ||
                                                      stet_span_to_u64(field->value, &length) != STET_OK);
}

static void put_date(struct stet__fetch *fetch, struct stet__lines *lines)
{
    char text[STET_DATE_LEN];
    stet_date_format(stet__loop_now_s(fetch->worker->loop), text);
    stet__lines_put(lines, STET_FIELD_DATE, stet__arena_copy(&fetch->arena, stet_span_of(text, sizeof text)));
}

/* The fields as they came, with the length by which they were read, and a Date if there is none (RFC 9110
 * section 6.6.1). */
static bool copy_response(struct stet__fetch *fetch, const struct stet_http1_response *from)
{
    struct stet_fields fields;
    struct stet__lines lines;
    if (!stet__copy_fields(&fetch->arena, &from->head.fields, is_odd_length, &fields))
        return false;
    stet__lines_begin(&lines, &fetch->arena, fields.count + 2);
    for (size_t i = 0; i < fields.count; i++)
        stet__lines_add(&lines, &fields.at[i]);
    if (from->body == STET_BODY_LENGTH && !stet_fields_have(&fields, STET_FIELD_CONTENT_LENGTH))
        stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH, from->content_length);
    if (!stet_fields_have(&fields, STET_FIELD_DATE))
        put_date(fetch, &lines);
    if (lines.failed)
        return false;
    fetch->response = (struct stet_response){.status = from->head.status, .fields = lines.fields};
    const struct stet_fields *forwarded = stet__forwarded_fields(&fetch->arena, &fetch->response.fields);
    if (forwarded)
        fetch->forwarded = *forwarded;
    return forwarded != NULL;
}

static void on_head(void *owner, const struct stet_http1_response *response)
{
    struct stet__fetch *fetch = owner;
    fetch->answered = true;
    stet__attempt_worked(&fetch->attempt, response->minor);
    if (!copy_response(fetch, response)) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
        return;
    }
    fetch->http10 = response->minor == 0;
    fetch->framing = response->body;
    fetch->content_length = response->content_length;
    fetch->times.response = stet__loop_now_s(fetch->worker->loop);
    fetch->times.age = stet_message_age(&fetch->response.fields);
    stet__trace_came(fetch);
    if (response->head.status == 101)
        stet__relay_upgrade(fetch);
    else
        stet__fetch_received(fetch);
}

/* A body that is not kept: nobody who reads it, or the slowest is far behind. Returns what may be taken. */
static size_t hold_back(struct stet__fetch *fetch, size_t len)
{
    uint64_t passed = stet__fill_trim(fetch->worker->proxy->fills, &fetch->fill);
    if (passed == UINT64_MAX)
        return SIZE_MAX;
    uint64_t ahead = stet__body_length(fetch->body) - passed;
    uint64_t room = ahead < STET__FILL_AHEAD ? STET__FILL_AHEAD - ahead : 0;
    return len < room ? len : (size_t)room;
}

static void cut_fill(struct stet__fetch *fetch)
{
    stet__store_remove(fetch->worker->proxy->store, fetch->object);
    stet__body_finish(fetch->body, false);
    stet__fetch_free(fetch);
}

static size_t on_fill_data(struct stet__fetch *fetch, struct stet_span octets)
{
    size_t taken = octets.len;
    if (fetch->fill.unkept) {
        taken = hold_back(fetch, octets.len);
        if (taken == SIZE_MAX) {
            cut_fill(fetch);
            return octets.len;
        }
        fetch->held_back = taken < octets.len;
    }
    if (taken > 0 && !stet__body_append(fetch->body, stet_span_of(octets.ptr, taken))) {
        cut_fill(fetch);
        return octets.len;
    }
    if (fetch->digester)
        stet__digester_add(fetch->digester, octets);
    if (!fetch->fill.unkept && !stet__store_account(fetch->worker->proxy->store, fetch->object)) {
        /* Too large to be kept: it goes on for those who read it. */
        stet__store_remove(fetch->worker->proxy->store, fetch->object);
        stet__fill_unkept(fetch->worker->proxy->fills, &fetch->fill);
        stet__digester_free(fetch->digester);
        fetch->digester = NULL;
    }
    stet__fill_grown(fetch->worker->proxy->fills, &fetch->fill, fetch->worker);
    return taken;
}

static size_t on_held_data(struct stet__fetch *fetch, struct stet_span octets)
{
    if (!stet__body_append(fetch->body, octets)) {
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_INTERNAL);
        return octets.len;
    }
    if (fetch->digester)
        stet__digester_add(fetch->digester, octets);
    uint64_t limit = fetch->state == STET__FETCH_HOLD ? fetch->worker->configuration->etag_bytes
                                                      : fetch->worker->configuration->store.object_bytes;
    if (stet__body_length(fetch->body) <= limit)
        return octets.len;
    if (fetch->state == STET__FETCH_HOLD)
        stet__fetch_release_hold(fetch, false);
    else
        stet__fetch_failed(fetch, STET_REASON_UPSTREAM_MALFORMED);
    return octets.len;
}

static size_t on_data(void *owner, struct stet_span octets)
{
    struct stet__fetch *fetch = owner;
    switch (fetch->state) {
    case STET__FETCH_RELAY:
        return fetch->done ? octets.len : stet__pipe_put(&fetch->down, octets);
    case STET__FETCH_FILL:
        return on_fill_data(fetch, octets);
    case STET__FETCH_HOLD:
    case STET__FETCH_COLLECT:
        return on_held_data(fetch, octets);
    default:
        return octets.len;
    }
}

/* What has no length may take for ever: it is not held back beyond what came in one go. */
static void on_pause(void *owner)
{
    struct stet__fetch *fetch = owner;
    if (fetch->state == STET__FETCH_HOLD && fetch->framing != STET_BODY_LENGTH)
        stet__fetch_release_hold(fetch, false);
}

static void end_fill(struct stet__fetch *fetch, bool complete)
{
    if (!complete) {
        cut_fill(fetch);
        return;
    }
    stet__body_finish(fetch->body, true);
    if (!fetch->fill.unkept)
        stet__commit_complete(fetch);
    stet__fetch_free(fetch);
}

/* Those that go on, copied: the client may take the last of the content long after. */
static const struct stet_fields *keep_trailers(struct stet__arena *arena, const struct stet_fields *trailers)
{
    const struct stet_fields *kept = stet__forwarded_fields(arena, trailers);
    struct stet_fields *copied = stet__arena_alloc(arena, sizeof *copied);
    return kept && copied && stet__copy_fields(arena, kept, NULL, copied) ? copied : NULL;
}

static void end_relay(struct stet__fetch *fetch, bool complete, const struct stet_fields *trailers)
{
    fetch->ended = true;
    if (fetch->done) {
        stet__fetch_free(fetch);
        return;
    }
    if (trailers)
        fetch->trailers = keep_trailers(&fetch->arena, trailers);
    stet__pipe_end(&fetch->down, complete);
}

static void on_end(void *owner, enum stet_reason reason, const struct stet_fields *trailers)
{
    struct stet__fetch *fetch = owner;
    bool complete = reason == STET_REASON_OK;
    fetch->upstream = NULL;
    switch (fetch->state) {
    case STET__FETCH_SENDING:
        stet__trace_failed(fetch, reason);
        if (stet__attempt_next(&fetch->attempt, reason,
                               stet_method_safe(fetch->request.head.method) && !fetch->has_body))
            return;
        stet__fetch_failed(fetch, reason);
        return;
    case STET__FETCH_RELAY:
        end_relay(fetch, complete, trailers);
        return;
    case STET__FETCH_FILL:
        end_fill(fetch, complete);
        return;
    case STET__FETCH_HOLD:
        if (complete)
            stet__fetch_release_hold(fetch, true);
        else
            stet__fetch_failed(fetch, reason);
        return;
    case STET__FETCH_COLLECT:
        if (complete)
            stet__fetch_collected(fetch);
        else
            stet__fetch_failed(fetch, reason);
        return;
    case STET__FETCH_DRAIN:
        stet__fetch_free(fetch);
        return;
    }
}

static const struct stet__upstream_events events = {
    .interim = on_interim, .head = on_head, .data = on_data, .pause = on_pause, .end = on_end};

/* ---- asking ---- */

void stet__fetch_ask(struct stet__attempt *attempt)
{
    struct stet__fetch *fetch = stet__list_entry(attempt, struct stet__fetch, attempt);
    enum stet_reason failure = attempt->failure;
    struct stet__buffer head;
    /* RFC 9112 section 6.1: chunked only to those who are known, or at first taken, to handle HTTP/1.1. */
    if (failure == STET_REASON_OK && fetch->request.body == STET_BODY_CHUNKED &&
        stet__attempt_is_http10(attempt)) {
        stet__fetch_failed(fetch, STET_REASON_LENGTH_REQUIRED);
        return;
    }
    stet__buffer_init(&head, 256 * 1024);
    if (failure == STET_REASON_OK && !stet__ask_head(fetch, &head))
        failure = STET_REASON_UPSTREAM_INTERNAL;
    if (failure == STET_REASON_OK) {
        struct stet__upstream_request request = {
            .address = &attempt->address,
            .tls = attempt->authority.ptr ? NULL : fetch->worker->configuration->origins[attempt->origin].tls,
            .head = stet__buffer_span(&head),
            .method = fetch->request.head.method,
            .idempotent = stet_method_idempotent(fetch->request.head.method),
            .body_chunked = fetch->request.body == STET_BODY_CHUNKED,
            .expect_continue = fetch->has_body && fetch->request.expect_continue,
            .events = &events,
            .owner = fetch};
        if (fetch->has_body)
            request.body = (struct stet__source){.owner = fetch, .next = stet__upload_next};
        stet__trace_asked(fetch);
        fetch->times.request = stet__loop_now_s(fetch->worker->loop);
        fetch->asked_at = stet__store_moment(fetch->worker->proxy->store);
        fetch->upstream = stet__upstream_ask(fetch->worker->upstreams, &request);
        if (!fetch->upstream)
            failure = STET_REASON_UPSTREAM_INTERNAL;
    }
    stet__buffer_release(&head);
    if (failure != STET_REASON_OK)
        stet__trace_failed(fetch, failure);
    if (failure != STET_REASON_OK &&
        !stet__attempt_next(attempt, failure, stet_method_safe(fetch->request.head.method)))
        stet__fetch_failed(fetch, failure);
}

void stet__fetch_again(struct stet__fetch *fetch)
{
    if (fetch->upstream)
        stet__upstream_cancel(fetch->upstream);
    fetch->upstream = NULL;
    fetch->answered = false;
    fetch->state = STET__FETCH_SENDING;
    fetch->attempt.tried = 0;
    stet__attempt_begin(&fetch->attempt);
}

void stet__fetch_writer_woken(struct stet__wake *wake)
{
    struct stet__fetch *fetch = stet__list_entry(wake, struct stet__fetch, fill.writer);
    if (fetch->state != STET__FETCH_FILL || !fetch->fill.unkept)
        return;
    if (hold_back(fetch, 1) == SIZE_MAX)
        cut_fill(fetch);
    else if (fetch->upstream)
        stet__upstream_read_on(fetch->upstream);
}

/*
 * A range of what is not stored, with --range-miss whole: the whole is asked for, so that it can be stored,
 * and the range is cut out of it here; so others may wait for it too. Conditions that only the origin may
 * judge go there as they are, and so does Authorization, whose answers are nobody else's.
 */
static bool asks_for_whole(const struct stet__visit *visit)
{
    const struct stet_fields *fields = &visit->question.request->fields;
    return visit->worker->configuration->range_miss == STET__RANGE_MISS_WHOLE && visit->target.cacheable &&
           visit->decision.may_store && visit->decision.action == STET_CACHE_FORWARD &&
           visit->question.request->method == STET_METHOD_GET && stet_fields_have(fields, STET_FIELD_RANGE) &&
           !stet_fields_have(fields, STET_FIELD_IF_MATCH) &&
           !stet_fields_have(fields, STET_FIELD_IF_UNMODIFIED_SINCE) &&
           !stet_fields_have(fields, STET_FIELD_AUTHORIZATION);
}

/*
 * Whether others may wait for this answer, and this visit for that of others. Not for a key whose answers
 * could not be shared lately, and not again and again.
 */
static bool may_collapse(struct stet__visit *visit)
{
    const struct stet_cache_decision *decision = &visit->decision;
    bool shared = decision->may_collapse || asks_for_whole(visit);
    if (!visit->target.cacheable || !shared || !decision->may_store || visit->waits > 2)
        return false;
    if (!stet__lately_has(visit->worker->proxy->lately, visit->target.hash, visit->exchange->now))
        return true;
    if (decision->action == STET_CACHE_FORWARD && decision->reason == STET_REASON_URI_MISS)
        visit->decision.reason = STET_REASON_UNCACHEABLE_LATELY;
    return false;
}

/* True: the visit waits, or (in the background) somebody asks already. */
static bool waits(struct stet__fetch *fetch, struct stet__visit *visit, bool answer)
{
    struct stet__fills *fills = fetch->worker->proxy->fills;
    if (answer && !may_collapse(visit)) {
        visit->alone |= visit->collapsed;
        return false;
    }
    if (stet__fill_lead_or_wait(fills, &fetch->fill, answer ? visit : NULL) == STET__WAIT)
        return true;
    if (answer && stet__fetch_overtaken(fetch)) {
        stet__fill_over(fills, &fetch->fill, STET_REASON_OK);
        stet__wake_send(&visit->wake);
        return true;
    }
    fetch->leads = true;
    return false;
}

bool stet__fetch_begin(struct stet__visit *visit, bool answer)
{
    struct stet__fetch *fetch = stet__fetch_new(visit, answer);
    if (!fetch)
        return false;
    fetch->has_body = answer && fetch->request.body != STET_BODY_NONE &&
                      (fetch->request.body == STET_BODY_CHUNKED || fetch->request.content_length > 0);
    if (waits(fetch, visit, answer)) {
        stet__fetch_free(fetch);
        return true;
    }
    fetch->decision.reason = visit->decision.reason;
    if (answer) {
        fetch->visit = visit;
        visit->fetch = fetch;
    }
    fetch->validation.own_fields = true;
    if (fetch->validating)
        stet_cache_validation(&fetch->question, &fetch->decision, fetch->tags, sizeof fetch->tags,
                              &fetch->validation);
    fetch->widened = answer && fetch->validation.own_fields && asks_for_whole(visit);
    if (fetch->widened)
        fetch->validation.own_fields = false;
    stet__attempt_begin(&fetch->attempt);
    return true;
}

struct stet_cache_status stet__fetch_status(const struct stet__fetch *fetch)
{
    struct stet_cache_status status = {
        .forward = fetch->decision.forward, .key = fetch->target.key, .detail = fetch->decision.reason};
    if (fetch->visit)
        status = stet__status_of(fetch->visit);
    status.hit = false;
    status.has_ttl = false;
    status.forward = fetch->decision.forward;
    status.forward_status = fetch->answered ? fetch->response.status : 0;
    status.detail = fetch->decision.reason;
    return status;
}

/* ---- the end ---- */

static bool is_shared_failure(enum stet_reason reason)
{
    return reason == STET_REASON_UPSTREAM_REFUSED || reason == STET_REASON_UPSTREAM_UNAVAILABLE ||
           reason == STET_REASON_UPSTREAM_DNS || reason == STET_REASON_UPSTREAM_CONNECT_TIMEOUT ||
           reason == STET_REASON_UPSTREAM_UNREACHABLE || reason == STET_REASON_UPSTREAM_READ_TIMEOUT;
}

bool stet__fetch_chosen_lost(const struct stet__fetch *fetch, size_t chosen)
{
    const struct stet__body *body = chosen < fetch->count ? fetch->candidates[chosen].object->body : NULL;
    return body && stet__body_lost(body);
}

void stet__fetch_failed(struct stet__fetch *fetch, enum stet_reason reason)
{
    struct stet__visit *visit = fetch->visit;
    struct stet_receipt receipt = {.action = STET_RECEIVE_FAIL, .reason = reason};
    if (fetch->validating)
        stet_cache_unanswered(&fetch->question, &fetch->decision, reason, &receipt);
    if (receipt.action == STET_RECEIVE_STALE && stet__fetch_chosen_lost(fetch, receipt.chosen))
        receipt = (struct stet_receipt){.action = STET_RECEIVE_FAIL, .reason = reason};
    stet__trace_receipt(fetch, &receipt);
    if (fetch->leads)
        stet__fill_over(fetch->worker->proxy->fills, &fetch->fill,
                        is_shared_failure(reason) ? reason : STET_REASON_OK);
    fetch->leads = false;
    if (visit) {
        struct stet_cache_status status = stet__fetch_status(fetch);
        status.detail = receipt.reason;
        fetch->visit = NULL;
        visit->fetch = NULL;
        if (receipt.action == STET_RECEIVE_STALE)
            stet__serve_object(visit, fetch->candidates[receipt.chosen].object, &status);
        else
            stet__proxy_error(fetch->worker, visit->exchange,
                              (struct stet__refused){stet__status_of_failure(receipt.reason), receipt.reason},
                              &status, visit->trace);
    }
    stet__fetch_free(fetch);
}

void stet__fetch_drop(struct stet__fetch *fetch)
{
    if (fetch->leads)
        stet__fill_over(fetch->worker->proxy->fills, &fetch->fill, STET_REASON_OK);
    fetch->leads = false;
    fetch->state = STET__FETCH_DRAIN;
    /* A short rest keeps the connection; more is not worth reading. What was held back has come already. */
    bool much = fetch->framing != STET_BODY_NONE &&
                (fetch->framing != STET_BODY_LENGTH || fetch->content_length > 65536);
    if (!fetch->upstream || much)
        stet__fetch_free(fetch);
}

void stet__fetch_desert(struct stet__fetch *fetch)
{
    fetch->visit = NULL;
    bool kept = fetch->state == STET__FETCH_SENDING ? fetch->leads && !fetch->has_body
                                                    : fetch->state != STET__FETCH_HOLD || !fetch->pass_held;
    if (!kept)
        stet__fetch_free(fetch);
}

void stet__fetch_second(struct stet__fetch *fetch)
{
    if (fetch->state == STET__FETCH_HOLD &&
        stet__loop_monotonic_ms(fetch->worker->loop) - fetch->held_since_ms > HELD_MS)
        stet__fetch_release_hold(fetch, false);
    else if (fetch->held_back)
        stet__fill_cut_slow(fetch->worker->proxy->fills, &fetch->fill,
                            stet__loop_monotonic_ms(fetch->worker->loop),
                            (int64_t)fetch->worker->configuration->lag_timeout_s * 1000);
}
