/* SPDX-License-Identifier: MIT */
/*
 * Which stored response a request selects: RFC 9110 section 12.5.5, RFC 9111 sections 4 and 4.1.
 *
 * Two requests match if their fields do after what section 4.1 allows: whitespace, lines made one, and what a
 * field's own definition says is the same (vary_weighted.c for Accept and its kin). What is not known to be
 * the same differs: a needless request to the origin costs time, the wrong variant is an error.
 *
 * The usual request has one line of each field, with the very octets of the one before. That is asked first,
 * because it is asked on every hit.
 */
#include "core/vary.h"

#include <stet/coding.h>
#include <stet/field.h>

/* What the lines of a field are made of. */
enum form {
    LINES,    /* a value that may hold commas of its own: a date, a comment, credentials */
    LIST,     /* members between commas: also what is not known */
    PAIRS,    /* Cookie: lines may have been split at "; " on the way (RFC 9113 section 8.2.3) */
    WEIGHTED, /* a set of members with weights */
};

static enum form form_of(enum stet_field_id id, struct stet_span name)
{
    switch (id) {
    case STET_FIELD_ACCEPT:
    case STET_FIELD_ACCEPT_ENCODING:
    case STET_FIELD_ACCEPT_LANGUAGE:
        return WEIGHTED;
    case STET_FIELD_COOKIE:
        return PAIRS;
    case STET_FIELD_AUTHORIZATION:
    case STET_FIELD_HOST:
    case STET_FIELD_IF_MODIFIED_SINCE:
    case STET_FIELD_IF_RANGE:
    case STET_FIELD_IF_UNMODIFIED_SINCE:
    case STET_FIELD_PROXY_AUTHORIZATION:
    case STET_FIELD_REFERER:
    case STET_FIELD_USER_AGENT:
        return LINES;
    case STET_FIELD_OTHER:
        return stet_span_equal_nocase(name, STET_SPAN("Accept-Charset")) ? WEIGHTED : LIST;
    default:
        return LIST;
    }
}

/* A pull parser over the parts of all lines of a field, empty ones too. */
struct parts {
    const struct stet_fields *fields;
    enum stet_field_id id;
    struct stet_span name;
    enum form form;
    size_t line;
    struct stet_span rest;
    bool open; /* another part of this line follows */
};

static const struct stet_field *next_line(const struct stet_fields *fields, enum stet_field_id id,
                                          struct stet_span name, size_t *line)
{
    if (id != STET_FIELD_OTHER && !stet_fields_have(fields, id))
        return NULL;
    while (*line < fields->count) {
        const struct stet_field *field = &fields->at[(*line)++];
        if (field->id == id && (id != STET_FIELD_OTHER || stet_span_equal_nocase(field->name, name)))
            return field;
    }
    return NULL;
}

/* The length of the part at the front of `s`. Commas in quoted strings are not those of the list. */
static size_t part_len(struct stet_span s, enum form form)
{
    bool quoted = false;
    if (form == LINES)
        return s.len;
    for (size_t i = 0; i < s.len; i++) {
        if (form == PAIRS && s.ptr[i] == ';')
            return i;
        if (form == PAIRS)
            continue;
        if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (quoted && s.ptr[i] == '\\')
            i++;
        else if (!quoted && s.ptr[i] == ',')
            return i;
    }
    return s.len;
}

static bool next_part(struct parts *parts, struct stet_span *part)
{
    if (!parts->open) {
        const struct stet_field *field = next_line(parts->fields, parts->id, parts->name, &parts->line);
        if (!field)
            return false;
        parts->rest = field->value;
    }
    size_t len = part_len(parts->rest, parts->form);
    *part = stet_span_trim(stet_span_of(parts->rest.ptr, len));
    parts->open = len < parts->rest.len;
    if (parts->open)
        parts->rest = stet_span_skip(parts->rest, len + 1);
    return true;
}

static bool same_parts(struct parts a, struct parts b)
{
    for (;;) {
        struct stet_span x, y;
        bool more = next_part(&a, &x);
        if (next_part(&b, &y) != more)
            return false;
        if (!more)
            return true;
        if (!stet_span_equal(x, y))
            return false;
    }
}

/* By what the members say, whether or not anything comes of it. */
static bool same_words(enum stet_field_id id, struct stet_span name, const struct stet_fields *a,
                       const struct stet_fields *b)
{
    size_t i = 0, k = 0;
    const struct stet_field *x = next_line(a, id, name, &i);
    const struct stet_field *y = next_line(b, id, name, &k);
    if (!x || !y)
        return !x && !y;
    if (stet_span_equal(x->value, y->value) && !next_line(a, id, name, &i) && !next_line(b, id, name, &k))
        return true;
    enum form form = form_of(id, name);
    if (form == WEIGHTED && stet__weighted_same(name, a, b))
        return true;
    if (form == WEIGHTED)
        form = LIST;
    return same_parts((struct parts){.fields = a, .id = id, .name = name, .form = form},
                      (struct parts){.fields = b, .id = id, .name = name, .form = form});
}

bool stet_vary_same(struct stet_span name, const struct stet_fields *a, const struct stet_fields *b)
{
    enum stet_field_id id = stet_field_id(name);
    return same_words(id, name, a, b) ||
           (id == STET_FIELD_ACCEPT_ENCODING && stet_accept_encoding_same(a, b));
}

static bool is_any(struct stet_span member)
{
    return stet_span_equal(member, STET_SPAN("*")) || !stet_is_token(member);
}

/*
 * The known field that is all of Vary; OTHER if it says anything else. Most say "Accept-Encoding", and each
 * hit asks: such a name is a token and no asterisk, so there is no list to be walked.
 */
static enum stet_field_id only_member(const struct stet_fields *response)
{
    const struct stet_field *line = stet_fields_find(response, STET_FIELD_VARY, 0);
    if (!line || stet_fields_find(response, STET_FIELD_VARY, (size_t)(line - response->at) + 1))
        return STET_FIELD_OTHER;
    return stet_field_id(line->value);
}

bool stet_vary_any(const struct stet_fields *response)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, response, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK)
        if (is_any(member))
            return true;
    return false;
}

bool stet_vary_present(const struct stet_fields *response)
{
    struct stet_list list;
    struct stet_span member;
    if (!stet_fields_have(response, STET_FIELD_VARY))
        return false;
    stet_list_begin(&list, response, STET_FIELD_VARY);
    return stet_list_next(&list, &member) == STET_OK;
}

bool stet_vary_names(const struct stet_fields *response, struct stet_span field)
{
    struct stet_list list;
    struct stet_span member;
    stet_list_begin(&list, response, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK)
        if (stet_span_equal_nocase(member, field))
            return true;
    return false;
}

/*
 * Two requests that accept the same set of codings get the same, unless the response has a coding outside of
 * that set: then what does not count here may have led to it (a coding that is not known, an Accept-Encoding
 * that is absent and so allows any). Identity is what everybody gets who accepts nothing that is there.
 */
static bool same_codings(const struct stet_fields *response, const struct stet_fields *selecting,
                         const struct stet_fields *request)
{
    struct stet_accept_encoding then, now;
    stet_accept_encoding_read(selecting, &then);
    stet_accept_encoding_read(request, &now);
    enum stet_coding coding = stet_coding_of(response);
    return then.set == now.set &&
           (coding == STET_CODING_IDENTITY || stet_accept_encoding_quality(&now, coding) > 0);
}

static bool matches_one(enum stet_field_id id, struct stet_span name, const struct stet_fields *response,
                        const struct stet_fields *selecting, const struct stet_fields *request)
{
    if (same_words(id, name, selecting, request))
        return true;
    if (id == STET_FIELD_ACCEPT_ENCODING)
        return same_codings(response, selecting, request);
    return id == STET_FIELD_ACCEPT_LANGUAGE && stet__weighted_language(response, selecting, request);
}

/* `only` is only_member of `response`. */
static bool matches_all(enum stet_field_id only, const struct stet_fields *response,
                        const struct stet_fields *selecting, const struct stet_fields *request)
{
    struct stet_list list;
    struct stet_span member;
    if (only != STET_FIELD_OTHER)
        return matches_one(only, stet_field_name(only), response, selecting, request);
    stet_list_begin(&list, response, STET_FIELD_VARY);
    while (stet_list_next(&list, &member) == STET_OK)
        if (is_any(member) || !matches_one(stet_field_id(member), member, response, selecting, request))
            return false;
    return true;
}

bool stet_vary_matches(const struct stet_fields *response, const struct stet_fields *selecting,
                       const struct stet_fields *request)
{
    return matches_all(only_member(response), response, selecting, request);
}

size_t stet_vary_selecting(const struct stet_fields *response, const struct stet_fields *request,
                           struct stet_field *room)
{
    size_t count = 0;
    if (!stet_vary_present(response))
        return 0;
    for (size_t i = 0; i < request->count; i++)
        if (stet_vary_names(response, request->at[i].name))
            room[count++] = request->at[i];
    return count;
}

/* RFC 9111 section 4: "the request method associated with the stored response allows it to be used". */
static bool method_allows(enum stet_method asked, enum stet_method stored)
{
    if (asked == STET_METHOD_HEAD)
        return stored == STET_METHOD_HEAD || stored == STET_METHOD_GET;
    return asked == STET_METHOD_GET && stored == STET_METHOD_GET;
}

size_t stet_vary_select(const struct stet_request *request, const struct stet_stored *const *stored,
                        size_t count)
{
    size_t best = count;
    bool best_varies = false;
    for (size_t i = 0; i < count; i++) {
        const struct stet_stored *at = stored[i];
        enum stet_field_id only = only_member(&at->response.fields);
        bool varies = only != STET_FIELD_OTHER || stet_vary_present(&at->response.fields);
        bool better = best == count || (varies == best_varies ? at->date > stored[best]->date : varies);
        if (!better || !method_allows(request->method, at->method))
            continue;
        if (varies && !matches_all(only, &at->response.fields, &at->selecting, &request->fields))
            continue;
        best = i;
        best_varies = varies;
    }
    return best;
}
