/* SPDX-License-Identifier: MIT */
/*
 * get_request: see get_request.h. stet's own fields are User-Agent, Accept, and Content-Type for -d; -A and
 * -e are short for a field; -H replaces or removes what it names. Conditions, Accept-Encoding and
 * Cache-Control are the engine's, unless -H has them.
 */
#include "cli/get_request.h"

#include <stdlib.h>

#include <stet/message.h>

enum { OWN_FIELDS = 4 };

static void add(struct stet__get_request *request, struct stet_span name, struct stet_span value)
{
    struct stet_field *field = &request->room[request->fields.count++];
    *field = (struct stet_field){name, value, stet_field_id(name)};
    request->fields.present |= UINT64_C(1) << field->id;
}

/* The lines of -H. */
static const char *line(const struct stet__get_options *options, size_t i)
{
    return ((const char *const *)options->headers.at)[i];
}

static struct stet_span name_of(const char *line)
{
    return stet_span_of(line, strcspn(line, ":;"));
}

static bool is_named(const struct stet__get_options *options, struct stet_span name)
{
    for (size_t i = 0; i < options->headers.count; i++)
        if (stet_span_equal_nocase(name_of(line(options, i)), name))
            return true;
    return false;
}

/* One of ours, unless -H has or removes it; with `text` NULL or empty there is none. */
static void add_own(const struct stet__get_options *options, struct stet__get_request *request,
                    struct stet_span name, const char *text)
{
    if (text && *text && !is_named(options, name))
        add(request, name, stet__cli_span(text));
}

static void add_lines(const struct stet__get_options *options, struct stet__get_request *request)
{
    for (size_t i = 0; i < options->headers.count; i++) {
        const char *at = line(options, i);
        struct stet_span name = name_of(at), value = stet_span_trim(stet__cli_span(at + name.len + 1));
        bool empty = at[name.len] == ';';
        if (value.len > 0 || empty)
            add(request, name, empty ? STET_SPAN("") : value);
        else if (stet_span_equal_nocase(name, STET_SPAN("Accept-Encoding")))
            request->bare = true;
    }
}

bool stet__get_request_make(const struct stet__get_options *options, struct stet__get_request *out)
{
    bool content = options->has_content && !options->content_as_query;
    *out = (struct stet__get_request){.method = "GET"};
    out->room = calloc(options->headers.count + OWN_FIELDS, sizeof *out->room);
    if (!out->room)
        return false;
    out->fields.at = out->room;
    if (options->method)
        out->method = options->method;
    else if (options->head_only)
        out->method = "HEAD";
    else if (content)
        out->method = "POST";
    if (content)
        out->content = options->content.len > 0 ? stet__buffer_span(&options->content) : STET_SPAN("");
    add_own(options, out, STET_SPAN("User-Agent"),
            options->user_agent ? options->user_agent : "stet/" STET_VERSION);
    add_own(options, out, STET_SPAN("Accept"), "*/*");
    add_own(options, out, STET_SPAN("Referer"), options->referer);
    add_own(options, out, STET_SPAN("Content-Type"), content ? "application/x-www-form-urlencoded" : NULL);
    add_lines(options, out);
    return true;
}

void stet__get_request_release(struct stet__get_request *request)
{
    free(request->room);
    *request = (struct stet__get_request){.method = NULL};
}
