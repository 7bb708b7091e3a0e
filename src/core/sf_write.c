/* SPDX-License-Identifier: MIT */
/*
 * Serialiser of structured fields: RFC 9651 section 4.1.
 *
 * What is written is always in canonical form. What cannot be expressed, or calls in an order that no
 * structure has (a parameter of nothing, a key inside an inner list), fails once and for all. Not checked:
 * that a key stands only once among the members or parameters; this would need memory.
 */
#include <stet/sf.h>

#include "core/octet.h"
#include "core/sf_value.h"
#include "core/utf8.h"

enum {
    EMPTY,       /* nothing is written */
    AFTER_KEY,   /* a key wants its value */
    AFTER_VALUE, /* a member is written; parameters may follow */
    INNER_OPEN,  /* after "(" */
    INNER_VALUE, /* an inner item is written; parameters may follow */
};

static void fail(struct stet_sf_writer *w, int status)
{
    if (w->failed == STET_OK)
        w->failed = status;
}

static void put(struct stet_sf_writer *w, struct stet_span octets)
{
    if (w->failed != STET_OK || octets.len > w->room - w->len) {
        fail(w, STET_E_NO_ROOM);
        return;
    }
    if (octets.len > 0)
        memcpy(w->out + w->len, octets.ptr, octets.len);
    w->len += octets.len;
}

static void put_octet(struct stet_sf_writer *w, char c)
{
    put(w, stet_span_of(&c, 1));
}

static void put_integer(struct stet_sf_writer *w, int64_t n)
{
    char digits[20];
    if (n > STET__SF_MAX || n < -STET__SF_MAX) {
        fail(w, STET_E_SYNTAX);
        return;
    }
    if (n < 0)
        put_octet(w, '-');
    put(w, stet_span_of(digits, stet_format_u64((uint64_t)(n < 0 ? -n : n), digits)));
}

static void put_decimal(struct stet_sf_writer *w, int64_t thousandths)
{
    if (thousandths > STET__SF_MAX || thousandths < -STET__SF_MAX) {
        fail(w, STET_E_SYNTAX);
        return;
    }
    unsigned fraction = (unsigned)((thousandths < 0 ? -thousandths : thousandths) % 1000);
    const char digits[] = {'.', (char)('0' + fraction / 100), (char)('0' + fraction / 10 % 10),
                           (char)('0' + fraction % 10)};
    size_t len = sizeof digits;
    while (len > 2 && digits[len - 1] == '0')
        len--;
    if (thousandths < 0)
        put_octet(w, '-');
    put_integer(w, (thousandths < 0 ? -thousandths : thousandths) / 1000);
    put(w, stet_span_of(digits, len));
}

static void put_string(struct stet_sf_writer *w, struct stet_span text)
{
    put_octet(w, '"');
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            put_octet(w, '\\');
        else if (!stet__octet_is(text.ptr[i], STET__SF_STRING))
            fail(w, STET_E_SYNTAX);
        put_octet(w, text.ptr[i]);
    }
    put_octet(w, '"');
}

static void put_bytes(struct stet_sf_writer *w, struct stet_span octets)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    put_octet(w, ':');
    for (size_t i = 0; i < octets.len; i += 3) {
        size_t left = octets.len - i;
        uint32_t bits = (uint32_t)(unsigned char)octets.ptr[i] << 16;
        bits |= left > 1 ? (uint32_t)(unsigned char)octets.ptr[i + 1] << 8 : 0;
        bits |= left > 2 ? (uint32_t)(unsigned char)octets.ptr[i + 2] : 0;
        const char four[] = {digits[bits >> 18], digits[bits >> 12 & 63],
                             left > 1 ? digits[bits >> 6 & 63] : '=', left > 2 ? digits[bits & 63] : '='};
        put(w, stet_span_of(four, sizeof four));
    }
    put_octet(w, ':');
}

static void put_display_string(struct stet_sf_writer *w, struct stet_span text)
{
    static const char digits[] = "0123456789abcdef";
    struct stet__utf8 utf8 = {0};
    put(w, STET_SPAN("%\""));
    for (size_t i = 0; i < text.len; i++) {
        unsigned char octet = (unsigned char)text.ptr[i];
        if (!stet__utf8_step(&utf8, octet)) {
            fail(w, STET_E_SYNTAX);
            return;
        }
        const char escaped[] = {'%', digits[octet >> 4], digits[octet & 15]};
        if (octet == '%' || octet == '"' || octet < 0x20 || octet > 0x7e)
            put(w, stet_span_of(escaped, sizeof escaped));
        else
            put_octet(w, text.ptr[i]);
    }
    if (utf8.left > 0)
        fail(w, STET_E_SYNTAX);
    put_octet(w, '"');
}

static void put_bare_item(struct stet_sf_writer *w, const struct stet_sf_item *item)
{
    switch (item->type) {
    case STET_SF_INTEGER:
        put_integer(w, item->integer);
        return;
    case STET_SF_DECIMAL:
        put_decimal(w, item->integer);
        return;
    case STET_SF_STRING:
        put_string(w, item->text);
        return;
    case STET_SF_TOKEN:
        if (!stet__sf_is_token(item->text))
            break;
        put(w, item->text);
        return;
    case STET_SF_BYTES:
        put_bytes(w, item->text);
        return;
    case STET_SF_BOOLEAN:
        if (item->integer != 0 && item->integer != 1)
            break;
        put(w, item->integer ? STET_SPAN("?1") : STET_SPAN("?0"));
        return;
    case STET_SF_DATE:
        put_octet(w, '@');
        put_integer(w, item->integer);
        return;
    case STET_SF_DISPLAY_STRING:
        put_display_string(w, item->text);
        return;
    case STET_SF_INNER_LIST:
        break;
    }
    fail(w, STET_E_SYNTAX);
}

static bool is_true(const struct stet_sf_item *item)
{
    return !item || (item->type == STET_SF_BOOLEAN && item->integer == 1);
}

static void put_key(struct stet_sf_writer *w, struct stet_span key)
{
    if (!stet__sf_is_key(key))
        fail(w, STET_E_SYNTAX);
    put(w, key);
}

/* What stands between what is written and the next value or key. */
static void put_separator(struct stet_sf_writer *w)
{
    switch (w->state) {
    case AFTER_KEY:
        put_octet(w, '=');
        break;
    case AFTER_VALUE:
        put(w, STET_SPAN(", "));
        break;
    case INNER_VALUE:
        put_octet(w, ' ');
        break;
    default:
        break;
    }
}

static bool inside(const struct stet_sf_writer *w)
{
    return w->state == INNER_OPEN || w->state == INNER_VALUE;
}

void stet_sf_write_begin(struct stet_sf_writer *w, char *out, size_t room)
{
    *w = (struct stet_sf_writer){.out = out, .room = room, .failed = STET_OK, .state = EMPTY};
}

void stet_sf_write_key(struct stet_sf_writer *w, struct stet_span key)
{
    if (inside(w) || w->state == AFTER_KEY)
        fail(w, STET_E_SYNTAX);
    put_separator(w);
    put_key(w, key);
    w->state = AFTER_KEY;
}

void stet_sf_write_inner_begin(struct stet_sf_writer *w)
{
    if (inside(w))
        fail(w, STET_E_SYNTAX);
    put_separator(w);
    put_octet(w, '(');
    w->state = INNER_OPEN;
}

void stet_sf_write_inner_end(struct stet_sf_writer *w)
{
    if (!inside(w))
        fail(w, STET_E_SYNTAX);
    put_octet(w, ')');
    w->state = AFTER_VALUE;
}

void stet_sf_write_item(struct stet_sf_writer *w, const struct stet_sf_item *item)
{
    /* "If member_value is Boolean true": the key alone says it. */
    if (w->state != AFTER_KEY || !is_true(item)) {
        put_separator(w);
        put_bare_item(w, item);
    }
    w->state = inside(w) ? INNER_VALUE : AFTER_VALUE;
}

void stet_sf_write_param(struct stet_sf_writer *w, struct stet_span key, const struct stet_sf_item *item)
{
    if (w->state != AFTER_VALUE && w->state != INNER_VALUE)
        fail(w, STET_E_SYNTAX);
    put_octet(w, ';');
    put_key(w, key);
    if (!is_true(item)) {
        put_octet(w, '=');
        put_bare_item(w, item);
    }
}

int stet_sf_finish(const struct stet_sf_writer *w, struct stet_span *out)
{
    if (w->failed != STET_OK)
        return w->failed;
    if (w->state != EMPTY && w->state != AFTER_VALUE)
        return STET_E_SYNTAX;
    *out = stet_span_of(w->out, w->len);
    return STET_OK;
}
