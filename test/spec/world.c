/* SPDX-License-Identifier: MIT */
#include "world.h"

#include "markdown.h"

#define PLACES 128
#define VALUE_MAX 4096

/* Where the next line goes. */
struct section {
    struct world_response *response; /* NULL: the request */
    struct stet_fields *fields;
    struct stet_field *room;
};

struct reader {
    struct world *world;
    struct spec_run *run;
    struct section section;
    size_t places;
};

static struct stet_span place(struct reader *reader, struct stet_span value)
{
    static struct guard places[PLACES];
    if (reader->places == PLACES || value.len > VALUE_MAX)
        return value;
    struct guard *guard = &places[reader->places++];
    return reader->run->at_start ? guard_at_start(guard, value) : guard_at_end(guard, value);
}

static bool integer(struct stet_span text, int64_t *out)
{
    uint64_t n;
    bool negative = text.len > 0 && text.ptr[0] == '-';
    if (stet_span_to_u64(stet_span_skip(text, negative), &n) != STET_OK || n > INT64_MAX)
        return false;
    *out = negative ? -(int64_t)n : (int64_t)n;
    return true;
}

/* "{-10}" is a date, everything else is itself. */
static bool expand(struct stet_span *value, int64_t now, char room[STET_DATE_LEN])
{
    int64_t offset;
    if (value->len < 3 || value->ptr[0] != '{' || value->ptr[value->len - 1] != '}')
        return true;
    if (!integer(stet_span_of(value->ptr + 1, value->len - 2), &offset))
        return false;
    stet_date_format(now + offset, room);
    *value = stet_span_of(room, STET_DATE_LEN);
    return true;
}

static bool add_field(struct reader *reader, struct stet_span line)
{
    char room[STET_DATE_LEN];
    struct stet_fields *fields = reader->section.fields;
    struct stet_field *to = reader->section.room;
    if (line.len > 1 && line.ptr[0] == '@' && reader->section.response) {
        line = stet_span_trim(stet_span_skip(line, 1));
        fields = &reader->section.response->stored.selecting;
        to = reader->section.response->selecting;
    }
    const char *colon = line.len > 0 ? memchr(line.ptr, ':', line.len) : NULL;
    if (!fields || !colon || fields->count == WORLD_LINES)
        return false;
    struct stet_span name = stet_span_of(line.ptr, (size_t)(colon - line.ptr));
    struct stet_span value = stet_span_trim(stet_span_skip(line, name.len + 1));
    if (!expand(&value, reader->run->setting->now, room))
        return false;
    enum stet_field_id id = stet_field_id(name);
    to[fields->count++] = (struct stet_field){name, place(reader, value), id};
    if (id != STET_FIELD_OTHER)
        fields->present |= 1ull << id;
    return true;
}

/* "name=value": the value, or absent. */
static struct stet_span value_of(struct stet_span word, struct stet_span name)
{
    if (word.len <= name.len || !stet_span_starts(word, name) || word.ptr[name.len] != '=')
        return STET_SPAN_NONE;
    return stet_span_skip(word, name.len + 1);
}

/* "0-4/10" or "0-4/" and an asterisk: as a Content-Range has it. */
static bool set_held(struct stet_span value, struct stet_held *out)
{
    char text[80];
    struct stet_content_range parsed;
    int len = snprintf(text, sizeof(text), "bytes %.*s", (int)value.len, value.ptr);
    if (stet_content_range_parse(stet_span_of(text, (size_t)len), &parsed) != STET_OK)
        return false;
    *out = (struct stet_held){.length_known = parsed.complete_known,
                              .complete_length = parsed.complete_length,
                              .range = parsed.range};
    return true;
}

static bool set_length(struct stet_span value, struct stet_held *out)
{
    out->length_known = true;
    return stet_span_to_u64(value, &out->complete_length) == STET_OK;
}

static bool set_word(struct reader *reader, struct stet_stored *stored, struct stet_span word)
{
    struct stet_cache_question *question = &reader->world->question;
    uint64_t status;
    int64_t delay;
    if (stet_span_to_u64(word, &status) == STET_OK)
        stored->response.status = (unsigned)status;
    else if (stet_span_equal(word, STET_SPAN("HEAD")))
        stored->method = STET_METHOD_HEAD;
    else if (stet_span_equal(word, STET_SPAN("authorized")))
        stored->authorized = true;
    else if (stet_span_equal(word, STET_SPAN("synthesised")))
        stored->synthesised = true;
    else if (stet_span_equal(word, STET_SPAN("invalidated")))
        question->invalidated |= 1ull << (question->count - 1);
    else if (value_of(word, STET_SPAN("held")).ptr)
        return set_held(value_of(word, STET_SPAN("held")), &stored->held);
    else if (value_of(word, STET_SPAN("length")).ptr)
        return set_length(value_of(word, STET_SPAN("length")), &stored->held);
    else if (integer(value_of(word, STET_SPAN("delay")), &delay))
        stored->times.request = stored->times.response - delay;
    else
        return false;
    return true;
}

/* `at`: when its head came. */
static bool begin_response(struct reader *reader, struct world_response *to, int64_t at,
                           struct stet_span words)
{
    to->stored = (struct stet_stored){.response = {.status = 200, .fields = {to->fields, 0, 0}},
                                      .method = STET_METHOD_GET,
                                      .selecting = {to->selecting, 0, 0},
                                      .times = {at, at, 0},
                                      .held = {.complete = true}};
    reader->section = (struct section){to, &to->stored.response.fields, to->fields};
    while (words.len > 0)
        if (!set_word(reader, &to->stored, markdown_word(&words)))
            return false;
    return true;
}

static bool set_policy(struct stet_cache_policy *policy, struct stet_span word)
{
    if (stet_span_equal(word, STET_SPAN("private")))
        policy->shared = false;
    else if (stet_span_equal(word, STET_SPAN("disobey")))
        policy->obey_clients = false;
    else if (value_of(word, STET_SPAN("grace")).ptr)
        return integer(value_of(word, STET_SPAN("grace")), &policy->grace_s);
    else
        return integer(value_of(word, STET_SPAN("error-grace")), &policy->error_grace_s);
    return true;
}

static bool begin_request(struct reader *reader, struct stet_span words)
{
    struct stet_request *request = &reader->world->request;
    request->method_name = markdown_word(&words);
    request->method = stet_method_id(request->method_name);
    request->target = STET_SPAN("/f");
    reader->section = (struct section){NULL, &request->fields, reader->world->fields};
    return words.len == 0;
}

static bool begin_stored(struct reader *reader, struct stet_span words)
{
    struct world *world = reader->world;
    int64_t ago;
    if (world->question.count == WORLD_STORED || !integer(markdown_word(&words), &ago))
        return false;
    struct world_response *to = &world->stored[world->question.count];
    world->at[world->question.count++] = &to->stored;
    return begin_response(reader, to, reader->run->setting->now - ago, words);
}

static bool read_line(struct reader *reader, struct stet_span line)
{
    struct world *world = reader->world;
    if (line.len > 0 && line.ptr[0] == ' ')
        return add_field(reader, stet_span_trim(line));
    struct stet_span kind = markdown_word(&line);
    if (stet_span_equal(kind, STET_SPAN("stored")))
        return begin_stored(reader, line);
    if (stet_span_equal(kind, STET_SPAN("request")))
        return begin_request(reader, line);
    if (stet_span_equal(kind, STET_SPAN("answer"))) {
        world->has_answer = true;
        return begin_response(reader, &world->answer, reader->run->setting->now, line);
    }
    if (!stet_span_equal(kind, STET_SPAN("policy")))
        return false;
    while (line.len > 0)
        if (!set_policy(&world->policy, markdown_word(&line)))
            return false;
    return true;
}

/* What the proxy does with a response before it asks. */
static int settle(struct world *world, struct stet_stored *stored, bool explicit_length)
{
    struct stet_held held;
    int status = stet_held_read(&stored->response, &held);
    if (stored->held.complete && !explicit_length && status == STET_OK)
        stored->held = held;
    else if (status != STET_OK)
        stored->held = (struct stet_held){.complete = false};
    stored->times.age = stet_message_age(&stored->response.fields);
    stet_stored_read(stored, &world->policy);
    return status;
}

struct world *world_read(struct spec_run *run)
{
    static struct world world;
    struct reader reader = {.world = &world, .run = run};
    struct stet_span rest = run->input, line;
    memset(&world, 0, sizeof(world));
    world.policy = STET_CACHE_POLICY_SHARED;
    while (markdown_line(&rest, &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        run->bad = run->bad || !read_line(&reader, line);
    }
    for (size_t i = 0; i < world.question.count; i++)
        (void)settle(&world, &world.stored[i].stored, world.stored[i].stored.held.length_known);
    if (world.has_answer) {
        world.answer.stored.method =
            world.request.method == STET_METHOD_HEAD ? STET_METHOD_HEAD : STET_METHOD_GET;
        world.held = settle(&world, &world.answer.stored, false);
        world.answer.stored.authorized = stet_fields_have(&world.request.fields, STET_FIELD_AUTHORIZATION);
    }
    world.request.fields.at = world.fields;
    world.question.request = &world.request;
    world.question.target = STET_SPAN("/f");
    world.question.stored = world.at;
    world.question.policy = &world.policy;
    world.question.now = run->setting->now;
    return run->bad ? NULL : &world;
}
