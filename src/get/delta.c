/* SPDX-License-Identifier: MIT */
/*
 * delta: RFC 9842 sections 2.2, 2.3, 5, 6 and 8. delta.h has the picture.
 *
 * A dictionary is offered with GET over https only (section 8), and not where the answer might be none of the
 * cache's business or a part: with the user's own conditions, range or Accept-Encoding, or when the rest of
 * something is asked for. --reload wants nothing of what is stored. Of the two codings dcz is here; dcb is
 * never named, because it could not be decoded (coder.h).
 */
#include "get/delta.h"

#include <stdlib.h>

#include <stet/dictionary.h>
#include <stet/field.h>

#include "get/task.h"

#define PIECE 16384

/* ---- the request ---- */

static bool names_dictionary(const struct stet_fields *fields)
{
    for (size_t i = 0; i < fields->count; i++)
        if (stet_span_equal_nocase(fields->at[i].name, STET_SPAN("Available-Dictionary")) ||
            stet_span_equal_nocase(fields->at[i].name, STET_SPAN("Dictionary-ID")))
            return true;
    return false;
}

static bool may_offer(const struct stet__task *task)
{
    const struct stet__hop *hop = &task->hop;
    const struct stet__get_settings *settings = &task->get->settings;
    bool secure = stet_span_equal_nocase(task->uri.scheme, STET_SPAN("https"));
    return settings->dictionaries && settings->compressed && settings->mode != STET__GET_RELOAD && secure &&
           !task->plain && !hop->own && !hop->uncached && !hop->validation.has_range &&
           hop->request.method == STET_METHOD_GET && !task->has_content &&
           !names_dictionary(&hop->request.fields);
}

/* Ours, which has no more than what the client can always decode. */
static struct stet_field *find_ours(struct stet_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (fields[i].id == STET_FIELD_ACCEPT_ENCODING && fields[i].value.ptr == stet__request_codings.ptr)
            return &fields[i];
    return NULL;
}

/* For the dictionary, and a window of 1.25 times as much to the next power of two. */
static bool reserve(struct stet__task *task)
{
    struct stet__delta *delta = &task->delta;
    uint64_t wanted = 4 * delta->source.octets;
    if (wanted > STET__DELTA_MEMORY_MAX - task->get->delta_octets)
        return false;
    delta->reserved = wanted;
    task->get->delta_octets += wanted;
    return true;
}

static bool put_fields(struct stet__task *task, struct stet_field out[STET__DELTA_FIELDS_MAX], size_t *count)
{
    struct stet_dictionary dictionary;
    const struct stet__delta_source *source = &task->delta.source;
    char *digest = stet__arena_alloc(&task->hop_arena, STET_DICTIONARY_DIGEST_LEN);
    char *id = stet__arena_alloc(&task->hop_arena, STET_DICTIONARY_ID_LEN);
    if (!digest || !id || !stet_dictionary_read(&source->entry.stored.response.fields, &dictionary))
        return false;
    stet_dictionary_write_digest(source->digest, digest);
    out[0] = (struct stet_field){STET_SPAN("Available-Dictionary"),
                                 stet_span_of(digest, STET_DICTIONARY_DIGEST_LEN), STET_FIELD_OTHER};
    size_t len = stet_dictionary_write_id(&dictionary, id);
    out[1] = (struct stet_field){STET_SPAN("Dictionary-ID"), stet_span_of(id, len), STET_FIELD_OTHER};
    *count = len > 0 ? 2 : 1;
    return true;
}

size_t stet__delta_offer(struct stet__task *task, struct stet_field *fields, size_t count,
                         struct stet_field out[STET__DELTA_FIELDS_MAX])
{
    struct stet_field *accept = find_ours(fields, count);
    size_t added = 0;
    stet__delta_release(task);
    if (!accept || !may_offer(task) || !stet__delta_choose(task, &task->delta.source) || !reserve(task) ||
        !put_fields(task, out, &added))
        return 0;
    accept->value = STET_SPAN("br, zstd, gzip, dcz");
    task->delta.offered = true;
    return added;
}

/* ---- the head of the answer ---- */

/* The line with the last member that is there, or NULL. */
static struct stet_field *last_line(const struct stet_fields *fields, struct stet_field *at)
{
    struct stet_field *last = NULL;
    for (size_t i = 0; i < fields->count; i++)
        if (at[i].id == STET_FIELD_CONTENT_ENCODING && at[i].value.len > 0)
            last = &at[i];
    return last;
}

/* Codings are tokens, so a comma is always between two. */
static struct stet_span last_member(struct stet_span value, size_t *before)
{
    size_t at = value.len;
    while (at > 0 && value.ptr[at - 1] != ',')
        at--;
    *before = at > 0 ? at - 1 : 0;
    return stet_span_trim(stet_span_skip(value, at));
}

static bool is_dcz(struct stet_span member)
{
    return stet_span_equal_nocase(member, STET_SPAN("dcz"));
}

static bool has_dcz(const struct stet_fields *fields)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, fields, STET_FIELD_CONTENT_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK)
        if (is_dcz(member))
            return true;
    return false;
}

/* About the octets as they came. */
static bool is_about_coded(const struct stet_field *field)
{
    return field->id == STET_FIELD_CONTENT_LENGTH || field->id == STET_FIELD_CONTENT_DIGEST ||
           field->id == STET_FIELD_REPR_DIGEST || field->id == STET_FIELD_CONTENT_MD5 ||
           (field->id == STET_FIELD_CONTENT_ENCODING && field->value.len == 0);
}

bool stet__delta_take(struct stet__task *task, struct stet_fields *fields)
{
    struct stet__delta *delta = &task->delta;
    struct stet_field *room;
    size_t before;
    if (!delta->offered || !has_dcz(fields))
        return true;
    room = stet__arena_alloc(&task->hop_arena, fields->count * sizeof *room);
    if (room)
        memcpy(room, fields->at, fields->count * sizeof *room);
    struct stet_field *line = room ? last_line(fields, room) : NULL;
    delta->failed = !line || !is_dcz(last_member(line->value, &before));
    if (delta->failed)
        return false;
    delta->coded = true;
    line->value = stet_span_trim(stet_span_of(line->value.ptr, before));
    struct stet_fields rest = {room, 0, 0};
    for (size_t i = 0; i < fields->count; i++)
        if (!is_about_coded(&room[i]))
            stet__fields_add(&rest, room, room[i]);
    *fields = rest;
    return true;
}

/* ---- content ---- */

static int fail(struct stet__delta *delta, int status)
{
    delta->failed = true;
    return status;
}

static bool open_decoder(struct stet__task *task)
{
    struct stet__delta *delta = &task->delta;
    const struct stet__coder_options options = {.coding = STET_CODING_ZSTD,
                                                .decode = true,
                                                .output_max = UINT64_MAX,
                                                .dictionary = &delta->dictionary};
    delta->octets = stet__delta_load(task, &delta->source);
    if (!delta->octets)
        return false;
    delta->dictionary.octets = stet_span_of(delta->octets, (size_t)delta->source.octets);
    memcpy(delta->dictionary.digest, delta->source.digest, sizeof delta->dictionary.digest);
    delta->decoder = stet__coder_new(&options);
    return delta->decoder != NULL;
}

static int run(struct stet__task *task, struct stet_span octets, enum stet__coder_step step,
               stet__delta_taker *taker)
{
    struct stet__delta *delta = &task->delta;
    char room[PIECE];
    int status = STET_MORE;
    if (!delta->decoder && !open_decoder(task))
        return fail(delta, STET_E_CODED_DICTIONARY);
    delta->in += octets.len;
    while (status == STET_MORE) {
        struct stet__coder_output output = {room, sizeof room, 0};
        status = stet__coder_run(delta->decoder, &octets, step, &output);
        delta->out += output.len;
        if (output.len > 0)
            taker(task, stet_span_of(room, output.len));
        if (task->failure != STET_OK)
            return task->failure;
    }
    return status == STET_OK ? STET_OK : fail(delta, status);
}

int stet__delta_feed(struct stet__task *task, struct stet_span octets, stet__delta_taker *taker)
{
    return octets.len > 0 ? run(task, octets, STET__CODER_FLUSH, taker) : STET_OK;
}

/* Content without an octet has no coding, whatever the field says. */
int stet__delta_finish(struct stet__task *task, stet__delta_taker *taker)
{
    struct stet__delta *delta = &task->delta;
    if (!delta->coded || delta->in == 0)
        return STET_OK;
    int status = run(task, STET_SPAN(""), STET__CODER_FINISH, taker);
    if (status != STET_OK)
        return status;
    if (delta->out > delta->in)
        task->result.saved_octets += delta->out - delta->in;
    /* What was there before is compared with what is stored now: both decoded. */
    if (task->had_digest &&
        memcmp(task->old_digest, delta->source.entry.digest, sizeof task->old_digest) == 0)
        memcpy(task->old_digest, delta->source.digest, sizeof task->old_digest);
    return STET_OK;
}

void stet__delta_release(struct stet__task *task)
{
    struct stet__delta *delta = &task->delta;
    stet__coder_free(delta->decoder);
    free(delta->octets);
    task->get->delta_octets -= delta->reserved;
    *delta = (struct stet__delta){.offered = false};
}
