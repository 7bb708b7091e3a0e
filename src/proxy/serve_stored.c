/* SPDX-License-Identifier: MIT */
/*
 * serve_stored: replies from what is held: whole, 304, one range or several, 416. What it is to be is core's
 * to say (stet_cache_answer). A hit copies a ready-made head and adds Age and Cache-Status; nothing is
 * allocated unless the body is in several pieces, still grows, or has to be cut into ranges.
 */
#include <stet/not_modified.h>
#include <stet/partial.h>

#include "proxy/coded.h"

static void hold_body(void *owner)
{
    stet__body_acquire(owner);
}

static void release_body(void *owner)
{
    stet__body_release(owner);
}

static const struct stet_fields *fields_of(const struct stet__serving *serving)
{
    return serving->object ? &serving->object->sent : &serving->fields;
}

/* Adds what only this reply has, and answers. */
static void send_reply(struct stet__proxy_worker *worker, struct stet__serving *serving,
                       struct stet__reply *reply)
{
    struct stet__extra extra;
    stet__extra_begin(&extra);
    if (serving->tell_age)
        stet__extra_age(&extra, serving->age_s);
    stet__extra_status(&extra, worker, &serving->status);
    stet__trace_answer(serving->trace, reply->head->status, reply->reason);
    stet__extra_trace(&extra, serving->trace);
    reply->extra = extra.at;
    reply->extra_count = extra.count;
    reply->cache = extra.cache;
    stet__exchange_answer(serving->exchange, reply);
}

static void fail(struct stet__proxy_worker *worker, struct stet__serving *serving)
{
    stet__proxy_error(worker, serving->exchange, (struct stet__refused){503, STET_REASON_OVERLOADED},
                      &serving->status, serving->trace);
}

/* Octets `first` to before `end` of the body (UINT64_MAX: to its end) as parts, or else as a source. */
static bool supply(struct stet__proxy_worker *worker, struct stet__serving *serving, uint64_t first,
                   uint64_t end, struct stet__reply *reply)
{
    struct stet__body *body = serving->body;
    if (!body || first == end || serving->request->method == STET_METHOD_HEAD)
        return true;
    bool complete = stet__body_state(body) == STET__BODY_COMPLETE;
    if (complete && end != UINT64_MAX && stet__body_read(body, first, end - first, &serving->part) &&
        serving->part.length == end - first) {
        reply->parts = &serving->part;
        reply->part_count = 1;
        reply->owner = body;
        reply->hold = hold_body;
        reply->release = release_body;
        return true;
    }
    struct stet__reader *reader = stet__reader_new(worker, serving->exchange, body, first, end);
    if (!reader)
        return false;
    if (!complete && !stet__reader_attach(reader, serving->hash))
        return false;
    stet__reader_source(reader, &reply->source);
    reply->chunked = end == UINT64_MAX;
    return true;
}

/* Its octets in another coding, made while they are sent: RFC 9110 section 8.4. */
static bool supply_passing(struct stet__proxy_worker *worker, struct stet__serving *serving, uint64_t end,
                           struct stet__reply *reply)
{
    bool decode = serving->choice.coding == STET_CODING_IDENTITY;
    reply->chunked = true;
    if (serving->request->method == STET_METHOD_HEAD)
        return true;
    struct stet__reader *reader = stet__reader_new(worker, serving->exchange, serving->body, 0, end);
    if (!reader || (stet__body_state(serving->body) != STET__BODY_COMPLETE &&
                    !stet__reader_attach(reader, serving->hash)))
        return false;
    stet__reader_source(reader, &reply->source);
    if (stet__recode(worker, &reply->source, decode ? serving->codable.own : serving->choice.coding, decode))
        return true;
    reply->source.done(reply->source.owner, false);
    return false;
}

static void serve_passing(struct stet__proxy_worker *worker, struct stet__serving *serving, unsigned status,
                          enum stet_reason reason)
{
    struct stet__reply reply = {.reason = reason};
    struct stet_fields fields;
    uint64_t end = serving->as_it_came ? serving->came_length : UINT64_MAX;
    if (stet__coded_fields(serving, fields_of(serving), serving->tag, &fields))
        reply.head = stet__head_whole(worker, serving->exchange->arena, status, &fields, serving->http10);
    if (!reply.head || !supply_passing(worker, serving, end, &reply))
        fail(worker, serving);
    else
        send_reply(worker, serving, &reply);
}

/* Of a HEAD, without what is about content that it does not have: RFC 9530 section 2. */
static const struct stet__head *without_digest(struct stet__proxy_worker *worker,
                                               struct stet__serving *serving, unsigned status)
{
    const struct stet_fields *from = fields_of(serving);
    struct stet__lines lines;
    stet__lines_begin(&lines, serving->exchange->arena, from->count);
    for (size_t i = 0; i < from->count; i++)
        if (from->at[i].id != STET_FIELD_CONTENT_DIGEST)
            stet__lines_add(&lines, &from->at[i]);
    return lines.failed
               ? NULL
               : stet__head_whole(worker, serving->exchange->arena, status, &lines.fields, serving->http10);
}

static void serve_whole(struct stet__proxy_worker *worker, struct stet__serving *serving, unsigned status,
                        enum stet_reason reason)
{
    struct stet__head ready;
    const struct stet_held *held = &serving->stored->held;
    struct stet__reply reply = {.reason = reason};
    if (serving->passing) {
        serve_passing(worker, serving, status, reason);
        return;
    }
    if (serving->request->method == STET_METHOD_HEAD &&
        stet_fields_have(fields_of(serving), STET_FIELD_CONTENT_DIGEST)) {
        reply.head = without_digest(worker, serving, status);
    } else if (serving->object) {
        ready = (struct stet__head){.status = status,
                                    .h1 = serving->object->heads[STET__HEAD_WHOLE],
                                    .fields = *fields_of(serving),
                                    .expires_after_s = -1,
                                    .by_octets = true,
                                    .has_date = true};
        reply.head = &ready;
    } else {
        reply.head =
            stet__head_whole(worker, serving->exchange->arena, status, fields_of(serving), serving->http10);
    }
    bool known = stet_fields_have(fields_of(serving), STET_FIELD_CONTENT_LENGTH) && held->length_known;
    uint64_t end = known ? held->complete_length : UINT64_MAX;
    if (serving->as_it_came)
        end = serving->came_length;
    if (!reply.head || !supply(worker, serving, 0, end, &reply)) {
        fail(worker, serving);
        return;
    }
    send_reply(worker, serving, &reply);
}

/* RFC 9111 section 4.3.4: a 304 names what it confirms, so it has the tag by which the client knows that. */
static const struct stet__head *not_modified_as(struct stet__proxy_worker *worker,
                                                struct stet__serving *serving, struct stet_span etag)
{
    struct stet_fields fields;
    if (!stet__coded_fields(serving, fields_of(serving), etag, &fields))
        return NULL;
    return stet__head_not_modified(worker, serving->exchange->arena, &fields, serving->http10);
}

static void serve_not_modified(struct stet__proxy_worker *worker, struct stet__serving *serving,
                               enum stet_reason reason)
{
    struct stet__head ready;
    struct stet__reply reply = {.reason = reason};
    bool equivalent = reason == STET_REASON_IF_NONE_MATCH_EQUIVALENT;
    if (equivalent || serving->passing) {
        reply.head = not_modified_as(worker, serving,
                                     equivalent ? stet__tag_text(serving->selected.held) : serving->tag);
    } else if (serving->object) {
        ready = (struct stet__head){.status = 304,
                                    .h1 = serving->object->heads[STET__HEAD_NOT_MODIFIED],
                                    .fields = *fields_of(serving),
                                    .expires_after_s = -1,
                                    .by_octets = true,
                                    .has_date = true};
        reply.head = &ready;
    } else {
        reply.head =
            stet__head_not_modified(worker, serving->exchange->arena, fields_of(serving), serving->http10);
    }
    if (reply.head)
        send_reply(worker, serving, &reply);
    else
        fail(worker, serving);
}

/* ---- ranges: RFC 9110 sections 14 and 15.3.7 ---- */

/* The fields of the 206: those of the 200 that stay, and its own. `several` NULL: it has one range. */
static const struct stet__head *make_206(struct stet__proxy_worker *worker, struct stet__serving *serving,
                                         const struct stet_answer *answer, const struct stet__ranges *several)
{
    const struct stet_fields *from = fields_of(serving);
    struct stet_range range = answer->ranges.at[0];
    bool has_etag = stet_fields_have(from, STET_FIELD_ETAG);
    struct stet__lines lines;
    stet__lines_begin(&lines, serving->exchange->arena, from->count + 3);
    for (size_t i = 0; i < from->count; i++) {
        bool own =
            !stet_partial_keeps(&from->at[i]) || (several && from->at[i].id == STET_FIELD_CONTENT_TYPE);
        if (!own && (!answer->if_range_held || stet_not_modified_keeps(&from->at[i], has_etag)))
            stet__lines_add(&lines, &from->at[i]);
    }
    stet__lines_put_number(&lines, STET_FIELD_CONTENT_LENGTH,
                           several ? stet__ranges_length(several) : range.last - range.first + 1);
    if (several) {
        stet__lines_put(&lines, STET_FIELD_CONTENT_TYPE, stet__ranges_type(several));
    } else {
        char text[STET_CONTENT_RANGE_LEN];
        size_t len = stet_content_range_format(range, serving->stored->held.complete_length, text);
        stet__lines_put(&lines, STET_FIELD_CONTENT_RANGE,
                        stet__arena_copy(serving->exchange->arena, stet_span_of(text, len)));
    }
    return lines.failed
               ? NULL
               : stet__head_whole(worker, serving->exchange->arena, 206, &lines.fields, serving->http10);
}

static void serve_range(struct stet__proxy_worker *worker, struct stet__serving *serving,
                        const struct stet_answer *answer)
{
    struct stet__reply reply = {.reason = answer->reason};
    const struct stet_held *held = &serving->stored->held;
    struct stet_range range = answer->ranges.at[0];
    uint64_t base = held->complete ? 0 : held->range.first;
    reply.head = make_206(worker, serving, answer, NULL);
    if (!reply.head || !supply(worker, serving, range.first - base, range.last - base + 1, &reply))
        fail(worker, serving);
    else
        send_reply(worker, serving, &reply);
}

static void serve_ranges(struct stet__proxy_worker *worker, struct stet__serving *serving,
                         const struct stet_answer *answer)
{
    const struct stet_field *type = stet_fields_find(fields_of(serving), STET_FIELD_CONTENT_TYPE, 0);
    struct stet__ranges *several =
        stet__ranges_new(worker, serving, type ? type->value : STET_SPAN_NONE, &answer->ranges);
    if (!several) {
        /* It still comes in, or there is no memory: a server may ignore Range (RFC 9110 section 14.2). */
        serve_whole(worker, serving, 200, answer->reason);
        return;
    }
    struct stet__reply reply = {.head = make_206(worker, serving, answer, several), .reason = answer->reason};
    if (!reply.head) {
        stet__ranges_free(several);
        fail(worker, serving);
        return;
    }
    stet__ranges_source(several, &reply.source);
    send_reply(worker, serving, &reply);
}

static void serve_unsatisfied(struct stet__proxy_worker *worker, struct stet__serving *serving,
                              enum stet_reason reason)
{
    char text[STET_CONTENT_RANGE_LEN];
    size_t len = stet_content_range_format_unsatisfied(serving->stored->held.complete_length, text);
    const struct stet_fields *from = fields_of(serving);
    struct stet__lines lines;
    stet__lines_begin(&lines, serving->exchange->arena, from->count + 2);
    for (size_t i = 0; i < from->count; i++)
        if (from->at[i].id == STET_FIELD_VARY)
            stet__lines_add(&lines, &from->at[i]);
    stet__lines_put(&lines, STET_FIELD_CONTENT_RANGE, stet_span_of(text, len));
    stet__lines_put(&lines, STET_FIELD_CONTENT_LENGTH, STET_SPAN("0"));
    struct stet__reply reply = {.reason = reason};
    reply.head = lines.failed ? NULL
                              : stet__head_whole(worker, serving->exchange->arena, 416, &lines.fields,
                                                 serving->http10);
    if (reply.head)
        send_reply(worker, serving, &reply);
    else
        fail(worker, serving);
}

/* Of a body whose length is not known yet no range can be judged. */
static struct stet_request without_range(const struct stet_request *request)
{
    struct stet_request plain = *request;
    plain.fields.present &= ~(UINT64_C(1) << STET_FIELD_RANGE);
    return plain;
}

static void serve(struct stet__proxy_worker *worker, struct stet__serving *serving)
{
    struct stet_answer answer;
    if (stet__coded_current(serving)) {
        stet__trace_coding(serving);
        serve_not_modified(worker, serving, STET_REASON_IF_NONE_MATCH_MATCHES);
        return;
    }
    stet__coded_choose(worker, serving);
    stet__trace_coding(serving);
    if (serving->as_it_came) {
        if (serving->starved)
            fail(worker, serving);
        else
            serve_whole(worker, serving, serving->came_status, serving->status.detail);
        return;
    }
    struct stet_request plain = *serving->request;
    if (!serving->stored->held.length_known && stet_fields_have(&plain.fields, STET_FIELD_RANGE))
        plain = without_range(serving->request);
    if (serving->coded)
        stet_cache_answer_coded(&plain, serving->stored, &serving->selected, serving->exchange->now, &answer);
    else
        stet_cache_answer(&plain, serving->stored, serving->exchange->now, &answer);
    enum stet_reason reason =
        answer.reason == STET_REASON_NO_PRECONDITION ? serving->status.detail : answer.reason;
    if (serving->starved && answer.status != 304) {
        fail(worker, serving);
        return;
    }
    switch (answer.status) {
    case 304:
        serve_not_modified(worker, serving, reason);
        return;
    case 206:
        if (answer.ranges.count == 1)
            serve_range(worker, serving, &answer);
        else
            serve_ranges(worker, serving, &answer);
        return;
    case 416:
        serve_unsatisfied(worker, serving, reason);
        return;
    default:
        serve_whole(worker, serving, answer.status, reason);
        return;
    }
}

void stet__serve(struct stet__proxy_worker *worker, struct stet__serving *serving)
{
    serve(worker, serving);
    stet__object_release(serving->copy);
}

void stet__serve_object(struct stet__visit *visit, struct stet__object *object,
                        const struct stet_cache_status *status)
{
    struct stet__serving serving = {
        .exchange = visit->exchange,
        .trace = visit->trace,
        .request = &visit->exchange->request->head,
        .stored = &object->stored,
        .body = object->body,
        .object = object,
        .http10 = object->http10,
        .hash = object->hash,
        .status = *status,
        .tell_age = true,
        .age_s = stet_freshness_age(&object->stored.freshness, visit->exchange->now),
        .codable = {.own = object->coding, .codings = object->codings},
    };
    stet__store_use(visit->worker->proxy->store, object);
    stet__serve(visit->worker, &serving);
}
