/* SPDX-License-Identifier: MIT */
/*
 * Structured fields: RFC 9651 sections 4.2 to 4.2.3.2. The values inside are in sf_value.c.
 *
 *              START --stet_sf_next--> MEMBER          an item, or a dictionary's member without a value
 *                |                  \-> OPEN           an inner list, after its "("
 *                +--(nothing there)--> DONE
 *
 *      OPEN, INNER --stet_sf_inner--> INNER            an item of the inner list, before its parameters
 *                                 \-> MEMBER           the ")"
 *   INNER, MEMBER  --stet_sf_param--> the same
 *          MEMBER  --stet_sf_next---> MEMBER, OPEN or DONE
 *
 * Lines are joined by commas as they are read, not before: the end of a line that is not the last one is a
 * comma. A string cannot go on in the next line ("parsers MAY fail").
 */
#include <stet/sf.h>

#include "core/sf_value.h"

enum { START, OPEN, INNER, MEMBER, DONE };

static int fail(struct stet_sf *sf)
{
    sf->failed = STET_E_SYNTAX;
    return STET_E_SYNTAX;
}

static bool next_line(struct stet_sf *sf)
{
    while (sf->fields && sf->line < sf->fields->count) {
        const struct stet_field *field = &sf->fields->at[sf->line++];
        if (field->id != sf->id)
            continue;
        if (sf->id == STET_FIELD_OTHER && !stet_span_equal_nocase(field->name, sf->name))
            continue;
        sf->rest = field->value;
        return true;
    }
    return false;
}

static bool at(const struct stet_sf *sf, char c)
{
    return sf->rest.len > 0 && sf->rest.ptr[0] == c;
}

static void skip_sp(struct stet_sf *sf)
{
    while (at(sf, ' '))
        sf->rest = stet_span_skip(sf->rest, 1);
}

static void skip_ows(struct stet_sf *sf)
{
    while (at(sf, ' ') || at(sf, '\t'))
        sf->rest = stet_span_skip(sf->rest, 1);
}

/* Consumes `c` if it is next. */
static bool take(struct stet_sf *sf, char c)
{
    if (!at(sf, c))
        return false;
    sf->rest = stet_span_skip(sf->rest, 1);
    return true;
}

void stet_sf_begin(struct stet_sf *sf, enum stet_sf_kind kind, const struct stet_fields *fields,
                   enum stet_field_id id, struct stet_span name)
{
    if (id == STET_FIELD_OTHER)
        id = stet_field_id(name);
    *sf = (struct stet_sf){.kind = kind, .fields = fields, .id = id, .name = name, .state = START};
    next_line(sf);
}

void stet_sf_begin_value(struct stet_sf *sf, enum stet_sf_kind kind, struct stet_span value)
{
    *sf = (struct stet_sf){.kind = kind, .rest = value, .state = START};
}

/* The next parameter at this place, or STET_END: section 4.2.3.2. */
static int read_param(struct stet_sf *sf, struct stet_span *key, struct stet_sf_item *item)
{
    if (!take(sf, ';'))
        return STET_END;
    skip_sp(sf);
    struct stet_span name;
    struct stet_sf_item value = {.type = STET_SF_BOOLEAN, .integer = 1};
    if (stet__sf_read_key(&sf->rest, &name) != STET_OK)
        return fail(sf);
    if (take(sf, '=') && stet__sf_read_bare_item(&sf->rest, &value) != STET_OK)
        return fail(sf);
    *key = name;
    *item = value;
    return STET_OK;
}

static int skip_params(struct stet_sf *sf)
{
    struct stet_span key;
    struct stet_sf_item item;
    int status;
    do
        status = read_param(sf, &key, &item);
    while (status == STET_OK);
    return status;
}

int stet_sf_inner(struct stet_sf *sf, struct stet_sf_item *item)
{
    if (sf->failed != STET_OK)
        return sf->failed;
    if (sf->state != OPEN && sf->state != INNER)
        return STET_END;
    if (sf->state == INNER) {
        if (skip_params(sf) != STET_END)
            return sf->failed;
        if (!at(sf, ' ') && !at(sf, ')'))
            return fail(sf);
    }
    skip_sp(sf);
    if (take(sf, ')')) {
        sf->state = MEMBER;
        return STET_END;
    }
    if (stet__sf_read_bare_item(&sf->rest, item) != STET_OK)
        return fail(sf);
    sf->state = INNER;
    return STET_OK;
}

static int skip_inner(struct stet_sf *sf)
{
    struct stet_sf_item item;
    int status;
    do
        status = stet_sf_inner(sf, &item);
    while (status == STET_OK);
    return status;
}

int stet_sf_param(struct stet_sf *sf, struct stet_span *key, struct stet_sf_item *item)
{
    if (sf->failed != STET_OK)
        return sf->failed;
    if (sf->state == OPEN && skip_inner(sf) != STET_END)
        return sf->failed;
    if (sf->state != INNER && sf->state != MEMBER)
        return STET_END;
    return read_param(sf, key, item);
}

static int end(struct stet_sf *sf)
{
    sf->state = DONE;
    return STET_END;
}

/* Section 4.2.1.1, up to the parameters. */
static int read_item_or_inner_list(struct stet_sf *sf, struct stet_sf_item *item)
{
    if (sf->kind != STET_SF_ITEM && take(sf, '(')) {
        *item = (struct stet_sf_item){.type = STET_SF_INNER_LIST};
        sf->state = OPEN;
        return STET_OK;
    }
    sf->state = MEMBER;
    return stet__sf_read_bare_item(&sf->rest, item) == STET_OK ? STET_OK : fail(sf);
}

static int read_member(struct stet_sf *sf, struct stet_sf_member *member)
{
    struct stet_sf_member read = {.item = {.type = STET_SF_BOOLEAN, .integer = 1}};
    sf->state = MEMBER;
    if (sf->kind == STET_SF_DICTIONARY) {
        if (stet__sf_read_key(&sf->rest, &read.key) != STET_OK)
            return fail(sf);
        if (!take(sf, '=')) {
            *member = read;
            return STET_OK;
        }
    }
    if (read_item_or_inner_list(sf, &read.item) != STET_OK)
        return sf->failed;
    *member = read;
    return STET_OK;
}

/* The end of the one item: section 4.2, "if input_string is not empty, fail parsing". */
static int end_of_item(struct stet_sf *sf)
{
    skip_sp(sf);
    return sf->rest.len > 0 || next_line(sf) ? fail(sf) : end(sf);
}

static int first_member(struct stet_sf *sf, struct stet_sf_member *member)
{
    skip_sp(sf);
    if (sf->rest.len > 0 || sf->kind == STET_SF_ITEM)
        return read_member(sf, member);
    /* Two empty lines are a comma, and no member stands before it. */
    return next_line(sf) ? fail(sf) : end(sf);
}

int stet_sf_next(struct stet_sf *sf, struct stet_sf_member *member)
{
    if (sf->failed != STET_OK)
        return sf->failed;
    if (sf->state == DONE)
        return STET_END;
    if (sf->state == START)
        return first_member(sf, member);
    if (skip_inner(sf) != STET_END || skip_params(sf) != STET_END)
        return sf->failed;
    if (sf->kind == STET_SF_ITEM)
        return end_of_item(sf);
    skip_ows(sf);
    /* The end of a line counts as the comma if there is another line. */
    if (sf->rest.len == 0) {
        if (!next_line(sf))
            return end(sf);
    } else if (!take(sf, ','))
        return fail(sf);
    skip_ows(sf);
    return read_member(sf, member);
}

int stet_sf_check(const struct stet_sf *sf)
{
    struct stet_sf copy = *sf;
    struct stet_sf_member member;
    int status;
    do
        status = stet_sf_next(&copy, &member);
    while (status == STET_OK);
    return status == STET_END ? STET_OK : status;
}
