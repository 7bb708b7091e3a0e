/* SPDX-License-Identifier: MIT */
/*
 * request: what is asked. The user's fields, what this client can decode (RFC 9110 section 12.5.3), what the
 * mode means in cache directives (RFC 9111 section 5.2.1), and the conditions that core wants
 * (section 4.3.1).
 *
 * Core sees the request without those conditions: they are nothing that a stored response has to satisfy.
 */
#include "get/task.h"

#define CONDITIONS_MAX 4

const struct stet_span stet__request_codings = {"br, zstd, gzip", sizeof "br, zstd, gzip" - 1};

/* The user's own: what comes is the answer to them, and not for the cache to judge. */
static bool is_own(enum stet_field_id id)
{
    return id == STET_FIELD_IF_MATCH || id == STET_FIELD_IF_NONE_MATCH ||
           id == STET_FIELD_IF_MODIFIED_SINCE || id == STET_FIELD_IF_UNMODIFIED_SINCE ||
           id == STET_FIELD_IF_RANGE || id == STET_FIELD_RANGE;
}

/* RFC 9110 section 15.4: what was meant for another origin. */
static bool is_for_origin(enum stet_field_id id)
{
    return id == STET_FIELD_AUTHORIZATION || id == STET_FIELD_COOKIE || id == STET_FIELD_HOST;
}

/* What is about content that no longer goes with the request: section 15.4 again. */
static bool is_of_content(const struct stet_field *field)
{
    static const struct stet_span content = {"content-", 8};
    return field->id == STET_FIELD_REPR_DIGEST || field->id == STET_FIELD_EXPECT ||
           (field->name.len > content.len &&
            stet_span_equal_nocase(stet_span_of(field->name.ptr, content.len), content));
}

static bool is_left_out(const struct stet__task *task, const struct stet_field *field, bool elsewhere)
{
    bool contentless = task->job.content.ptr && !task->has_content;
    return (elsewhere && is_for_origin(field->id)) || (contentless && is_of_content(field));
}

/* max-age=0 makes caches on the way validate, too, and no-cache makes them ask for all of it. */
static struct stet_span directives(const struct stet__task *task, char room[64])
{
    const struct stet__get_settings *settings = &task->get->settings;
    static const char *const words[] = {[STET__GET_NORMAL] = "",
                                        [STET__GET_REFRESH] = "max-age=0",
                                        [STET__GET_RELOAD] = "no-cache",
                                        [STET__GET_OFFLINE] = "only-if-cached"};
    int64_t stale = settings->max_stale_s;
    if (settings->mode == STET__GET_OFFLINE)
        stale = INT64_MAX;
    if (settings->mode == STET__GET_REFRESH || settings->mode == STET__GET_RELOAD)
        stale = -1;
    size_t len = strlen(words[settings->mode]);
    memcpy(room, words[settings->mode], len);
    if (stale < 0)
        return stet_span_of(room, len);
    memcpy(room + len, ", max-stale=", 12);
    struct stet_span all = stet_span_of(room, len + 11);
    if (stale < STET_SECONDS_MAX)
        all.len += 1 + stet_format_u64((uint64_t)stale, room + len + 12);
    return len > 0 ? all : stet_span_skip(all, 2);
}

static struct stet_field field_of(enum stet_field_id id, struct stet_span value)
{
    return (struct stet_field){stet_field_name(id), value, id};
}

/* The user's, and ours. `room` has room for all. */
static void put_fields(struct stet__task *task, struct stet_field *room, struct stet_span cache_control)
{
    struct stet__hop *hop = &task->hop;
    struct stet_fields fields = {room, 0, 0};
    const struct stet_fields *given = &task->job.fields;
    bool elsewhere = !stet_uri_same_origin(&task->first, &task->uri);
    for (size_t i = 0; i < given->count; i++)
        if (!is_left_out(task, &given->at[i], elsewhere)) {
            stet__fields_add(&fields, room, given->at[i]);
            hop->own |= is_own(given->at[i].id);
        }
    /* A part of what is coded could not be decoded. */
    bool ranged = stet_fields_have(&fields, STET_FIELD_RANGE);
    if (task->get->settings.compressed && !ranged && !stet_fields_have(&fields, STET_FIELD_ACCEPT_ENCODING))
        stet__fields_add(&fields, room, field_of(STET_FIELD_ACCEPT_ENCODING, stet__request_codings));
    if (cache_control.len > 0)
        stet__fields_add(&fields, room, field_of(STET_FIELD_CACHE_CONTROL, cache_control));
    hop->request.fields = fields;
}

bool stet__request_make(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    char words[64];
    struct stet_span control = directives(task, words);
    struct stet_field *room =
        stet__arena_alloc(&task->hop_arena, (task->job.fields.count + 2) * sizeof *room);
    if (!room || (control.len > 0 && !(control = stet__arena_copy(&task->hop_arena, control)).ptr))
        return false;
    const char *path = task->uri.path.ptr;
    hop->request = (struct stet_request){
        .method = stet_method_id(task->method),
        .method_name = task->method,
        .target = stet_span_of(path, (size_t)(task->key.ptr + task->key.len - path)),
    };
    put_fields(task, room, control);
    bool reads = hop->request.method == STET_METHOD_GET || hop->request.method == STET_METHOD_HEAD;
    if (!stet__asker_find(task, &hop->asker))
        return false;
    hop->uncached =
        !task->get->disk || (reads && stet_cache_exceeds_key(&hop->request.fields, task->has_content));
    return true;
}

/* "bytes=5-" */
static struct stet_span range_text(const struct stet_range *range, char room[48])
{
    size_t len = 6;
    memcpy(room, "bytes=", 6);
    len += stet_format_u64(range->first, room + len);
    room[len++] = '-';
    if (range->last != STET_RANGE_OPEN)
        len += stet_format_u64(range->last, room + len);
    return stet_span_of(room, len);
}

/* RFC 9110 section 13.1.5: If-Range only with Range, and only what is strong. */
static size_t conditions(const struct stet_validation *validation, char range[48],
                         struct stet_field out[CONDITIONS_MAX])
{
    size_t count = 0;
    if (validation->own_fields)
        return 0;
    if (validation->if_none_match.ptr)
        out[count++] = field_of(STET_FIELD_IF_NONE_MATCH, validation->if_none_match);
    if (validation->if_modified_since.ptr)
        out[count++] = field_of(STET_FIELD_IF_MODIFIED_SINCE, validation->if_modified_since);
    if (validation->has_range) {
        out[count++] = field_of(STET_FIELD_RANGE, range_text(&validation->range, range));
        if (validation->if_range.ptr)
            out[count++] = field_of(STET_FIELD_IF_RANGE, validation->if_range);
    }
    return count;
}

/*
 * RELOAD asks for the whole without conditions, but for the rest of what it has begun to fetch. What has no
 * strong validator is fetched anew: a part of it could be combined with nothing.
 */
static void validate(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    bool partial = hop->decision.forward == STET_FWD_PARTIAL;
    bool anew = task->get->settings.mode == STET__GET_RELOAD && !(partial && task->resumes > 0);
    hop->validation = (struct stet_validation){.own_fields = hop->own || hop->uncached};
    if (hop->validation.own_fields || task->unconditional || anew)
        return;
    stet_cache_validation(&hop->question, &hop->decision, task->tags, sizeof task->tags, &hop->validation);
    if (hop->validation.has_range && !hop->validation.if_range.ptr)
        hop->validation = (struct stet_validation){.conditional = false};
}

static bool send(struct stet__task *task)
{
    struct stet__hop *hop = &task->hop;
    char range[48];
    struct stet_field added[CONDITIONS_MAX + STET__DELTA_FIELDS_MAX];
    size_t count = conditions(&hop->validation, range, added);
    struct stet_fields fields = hop->request.fields;
    struct stet_field *room = stet__arena_alloc(
        &task->hop_arena, (fields.count + CONDITIONS_MAX + STET__DELTA_FIELDS_MAX + 1) * sizeof *room);
    if (!room)
        return false;
    memcpy(room, fields.at, fields.count * sizeof *room);
    fields.at = room;
    count += stet__delta_offer(task, room, fields.count, added + count);
    for (size_t i = 0; i < count; i++)
        stet__fields_add(&fields, room, added[i]);
    struct stet_span method = stet__terminated(&task->hop_arena, task->method);
    struct stet__transfer_request request = {
        .method = method.ptr,
        .uri = task->key.ptr,
        .fields = &fields,
        .content = task->has_content ? task->job.content : STET_SPAN_NONE,
        .keep_credentials = stet_uri_same_origin(&task->first, &task->uri),
    };
    hop->times = (struct stet_times){.request = stet__now()};
    if (method.ptr)
        task->transfer = stet__transfer_begin(task->get->transfers, &request, &stet__receive_events, task);
    return task->transfer != NULL;
}

enum stet__step stet__request_send(struct stet__task *task)
{
    task->hop.answered = false;
    task->hop.redirects = false;
    task->hop.extends = false;
    task->hop.offset = 0;
    task->intake = STET__INTAKE_NONE;
    task->discarded = 0;
    task->transfer = NULL;
    validate(task);
    if (!send(task))
        return stet__task_fail(task, STET_E_GET_MEMORY);
    return STET__STEP_ASKING;
}
