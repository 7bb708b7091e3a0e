/* SPDX-License-Identifier: MIT */
/*
 * The chunked transfer coding: RFC 9112 section 7.1.
 *
 *   SIZE_FIRST -> SIZE -> (extensions) -> SIZE_LF -> DATA -> DATA_CR -> DATA_LF -> SIZE_FIRST
 *                                            |
 *                                  size 0:   +-> TRAILER_FIRST -> (field line) -> TRAILER_FIRST -> LAST_LF ->
 * DONE
 *
 * Lines are judged octet by octet, so nothing is buffered and a cut can make no difference. The grammar is
 * kept to the letter, extensions and trailer fields among it: what one parser skips and another reads is
 * where a second message is hidden. No whitespace may follow a size, and every line ends in CRLF.
 */
#include "base/assert.h"
#include "core/http1_head.h"

enum {
    SIZE_FIRST,
    SIZE,
    SIZE_LF,
    EXT_SPACE,      /* BWS before a semicolon */
    EXT_NAME_FIRST, /* after the semicolon, BWS allowed */
    EXT_NAME,
    EXT_NAME_SPACE,  /* BWS before "=" or a semicolon */
    EXT_VALUE_FIRST, /* after "=", BWS allowed */
    EXT_TOKEN,
    EXT_QUOTED,
    EXT_QUOTED_PAIR,
    EXT_QUOTED_END,
    DATA,
    DATA_CR,
    DATA_LF,
    TRAILER_FIRST,
    TRAILER_NAME,
    TRAILER_VALUE,
    TRAILER_LF,
    LAST_LF,
    DONE,
};

void stet_chunked_begin(struct stet_chunked *chunked, size_t trailer_limit)
{
    chunked->left = 0;
    chunked->line_bytes = 0;
    chunked->overhead_bytes = 0;
    chunked->trailer_limit = trailer_limit;
    chunked->trailers = STET_SPAN_NONE;
    chunked->state = SIZE_FIRST;
}

static int expect(struct stet_chunked *chunked, int state)
{
    chunked->state = state;
    return STET_OK;
}

/* The failure at an octet that nothing allows. Of a CR it is not known yet whether it is a bare one. */
static int wrong(char c, int otherwise)
{
    return c == '\n' ? STET_E_BARE_LF : otherwise;
}

static int take_size_octet(struct stet_chunked *chunked, char c)
{
    if (stet__h1_is(c, STET__H1_HEX)) {
        unsigned digit =
            stet__h1_is(c, STET__H1_DIGIT) ? (unsigned)(c - '0') : (unsigned)((c | 0x20) - 'a') + 10;
        if (chunked->left >> 60 != 0)
            return STET_E_CHUNK_SIZE;
        chunked->left = chunked->left << 4 | digit;
        return expect(chunked, SIZE);
    }
    if (chunked->state == SIZE_FIRST)
        return wrong(c, STET_E_CHUNK_SIZE);
    if (c == '\r')
        return expect(chunked, SIZE_LF);
    if (c == ';')
        return expect(chunked, EXT_NAME_FIRST);
    if (stet_is_ows(c))
        return expect(chunked, EXT_SPACE);
    return wrong(c, STET_E_CHUNK_SIZE);
}

static int take_ext_name_octet(struct stet_chunked *chunked, char c)
{
    if (stet__h1_is(c, STET__H1_TCHAR) && chunked->state != EXT_NAME_SPACE)
        return expect(chunked, EXT_NAME);
    if (chunked->state == EXT_NAME_FIRST)
        return stet_is_ows(c) ? STET_OK : wrong(c, STET_E_CHUNK_EXTENSION);
    if (stet_is_ows(c))
        return expect(chunked, EXT_NAME_SPACE);
    if (c == '=')
        return expect(chunked, EXT_VALUE_FIRST);
    if (c == ';')
        return expect(chunked, EXT_NAME_FIRST);
    if (c == '\r' && chunked->state == EXT_NAME)
        return expect(chunked, SIZE_LF);
    return wrong(c, STET_E_CHUNK_EXTENSION);
}

static int take_ext_value_octet(struct stet_chunked *chunked, char c)
{
    if (stet__h1_is(c, STET__H1_TCHAR) && chunked->state != EXT_QUOTED_END)
        return expect(chunked, EXT_TOKEN);
    if (chunked->state == EXT_VALUE_FIRST) {
        if (c == '"')
            return expect(chunked, EXT_QUOTED);
        return stet_is_ows(c) ? STET_OK : wrong(c, STET_E_CHUNK_EXTENSION);
    }
    if (stet_is_ows(c))
        return expect(chunked, EXT_SPACE);
    if (c == ';')
        return expect(chunked, EXT_NAME_FIRST);
    if (c == '\r')
        return expect(chunked, SIZE_LF);
    return wrong(c, STET_E_CHUNK_EXTENSION);
}

static int take_ext_octet(struct stet_chunked *chunked, char c)
{
    switch (chunked->state) {
    case EXT_SPACE:
        if (c == ';')
            return expect(chunked, EXT_NAME_FIRST);
        return stet_is_ows(c) ? STET_OK : wrong(c, STET_E_CHUNK_EXTENSION);
    case EXT_NAME_FIRST:
    case EXT_NAME:
    case EXT_NAME_SPACE:
        return take_ext_name_octet(chunked, c);
    case EXT_QUOTED:
    case EXT_QUOTED_PAIR:
        if (stet__h1_is(c, STET__H1_CONTROL))
            return wrong(c, STET_E_CHUNK_EXTENSION);
        if (chunked->state == EXT_QUOTED_PAIR)
            return expect(chunked, EXT_QUOTED);
        return expect(chunked, c == '"' ? EXT_QUOTED_END : c == '\\' ? EXT_QUOTED_PAIR : EXT_QUOTED);
    default:
        return take_ext_value_octet(chunked, c);
    }
}

/*
 * RFC 9112 section 7.1.1: "A server ought to limit the total length of chunk extensions received in a
 * request". The more data there is, the longer they may be; a body that is almost nothing but chunk lines is
 * an attack.
 */
static int end_line(struct stet_chunked *chunked)
{
    uint64_t overhead = chunked->overhead_bytes + chunked->line_bytes;
    uint64_t paid = chunked->left < overhead ? 16 + 2 * chunked->left : overhead;
    chunked->overhead_bytes = paid < overhead ? (size_t)(overhead - paid) : 0;
    chunked->line_bytes = 0;
    if (chunked->overhead_bytes > STET_CHUNK_OVERHEAD_MAX)
        return STET_E_CHUNK_EXTENSION;
    return expect(chunked, chunked->left > 0 ? DATA : TRAILER_FIRST);
}

static int take_line_octet(struct stet_chunked *chunked, char c)
{
    if (chunked->state == SIZE_LF)
        return c == '\n' ? end_line(chunked) : STET_E_BARE_CR;
    bool size = chunked->state == SIZE_FIRST || chunked->state == SIZE;
    if (c != '\r' && ++chunked->line_bytes > STET_CHUNK_LINE_MAX)
        return size ? STET_E_CHUNK_SIZE : STET_E_CHUNK_EXTENSION;
    return size ? take_size_octet(chunked, c) : take_ext_octet(chunked, c);
}

/* The first octet of a trailer line, or the CR of the last line. */
static int take_trailer_first(struct stet_chunked *chunked, char c)
{
    if (c == '\r')
        return expect(chunked, LAST_LF);
    if (stet_is_ows(c))
        return STET_E_OBS_FOLD;
    if (!stet__h1_is(c, STET__H1_TCHAR))
        return wrong(c, STET_E_FIELD_NAME);
    return expect(chunked, TRAILER_NAME);
}

static int take_trailer_octet(struct stet_chunked *chunked, char c)
{
    bool ends = chunked->state == TRAILER_FIRST && c == '\r';
    if (!ends && chunked->state != LAST_LF && ++chunked->line_bytes > chunked->trailer_limit)
        return STET_E_TRAILER_TOO_LARGE;
    switch (chunked->state) {
    case TRAILER_FIRST:
        return take_trailer_first(chunked, c);
    case TRAILER_NAME:
        if (stet__h1_is(c, STET__H1_TCHAR))
            return STET_OK;
        if (c == ':')
            return expect(chunked, TRAILER_VALUE);
        return stet_is_ows(c) ? STET_E_SPACE_BEFORE_COLON : wrong(c, STET_E_FIELD_NAME);
    case TRAILER_VALUE:
        if (c == '\r')
            return expect(chunked, TRAILER_LF);
        return stet__h1_is(c, STET__H1_CONTROL) ? wrong(c, STET_E_FIELD_VALUE) : STET_OK;
    default: /* TRAILER_LF, LAST_LF */
        if (c != '\n')
            return STET_E_BARE_CR;
        return expect(chunked, chunked->state == LAST_LF ? DONE : TRAILER_FIRST);
    }
}

static int take_data_end(struct stet_chunked *chunked, char c)
{
    if (c != (chunked->state == DATA_CR ? '\r' : '\n'))
        return STET_E_CHUNK_END;
    return expect(chunked, chunked->state == DATA_CR ? DATA_LF : SIZE_FIRST);
}

static int take_octet(struct stet_chunked *chunked, char c)
{
    if (chunked->state < DATA)
        return take_line_octet(chunked, c);
    return take_data_end(chunked, c);
}

/* Some data of the current chunk. */
static struct stet_span take_data(struct stet_chunked *chunked, struct stet_span *input)
{
    size_t len = input->len < chunked->left ? input->len : (size_t)chunked->left;
    struct stet_span data = stet_span_of(input->ptr, len);
    *input = stet_span_skip(*input, len);
    chunked->left -= len;
    if (chunked->left == 0)
        chunked->state = DATA_CR;
    return data;
}

/* What there is of the trailer section. */
static int take_trailers(struct stet_chunked *chunked, struct stet_span *input)
{
    const char *begin = input->ptr;
    int status = STET_OK;
    while (chunked->state != DONE && input->len > 0 && status == STET_OK) {
        status = take_trailer_octet(chunked, input->ptr[0]);
        if (status == STET_OK)
            *input = stet_span_skip(*input, 1);
    }
    chunked->trailers = stet_span_of(begin, (size_t)(input->ptr - begin));
    if (status != STET_OK)
        return chunked->state = status;
    return chunked->state == DONE ? STET_END : STET_MORE;
}

int stet_chunked_next(struct stet_chunked *chunked, struct stet_span *input, struct stet_span *data)
{
    stet__assert(chunked->state <= DONE);
    chunked->trailers = STET_SPAN_NONE;
    if (chunked->state < 0) /* the failure that ended it */
        return chunked->state;
    while (chunked->state != DONE) {
        if (input->len == 0)
            return STET_MORE;
        if (chunked->state >= TRAILER_FIRST)
            return take_trailers(chunked, input);
        if (chunked->state == DATA) {
            *data = take_data(chunked, input);
            return STET_OK;
        }
        int status = take_octet(chunked, input->ptr[0]);
        if (status != STET_OK)
            return chunked->state = status;
        *input = stet_span_skip(*input, 1);
    }
    return STET_END;
}

int stet_trailers_parse(struct stet_span section, size_t fields, struct stet_field *room,
                        struct stet_fields *out)
{
    struct stet_http1_limits limits = {.head_bytes = section.len, .fields = fields};
    struct stet__head_cursor cursor = stet__head_cursor(section, &limits);
    struct stet__head_fields taken;
    int status = stet__head_take_fields(&cursor, &limits, false, room, &taken);
    if (status == STET_OK)
        *out = taken.fields;
    return status;
}

/*
 * RFC 9110 section 6.5.1 names the kinds; these are the fields of field_name.def that are of one of them. A
 * name that is not known goes on: whoever defined it has said whether it may be a trailer.
 */
bool stet_trailer_keeps(const struct stet_field *field)
{
    switch (field->id) {
    case STET_FIELD_OTHER:
    case STET_FIELD_ACCEPT_RANGES:
    case STET_FIELD_CONTENT_DIGEST:
    case STET_FIELD_ETAG:
    case STET_FIELD_PROXY_STATUS:
    case STET_FIELD_REPR_DIGEST:
        return true;
    default:
        return false;
    }
}
