/* SPDX-License-Identifier: MIT */
/*
 * Heads of responses, however they are cut, and their unfolding: RFC 9112.
 *
 * The first octet of the input chooses the method that is answered, the rest is what an origin sends. What
 * must hold:
 *   1. every prefix gives STET_MORE or what the whole gives;
 *   2. framing is one of what RFC 9112 section 6.3 allows for the method and status;
 *   3. unfolding moves no octet beyond the head, does nothing to a head that parses, and a second time does
 * nothing.
 */
#include <stdlib.h>

#include <stet/http1.h>

#define FIELDS_MAX 50
#define INPUT_MAX 2048

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int status;
    struct stet_http1_response response;
    struct stet_field room[FIELDS_MAX];
};

static const struct stet_http1_limits limits = {1500, 1, FIELDS_MAX};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void parse(struct stet_span input, enum stet_method method, struct outcome *out)
{
    out->status = stet_http1_response_parse(input, method, &limits, out->room, &out->response);
}

static bool within(struct stet_span part, struct stet_span whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void check_framing(const struct stet_http1_response *response, enum stet_method method)
{
    unsigned status = response->head.status;
    const struct stet_fields *fields = &response->head.fields;
    bool coded = stet_fields_have(fields, STET_FIELD_TRANSFER_ENCODING);
    require(status >= 100 && status <= 999);
    if (method == STET_METHOD_HEAD || status < 200 || status == 204 || status == 304)
        require(response->body == STET_BODY_NONE);
    if (response->body == STET_BODY_CLOSE)
        require(!response->keep_alive);
    if (response->body == STET_BODY_LENGTH)
        require(!coded && stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH));
    if (response->body == STET_BODY_CHUNKED)
        require(coded && response->minor == 1 && !stet_fields_have(fields, STET_FIELD_CONTENT_LENGTH));
    if (coded && response->minor == 0)
        require(!response->keep_alive);
}

static void check_head(const struct stet_http1_response *response, struct stet_span input)
{
    struct stet_span head = {input.ptr, response->head_len};
    require(head.len <= input.len && head.len <= limits.head_bytes);
    require(memcmp(head.ptr + head.len - 4, "\r\n\r\n", 4) == 0);
    require(within(response->head.reason_phrase, head) && response->head.fields.count <= FIELDS_MAX);
    for (size_t i = 0; i < response->head.fields.count; i++) {
        const struct stet_field *field = &response->head.fields.at[i];
        require(within(field->name, head) && within(field->value, head) && field->name.len > 0);
        require(!memchr(field->value.ptr, '\r', field->value.len) &&
                !memchr(field->value.ptr, '\n', field->value.len));
        require(!memchr(field->name.ptr, ' ', field->name.len));
    }
}

static void check_prefixes(struct stet_span input, enum stet_method method, const struct outcome *whole)
{
    static struct outcome part;
    size_t step = 1 + input.len / 256;
    for (size_t len = 0; len < input.len; len += step) {
        char *copy = malloc(len > 0 ? len : 1);
        require(copy != NULL);
        memcpy(copy, input.ptr, len);
        parse(stet_span_of(copy, len), method, &part);
        require(part.status == STET_MORE || part.status == whole->status);
        if (part.status == STET_OK) {
            require(part.response.head_len == whole->response.head_len);
            require(part.response.body == whole->response.body);
        }
        free(copy);
    }
}

static void check_unfolding(struct stet_span input, enum stet_method method, const struct outcome *whole)
{
    static struct outcome unfolded;
    static char text[INPUT_MAX], twice[INPUT_MAX];
    memcpy(text, input.ptr, input.len);
    stet_http1_response_unfold(text, input.len);
    memcpy(twice, text, input.len);
    stet_http1_response_unfold(twice, input.len);
    require(memcmp(text, twice, input.len) == 0);
    if (whole->status == STET_OK)
        require(memcmp(text, input.ptr, input.len) == 0);
    parse(stet_span_of(text, input.len), method, &unfolded);
    if (unfolded.status == STET_OK) {
        size_t head_len = unfolded.response.head_len;
        require(memcmp(text + head_len, input.ptr + head_len, input.len - head_len) == 0);
        check_head(&unfolded.response, stet_span_of(text, input.len));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum stet_method methods[] = {STET_METHOD_GET, STET_METHOD_HEAD, STET_METHOD_CONNECT,
                                               STET_METHOD_OTHER};
    static struct outcome whole;
    if (size < 2 || size > INPUT_MAX)
        return 0;
    enum stet_method method = methods[data[0] & 3];
    struct stet_span input = {(const char *)data + 1, size - 1};
    parse(input, method, &whole);
    require(whole.status <= STET_MORE);
    if (whole.status == STET_OK) {
        check_head(&whole.response, input);
        check_framing(&whole.response, method);
    }
    check_prefixes(input, method, &whole);
    check_unfolding(input, method, &whole);
    return 0;
}
