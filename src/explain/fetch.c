/* SPDX-License-Identifier: MIT */
#include "explain/fetch.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <stet/uri.h>

#define FIELDS_MAX 64
#define TEXT_MAX (4u << 20)
#define CONTENT_MAX (1u << 20) /* heads are what is told */
#define CONTENT_MAX_S 5

/* One exchange while it is under way. */
struct ask {
    struct stet__recorded recorded;
    struct stet__buffer answer; /* its head as text */
    uint64_t content_octets;
    time_t head_at;
    bool done, failed;
    bool cut; /* its content was not read to the end */
    char *cause;
    size_t cause_room;
};

static void put_fields(struct stet__buffer *out, const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++) {
        stet__buffer_append(out, fields->at[i].name);
        stet__buffer_append_text(out, ": ");
        stet__buffer_append(out, fields->at[i].value);
        stet__buffer_append_text(out, "\r\n");
    }
    stet__buffer_append_text(out, "\r\n");
}

static bool on_head(void *owner, const struct stet_http1_response *answer)
{
    struct ask *ask = owner;
    ask->head_at = time(NULL);
    stet__buffer_clear(&ask->answer);
    stet__buffer_append_text(&ask->answer, "HTTP/1.1 ");
    stet__buffer_append_u64(&ask->answer, answer->head.status);
    stet__buffer_append_text(&ask->answer, " \r\n");
    put_fields(&ask->answer, &answer->head.fields);
    return !ask->answer.failed;
}

static bool on_data(void *owner, struct stet_span octets)
{
    struct ask *ask = owner;
    ask->content_octets += octets.len;
    return ask->content_octets < CONTENT_MAX && time(NULL) - ask->head_at <= CONTENT_MAX_S;
}

static void on_done(void *owner, const struct stet__transfer_result *result)
{
    struct ask *ask = owner;
    ask->done = true;
    ask->cut = result->cut;
    ask->failed = result->status != STET_OK && ask->answer.len == 0;
    if (ask->failed)
        snprintf(ask->cause, ask->cause_room, "%s", result->cause ? result->cause : "no answer");
}

/* The request as it is told: the target and Host of the URI, and the fields. */
static const char *record_request(struct ask *ask, const struct stet__transfer_request *request)
{
    struct stet__buffer text;
    struct stet_uri uri;
    struct stet_span whole = stet_span_of(request->uri, strlen(request->uri));
    const char *hash = memchr(whole.ptr, '#', whole.len);
    if (hash)
        whole.len = (size_t)(hash - whole.ptr);
    const char *authority = strstr(request->uri, "://");
    size_t before = authority ? (size_t)(authority - request->uri) + 3 : 0;
    struct stet_span rest = stet_span_skip(whole, before);
    size_t host = 0;
    while (host < rest.len && rest.ptr[host] != '/' && rest.ptr[host] != '?')
        host++;
    if (stet_uri_parse(whole, &uri) != STET_OK)
        return "That is no URI.";
    stet__buffer_init(&text, TEXT_MAX);
    stet__buffer_append_text(&text, request->method);
    stet__buffer_append_text(&text, host < rest.len && rest.ptr[host] == '/' ? " " : " /");
    stet__buffer_append(&text, stet_span_skip(rest, host));
    stet__buffer_append_text(&text, " HTTP/1.1\r\nHost: ");
    stet__buffer_append(&text, stet_span_of(rest.ptr, host));
    stet__buffer_append_text(&text, "\r\n");
    put_fields(&text, request->fields);
    const char *wrong = stet__recorded_add(&ask->recorded, stet__buffer_span(&text));
    stet__buffer_release(&text);
    return wrong;
}

/* Asks once; false after a failure, which `cause` tells. */
static bool run(struct stet__transfers *transfers, const struct stet__transfer_request *request,
                struct ask *ask)
{
    static const struct stet__transfer_events events = {.head = on_head, .data = on_data, .done = on_done};
    const char *wrong = record_request(ask, request);
    if (!wrong && !stet__transfer_begin(transfers, request, &events, ask))
        wrong = "that is no URI that can be asked";
    while (!wrong && !ask->done)
        (void)stet__transfers_step(transfers, -1);
    if (!wrong && !ask->failed)
        wrong = stet__recorded_add(&ask->recorded, stet__buffer_span(&ask->answer));
    if (wrong)
        snprintf(ask->cause, ask->cause_room, "%s", wrong);
    return !wrong && !ask->failed;
}

static void begin(struct ask *ask, char *cause, size_t room)
{
    *ask = (struct ask){.cause = cause, .cause_room = room};
    stet__recorded_init(&ask->recorded);
    stet__buffer_init(&ask->answer, TEXT_MAX);
}

static void end(struct ask *ask)
{
    stet__recorded_release(&ask->recorded);
    stet__buffer_release(&ask->answer);
}

/* --- what was asked and came --- */

static void note_fields(struct stet__story *story, const struct stet_fields *fields,
                        const enum stet_field_id *ids, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct stet_field *field = stet_fields_find(fields, ids[i], 0);
        if (field)
            stet__story_note(story, "  %.*s: %.*s", (int)field->name.len, field->name.ptr,
                             (int)field->value.len, field->value.ptr);
    }
}

static void note(struct stet__story *story, const struct ask *ask)
{
    static const enum stet_field_id asked[] = {STET_FIELD_IF_NONE_MATCH, STET_FIELD_IF_MODIFIED_SINCE};
    static const enum stet_field_id came[] = {STET_FIELD_ETAG,          STET_FIELD_LAST_MODIFIED,
                                              STET_FIELD_CACHE_CONTROL, STET_FIELD_EXPIRES,
                                              STET_FIELD_VARY,          STET_FIELD_LOCATION};
    const struct stet_request *request = &ask->recorded.request.head;
    const struct stet_response *response = &ask->recorded.response.head;
    stet__story_note(story, "%.*s %.*s", (int)request->method_name.len, request->method_name.ptr,
                     (int)request->target.len, request->target.ptr);
    note_fields(story, &request->fields, asked, sizeof asked / sizeof *asked);
    stet__story_note(story, "-> %u, %s%" PRIu64 " octets of content", response->status,
                     ask->cut ? "at least " : "", ask->content_octets);
    note_fields(story, &response->fields, came, sizeof came / sizeof *came);
}

/* The fields of the user, and the validators of what came first. */
static size_t add_conditions(const struct stet_response *first, struct stet_field *fields, size_t count)
{
    static const struct {
        enum stet_field_id of, as;
    } pairs[] = {{STET_FIELD_ETAG, STET_FIELD_IF_NONE_MATCH},
                 {STET_FIELD_LAST_MODIFIED, STET_FIELD_IF_MODIFIED_SINCE}};
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        const struct stet_field *validator = stet_fields_find(&first->fields, pairs[i].of, 0);
        if (validator && validator->value.len > 0)
            fields[count++] =
                (struct stet_field){stet_field_name(pairs[i].as), validator->value, pairs[i].as};
    }
    return count;
}

/* Nobody can ask again whether it has changed. */
static void tell_without(struct stet__story *story, const struct stet_response *first)
{
    struct stet__chapter *part =
        stet__story_part(story, "origin", "The origin server: can it be asked whether this has changed?");
    if (!part)
        return;
    stet__story_say(story, &part->brief, "there is nothing to ask with, so never a 304");
    stet__story_say(story, &part->verdict,
                    "No: the %u has neither ETag nor Last-Modified, so there is nothing to ask with and "
                    "never a 304 (RFC 9110 8.8).",
                    first->status);
}

/* A 304 that lacks what the 200 had, or tags that change from one answer to the next. */
static void add_differences(struct stet__story *story, const struct stet_response *first,
                            const struct stet_response *second)
{
    const struct stet_field *before = stet_fields_find(&first->fields, STET_FIELD_ETAG, 0),
                            *after = stet_fields_find(&second->fields, STET_FIELD_ETAG, 0);
    if (story->count == 0)
        return;
    struct stet_span *verdict = &story->parts[0]->verdict;
    if (second->status == 304 && before && !after)
        stet__story_add(story, verdict, "The 304 lacks the ETag that the 200 has (RFC 9110 15.4.5).");
    else if (second->status == 200 && before && after && !stet_span_equal(before->value, after->value))
        stet__story_add(
            story, verdict,
            "The ETag was another one a moment ago: %.*s, then %.*s. Whatever makes it differ from "
            "one answer to the next keeps 304s away.",
            (int)before->value.len, before->value.ptr, (int)after->value.len, after->value.ptr);
}

static void tell(const struct stet__explain_input *how, struct ask *first, struct ask *second,
                 struct stet__story *story)
{
    struct stet__explain_input input = *how;
    const struct stet_response *answer = &first->recorded.response.head;
    note(story, first);
    if (second) {
        note(story, second);
        input.exchange = &second->recorded;
        input.before = &first->recorded;
        stet__explain_origin(&input, story);
        add_differences(story, answer, &second->recorded.response.head);
    } else {
        tell_without(story, answer);
    }
    stet__explain_slips(&first->recorded, story);
    input.exchange = &first->recorded;
    stet__explain_caches(&input, story);
    stet__explain_conclude(story);
}

bool stet__explain_fetch(const struct stet__explain_fetch *fetch, const struct stet__explain_input *how,
                         struct stet__story *story, char cause[STET__EXPLAIN_CAUSE_LEN])
{
    struct stet_field fields[FIELDS_MAX];
    struct ask asks[2];
    struct stet__transfers *transfers = stet__transfers_new(&fetch->settings);
    struct stet_fields all = {fields, fetch->fields.count, fetch->fields.present};
    struct stet__transfer_request request = {.method = fetch->method, .uri = fetch->uri, .fields = &all};
    if (!transfers || fetch->fields.count + 2 > FIELDS_MAX) {
        snprintf(cause, STET__EXPLAIN_CAUSE_LEN, "too much for the memory");
        stet__transfers_free(transfers);
        return false;
    }
    for (size_t i = 0; i < fetch->fields.count; i++)
        fields[i] = fetch->fields.at[i];
    begin(&asks[0], cause, STET__EXPLAIN_CAUSE_LEN);
    begin(&asks[1], cause, STET__EXPLAIN_CAUSE_LEN);
    bool told = run(transfers, &request, &asks[0]);
    size_t count = told ? add_conditions(&asks[0].recorded.response.head, fields, all.count) : 0;
    bool again = told && count > all.count;
    if (again) {
        all.count = count;
        told = run(transfers, &request, &asks[1]);
    }
    if (told)
        tell(how, &asks[0], again ? &asks[1] : NULL, story);
    end(&asks[0]);
    end(&asks[1]);
    stet__transfers_free(transfers);
    return told;
}
