/* SPDX-License-Identifier: MIT */
/*
 * Structured fields: RFC 9651.
 *
 * The first octet chooses item, list or dictionary; the rest is the lines of a field, LF between them. What
 * must hold: reading everything and skipping everything agree on what fails; what parses is written, and what
 * is written parses to the same and is written the same, octet for octet; lines that parse do so when they
 * are joined by commas; decoded text fits where the encoded text was.
 */
#include <stdlib.h>

#include <stet/sf.h>

#define INPUT_MAX 2048
#define LINES_MAX 16
#define TEXT_MAX (8 * INPUT_MAX)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool has_text(enum stet_sf_type type)
{
    return type == STET_SF_STRING || type == STET_SF_TOKEN || type == STET_SF_BYTES ||
           type == STET_SF_DISPLAY_STRING;
}

/* The item as the serialiser wants it: text decoded. */
static struct stet_sf_item decoded(const struct stet_sf_item *item)
{
    static char room[TEXT_MAX];
    struct stet_sf_item raw = *item;
    require(has_text(item->type) == (item->text.ptr != NULL));
    require(item->integer >= INT64_C(-999999999999999) && item->integer <= INT64_C(999999999999999));
    if (!has_text(item->type))
        return raw;
    /* Room to the octet: a sanitizer sees one that is written too far. */
    char *exact = malloc(item->text.len > 0 ? item->text.len : 1);
    if (!exact)
        abort();
    raw.text = stet_span_of(room, stet_sf_decode(item, exact));
    require(raw.text.len <= item->text.len);
    memcpy(room, exact, raw.text.len);
    free(exact);
    return raw;
}

static int write_params(struct stet_sf *sf, struct stet_sf_writer *w)
{
    struct stet_span key;
    struct stet_sf_item item;
    int status;
    while ((status = stet_sf_param(sf, &key, &item)) == STET_OK) {
        item = decoded(&item);
        stet_sf_write_param(w, key, &item);
    }
    return status;
}

static int write_inner(struct stet_sf *sf, struct stet_sf_writer *w)
{
    struct stet_sf_item item;
    int status;
    stet_sf_write_inner_begin(w);
    while ((status = stet_sf_inner(sf, &item)) == STET_OK) {
        item = decoded(&item);
        stet_sf_write_item(w, &item);
        if (write_params(sf, w) != STET_END)
            return STET_E_SYNTAX;
    }
    stet_sf_write_inner_end(w);
    return status;
}

/* Reads everything and writes it to `text`; false if it does not parse. */
static bool rewrite(struct stet_sf sf, char *text, struct stet_span *out)
{
    struct stet_sf_member member;
    struct stet_sf_writer w;
    int checked = stet_sf_check(&sf);
    stet_sf_write_begin(&w, text, TEXT_MAX);
    while (stet_sf_next(&sf, &member) == STET_OK) {
        require((member.key.ptr != NULL) == (sf.kind == STET_SF_DICTIONARY));
        if (member.key.ptr)
            stet_sf_write_key(&w, member.key);
        if (member.item.type == STET_SF_INNER_LIST) {
            if (write_inner(&sf, &w) != STET_END)
                break;
        } else {
            struct stet_sf_item item = decoded(&member.item);
            stet_sf_write_item(&w, &item);
        }
        if (write_params(&sf, &w) != STET_END)
            break;
    }
    /* Whatever stopped the loop says so again. */
    int status = stet_sf_next(&sf, &member);
    require(status == STET_END || status == STET_E_SYNTAX);
    require(checked == (status == STET_END ? STET_OK : STET_E_SYNTAX));
    if (status != STET_END)
        return false;
    require(stet_sf_finish(&w, out) == STET_OK);
    return true;
}

/* Asks for the parameters of each member and nothing else. */
static bool parses_by_params(struct stet_sf sf)
{
    struct stet_sf_member member;
    struct stet_sf_item item;
    struct stet_span key;
    int status;
    while ((status = stet_sf_next(&sf, &member)) == STET_OK)
        while (stet_sf_param(&sf, &key, &item) == STET_OK)
            require(key.len > 0);
    return status == STET_END;
}

static void check_canonical(enum stet_sf_kind kind, struct stet_span canonical)
{
    static char text[TEXT_MAX];
    struct stet_span again;
    struct stet_sf sf;
    /* An empty list or dictionary is no field at all: the one value that an item cannot have. */
    require(kind != STET_SF_ITEM || canonical.len > 0);
    stet_sf_begin_value(&sf, kind, canonical);
    require(rewrite(sf, text, &again) && stet_span_equal(again, canonical));
}

/* Reads the lines, and the one value that they make. */
static void check(enum stet_sf_kind kind, const struct stet_fields *fields, struct stet_span joined)
{
    static char text[TEXT_MAX], joined_text[TEXT_MAX];
    struct stet_span canonical, joined_canonical;
    struct stet_sf sf;
    stet_sf_begin(&sf, kind, fields, STET_FIELD_OTHER, STET_SPAN("x-field"));
    bool parses = rewrite(sf, text, &canonical);
    require(parses_by_params(sf) == parses);
    stet_sf_begin_value(&sf, kind, joined);
    bool joined_parses = rewrite(sf, joined_text, &joined_canonical);
    require(joined_parses || !parses);
    if (fields->count == 1)
        require(parses == joined_parses);
    if (joined_parses)
        check_canonical(kind, joined_canonical);
    if (parses)
        require(stet_span_equal(canonical, joined_canonical));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char joined[INPUT_MAX];
    struct stet_field lines[LINES_MAX];
    struct stet_fields fields = {lines, 0, 1};
    if (size < 1 || size > INPUT_MAX)
        return 0;
    enum stet_sf_kind kind = (enum stet_sf_kind)(data[0] % 3);
    for (size_t from = 1; from <= size && fields.count < LINES_MAX;) {
        size_t to = from;
        while (to < size && data[to] != '\n')
            to++;
        struct stet_span value = stet_span_of((const char *)data + from, to - from);
        lines[fields.count++] = (struct stet_field){STET_SPAN("X-Field"), value, STET_FIELD_OTHER};
        from = to + 1;
    }
    size_t len = 0;
    for (size_t i = 0; i < fields.count; i++) {
        if (i > 0)
            joined[len++] = ',';
        memcpy(joined + len, lines[i].value.ptr, lines[i].value.len);
        len += lines[i].value.len;
    }
    check(kind, &fields, stet_span_of(joined, len));
    return 0;
}
