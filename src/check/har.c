/* SPDX-License-Identifier: MIT */
/*
 * What a browser has recorded: HTTP Archive 1.2, as developer tools export it. Nobody is asked anything.
 *
 * A HAR file says less than a wire. Heads come as names and values: in HTTP/2 with pseudo-fields, which are
 * left out, and with several lines of one name joined by LF, which are taken apart. Content is decoded. What
 * came from the browser's own cache shows nothing about a server and is left out. Some tools record what the
 * page asked for, without the conditions that the browser's cache added: nobody can tell a 304 that answers
 * those from one that was not asked for.
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stet/coding.h>
#include <stet/etag.h>
#include <stet/uri.h>

#include "check/gather.h"
#include "check/taken.h"
#include "check/visit.h"

enum { FINDINGS_MAX = 128 };

/* One URI of the recording. */
struct recorded {
    const char *uri;
    struct stet__gather gather;
    struct stet__check_resource resource;
    struct stet__taken base; /* the first 200 to GET; without its content */
};

struct reading {
    struct stet__check_making *run;
    struct recorded *at;
    size_t count, room;
    json_t *places;           /* where the resource of a URI is in `at` */
    struct stet__buffer text; /* a head, with all the room that one may take */
    bool failed;              /* there is no memory */
};

static const char *string(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text ? text : "";
}

static struct stet_span span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

/* A value, or one of those that LF joins. What is no field line is left out: a browser saw it, not we. */
static void write_value(struct stet__buffer *out, const char *name, struct stet_span value)
{
    while (value.len > 0 && (value.ptr[value.len - 1] == '\r' || stet_is_ows(value.ptr[value.len - 1])))
        value.len--;
    stet__buffer_append_text(out, name);
    stet__buffer_append_text(out, ": ");
    stet__buffer_append(out, value);
    stet__buffer_append_text(out, "\r\n");
}

static void write_fields(struct stet__buffer *out, const json_t *headers)
{
    size_t i;
    json_t *header;
    json_array_foreach(headers, i, header)
    {
        const char *name = string(header, "name"), *value = string(header, "value");
        if (*name == ':' || *name == '\0')
            continue;
        while (*value) {
            size_t len = strcspn(value, "\n");
            write_value(out, name, stet_span_of(value, len));
            value += len + (value[len] == '\n');
        }
    }
    stet__buffer_append_text(out, "\r\n");
}

static bool has_header(const json_t *headers, const char *wanted)
{
    size_t i;
    json_t *header;
    json_array_foreach(headers, i, header)
    {
        if (stet_span_equal_nocase(span(string(header, "name")), span(wanted)))
            return true;
    }
    return false;
}

static bool write_request(struct stet__buffer *out, const json_t *request)
{
    struct stet_uri uri;
    if (stet_uri_parse(span(string(request, "url")), &uri) != STET_OK)
        return false;
    stet__buffer_append_text(out, string(request, "method"));
    stet__buffer_append_text(out, " ");
    stet__buffer_append(out, uri.path.len > 0 ? uri.path : STET_SPAN("/"));
    if (uri.query.ptr) {
        stet__buffer_append_text(out, "?");
        stet__buffer_append(out, uri.query);
    }
    stet__buffer_append_text(out, " HTTP/1.1\r\n");
    if (!has_header(json_object_get(request, "headers"), "Host"))
        write_value(out, "Host", uri.host);
    write_fields(out, json_object_get(request, "headers"));
    return !out->failed;
}

static bool write_response(struct stet__buffer *out, const json_t *response)
{
    json_int_t status = json_integer_value(json_object_get(response, "status"));
    if (status < 100 || status > 999)
        return false;
    stet__buffer_append_text(out, "HTTP/1.1 ");
    stet__buffer_append_u64(out, (uint64_t)status);
    stet__buffer_append_text(out, " ");
    stet__buffer_append_text(out, string(response, "statusText"));
    stet__buffer_append_text(out, "\r\n");
    write_fields(out, json_object_get(response, "headers"));
    return !out->failed;
}

/*
 * What framed the message is gone, and chunks with it; parsing for HEAD asks for none of it. False: there is
 * no memory. Else `*made` is whether this is an exchange that can be judged.
 */
static bool take(struct reading *reading, const json_t *entry, struct stet__taken *out, bool *made)
{
    struct stet__arena *arena = &reading->run->report->arena;
    struct stet__buffer *text = &reading->text;
    const json_t *request = json_object_get(entry, "request");
    const char *uri = stet__gather_text(arena, span(string(request, "url")));
    *made = false;
    stet__buffer_clear(text);
    if (!uri)
        return false;
    if (!write_request(text, request))
        return true;
    if (!stet__taken_request(arena, uri, stet__buffer_span(text), out))
        return false;
    stet__buffer_clear(text);
    if (out->record.failure || !write_response(text, json_object_get(entry, "response")))
        return true;
    if (!stet__taken_answer(arena, stet__buffer_span(text), out))
        return false;
    *made = !out->record.failure;
    return true;
}

/* -1 if it is none. RFC 4648 section 4. */
static int sextet(char c)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(digits, c);
    return at ? (int)(at - digits) : -1;
}

static void decode_base64(const char *text, struct stet__buffer *out)
{
    unsigned bits = 0, held = 0;
    for (; *text && *text != '='; text++) {
        int six = sextet(*text);
        if (six < 0)
            continue;
        held = (held << 6 | (unsigned)six) & 0xFFFF;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            const char octet = (char)(held >> bits & 0xFF);
            stet__buffer_append(out, stet_span_of(&octet, 1));
        }
    }
}

/* The content with its codings taken off, if all of it was recorded. False: there is no memory. */
static bool take_content(const json_t *entry, size_t max, struct stet__taken *out)
{
    const json_t *content = json_object_get(json_object_get(entry, "response"), "content");
    const char *text = json_string_value(json_object_get(content, "text"));
    json_int_t size = json_integer_value(json_object_get(content, "size"));
    struct stet__buffer octets;
    if (!text || out->lint.request.method == STET_METHOD_HEAD || out->lint.response.status == 304)
        return true;
    if (size < 0 || (uint64_t)size > max)
        return true;
    stet__buffer_init(&octets, (size_t)size);
    bool room = size == 0 || stet__buffer_reserve(&octets, (size_t)size);
    if (room && strcmp(string(content, "encoding"), "base64") == 0)
        decode_base64(text, &octets);
    else if (room)
        stet__buffer_append_text(&octets, text);
    if (!octets.failed && (size_t)size == octets.len) {
        bool coded = stet_coding_of(&out->lint.response.fields) != STET_CODING_IDENTITY;
        stet__taken_decoded(out, stet__buffer_span(&octets), coded);
    }
    stet__buffer_release(&octets);
    return room;
}

/* `n` digits and what separates them from the next; -1 if they are not there. */
static int take_number(const char **text, int n, char end)
{
    int value = 0;
    for (; n > 0; n--, ++*text) {
        if (**text < '0' || **text > '9')
            return -1;
        value = 10 * value + (**text - '0');
    }
    if (end != '\0' && *(*text)++ != end)
        return -1;
    return value;
}

/* "Z", "+02:00" or "-0200" in seconds. */
static bool take_offset(const char *text, int64_t *out)
{
    bool west = *text == '-';
    *out = 0;
    if (!west && *text != '+')
        return *text == 'Z' || *text == '\0';
    text++;
    int hours = take_number(&text, 2, '\0');
    text += *text == ':';
    int minutes = take_number(&text, 2, '\0');
    *out = ((int64_t)hours * 3600 + (int64_t)minutes * 60) * (west ? -1 : 1);
    return hours >= 0 && minutes >= 0;
}

/* "2026-07-07T12:00:00.123Z", or with an offset: Unix seconds. RFC 3339 section 5.6. */
static bool read_time(const char *text, int64_t *out)
{
    const int year = take_number(&text, 4, '-'), month = year < 0 ? -1 : take_number(&text, 2, '-');
    const int day = month < 0 ? -1 : take_number(&text, 2, 'T');
    const int hour = day < 0 ? -1 : take_number(&text, 2, ':');
    const int minute = hour < 0 ? -1 : take_number(&text, 2, ':');
    const int second = minute < 0 ? -1 : take_number(&text, 2, '\0');
    int64_t offset;
    if (second < 0)
        return false;
    text += *text == '.' ? 1 + strspn(text + 1, "0123456789") : 0;
    if (!take_offset(text, &offset))
        return false;
    struct tm tm = {.tm_year = year - 1900,
                    .tm_mon = month - 1,
                    .tm_mday = day,
                    .tm_hour = hour,
                    .tm_min = minute,
                    .tm_sec = second};
    *out = timegm(&tm) - offset;
    return true;
}

static void take_times(const json_t *entry, struct stet__taken *out)
{
    double ms = json_number_value(json_object_get(entry, "time"));
    int64_t begun;
    if (!read_time(string(entry, "startedDateTime"), &begun) || !(ms >= 0 && ms < 1e12))
        return;
    out->lint.times_known = true;
    out->lint.requested_at = begun;
    out->lint.received_at = begun + (int64_t)(ms / 1000);
    out->record.whole_us = (int64_t)(ms * 1000);
}

static struct recorded *recorded(struct reading *reading, const char *uri)
{
    const json_t *place = json_object_get(reading->places, uri);
    if (place)
        return &reading->at[json_integer_value(place)];
    if (json_object_set_new(reading->places, uri, json_integer((json_int_t)reading->count)) != 0)
        return NULL;
    if (reading->count == reading->room) {
        size_t room = reading->room > 0 ? 2 * reading->room : 16;
        void *at = reallocarray(reading->at, room, sizeof *reading->at);
        if (!at)
            return NULL;
        reading->at = at;
        reading->room = room;
    }
    struct recorded *new = &reading->at[reading->count++];
    *new = (struct recorded){.uri = uri, .resource = {.uri = uri, .asked = uri}};
    stet__gather_begin(&new->gather, &reading->run->report->arena, &reading->run->settings->choice);
    return new;
}

/* A 304 to the very tag, or date, of the recorded 200. */
static bool confirms(const struct stet__taken *base, const struct stet__taken *later)
{
    static const enum stet_field_id pairs[][2] = {{STET_FIELD_IF_NONE_MATCH, STET_FIELD_ETAG},
                                                  {STET_FIELD_IF_MODIFIED_SINCE, STET_FIELD_LAST_MODIFIED}};
    for (int i = 0; i < 2; i++) {
        const struct stet_field *asked = stet_fields_find(&later->lint.request.fields, pairs[i][0], 0);
        const struct stet_field *had = stet_fields_find(&base->lint.response.fields, pairs[i][1], 0);
        if (asked)
            return had && stet_span_equal(asked->value, had->value);
    }
    return false;
}

/* `confirmed`: a probe tells some of it better. */
static void drop(struct stet_lint_findings *found, bool confirmed)
{
    size_t kept = 0, count = found->count < found->room ? found->count : found->room;
    for (size_t i = 0; i < count; i++)
        if (found->at[i].lint != STET_LINT_NOT_MODIFIED_UNASKED &&
            !(confirmed && stet__told_by_probes(found->at[i].lint)))
            found->at[kept++] = found->at[i];
    found->count = kept;
}

static void judge(struct recorded *to, const struct stet__taken *taken)
{
    struct stet_lint_finding at[FINDINGS_MAX];
    struct stet_lint_findings found = {at, FINDINGS_MAX, 0};
    const struct stet_lint_exchange *lint = &taken->lint;
    bool get = lint->request.method == STET_METHOD_GET;
    size_t number = stet__gather_exchange(&to->gather, &taken->record);
    stet_lint_exchange(lint, &found);
    bool confirmed =
        get && lint->response.status == 304 && stet__taken_answered(&to->base) && confirms(&to->base, taken);
    drop(&found, confirmed);
    if (confirmed)
        stet_lint_probe(STET_PROBE_INM, &to->base.lint, lint, &found);
    stet__gather_findings(&to->gather, &found, number);
    if (get && lint->response.status == 200 && !stet__taken_answered(&to->base))
        to->base = *taken;
    to->resource.status = lint->response.status;
}

/* What a browser had already says nothing of a server. */
static bool from_cache(const json_t *entry)
{
    const json_t *flag = json_object_get(entry, "_fromCache");
    return (flag && !json_is_null(flag) && !json_is_false(flag)) ||
           json_is_true(json_object_get(json_object_get(entry, "response"), "_fromCache")) ||
           json_is_true(json_object_get(json_object_get(entry, "response"), "fromCache"));
}

static void read_entry(struct reading *reading, const json_t *entry)
{
    struct stet__taken taken = {.record = {.kind = STET_PROBE_GET}};
    struct recorded *to = NULL;
    bool made;
    if (from_cache(entry))
        return;
    if (!take(reading, entry, &taken, &made)) {
        reading->failed = true;
        return;
    }
    if (!made)
        return;
    take_times(entry, &taken);
    if (take_content(entry, reading->run->settings->content_max, &taken))
        to = recorded(reading, taken.lint.uri.ptr);
    if (to)
        judge(to, &taken);
    else
        reading->failed = true;
}

static struct stet_span field(const struct stet__taken *taken, enum stet_field_id id)
{
    const struct stet_field *line = stet_fields_find(&taken->lint.response.fields, id, 0);
    return line ? line->value : STET_SPAN_NONE;
}

static bool finish(struct reading *reading)
{
    struct stet__check_making *run = reading->run;
    run->resources = calloc(reading->count + 1, sizeof *run->resources);
    bool done = run->resources && !reading->failed;
    for (size_t i = 0; i < reading->count; i++) {
        struct recorded *from = &reading->at[i];
        struct stet__check_resource *resource = &from->resource;
        if (stet__taken_answered(&from->base)) {
            resource->status = 200;
            resource->content_type = field(&from->base, STET_FIELD_CONTENT_TYPE);
            resource->etag = field(&from->base, STET_FIELD_ETAG);
            resource->last_modified = field(&from->base, STET_FIELD_LAST_MODIFIED);
            resource->cache_control = field(&from->base, STET_FIELD_CACHE_CONTROL);
            resource->server = field(&from->base, STET_FIELD_SERVER);
        }
        done &= stet__gather_end(&from->gather, resource);
        if (run->resources)
            run->resources[run->count++] = *resource;
    }
    free(reading->at);
    return done;
}

static struct stet__check_report *read_entries(const struct stet__check_settings *settings,
                                               const json_t *entries, const char *path)
{
    struct stet__check_making run;
    struct reading reading = {.run = &run, .places = json_object()};
    size_t i;
    json_t *entry;
    if (!stet__check_begin(&run, settings)) {
        json_decref(reading.places);
        return NULL;
    }
    stet__buffer_init(&reading.text, STET__TAKEN_HEAD_MAX);
    reading.failed = !reading.places || !stet__buffer_reserve(&reading.text, STET__TAKEN_HEAD_MAX);
    json_array_foreach(entries, i, entry)
    {
        if (!reading.failed)
            read_entry(&reading, entry);
    }
    run.report->passive = true;
    run.report->source = stet__gather_text(&run.report->arena, span(path));
    run.failed |= !finish(&reading) || !run.report->source;
    stet__buffer_release(&reading.text);
    json_decref(reading.places);
    return stet__check_end(&run);
}

/* Skips a byte order mark, as some tools write it: RFC 8259 section 8.1. Nothing else of JSON begins so. */
static void skip_mark(FILE *file)
{
    char rest[2];
    int first = getc(file);
    if (first != 0xEF && first != EOF)
        ungetc(first, file);
    else if (first != EOF)
        (void)!fread(rest, 1, sizeof rest, file);
}

/* NULL, and why in `words`. */
static json_t *load(const char *path, char *words, size_t room)
{
    json_error_t error;
    json_t *root = NULL;
    FILE *file = fopen(path, "re");
    if (file)
        skip_mark(file);
    if (!file || ferror(file)) {
        snprintf(words, room, "%s", strerrordesc_np(errno));
    } else {
        root = json_loadf(file, 0, &error);
        if (!root)
            snprintf(words, room, "%s (line %d)", error.text, error.line);
    }
    if (file)
        fclose(file);
    return root;
}

struct stet__check_report *stet__check_har(const struct stet__check_settings *settings, const char *path,
                                           const char **cause)
{
    static char words[200];
    json_t *root = load(path, words, sizeof words);
    const json_t *entries = json_object_get(json_object_get(root, "log"), "entries");
    struct stet__check_report *report = NULL;
    if (!root) {
        *cause = words;
    } else if (!json_is_array(entries)) {
        *cause = "it is JSON, but has no log.entries: no HAR file";
    } else {
        *cause = "out of memory";
        report = read_entries(settings, entries, path);
    }
    json_decref(root);
    return report;
}
