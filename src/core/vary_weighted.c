/* SPDX-License-Identifier: MIT */
/*
 * Accept, Accept-Charset, Accept-Encoding and Accept-Language as sets: RFC 9110 sections 12.4.2 and 12.5.1
 * to 12.5.4.
 *
 * None of them gives the order a meaning, all compare without case, and q is a number: "0.5" is "0.500", and
 * 1 where there is none. Parameters of media ranges are compared as they stand, because whether their values
 * have a case is for their type to say.
 */
#include "core/vary.h"

#include <stet/field.h>

#include "core/octet.h"

/* Media ranges have one slash; so much is known of all four fields. */
static bool is_thing(struct stet_span thing)
{
    for (size_t i = 0; i < thing.len; i++)
        if (!stet__octet_is(thing.ptr[i], STET__TCHAR) && thing.ptr[i] != '/')
            return false;
    return thing.len > 0;
}

static bool is_q(struct stet_span name)
{
    return stet_span_equal_nocase(name, STET_SPAN("q"));
}

static bool read_member(struct stet_span member, struct stet__weighted *out)
{
    struct stet_span rest, name, value;
    bool weighted = false;
    int status;
    stet_member_split(member, &out->thing, &out->params);
    out->q = 1000;
    rest = out->params;
    while ((status = stet_param_next(&rest, &name, &value)) == STET_OK) {
        if (!is_q(name))
            continue;
        if (weighted || !value.ptr || stet_qvalue_parse(value, &out->q) != STET_OK)
            return false;
        weighted = true;
    }
    return status == STET_END && is_thing(out->thing);
}

size_t stet__weighted_read(const struct stet_fields *fields, struct stet_span name,
                           struct stet__weighted *room)
{
    struct stet_list list;
    struct stet_span member;
    size_t count = 0;
    stet_list_begin_named(&list, fields, name);
    while (stet_list_next(&list, &member) == STET_OK) {
        if (count == STET__WEIGHTED_MAX || !read_member(member, &room[count]))
            return SIZE_MAX;
        count++;
    }
    return count;
}

/* The next parameter that is no weight; false at the end. */
static bool next_param(struct stet_span *params, struct stet_span *name, struct stet_span *value)
{
    while (stet_param_next(params, name, value) == STET_OK)
        if (!is_q(*name))
            return true;
    return false;
}

/* "a" and "a=" are not the same, and the latter is no parameter. */
static bool same_value(struct stet_span a, struct stet_span b)
{
    return a.ptr && b.ptr ? stet_span_equal(a, b) : !a.ptr && !b.ptr;
}

static bool same_params(struct stet_span a, struct stet_span b)
{
    for (;;) {
        struct stet_span a_name, a_value, b_name, b_value;
        bool more = next_param(&a, &a_name, &a_value);
        if (next_param(&b, &b_name, &b_value) != more)
            return false;
        if (!more)
            return true;
        if (!stet_span_equal_nocase(a_name, b_name) || !same_value(a_value, b_value))
            return false;
    }
}

/* RFC 9110 sections 8.4.1.1 and 8.4.1.3: x-compress and x-gzip are old names. */
static struct stet_span current_name(struct stet_span coding)
{
    if (stet_span_equal_nocase(coding, STET_SPAN("x-gzip")) ||
        stet_span_equal_nocase(coding, STET_SPAN("x-compress")))
        return stet_span_skip(coding, 2);
    return coding;
}

static bool same_member(const struct stet__weighted *a, const struct stet__weighted *b, bool codings)
{
    struct stet_span x = codings ? current_name(a->thing) : a->thing;
    struct stet_span y = codings ? current_name(b->thing) : b->thing;
    return a->q == b->q && stet_span_equal_nocase(x, y) && same_params(a->params, b->params);
}

/* Whether each of `a` is among `b`. */
static bool within(const struct stet__weighted *a, size_t a_count, const struct stet__weighted *b,
                   size_t b_count, bool codings)
{
    for (size_t i = 0; i < a_count; i++) {
        size_t k = 0;
        while (k < b_count && !same_member(&a[i], &b[k], codings))
            k++;
        if (k == b_count)
            return false;
    }
    return true;
}

bool stet__weighted_same(struct stet_span name, const struct stet_fields *a, const struct stet_fields *b)
{
    struct stet__weighted a_room[STET__WEIGHTED_MAX], b_room[STET__WEIGHTED_MAX];
    bool codings = stet_field_id(name) == STET_FIELD_ACCEPT_ENCODING;
    size_t a_count = stet__weighted_read(a, name, a_room);
    size_t b_count = stet__weighted_read(b, name, b_room);
    return a_count != SIZE_MAX && b_count != SIZE_MAX && within(a_room, a_count, b_room, b_count, codings) &&
           within(b_room, b_count, a_room, a_count, codings);
}

/* The weight that the members give to `language` itself; 0 if they do not name it. */
static unsigned weight_of(const struct stet__weighted *at, size_t count, struct stet_span language)
{
    unsigned q = 0;
    for (size_t i = 0; i < count; i++)
        if (stet_span_equal_nocase(at[i].thing, language) && at[i].q > q)
            q = at[i].q;
    return q;
}

/* The only member of Content-Language; absent if there are none or several. */
static struct stet_span language_of(const struct stet_fields *response)
{
    struct stet_list list;
    struct stet_span language, other;
    stet_list_begin(&list, response, STET_FIELD_CONTENT_LANGUAGE);
    if (stet_list_next(&list, &language) != STET_OK || stet_list_next(&list, &other) == STET_OK)
        return STET_SPAN_NONE;
    return language;
}

bool stet__weighted_language(const struct stet_fields *response, const struct stet_fields *selecting,
                             const struct stet_fields *request)
{
    struct stet__weighted room[STET__WEIGHTED_MAX];
    struct stet_span name = STET_SPAN("Accept-Language"), language = language_of(response);
    if (!language.ptr)
        return false;
    size_t count = stet__weighted_read(selecting, name, room);
    if (count == SIZE_MAX || weight_of(room, count, language) == 0)
        return false;
    count = stet__weighted_read(request, name, room);
    unsigned q = count == SIZE_MAX ? 0 : weight_of(room, count, language);
    if (q == 0)
        return false;
    for (size_t i = 0; i < count; i++)
        if (room[i].q >= q && !stet_span_equal_nocase(room[i].thing, language))
            return false;
    return true;
}
