/* SPDX-License-Identifier: MIT */
/*
 * Common syntax of field values: RFC 9110 sections 5.6.1, 5.6.2, 5.6.4, 5.6.6 and 12.4.2.
 *
 * A quoted string is skipped over without a look at what is in it, but for backslashes: what a list or
 * parameter means must not depend on whether a reader of an earlier part was strict. stet_unquote and
 * stet_param_next are strict.
 */
#include <stet/field.h>

#include "core/octet.h"

bool stet_is_tchar(char c)
{
    return stet__octet_is(c, STET__TCHAR);
}

bool stet_is_token(struct stet_span s)
{
    return s.len > 0 && stet__octet_run(s, 0, STET__TCHAR) == s.len;
}

/* The index after the quoted string whose opening quote is at `at`; `s.len` if it is not closed. */
static size_t skip_quoted(struct stet_span s, size_t at)
{
    for (at++; at < s.len; at++) {
        if (s.ptr[at] == '"')
            return at + 1;
        if (s.ptr[at] == '\\')
            at++;
    }
    return s.len;
}

/* The index of the first `separator` outside of quoted strings; `s.len` if there is none. */
static size_t find_unquoted(struct stet_span s, char separator)
{
    size_t i = 0;
    while (i < s.len && s.ptr[i] != separator)
        i = s.ptr[i] == '"' ? skip_quoted(s, i) : i + 1;
    return i;
}

/*
 * The part of `*s` before the next `separator`, trimmed; `*s` goes on after that separator, and ends if there
 * is none.
 */
static struct stet_span take_part(struct stet_span *s, char separator)
{
    size_t end = find_unquoted(*s, separator);
    struct stet_span part = stet_span_of(s->ptr, end);
    *s = stet_span_skip(*s, end < s->len ? end + 1 : end);
    return stet_span_trim(part);
}

void stet_list_begin(struct stet_list *list, const struct stet_fields *fields, enum stet_field_id id)
{
    *list = (struct stet_list){.fields = fields, .id = id};
    if (!stet_fields_have(fields, id))
        list->line = fields->count;
}

void stet_list_begin_named(struct stet_list *list, const struct stet_fields *fields, struct stet_span name)
{
    enum stet_field_id id = stet_field_id(name);
    *list = (struct stet_list){.fields = fields, .id = id, .name = name};
    if (id != STET_FIELD_OTHER && !stet_fields_have(fields, id))
        list->line = fields->count;
}

static bool next_line(struct stet_list *list)
{
    while (list->line < list->fields->count) {
        const struct stet_field *field = &list->fields->at[list->line++];
        if (field->id != list->id)
            continue;
        if (list->id == STET_FIELD_OTHER && !stet_span_equal_nocase(field->name, list->name))
            continue;
        list->rest = field->value;
        return true;
    }
    return false;
}

int stet_list_next(struct stet_list *list, struct stet_span *member)
{
    do {
        while (list->rest.len > 0) {
            struct stet_span part = take_part(&list->rest, ',');
            if (part.len > 0) {
                *member = part;
                return STET_OK;
            }
        }
    } while (next_line(list));
    return STET_END;
}

void stet_member_split(struct stet_span member, struct stet_span *thing, struct stet_span *params)
{
    size_t end = find_unquoted(member, ';');
    *thing = stet_span_trim(stet_span_of(member.ptr, end));
    *params = end < member.len ? stet_span_skip(member, end + 1) : STET_SPAN_NONE;
}

/* Whether all of `s` is a quoted string; `*escaped` says whether it holds a quoted pair. */
static bool is_quoted_string(struct stet_span s, bool *escaped)
{
    *escaped = false;
    if (s.len < 2 || s.ptr[0] != '"')
        return false;
    size_t i = stet__octet_run(s, 1, STET__QDTEXT);
    while (i < s.len && s.ptr[i] == '\\') {
        *escaped = true;
        if (i + 1 == s.len || !stet__octet_is(s.ptr[i + 1], STET__QUOTABLE))
            return false;
        i = stet__octet_run(s, i + 2, STET__QDTEXT);
    }
    return i == s.len - 1 && s.ptr[i] == '"';
}

int stet_param_next(struct stet_span *params, struct stet_span *name, struct stet_span *value)
{
    struct stet_span part = STET_SPAN_NONE;
    while (part.len == 0) {
        if (params->len == 0)
            return STET_END;
        part = take_part(params, ';');
    }
    /* parameter = parameter-name "=" parameter-value: no whitespace around the "=" */
    size_t end = stet__octet_run(part, 0, STET__TCHAR);
    struct stet_span argument = STET_SPAN_NONE;
    if (end < part.len && part.ptr[end] == '=')
        argument = stet_span_skip(part, end + 1);
    else if (end < part.len)
        return STET_E_SYNTAX;
    bool escaped;
    if (end == 0 || (argument.ptr && !stet_is_token(argument) && !is_quoted_string(argument, &escaped)))
        return STET_E_SYNTAX;
    *name = stet_span_of(part.ptr, end);
    *value = argument;
    return STET_OK;
}

int stet_unquote(struct stet_span value, char *room, struct stet_span *out)
{
    bool escaped = false;
    if (stet_is_token(value)) {
        *out = value;
        return STET_OK;
    }
    if (!is_quoted_string(value, &escaped))
        return STET_E_SYNTAX;
    struct stet_span inside = stet_span_of(value.ptr + 1, value.len - 2);
    if (!escaped) {
        *out = inside;
        return STET_OK;
    }
    size_t len = 0;
    for (size_t i = 0; i < inside.len; i++) {
        if (inside.ptr[i] == '\\')
            i++;
        room[len++] = inside.ptr[i];
    }
    *out = stet_span_of(room, len);
    return STET_OK;
}

int stet_qvalue_parse(struct stet_span value, unsigned *thousandths)
{
    /* qvalue = ( "0" [ "." 0*3DIGIT ] ) / ( "1" [ "." 0*3("0") ] ) */
    if (value.len == 0 || value.len > 5 || (value.ptr[0] != '0' && value.ptr[0] != '1'))
        return STET_E_SYNTAX;
    if (value.len > 1 && value.ptr[1] != '.')
        return STET_E_SYNTAX;
    unsigned sum = value.ptr[0] == '1' ? 1000 : 0;
    unsigned place = 100;
    for (size_t i = 2; i < value.len; i++, place /= 10) {
        if (!stet__octet_is_digit(value.ptr[i]))
            return STET_E_SYNTAX;
        sum += place * (unsigned)(value.ptr[i] - '0');
    }
    if (sum > 1000)
        return STET_E_SYNTAX;
    *thousandths = sum;
    return STET_OK;
}
