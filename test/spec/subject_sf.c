/* SPDX-License-Identifier: MIT */
/*
 * Subjects of sf.h: a structured field is read and written again, in its canonical form (RFC 9651
 * section 4.1).
 */
#include "markdown.h"
#include "spec.h"

#define ROOM 16384

struct copy {
    struct stet_sf sf;
    struct stet_sf_writer writer;
};

static void write_item(struct copy *copy, const struct stet_sf_item *item)
{
    static char text[ROOM];
    struct stet_sf_item raw = *item;
    if (item->type == STET_SF_STRING || item->type == STET_SF_BYTES || item->type == STET_SF_DISPLAY_STRING)
        raw.text = stet_span_of(text, stet_sf_decode(item, text));
    stet_sf_write_item(&copy->writer, &raw);
}

static void write_params(struct copy *copy)
{
    struct stet_span key;
    struct stet_sf_item item;
    static char text[ROOM];
    while (stet_sf_param(&copy->sf, &key, &item) == STET_OK) {
        if (item.type == STET_SF_STRING || item.type == STET_SF_BYTES || item.type == STET_SF_DISPLAY_STRING)
            item.text = stet_span_of(text, stet_sf_decode(&item, text));
        stet_sf_write_param(&copy->writer, key, &item);
    }
}

static void write_member(struct copy *copy, const struct stet_sf_member *member)
{
    if (copy->sf.kind == STET_SF_DICTIONARY)
        stet_sf_write_key(&copy->writer, member->key);
    if (member->item.type != STET_SF_INNER_LIST) {
        write_item(copy, &member->item);
        write_params(copy);
        return;
    }
    struct stet_sf_item item;
    stet_sf_write_inner_begin(&copy->writer);
    while (stet_sf_inner(&copy->sf, &item) == STET_OK) {
        write_item(copy, &item);
        write_params(copy);
    }
    stet_sf_write_inner_end(&copy->writer);
    write_params(copy);
}

static void canonical(struct spec_run *run, struct copy *copy)
{
    static char out[ROOM];
    struct stet_sf_member member;
    struct stet_span written;
    int checked = stet_sf_check(&copy->sf);
    stet_sf_write_begin(&copy->writer, out, sizeof(out));
    int status;
    while ((status = stet_sf_next(&copy->sf, &member)) == STET_OK)
        write_member(copy, &member);
    if ((status == STET_END) != (checked == STET_OK))
        fputs("stet_sf_check disagrees with stet_sf_next\n", run->out);
    if (status == STET_END)
        status = stet_sf_finish(&copy->writer, &written);
    if (status != STET_OK) {
        spec_error(run, status);
        return;
    }
    markdown_encode(written, run->out);
    putc('\n', run->out);
}

static enum stet_sf_kind kind_of(struct spec_run *run, struct stet_span word)
{
    if (stet_span_equal(word, STET_SPAN("item")))
        return STET_SF_ITEM;
    if (stet_span_equal(word, STET_SPAN("list")))
        return STET_SF_LIST;
    run->bad = !stet_span_equal(word, STET_SPAN("dictionary"));
    return STET_SF_DICTIONARY;
}

/* "sf item|list|dictionary": one value. */
static void run_sf(struct spec_run *run)
{
    struct copy copy;
    stet_sf_begin_value(&copy.sf, kind_of(run, run->detail), run->input);
    canonical(run, &copy);
}

/* "sf-field item|list|dictionary NAME": all lines of a field. */
static void run_sf_field(struct spec_run *run)
{
    struct copy copy;
    struct stet_request request;
    struct stet_span name = run->detail;
    enum stet_sf_kind kind = kind_of(run, markdown_word(&name));
    if (!spec_fields(run, &request))
        return;
    stet_sf_begin(&copy.sf, kind, &request.fields, STET_FIELD_OTHER, name);
    canonical(run, &copy);
}

const struct spec_subject spec_sf_subjects[] = {
    {"sf", SPEC_INPUT_ROW, false, run_sf},
    {"sf-field", SPEC_INPUT_FIELDS, false, run_sf_field},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
