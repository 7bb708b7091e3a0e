/* SPDX-License-Identifier: MIT */
/*
 * The chunked coding, however it is cut: RFC 9112 section 7.1.
 *
 * The first two octets choose how the rest is cut. What must hold: any cut ends with the same status, the
 * same data and the same rest; data is never more than what came; a failure stays a failure; a body of ours
 * reads back as it was.
 */
#include <stdlib.h>

#include <stet/http1.h>

#define INPUT_MAX 8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct outcome {
    int status;
    size_t len;  /* of the data */
    size_t used; /* octets of the input */
    char data[INPUT_MAX];
};

static void require(bool holds)
{
    if (!holds)
        abort();
}

static size_t trailer_limit;

/* Reads one piece in memory of its own. */
static void read_piece(struct stet_chunked *chunked, struct stet_span piece, struct outcome *out)
{
    char *copy = malloc(piece.len > 0 ? piece.len : 1);
    require(copy != NULL);
    memcpy(copy, piece.ptr, piece.len);
    struct stet_span rest = {copy, piece.len}, data;
    while ((out->status = stet_chunked_next(chunked, &rest, &data)) == STET_OK) {
        require(data.len > 0 && data.ptr >= copy && data.ptr + data.len == rest.ptr);
        require(data.len <= sizeof out->data - out->len);
        memcpy(out->data + out->len, data.ptr, data.len);
        out->len += data.len;
    }
    require(out->status != STET_MORE || rest.len == 0);
    out->used += piece.len - rest.len;
    free(copy);
}

/* Cuts the input into pieces of `first` octets, then `then` octets each. */
static void read_cut(struct stet_span input, size_t first, size_t then, struct outcome *out)
{
    struct stet_chunked chunked;
    stet_chunked_begin(&chunked, trailer_limit);
    out->status = STET_MORE;
    out->len = out->used = 0;
    for (size_t len = first; out->status == STET_MORE && input.len > 0; len = then) {
        if (len > input.len)
            len = input.len;
        read_piece(&chunked, stet_span_of(input.ptr, len), out);
        input = stet_span_skip(input, len);
    }
    struct stet_span more = STET_SPAN("0\r\n\r\n"), data;
    if (out->status != STET_MORE)
        require(stet_chunked_next(&chunked, &more, &data) == out->status && more.len == 5);
}

static void check_round_trip(struct stet_span body, size_t chunk, size_t cut)
{
    static const char digits[] = "0123456789aBcDeF";
    static char text[INPUT_MAX * 8];
    static struct outcome read;
    size_t at = 0;
    for (size_t from = 0; from < body.len; from += chunk) {
        size_t len = body.len - from < chunk ? body.len - from : chunk;
        text[at++] = digits[len >> 8 & 15];
        text[at++] = digits[len >> 4 & 15];
        text[at++] = digits[len & 15];
        memcpy(text + at, "\r\n", 2);
        memcpy(text + at + 2, body.ptr + from, len);
        memcpy(text + at + 2 + len, "\r\n", 2);
        at += len + 4;
    }
    memcpy(text + at, "0\r\n\r\nrest", 9);
    read_cut(stet_span_of(text, at + 9), cut, cut, &read);
    require(read.status == STET_END && read.used == at + 5);
    require(stet_span_equal(stet_span_of(read.data, read.len), body));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct outcome whole, parts;
    if (size < 3 || size > INPUT_MAX)
        return 0;
    trailer_limit = (size_t)data[1] * 4;
    struct stet_span input = {(const char *)data + 2, size - 2};
    read_cut(input, input.len, input.len, &whole);
    require(whole.status == STET_MORE || whole.status == STET_END || whole.status < 0);
    require(whole.len <= input.len && whole.used <= input.len);
    size_t cuts[][2] = {{1, 1}, {data[0] + 1u, input.len}, {data[0] % 16 + 1u, data[0] / 16 + 1u}};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        read_cut(input, cuts[i][0], cuts[i][1], &parts);
        require(parts.status == whole.status && parts.len == whole.len && parts.used == whole.used);
        require(memcmp(parts.data, whole.data, whole.len) == 0);
    }
    check_round_trip(input, data[0] + 1u, data[1] + 1u);
    return 0;
}
