/* SPDX-License-Identifier: MIT */
/*
 * With what the origin is asked: RFC 9111 sections 4.3.1 and 4.3.2.
 *
 * A condition is worth sending only if a 304 to it can be used. So tags that nobody but this cache knows stay
 * here, parts are offered only to requests that lie within them, and a stored response that has nothing but a
 * date is asked for by its date alone: beside any If-None-Match an origin has to ignore If-Modified-Since
 * (RFC 9110 section 13.1.3).
 */
#include "core/cache.h"
#include "core/trace.h"

/* If-None-Match as far as it is made: one tag that borrows, or what is in `text`. */
struct tags {
    struct stet_span first; /* absent once `text` counts */
    char *text;
    size_t len, room;
};

/* Whether the tag stands in its field as it is: that of a coded copy has its base within it. */
static bool stands_alone(struct stet_etag tag)
{
    return tag.opaque.ptr[tag.opaque.len] == '"';
}

/* The tag as it stood in the field that it was read from. */
static struct stet_span as_written(struct stet_etag tag)
{
    size_t before = tag.weak ? 3 : 1; /* W/" */
    return stet_span_of(tag.opaque.ptr - before, tag.opaque.len + before + 1);
}

static struct stet_span so_far(const struct tags *tags)
{
    return tags->first.ptr ? tags->first : stet_span_of(tags->text, tags->len);
}

static bool has(const struct tags *tags, struct stet_etag tag)
{
    struct stet_field line = {stet_field_name(STET_FIELD_IF_NONE_MATCH), so_far(tags),
                              STET_FIELD_IF_NONE_MATCH};
    struct stet_fields fields = {&line, 1, UINT64_C(1) << STET_FIELD_IF_NONE_MATCH};
    struct stet_etag_list list;
    struct stet_etag other;
    if (line.value.len == 0)
        return false;
    (void)stet_etag_list_begin(&list, &fields, STET_FIELD_IF_NONE_MATCH);
    while (stet_etag_list_next(&list, &other) == STET_OK)
        if (stet_etag_weak_equal(tag, other))
            return true;
    return false;
}

static void append(struct tags *tags, struct stet_span s)
{
    if (s.len > 0)
        memcpy(tags->text + tags->len, s.ptr, s.len);
    tags->len += s.len;
}

/* Adds a tag that is not there yet. False if it is, or does not fit. */
static bool add(struct tags *tags, struct stet_etag tag)
{
    struct stet_span front = tag.weak ? STET_SPAN("W/\"") : STET_SPAN("\"");
    struct stet_span before = so_far(tags);
    if (before.len == 0 && stands_alone(tag)) {
        tags->first = as_written(tag);
        return true;
    }
    size_t need = before.len + 2 + front.len + tag.opaque.len + 1;
    if (has(tags, tag) || need > tags->room)
        return false;
    append(tags, tags->first);
    tags->first = STET_SPAN_NONE;
    append(tags, tags->len > 0 ? STET_SPAN(", ") : STET_SPAN(""));
    append(tags, front);
    append(tags, tag.opaque);
    append(tags, STET_SPAN("\""));
    return true;
}

/*
 * Whether a variant may be offered to a request that does not select it. A 304 hands its octets to somebody
 * who asked for something else, so nothing but a strong tag counts, and no field on which a tag often does
 * not depend although the answer does: servers compress behind their tags, make pages of a cookie and tags of
 * the article, and leave Access-Control-Allow-Origin out of a 304. Set-Cookie was for who got it.
 */
static bool lends(const struct stet_request *request, const struct stet_stored *stored)
{
    static const struct stet_span apart[] = {
        {"Accept-Encoding", 15}, {"Authorization", 13}, {"Cookie", 6}, {"Origin", 6}};
    const struct stet_fields *fields = &stored->response.fields;
    if (request->method != STET_METHOD_GET || !stored->held.complete || stored->selected.etag.weak ||
        stet_fields_have(fields, STET_FIELD_SET_COOKIE) || stet_vary_any(fields))
        return false;
    for (size_t i = 0; i < sizeof(apart) / sizeof(*apart); i++)
        if (stet_vary_names(fields, apart[i]) &&
            !stet_vary_same(apart[i], &stored->selecting, &request->fields))
            return false;
    return true;
}

bool stet__stored_offered(const struct stet_cache_question *question, size_t i)
{
    const struct stet_stored *stored = question->stored[i];
    const struct stet_request *request = question->request;
    bool content = stored->method == STET_METHOD_GET || request->method == STET_METHOD_HEAD;
    return content && stored->response.status == 200 && stet_etag_present(stet__origin_etag(stored)) &&
           stet__stored_permitted(request, stored, question->policy) &&
           stet_partial_satisfies(request, stored, question->now) &&
           (stet__stored_selected(request, stored) || lends(request, stored));
}

/* A tag of the client's that was made here: the origin would not know it. */
static bool made_here(const struct stet_cache_question *question, struct stet_etag tag)
{
    for (size_t i = 0; i < question->count; i++)
        if (question->stored[i]->synthesised && stet_etag_weak_equal(tag, question->stored[i]->selected.etag))
            return true;
    return false;
}

/* Whether the origin gave the tag to something that is stored, whatever it looks like. */
static bool known(const struct stet_cache_question *question, struct stet_etag tag)
{
    for (size_t i = 0; i < question->count; i++)
        if (stet_etag_weak_equal(tag, stet__origin_etag(question->stored[i])))
            return true;
    return false;
}

/* "the cache MAY combine the received list with a list of entity tags from its own stored set". The origin
 * does not know those of coded copies, but their base. */
static bool add_clients(const struct stet_cache_question *question, struct tags *tags)
{
    struct stet_etag_list list;
    struct stet_etag tag;
    bool some = false;
    if (stet_etag_list_begin(&list, &question->request->fields, STET_FIELD_IF_NONE_MATCH) !=
        STET_ETAG_LIST_TAGS)
        return false;
    while (stet_etag_list_next(&list, &tag) == STET_OK) {
        if (!known(question, tag))
            tag = stet__origin_tag(tag);
        if (!made_here(question, tag))
            some |= add(tags, tag);
    }
    return some;
}

/*
 * Apache appends "-gzip" to the tag of what it codes, and compares what it is asked with to the tag without
 * it, so it would never say 304. It is asked with both. What has another coding than its suffix says, or
 * none, has got that tag in some other way.
 */
static void add_unsuffixed(const struct stet_stored *stored, struct tags *tags)
{
    struct stet_coded_tag read;
    enum stet_coding coding = stet_coding_of(&stored->response.fields);
    stet_coded_tag_read(stet__origin_etag(stored), &read);
    bool agrees = read.coding == coding || read.coding == STET_CODING_UNKNOWN;
    if (read.kind == STET_CODED_TAG_FOREIGN && coding != STET_CODING_IDENTITY && agrees)
        (void)add(tags, read.base);
}

static void add_stored(const struct stet_cache_question *question, struct tags *tags)
{
    for (size_t i = 0; i < question->count; i++)
        if (stet__stored_offered(question, i))
            (void)add(tags, stet__origin_etag(question->stored[i]));
}

static void offer_tags(const struct stet_cache_question *question, const struct stet_cache_decision *decision,
                       struct tags *tags, struct stet_validation *out)
{
    const struct stet_stored *chosen = question->stored[decision->chosen];
    struct stet_etag etag = stet__origin_etag(chosen);
    bool by_date = !stet_etag_present(etag) && chosen->selected.last_modified != STET_NO_DATE;
    if (by_date)
        return;
    if (stet_etag_present(etag))
        (void)add(tags, etag);
    add_stored(question, tags);
    if (stet_etag_present(etag))
        add_unsuffixed(chosen, tags);
    /* Where tags are made here, those of the client were too. The background has no client to answer. */
    if (!chosen->synthesised && decision->action == STET_CACHE_REVALIDATE)
        out->clients = add_clients(question, tags);
}

static struct stet_span last_modified(const struct stet_stored *stored)
{
    const struct stet_field *field = stet_fields_find(&stored->response.fields, STET_FIELD_LAST_MODIFIED, 0);
    bool valid = field && stored->selected.last_modified != STET_NO_DATE;
    return valid ? field->value : STET_SPAN_NONE;
}

/* To complete what is held: "Range" and, where there is something to hold on to, "If-Range". */
static void ask_for_rest(const struct stet_cache_question *question, const struct stet_stored *stored,
                         struct stet_validation *out)
{
    struct stet_etag etag = stet__origin_etag(stored);
    out->has_range = stet_partial_missing(question->request, stored, question->now, &out->range);
    if (stet_etag_present(etag))
        out->if_range = as_written(etag);
    else
        out->if_range = last_modified(stored);
    if (!out->has_range)
        out->if_range = STET_SPAN_NONE;
}

static void put_tags(const struct tags *tags, struct stet_validation *out)
{
    struct stet_span list = so_far(tags);
    out->conditional = list.len > 0;
    if (out->conditional)
        out->if_none_match = list;
}

/* What is asked for, once it is made. */
__attribute__((cold, noinline)) static void tell(const struct stet_request *request,
                                                 const struct stet_validation *validation)
{
    const struct {
        enum stet_rule rule;
        bool yes;
        struct stet_span input;
    } rows[] = {
        {STET_RULE_OFFER_OWN, validation->own_fields, STET_SPAN_NONE},
        {STET_RULE_OFFER_TAGS, validation->if_none_match.ptr, validation->if_none_match},
        {STET_RULE_OFFER_DATE, validation->if_modified_since.ptr, validation->if_modified_since},
        {STET_RULE_OFFER_RANGE, validation->has_range, validation->if_range},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct stet_step step = {.rule = rows[i].rule,
                                 .outcome = rows[i].yes ? STET_OUTCOME_YES : STET_OUTCOME_NO,
                                 .input = stet__looked_text(rows[i].input)};
        stet__tell_step(request->trace, &step);
    }
}

static void validate(const struct stet_cache_question *question, const struct stet_cache_decision *decision,
                     struct tags *tags, struct stet_validation *out)
{
    *out = (struct stet_validation){.own_fields = false};
    bool asks =
        decision->action == STET_CACHE_REVALIDATE || decision->action == STET_CACHE_SERVE_AND_REVALIDATE;
    if (!asks) {
        out->own_fields = !decision->may_store || !decision->may_collapse;
        if (!out->own_fields && decision->forward == STET_FWD_VARY_MISS) {
            add_stored(question, tags);
            put_tags(tags, out);
        }
        return;
    }
    const struct stet_stored *chosen = question->stored[decision->chosen];
    if (decision->forward == STET_FWD_PARTIAL) {
        ask_for_rest(question, chosen, out);
        return;
    }
    offer_tags(question, decision, tags, out);
    put_tags(tags, out);
    out->if_modified_since = last_modified(chosen);
    out->conditional |= out->if_modified_since.ptr != NULL;
}

void stet_cache_validation(const struct stet_cache_question *question,
                           const struct stet_cache_decision *decision, char *text, size_t room,
                           struct stet_validation *out)
{
    struct tags tags = {.text = text, .room = room};
    validate(question, decision, &tags, out);
    if (stet__traced(question->request->trace))
        tell(question->request, out);
}
