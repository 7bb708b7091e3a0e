/* SPDX-License-Identifier: MIT */
/*
 * Heads of requests, however they are cut: RFC 9112.
 *
 * The first octet of the input chooses limits, the rest is what a client sends. What must hold:
 *   1. every prefix gives STET_MORE or what the whole gives;
 *   2. what was seen before saves work and changes nothing;
 *   3. a head that parses points into the input, keeps its limits and holds no octet that could begin a line;
 *   4. it parses to the same again after it was written anew from its parts.
 */
#include <stdlib.h>

#include <stet/http1.h>

#define FIELDS_MAX 100
#define INPUT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int status;
    struct stet_http1_request request;
    struct stet_field room[FIELDS_MAX];
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static struct stet_http1_limits choose_limits(unsigned octet)
{
    static const size_t head_bytes[] = {16384, 64, 200, 1};
    static const size_t target_bytes[] = {8192, 10, 0, 100};
    static const size_t fields[] = {FIELDS_MAX, 0, 1, 3};
    return (struct stet_http1_limits){head_bytes[octet & 3], target_bytes[octet >> 2 & 3],
                                      fields[octet >> 4 & 3]};
}

static bool within(struct stet_span part, struct stet_span whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static bool clean(struct stet_span s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

static void check_head(const struct stet_http1_request *request, struct stet_span input,
                       const struct stet_http1_limits *limits)
{
    struct stet_span head = {input.ptr, request->head_len};
    require(head.len <= input.len && head.len <= limits->head_bytes && head.len >= 16);
    require(memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0);
    require(within(request->head.method_name, head) && within(request->head.target, head));
    require(request->head.target.len > 0 && request->head.target.len <= limits->target_bytes);
    require(clean(request->head.target) && !memchr(request->head.target.ptr, ' ', request->head.target.len));
    require(request->head.fields.count <= limits->fields && request->minor <= 1);
    uint64_t present = 0;
    for (size_t i = 0; i < request->head.fields.count; i++) {
        const struct stet_field *field = &request->head.fields.at[i];
        require(within(field->name, head) && within(field->value, head) && field->name.len > 0);
        require(clean(field->name) && clean(field->value) && stet_field_id(field->name) == field->id);
        present |= 1ull << field->id;
    }
    require(present == request->head.fields.present);
    require(request->minor == 0 || stet_fields_count(&request->head.fields, STET_FIELD_HOST) == 1);
    require(stet_fields_count(&request->head.fields, STET_FIELD_CONTENT_LENGTH) <= 1);
    require(request->body != STET_BODY_CLOSE);
    require((request->body == STET_BODY_LENGTH) ==
            stet_fields_have(&request->head.fields, STET_FIELD_CONTENT_LENGTH));
    require((request->body == STET_BODY_CHUNKED) ==
            stet_fields_have(&request->head.fields, STET_FIELD_TRANSFER_ENCODING));
}

static void check_same(const struct stet_http1_request *a, const struct stet_http1_request *b)
{
    require(a->head.method == b->head.method && a->minor == b->minor && a->form == b->form &&
            a->body == b->body);
    require(a->content_length == b->content_length && a->keep_alive == b->keep_alive);
    require(a->expect_continue == b->expect_continue && a->expect_unknown == b->expect_unknown);
    require(stet_span_equal(a->head.method_name, b->head.method_name));
    require(stet_span_equal(a->head.target, b->head.target));
    require(stet_span_equal(a->authority, b->authority) && stet_span_equal(a->path_query, b->path_query));
    require(a->head.fields.count == b->head.fields.count && a->head.fields.present == b->head.fields.present);
    for (size_t i = 0; i < a->head.fields.count; i++) {
        require(stet_span_equal(a->head.fields.at[i].name, b->head.fields.at[i].name));
        require(stet_span_equal(a->head.fields.at[i].value, b->head.fields.at[i].value));
    }
}

static void put(char **at, struct stet_span s)
{
    memcpy(*at, s.ptr, s.len);
    *at += s.len;
}

static void check_written_anew(const struct stet_http1_request *request)
{
    static char text[2 * INPUT_MAX];
    static struct outcome again;
    static const struct stet_http1_limits limits = {sizeof text, INPUT_MAX, FIELDS_MAX};
    char *at = text;
    put(&at, request->head.method_name);
    put(&at, STET_SPAN(" "));
    put(&at, request->head.target);
    put(&at, request->minor > 0 ? STET_SPAN(" HTTP/1.1\r\n") : STET_SPAN(" HTTP/1.0\r\n"));
    for (size_t i = 0; i < request->head.fields.count; i++) {
        put(&at, request->head.fields.at[i].name);
        put(&at, STET_SPAN(": "));
        put(&at, request->head.fields.at[i].value);
        put(&at, STET_SPAN("\r\n"));
    }
    put(&at, STET_SPAN("\r\n"));
    struct stet_span input = {text, (size_t)(at - text)};
    require(stet_http1_request_parse(input, 0, &limits, again.room, &again.request) == STET_OK);
    require(again.request.head_len == input.len);
    check_same(request, &again.request);
}

/* Prefixes are copied to memory of their own length, so that the sanitizer sees a read beyond their end. */
static void parse_prefix(struct stet_span input, size_t len, size_t seen,
                         const struct stet_http1_limits *limits, const struct outcome *whole)
{
    static struct outcome part;
    char *copy = malloc(len > 0 ? len : 1);
    require(copy != NULL);
    memcpy(copy, input.ptr, len);
    part.status = stet_http1_request_parse(stet_span_of(copy, len), seen, limits, part.room, &part.request);
    require(part.status == STET_MORE || part.status == whole->status);
    require(len < input.len || part.status == whole->status);
    if (part.status == STET_OK) {
        require(part.request.head_len == whole->request.head_len);
        check_same(&part.request, &whole->request);
    }
    free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole;
    if (size < 2 || size > INPUT_MAX)
        return 0;
    struct stet_http1_limits limits = choose_limits(data[0]);
    struct stet_span input = {(const char *)data + 1, size - 1};
    whole.status = stet_http1_request_parse(input, 0, &limits, whole.room, &whole.request);
    require(whole.status <= STET_MORE);
    if (whole.status == STET_OK) {
        check_head(&whole.request, input, &limits);
        check_written_anew(&whole.request);
    }
    size_t step = 1 + input.len / 256;
    size_t seen = 0, seen_further = 0;
    for (size_t len = 1; len <= input.len;
         len = len == input.len || len + step < input.len ? len + step : input.len) {
        parse_prefix(input, len, 0, &limits, &whole);
        static struct outcome part;
        struct stet_span prefix = {input.ptr, len};
        int first = stet_http1_request_parse(prefix, 0, &limits, part.room, &part.request);
        /* with what the call before saw, and with what one long before saw */
        parse_prefix(input, len, seen, &limits, &whole);
        require(stet_http1_request_parse(prefix, seen, &limits, part.room, &part.request) == first);
        require(stet_http1_request_parse(prefix, seen_further, &limits, part.room, &part.request) == first);
        if (first != STET_MORE)
            break;
        seen = len;
        if (len % 7 == 0)
            seen_further = len;
    }
    return 0;
}
