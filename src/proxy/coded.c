/* SPDX-License-Identifier: MIT */
/*
 * coded: which copy answers, and its head.
 *
 * The choice is made among everything that might be there. If that is there, it was the only question: a hit
 * on a copy costs what any hit costs. Else it is asked for, and chosen once more among what is there.
 */
#include "proxy/coded.h"

#include <sys/random.h>

#include <stet/cache_control.h>
#include <stet/field.h>

#include "proxy/fetch.h"

/* ---- what may be made ---- */

static bool is_of_type(const struct stet_fields *fields, const struct stet_span *types, size_t count)
{
    const struct stet_field *type = stet_fields_find(fields, STET_FIELD_CONTENT_TYPE, 0);
    struct stet_span thing, params;
    if (!type)
        return false;
    stet_member_split(type->value, &thing, &params);
    for (size_t i = 0; i < count; i++)
        if (stet_span_equal_nocase(thing, types[i]))
            return true;
    return false;
}

static bool is_event_stream(const struct stet_fields *fields)
{
    static const struct stet_span types[] = {{"text/event-stream", 17}};
    return is_of_type(fields, types, 1);
}

/* Servers say gzip of a file that is called .tar.gz. Who fetches that means the file as it is. */
static bool is_archive(const struct stet_fields *fields)
{
    static const struct stet_span types[] = {
        {"application/gzip", 16},         {"application/x-gzip", 18},          {"application/x-tar", 17},
        {"application/x-gtar", 18},       {"application/x-tgz", 17},           {"application/zstd", 16},
        {"application/x-compressed", 24}, {"application/x-compressed-tar", 28}};
    return is_of_type(fields, types, sizeof types / sizeof *types);
}

static bool no_transform(const struct stet_fields *fields)
{
    struct stet_cache_control control;
    if (!stet_fields_have(fields, STET_FIELD_CACHE_CONTROL))
        return false;
    stet_cache_control_read(fields, &control);
    return stet_cache_control_has(&control, STET_CC_NO_TRANSFORM);
}

struct stet__codable stet__coded_judge(const struct stet__proxy_configuration *configuration,
                                       const struct stet_response *response, uint64_t octets)
{
    const struct stet__coding_settings *coding = &configuration->coding;
    struct stet__codable codable = {.own = stet_coding_of(&response->fields)};
    bool whole = response->status != 206 && response->status != 304 &&
                 !stet_fields_have(&response->fields, STET_FIELD_CONTENT_RANGE);
    if (coding->made == 0 || codable.own == STET_CODING_UNKNOWN || !whole)
        return codable;
    if (octets == STET__BODY_LENGTH_UNKNOWN)
        octets = coding->policy.min_octets; /* it may be coded until the opposite is known */
    if (codable.own != STET_CODING_IDENTITY) {
        if (!no_transform(&response->fields) && !is_archive(&response->fields))
            codable.codings = stet_coding_bit(STET_CODING_IDENTITY);
    } else if (!is_event_stream(&response->fields) &&
               stet_coded_judge(response, octets, &coding->policy).codable) {
        codable.codings = coding->made;
    }
    return codable;
}

bool stet__coded_adds_vary(const struct stet__codable *codable, const struct stet_fields *fields)
{
    return codable->codings != 0 && stet_coded_vary_lacks(fields);
}

bool stet__coded_add_vary(struct stet__arena *arena, const struct stet__codable *codable,
                          struct stet_fields *fields)
{
    struct stet__lines lines;
    if (!stet__coded_adds_vary(codable, fields))
        return true;
    stet__lines_begin(&lines, arena, fields->count + 1);
    for (size_t i = 0; i < fields->count; i++)
        stet__lines_add(&lines, &fields->at[i]);
    stet__lines_put(&lines, STET_FIELD_VARY, stet_field_name(STET_FIELD_ACCEPT_ENCODING));
    if (!lines.failed)
        *fields = lines.fields;
    return !lines.failed;
}

/* ---- the head of a copy ---- */

struct stet_span stet__tag_text(struct stet_etag tag)
{
    size_t before = tag.weak ? 3 : 1; /* W/" */
    return stet_span_of(tag.opaque.ptr - before, tag.opaque.len + before + 1);
}

static struct stet_span write_tag(struct stet__arena *arena, const struct stet_coded_tag *tag)
{
    size_t room = tag->base.opaque.len + STET_CODED_TAG_MORE;
    char *text = stet_etag_present(tag->base) ? stet__arena_alloc(arena, room) : NULL;
    size_t len = text ? stet_coded_tag_write(tag, text, room) : 0;
    return len > 0 ? stet_span_of(text, len) : STET_SPAN_NONE;
}

struct stet_span stet__coded_passing_tag(struct stet__arena *arena, struct stet_etag base,
                                         enum stet_coding coding)
{
    struct stet_coded_tag tag = {.base = base, .kind = STET_CODED_TAG_PASSING, .coding = coding};
    if (getrandom(&tag.mark, sizeof tag.mark, 0) != (ssize_t)sizeof tag.mark)
        return STET_SPAN_NONE;
    return write_tag(arena, &tag);
}

static bool make_fields(struct stet__arena *arena, const struct stet_fields *base,
                        const struct stet_coded_head *head, struct stet_fields *fields)
{
    struct stet_field *room = stet__arena_alloc(arena, (base->count + STET_CODED_FIELDS_MORE) * sizeof *room);
    if (!room)
        return false;
    *fields = (struct stet_fields){room, stet_coded_fields(base, head, room), 0};
    for (size_t i = 0; i < fields->count; i++)
        fields->present |= UINT64_C(1) << room[i].id;
    return true;
}

bool stet__coded_fields(struct stet__serving *serving, const struct stet_fields *base, struct stet_span etag,
                        struct stet_fields *fields)
{
    struct stet_coded_head head = {.coding = serving->choice.coding, .etag = etag};
    return make_fields(serving->exchange->arena, base, &head, fields);
}

static struct stet_span length_text(struct stet__arena *arena, uint64_t length)
{
    char digits[20];
    return stet__arena_copy(arena, stet_span_of(digits, stet_format_u64(length, digits)));
}

/* All of a copy but its body. */
static struct stet__object *make_copy(struct stet__proxy_worker *worker, struct stet__arena *arena,
                                      const struct stet__object *object, const struct stet_coded_tag *tag,
                                      struct stet__body *body)
{
    struct stet_stored stored = object->stored;
    uint64_t length = stet__body_length(body);
    struct stet_coded_head head = {
        .coding = tag->coding, .etag = write_tag(arena, tag), .content_length = length_text(arena, length)};
    if (!head.content_length.ptr || (stet_etag_present(tag->base) && !head.etag.ptr) ||
        !make_fields(arena, &object->stored.response.fields, &head, &stored.response.fields))
        return NULL;
    const struct stet__head *whole =
        stet__head_whole(worker, arena, stored.response.status, &stored.response.fields, object->http10);
    const struct stet__head *not_modified =
        stet__head_not_modified(worker, arena, &stored.response.fields, object->http10);
    if (!whole || !not_modified)
        return NULL;
    stored.held = (struct stet_held){.complete = true, .length_known = true, .complete_length = length};
    stored.selecting = (struct stet_fields){NULL, 0, 0};
    struct stet__object_parts parts = {
        .hash = object->hash,
        .stored = &stored,
        .heads = {[STET__HEAD_WHOLE] = whole->h1, [STET__HEAD_NOT_MODIFIED] = not_modified->h1},
        .body = body,
        .coding = tag->coding,
        .http10 = object->http10,
    };
    return stet__object_new(&parts, &worker->configuration->policy);
}

/* A reference to the object's copy in a coding whose octets are there; NULL without memory. */
static struct stet__object *copy_of(struct stet__proxy_worker *worker, struct stet__object *object,
                                    enum stet_coding coding)
{
    struct stet__object *copy = stet__object_copy(object, coding);
    if (copy)
        return stet__object_acquire(copy);
    uint32_t fingerprint = 0;
    struct stet__body *body = stet__codings_find(object->body, coding, &fingerprint);
    if (!body)
        return NULL;
    struct stet_coded_tag tag = {.base = object->stored.selected.etag,
                                 .kind = STET_CODED_TAG_KEPT,
                                 .coding = coding,
                                 .mark = fingerprint};
    copy = make_copy(worker, &worker->scratch, object, &tag, body);
    stet__arena_reset(&worker->scratch);
    /* Without room there, or if another worker was first, this one serves once. */
    if (copy)
        stet__store_lend(worker->proxy->store, object, coding, copy);
    return copy;
}

/* ---- the choice ---- */

static void select_among(const struct stet__serving *serving, struct stet_coded_offer *offer, unsigned kept,
                         unsigned passing, struct stet_coded_choice *choice)
{
    offer->kept = kept;
    offer->passing = passing;
    stet_coded_select(serving->request, offer, choice);
}

/* The base, whose octets are there whatever else is. */
static void take_base(struct stet__serving *serving)
{
    const struct stet_stored *stored = serving->stored;
    uint64_t length = stored->held.length_known ? stored->held.complete_length : UINT64_MAX;
    if (serving->choice.coding != serving->codable.own) {
        serving->choice.coding = serving->codable.own;
        serving->choice.held = STET_NO_ETAG;
    }
    serving->selected =
        stet_coded_selected(&stored->selected, &serving->choice, stored->selected.etag, length);
}

static bool take_copy(struct stet__proxy_worker *worker, struct stet__serving *serving)
{
    struct stet__object *copy = copy_of(worker, serving->object, serving->choice.coding);
    if (!copy)
        return false;
    serving->copy = copy;
    serving->selected = stet_coded_selected(&serving->stored->selected, &serving->choice,
                                            copy->stored.selected.etag, stet__body_length(copy->body));
    serving->object = copy;
    serving->stored = &copy->stored;
    serving->body = copy->body;
    return true;
}

/* No octets are needed if the client has them. */
static bool is_held(struct stet__serving *serving)
{
    struct stet_answer answer;
    if (serving->as_it_came || !stet_etag_present(serving->choice.held))
        return false;
    serving->selected =
        stet_coded_selected(&serving->stored->selected, &serving->choice, STET_NO_ETAG, UINT64_MAX);
    stet_cache_answer_coded(serving->request, serving->stored, &serving->selected, serving->exchange->now,
                            &answer);
    return answer.status == 304;
}

static bool take_passing(struct stet__serving *serving)
{
    struct stet_etag tag = STET_NO_ETAG;
    serving->tag = stet__coded_passing_tag(serving->exchange->arena, serving->stored->selected.etag,
                                           serving->choice.coding);
    if (stet_etag_present(serving->stored->selected.etag) &&
        (!serving->tag.ptr || stet_etag_parse(serving->tag, &tag) != STET_OK))
        return false;
    serving->selected = stet_coded_selected(&serving->stored->selected, &serving->choice, tag, UINT64_MAX);
    serving->passing = true;
    return true;
}

/* What can be made while it is sent: the base decoded; and if it is this client's, coded. */
static unsigned passing_of(const struct stet__proxy_worker *worker, const struct stet__serving *serving,
                           unsigned makeable)
{
    bool passes = serving->body && (serving->codes || serving->codable.own != STET_CODING_IDENTITY);
    return passes ? stet__recode_affords(worker, serving->codable.own, makeable) : 0;
}

bool stet__coded_may_pass(const struct stet__proxy_worker *worker, bool kept)
{
    enum stet__code_passing passing = worker->configuration->code_passing;
    return passing == STET__CODE_PASSING_ALL || (passing == STET__CODE_PASSING_STORED && kept);
}

static bool is_starved(const struct stet__serving *serving, unsigned decodable)
{
    return serving->body && serving->codable.own != STET_CODING_IDENTITY && decodable != 0 &&
           serving->request->method == STET_METHOD_GET &&
           serving->choice.reason == STET_REASON_CODING_NOT_ACCEPTABLE;
}

/* What is there of an object and has exactly the tag `value`: itself or a copy; NULL if there is none. */
static struct stet__object *tagged(struct stet__object *object, struct stet_span value)
{
    if (stet_span_equal(stet__tag_text(object->stored.selected.etag), value))
        return object;
    for (enum stet_coding coding = 0; coding < STET__CODINGS_MADE; coding++) {
        struct stet__object *copy = stet__object_copy(object, coding);
        if (copy && stet_span_equal(stet__tag_text(copy->stored.selected.etag), value))
            return copy;
    }
    return NULL;
}

static bool accepts(const struct stet_fields *fields, enum stet_coding coding)
{
    struct stet_accept_encoding accept;
    if (!stet_fields_have(fields, STET_FIELD_ACCEPT_ENCODING))
        return coding == STET_CODING_IDENTITY;
    stet_accept_encoding_read(fields, &accept);
    return stet_accept_encoding_quality(&accept, coding) > 0;
}

/*
 * The usual 304, without a walk over If-None-Match: that is the one tag of what is there and acceptable, so
 * whatever else the request has, core would choose this and find it held. test/unit/proxy_current.c compares.
 * Cache-Control may have a no-transform, of which the trace has to tell; and core's own has all steps.
 */
bool stet__coded_current(struct stet__serving *serving)
{
    const struct stet_request *request = serving->request;
    const struct stet_fields *fields = &request->fields;
    const struct stet_field *line = stet_fields_find(fields, STET_FIELD_IF_NONE_MATCH, 0);
    bool codes = serving->codable.codings != 0;
    if (!line || request->trace || !serving->object || serving->as_it_came ||
        serving->stored->response.status != 200 ||
        (request->method != STET_METHOD_GET && request->method != STET_METHOD_HEAD) ||
        !stet_etag_present(serving->stored->selected.etag) ||
        (codes && stet_fields_have(fields, STET_FIELD_CACHE_CONTROL)) ||
        stet_fields_find(fields, STET_FIELD_IF_NONE_MATCH, (size_t)(line - fields->at) + 1))
        return false;
    struct stet__object *there = tagged(serving->object, line->value);
    if (!there || (codes && !accepts(fields, there->coding)))
        return false;
    serving->coded = codes;
    serving->choice = (struct stet_coded_choice){
        .coding = there->coding, .reason = STET_REASON_CODING_HELD, .held = there->stored.selected.etag};
    if (there == serving->object)
        return true;
    serving->copy = stet__object_acquire(there);
    serving->object = there;
    serving->stored = &there->stored;
    serving->body = there->body;
    return true;
}

void stet__coded_choose(struct stet__proxy_worker *worker, struct stet__serving *serving)
{
    const struct stet__body *body = serving->body;
    unsigned own = stet_coding_bit(serving->codable.own);
    unsigned makeable = serving->codable.codings & ~(body ? stet__codings_refused(body) : 0);
    bool complete = serving->object && body && stet__body_state(body) == STET__BODY_COMPLETE;
    unsigned there = complete ? stet__codings_there(body) : 0, passing = 0;
    struct stet_coded_offer offer = {.base =
                                         serving->as_it_came ? STET_NO_ETAG : serving->stored->selected.etag,
                                     .own = serving->codable.own,
                                     .possible = serving->codable.codings,
                                     .response = &serving->stored->response.fields,
                                     .rank = worker->configuration->coding.rank};
    if (serving->codable.codings == 0)
        return;
    serving->coded = true;
    select_among(serving, &offer, own | makeable, 0, &serving->choice);
    if (((own | there) & stet_coding_bit(serving->choice.coding)) == 0) {
        if (is_held(serving))
            return;
        if (complete)
            stet__copying_ask(worker->proxy, serving->object, serving->choice.coding);
        passing = passing_of(worker, serving, makeable & ~there);
        if (there == 0)
            offer.rank = stet__recode_rank;
        select_among(serving, &offer, own | (there & makeable), passing, &serving->choice);
        serving->starved = passing == 0 && is_starved(serving, makeable & ~there);
    }
    unsigned chosen = stet_coding_bit(serving->choice.coding);
    bool taken = false;
    if ((there & chosen) != 0)
        taken = take_copy(worker, serving);
    else if ((passing & chosen) != 0)
        taken = take_passing(serving);
    if (!taken)
        take_base(serving);
}

bool stet__coded_held(const struct stet__fetch *fetch, const struct stet__codable *codable)
{
    struct stet__proxy_worker *worker = fetch->worker;
    struct stet__serving serving = {.exchange = fetch->visit->exchange,
                                    .request = &fetch->request.head,
                                    .stored = &fetch->next,
                                    .codable = *codable};
    struct stet_coded_offer offer = {.base = fetch->next.selected.etag,
                                     .own = codable->own,
                                     .response = &fetch->next.response.fields,
                                     .rank = worker->configuration->coding.rank};
    unsigned own = stet_coding_bit(codable->own);
    if (codable->codings == 0)
        return false;
    select_among(&serving, &offer, own | codable->codings, 0, &serving.choice);
    return is_held(&serving);
}

void stet__coded_filled(struct stet__proxy_worker *worker, struct stet__object *object,
                        const struct stet_request *request)
{
    struct stet_coded_choice choice;
    struct stet_coded_offer offer = {.base = STET_NO_ETAG,
                                     .own = object->coding,
                                     .kept = stet_coding_bit(object->coding) | object->codings,
                                     .rank = worker->configuration->coding.rank};
    if (object->codings == 0 || !object->body)
        return;
    stet_coded_select(request, &offer, &choice);
    if (choice.coding != object->coding)
        stet__copying_ask(worker->proxy, object, choice.coding);
}
