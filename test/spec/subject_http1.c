/* SPDX-License-Identifier: MIT */
/*
 * Subjects of http1.h: heads of requests and responses, and the chunked coding.
 *
 * A head is fed in growing prefixes, each in memory that ends at an unreadable page; the outcome has to be
 * the same however long the steps are. Chunked octets are fed in pieces that each stand in such memory alone.
 */
#include "markdown.h"
#include "spec.h"

static const char *const methods[] = {
    [STET_METHOD_OTHER] = "other",
#define X(symbol, name, safe, idempotent) [symbol] = name,
#include <stet/method.def>
#undef X
};

static const char *const forms[] = {
    [STET_TARGET_ORIGIN] = "origin",
    [STET_TARGET_ABSOLUTE] = "absolute",
    [STET_TARGET_AUTHORITY] = "authority",
    [STET_TARGET_ASTERISK] = "asterisk",
};

/* The length of the prefix after `n`. */
static size_t step(const struct spec_run *run, size_t n)
{
    size_t next = run->feed == 0 ? run->input.len : n + run->feed;
    return next < run->input.len ? next : run->input.len;
}

int spec_request(struct spec_run *run, struct stet_field *room, struct stet_http1_request *out)
{
    size_t seen = 0;
    for (size_t n = step(run, 0);; n = step(run, n)) {
        struct stet_span placed = guard_at_end(run->guard, stet_span_of(run->input.ptr, n));
        int status = stet_http1_request_parse(placed, seen, &run->setting->limits, room, out);
        if (status != STET_MORE || n == run->input.len)
            return status;
        seen = n;
    }
}

static enum stet_method method_of(struct stet_span name)
{
    return name.len == 0 ? STET_METHOD_GET : stet_method_id(name);
}

static int response(struct spec_run *run, struct stet_field *room, struct stet_http1_response *out)
{
    for (size_t n = step(run, 0);; n = step(run, n)) {
        struct stet_span placed = guard_at_end(run->guard, stet_span_of(run->input.ptr, n));
        int status =
            stet_http1_response_parse(placed, method_of(run->detail), &run->setting->limits, room, out);
        if (status != STET_MORE || n == run->input.len)
            return status;
    }
}

static void put_line(struct spec_run *run, const char *name, struct stet_span value)
{
    fputs(name, run->out);
    if (value.len > 0)
        putc(' ', run->out);
    if (value.ptr)
        markdown_encode(value, run->out);
    else
        fputs(" absent", run->out);
    putc('\n', run->out);
}

static void put_body(struct spec_run *run, enum stet_body_kind body, uint64_t length)
{
    static const char *const kinds[] = {
        [STET_BODY_NONE] = "none",
        [STET_BODY_CHUNKED] = "chunked",
        [STET_BODY_CLOSE] = "close",
    };
    if (body == STET_BODY_LENGTH)
        fprintf(run->out, "body length %llu\n", (unsigned long long)length);
    else
        fprintf(run->out, "body %s\n", kinds[body]);
}

static void put_fields(struct spec_run *run, const struct stet_fields *fields)
{
    fprintf(run->out, "fields %zu\n", fields->count);
    for (size_t i = 0; i < fields->count; i++) {
        fputs("field ", run->out);
        markdown_encode(fields->at[i].name, run->out);
        fputs(fields->at[i].value.len > 0 ? ": " : ":", run->out);
        markdown_encode(fields->at[i].value, run->out);
        putc('\n', run->out);
    }
}

static void run_parsed(struct spec_run *run)
{
    static struct stet_field room[SPEC_FIELDS_MAX];
    struct stet_http1_request request;
    int status = spec_request(run, room, &request);
    if (status != STET_OK) {
        spec_error(run, status);
        return;
    }
    fputs("ok\n", run->out);
    fprintf(run->out, "method %s\n", methods[request.head.method]);
    put_line(run, "method-name", request.head.method_name);
    put_line(run, "target", request.head.target);
    fprintf(run->out, "form %s\n", forms[request.form]);
    put_line(run, "authority", request.authority);
    put_line(run, "path", request.path_query);
    fprintf(run->out, "version 1.%u\n", request.minor);
    put_body(run, request.body, request.content_length);
    fprintf(run->out, "keep-alive %s\n", request.keep_alive ? "yes" : "no");
    fprintf(run->out, "expect %s\n",
            request.expect_unknown    ? "unknown"
            : request.expect_continue ? "continue"
                                      : "none");
    fprintf(run->out, "head %zu\n", request.head_len);
    put_fields(run, &request.head.fields);
}

static void run_received(struct spec_run *run)
{
    static struct stet_field room[SPEC_FIELDS_MAX];
    struct stet_http1_response answer;
    int status = response(run, room, &answer);
    if (status != STET_OK) {
        spec_error(run, status);
        return;
    }
    fputs("ok\n", run->out);
    fprintf(run->out, "status %u\n", answer.head.status);
    put_line(run, "reason-phrase", answer.head.reason_phrase);
    fprintf(run->out, "version 1.%u\n", answer.minor);
    put_body(run, answer.body, answer.content_length);
    fprintf(run->out, "coded %s\n", answer.coded ? "yes" : "no");
    fprintf(run->out, "keep-alive %s\n", answer.keep_alive ? "yes" : "no");
    fprintf(run->out, "head %zu\n", answer.head_len);
    put_fields(run, &answer.head.fields);
}

/* The next piece to feed: `cut` octets first, then `feed` at a time. */
static size_t piece_len(const struct spec_run *run, size_t fed)
{
    size_t len = run->feed;
    if (run->cut > 0)
        len = fed == 0 ? run->cut : run->input.len;
    if (len == 0 || len > run->input.len - fed)
        len = run->input.len - fed;
    return len;
}

/* Feeds all of the input; writes the data to `data_out`, returns how it ended and how much was left. */
static int feed_chunks(struct spec_run *run, FILE *data_out, size_t *rest)
{
    struct stet_chunked chunked;
    stet_chunked_begin(&chunked, run->setting->trailer_limit);
    int status = STET_MORE;
    size_t fed = 0;
    while (status == STET_MORE && fed < run->input.len) {
        size_t len = piece_len(run, fed);
        struct stet_span piece = guard_at_end(run->guard, stet_span_of(run->input.ptr + fed, len));
        struct stet_span data;
        fed += len;
        while ((status = stet_chunked_next(&chunked, &piece, &data)) == STET_OK)
            markdown_encode(data, data_out);
        if (status == STET_END)
            *rest = run->input.len - fed + piece.len;
        else if (status == STET_MORE && piece.len != 0)
            fputs("(octets left over)", data_out);
    }
    return status;
}

static void run_chunks(struct spec_run *run)
{
    char *data = NULL;
    size_t len = 0, rest = 0;
    FILE *data_out = open_memstream(&data, &len);
    int status = feed_chunks(run, data_out, &rest);
    fclose(data_out);
    if (status == STET_END)
        fprintf(run->out, "end\nrest %zu\n", rest);
    else
        spec_error(run, status);
    fprintf(run->out, "data%s%s\n", len > 0 ? " " : "", data);
    free(data);
}

const struct spec_subject spec_http1_subjects[] = {
    {"parsed", SPEC_INPUT_REQUEST, true, run_parsed},
    {"received", SPEC_INPUT_RESPONSE, true, run_received},
    {"chunks", SPEC_INPUT_CHUNKED, true, run_chunks},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
