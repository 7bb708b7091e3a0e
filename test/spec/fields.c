/* SPDX-License-Identifier: MIT */
/*
 * How subjects get at field lines: parsed from a request or written bare, and each value moved to a place of
 * its own where the octet before or after it cannot be read.
 */
#include "markdown.h"
#include "spec.h"

#define PLACES 64
#define VALUE_MAX 65536

static struct guard places[PLACES];

static struct stet_span place(size_t i, struct stet_span value, bool at_start)
{
    return at_start ? guard_at_start(&places[i], value) : guard_at_end(&places[i], value);
}

/* Splits "Name: value" lines; nothing is judged here. False if a line has no colon or there are too many. */
static bool split(struct spec_run *run, struct stet_field *room, struct stet_fields *out)
{
    struct stet_span rest = run->input, line;
    *out = (struct stet_fields){.at = room};
    while (markdown_line(&rest, &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        if (line.len == 0)
            continue;
        const char *colon = memchr(line.ptr, ':', line.len);
        if (!colon || out->count == SPEC_FIELDS_MAX)
            return false;
        struct stet_field *field = &room[out->count++];
        field->name = stet_span_of(line.ptr, (size_t)(colon - line.ptr));
        field->value = stet_span_trim(stet_span_skip(line, field->name.len + 1));
        field->id = stet_field_id(field->name);
        if (field->id != STET_FIELD_OTHER)
            out->present |= 1ull << field->id;
    }
    return true;
}

bool spec_fields(struct spec_run *run, struct stet_request *out)
{
    static struct stet_field room[SPEC_FIELDS_MAX];
    struct stet_http1_request request;
    if (run->bare_fields) {
        *out = (struct stet_request){.method = STET_METHOD_GET, .method_name = STET_SPAN("GET")};
        run->bad = !split(run, room, &out->fields);
        if (run->bad)
            return false;
    } else {
        int status = spec_request(run, room, &request);
        if (status != STET_OK) {
            spec_error(run, status);
            return false;
        }
        *out = request.head;
    }
    for (size_t i = 0; i < out->fields.count && i < PLACES; i++)
        if (room[i].value.len <= VALUE_MAX)
            room[i].value = place(i, room[i].value, run->at_start);
    return true;
}

void spec_error(struct spec_run *run, int status)
{
    if (status == STET_MORE)
        fputs("more\n", run->out);
    else
        fprintf(run->out, "error %s %d\n", stet_status_row(status)->name,
                stet_status_row(status)->http_status);
}
