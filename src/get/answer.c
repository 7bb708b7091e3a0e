/* SPDX-License-Identifier: MIT */
/*
 * answer: what the sink and the result are told about an answer. One from the store has its Age: RFC 9111
 * section 4.
 */
#include "get/task.h"

static void put_etag(struct stet__get_result *result, const struct stet_fields *fields)
{
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_ETAG, 0);
    size_t len = field ? field->value.len : 0;
    if (len >= sizeof result->etag)
        len = sizeof result->etag - 1;
    if (len > 0)
        memcpy(result->etag, field->value.ptr, len);
    result->etag[len] = '\0';
}

/* The fields, with Age. */
static bool add_age(struct stet__task *task, int64_t age_s, struct stet_fields *fields)
{
    struct stet_field *room = stet__arena_alloc(&task->hop_arena, (fields->count + 1) * sizeof *room);
    char *text = stet__arena_alloc(&task->hop_arena, 20);
    if (!room || !text)
        return false;
    struct stet_span value = stet_span_of(text, stet_format_u64((uint64_t)age_s, text));
    memcpy(room, fields->at, fields->count * sizeof *room);
    fields->at = room;
    stet__fields_add(fields, room,
                     (struct stet_field){stet_field_name(STET_FIELD_AGE), value, STET_FIELD_AGE});
    return true;
}

static bool put_uri(struct stet__task *task, struct stet__get_answer *answer)
{
    answer->uri = task->key.ptr;
    if (!task->fragment.ptr)
        return true;
    char *text = stet__arena_alloc(&task->hop_arena, task->key.len + task->fragment.len + 1);
    if (!text)
        return false;
    memcpy(text, task->key.ptr, task->key.len);
    memcpy(text + task->key.len, task->fragment.ptr, task->fragment.len);
    text[task->key.len + task->fragment.len] = '\0';
    answer->uri = text;
    return true;
}

/* Of the content that the sink gets: what is decoded has no known length. */
static uint64_t length_of(const struct stet__task *task, const struct stet_stored *stored,
                          const struct stet__disk_entry *entry)
{
    const struct stet_field *length =
        stet_fields_find(&stored->response.fields, STET_FIELD_CONTENT_LENGTH, 0);
    uint64_t octets = UINT64_MAX;
    bool coded = stet_fields_have(&stored->response.fields, STET_FIELD_CONTENT_ENCODING);
    if (task->hop.request.method == STET_METHOD_HEAD || (!entry && task->hop.framing == STET_BODY_NONE))
        return 0;
    if (coded && task->get->settings.compressed)
        return UINT64_MAX;
    if (entry)
        return entry->octets;
    if (stored->response.status == 200 && stored->held.length_known)
        return stored->held.complete_length;
    if (length && stet_span_to_u64(length->value, &octets) != STET_OK)
        octets = UINT64_MAX;
    return octets;
}

static bool describe(struct stet__task *task, const struct stet_stored *stored,
                     const struct stet__disk_entry *entry, struct stet_response *response,
                     struct stet__get_answer *out)
{
    struct stet__get_result *result = &task->result;
    *response = stored->response;
    *out = (struct stet__get_answer){.response = response,
                                     .last_modified = stored->selected.last_modified,
                                     .length = length_of(task, stored, entry)};
    result->code = response->status;
    put_etag(result, &response->fields);
    result->age_s = result->ttl_s = 0;
    result->has_digest = false;
    if (entry) {
        int64_t now = stet__now();
        result->age_s = stet_freshness_age(&stored->freshness, now);
        result->ttl_s = stet_freshness_ttl(&stored->freshness, now);
        out->has_digest = result->has_digest = entry->has_digest && stored->method == STET_METHOD_GET;
        memcpy(out->digest, entry->digest, sizeof out->digest);
        memcpy(result->digest, entry->digest, sizeof result->digest);
        if (!add_age(task, result->age_s, &response->fields))
            return false;
    }
    return put_uri(task, out);
}

/* Content that may be coded; a part that the user asked for is no whole that could be decoded. */
static bool is_coded(const struct stet__task *task, const struct stet_response *response)
{
    return task->hop.request.method != STET_METHOD_HEAD && response->status != 206 &&
           response->status != 204 && response->status != 304;
}

int stet__answer_open(struct stet__task *task, const struct stet_stored *stored,
                      const struct stet__disk_entry *entry, enum stet__get_source source)
{
    struct stet_response response;
    struct stet__get_answer answer;
    if (task->background)
        return STET_OK;
    if (!describe(task, stored, entry, &response, &answer))
        return STET_E_GET_MEMORY;
    answer.source = task->result.source = source;
    return stet__flow_open(&task->flow, &task->arena, stored, &answer, is_coded(task, &response));
}

bool stet__answer_redirect(struct stet__task *task, const struct stet_stored *stored,
                           const struct stet__disk_entry *entry, enum stet__get_source source)
{
    struct stet_response response;
    struct stet__get_answer answer;
    struct stet__get_sink *sink = &task->job.sink;
    if (task->background)
        return true;
    if (!describe(task, stored, entry, &response, &answer))
        return false;
    answer.source = task->result.source = source;
    if (sink->redirect)
        sink->redirect(sink->owner, &answer);
    return true;
}
