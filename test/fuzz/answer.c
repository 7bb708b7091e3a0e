/* SPDX-License-Identifier: MIT */
/*
 * Heads of answers, line by line as libcurl hands them over: transfer/answer.h.
 *
 * The first octet chooses the method that is answered and what the connection speaks; each line of the rest
 * is one call. What must hold:
 *   1. a line makes the head go on, completes it or ends all; octets are counted up to the final head;
 *   2. behind a final head there are trailers only, and it stays as it is;
 *   3. the fields of a complete head are field lines, and borrow from what is kept;
 *   4. a head in HTTP/1 whose lines end in CRLF is what stet_http1_response_parse says of it in one piece.
 */
#include <stdlib.h>

#include "transfer/answer.h"
#include "transfer/transfer.h"

#define INPUT_MAX 4096
#define HEAD_MAX 1500

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct stet__answer_reader reader = {.limits = {HEAD_MAX, 1, 40}};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool within(struct stet_span part, struct stet_span whole)
{
    return part.ptr >= whole.ptr && part.ptr + part.len <= whole.ptr + whole.len;
}

static void check_head(const struct stet__answer *answer)
{
    const struct stet_http1_response *response = &answer->response;
    struct stet_span kept = stet__buffer_span(&answer->octets);
    require(response->head_len == kept.len && !response->coded);
    require(answer->final == (response->head.status > 199) && response->head.status != 101);
    for (size_t i = 0; i < response->head.fields.count; i++) {
        const struct stet_field *field = &response->head.fields.at[i];
        require(within(field->name, kept) && within(field->value, kept) && field->name.len > 0);
        require(!memchr(field->value.ptr, '\r', field->value.len) &&
                !memchr(field->value.ptr, '\n', field->value.len));
    }
}

/* The same head in one piece. What libcurl is known to have done about the framing is no error here. */
static void check_whole(struct stet_span head, enum stet_method method, int status,
                        const struct stet__answer *answer)
{
    static char copy[INPUT_MAX];
    static struct stet_field room[STET__ANSWER_FIELDS_MAX];
    struct stet_http1_response whole;
    struct stet_span octets = {copy, head.len};
    memcpy(copy, head.ptr, head.len);
    int wanted = stet_http1_response_parse(octets, method, &reader.limits, room, &whole);
    if (wanted == STET_E_OBS_FOLD) {
        stet_http1_response_unfold(copy, head.len);
        wanted = stet_http1_response_parse(octets, method, &reader.limits, room, &whole);
    }
    if (wanted == STET_OK && whole.coded) {
        require(status == STET_OK || status == STET_E_CODING_UNKNOWN);
        return;
    }
    if (wanted == STET_OK && whole.head.status == 101)
        wanted = STET__TRANSFER_E_PROTOCOL;
    require(status == (wanted == STET_MORE ? STET_E_SYNTAX : wanted));
    if (status != STET_OK)
        return;
    require(whole.head.status == answer->response.head.status && whole.body == answer->response.body);
    require(whole.content_length == answer->response.content_length);
    require(whole.head.fields.count == answer->response.head.fields.count);
}

struct feeding {
    struct stet__answer answer;
    struct stet__arena arena;
    enum stet_method method;
    struct stet_span head; /* since the last complete one */
    bool crlf;             /* all of its lines end so */
    uint64_t octets;
};

/* False: no line may follow. */
static bool feed(struct feeding *feeding, struct stet_span line)
{
    struct stet__answer *answer = &feeding->answer;
    bool was_final = answer->final;
    unsigned code = answer->response.head.status;
    feeding->head.len += line.len;
    feeding->crlf &= line.len > 1 && line.ptr[line.len - 2] == '\r' && line.ptr[line.len - 1] == '\n';
    int status = stet__answer_take(answer, &reader, line, feeding->method, &feeding->arena);
    if (was_final) {
        require(status == STET_END && answer->response.head.status == code);
        check_head(answer);
        return true;
    }
    feeding->octets += line.len;
    require(answer->head_octets == feeding->octets && status <= STET_MORE);
    if (status == STET_MORE)
        return true;
    if (status == STET_OK)
        check_head(answer);
    if (feeding->crlf && answer->major == 1 && feeding->head.len <= HEAD_MAX &&
        stet_span_starts(feeding->head, STET_SPAN("HTTP/1.")))
        check_whole(feeding->head, feeding->method, status, answer);
    feeding->head = stet_span_skip(feeding->head, feeding->head.len);
    feeding->crlf = true;
    return status == STET_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const enum stet_method methods[] = {STET_METHOD_GET, STET_METHOD_HEAD, STET_METHOD_POST,
                                               STET_METHOD_OTHER};
    if (size < 2 || size > INPUT_MAX)
        return 0;
    struct stet_span rest = {(const char *)data + 1, size - 1};
    struct feeding feeding = {.method = methods[data[0] & 3], .head = {rest.ptr, 0}, .crlf = true};
    bool more = true;
    stet__arena_init(&feeding.arena, 1u << 20);
    stet__buffer_init(&feeding.answer.octets, HEAD_MAX);
    stet__answer_clear(&feeding.answer);
    feeding.answer.beyond_1 = data[0] & 4;
    while (more && rest.len > 0) {
        const char *end = memchr(rest.ptr, '\n', rest.len);
        size_t len = end ? (size_t)(end - rest.ptr) + 1 : rest.len;
        more = feed(&feeding, stet_span_of(rest.ptr, len));
        rest = stet_span_skip(rest, len);
    }
    stet__buffer_release(&feeding.answer.octets);
    stet__arena_release(&feeding.arena);
    return 0;
}
