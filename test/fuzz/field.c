/* SPDX-License-Identifier: MIT */
/*
 * The common syntax of field values: RFC 9110 section 5.6.
 *
 * The input is the lines of one field, LF between them. What must hold: members are trimmed, not empty, in
 * order, and hide no comma but inside quotes; reading the members of a line is reading those of the line that
 * they make, joined by commas; parameters lie within their member, one after the other; what is unquoted and
 * quoted again is unquoted as before; a q-value is written as it was read.
 */
#include <stdio.h>
#include <stdlib.h>

#include <stet/field.h>

#define INPUT_MAX 4096
#define LINES_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

/* Whether `separator` stands outside of quotes; `*open` says whether the last quoted string is not closed. */
static bool splits(struct stet_span s, char separator, bool *open)
{
    bool quoted = false, found = false;
    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (s.ptr[i] == separator && !quoted)
            found = true;
    }
    *open = quoted;
    return found;
}

static void check_unquote(struct stet_span value)
{
    static char room[INPUT_MAX], quoted[2 * INPUT_MAX + 2], again[2 * INPUT_MAX + 2];
    struct stet_span text = STET_SPAN_NONE, back;
    int status = stet_unquote(value, room, &text);
    if (status != STET_OK) {
        require(status == STET_E_SYNTAX && !text.ptr && !stet_is_token(value));
        return;
    }
    require(text.len <= value.len);
    size_t len = 0;
    quoted[len++] = '"';
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '"' || text.ptr[i] == '\\')
            quoted[len++] = '\\';
        quoted[len++] = text.ptr[i];
    }
    quoted[len++] = '"';
    require(stet_unquote(stet_span_of(quoted, len), again, &back) == STET_OK);
    require(stet_span_equal(text, back));
}

static void check_qvalue(struct stet_span value)
{
    unsigned q = 5000;
    if (stet_qvalue_parse(value, &q) != STET_OK) {
        require(q == 5000);
        return;
    }
    char text[24];
    snprintf(text, sizeof text, "%u.%03u", q / 1000, q % 1000);
    require(q <= 1000 && value.len <= 5 && (value.len == 1 || value.ptr[1] == '.'));
    for (size_t i = 0; i < 5; i++)
        require(text[i] == (i < value.len ? value.ptr[i] : i == 1 ? '.' : '0'));
}

static void check_params(struct stet_span member)
{
    struct stet_span thing, params, name, value;
    bool open;
    stet_member_split(member, &thing, &params);
    require(!splits(thing, ';', &open) && (params.ptr != NULL) == splits(member, ';', &open));
    const char *at = params.ptr;
    int status;
    while ((status = stet_param_next(&params, &name, &value)) != STET_END) {
        require(params.ptr > at && params.ptr + params.len == member.ptr + member.len);
        if (status == STET_OK) {
            require(stet_is_token(name) && name.ptr >= at && name.ptr + name.len <= params.ptr);
            require(!value.ptr ||
                    (value.ptr == name.ptr + name.len + 1 && value.ptr + value.len <= params.ptr));
            require(!value.ptr || value.len > 0);
            if (value.ptr) {
                check_unquote(value);
                check_qvalue(value);
                require(stet_is_token(value) || value.ptr[0] == '"');
            }
        } else
            require(status == STET_E_SYNTAX);
        at = params.ptr;
    }
}

/* The members of one line, joined again. */
static size_t check_line(struct stet_span line, char *joined)
{
    const struct stet_field field = {STET_SPAN("X"), line, STET_FIELD_OTHER};
    const struct stet_fields fields = {&field, 1, 1};
    struct stet_list list;
    struct stet_span member;
    const char *at = line.ptr;
    size_t len = 0;
    bool open = false;
    stet_list_begin_named(&list, &fields, STET_SPAN("x"));
    while (stet_list_next(&list, &member) == STET_OK) {
        require(member.ptr >= at && member.ptr + member.len <= line.ptr + line.len && !open);
        require(member.len > 0 && !stet_is_ows(member.ptr[0]));
        require(!stet_is_ows(member.ptr[member.len - 1]) && !splits(member, ',', &open));
        at = member.ptr + member.len;
        check_params(member);
        check_unquote(member);
        check_qvalue(member);
        memcpy(joined + len, ", ", 2);
        memcpy(joined + len + 2, member.ptr, member.len);
        len += 2 + member.len;
    }
    return len;
}

/* All lines as a field, and as one line joined from their members. */
static void check_joined(const struct stet_fields *fields, struct stet_span joined)
{
    const struct stet_field line = {STET_SPAN("Vary"), joined, STET_FIELD_VARY};
    const struct stet_fields one = {&line, 1, 1ull << STET_FIELD_VARY};
    struct stet_list a, b;
    struct stet_span x, y;
    bool open;
    splits(joined, ',', &open);
    stet_list_begin(&a, fields, STET_FIELD_VARY);
    stet_list_begin(&b, &one, STET_FIELD_VARY);
    while (!open && stet_list_next(&a, &x) == STET_OK) {
        require(stet_list_next(&b, &y) == STET_OK);
        require(stet_span_equal(x, y));
    }
    require(open || stet_list_next(&b, &y) == STET_END);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char joined[3 * INPUT_MAX];
    struct stet_field lines[LINES_MAX];
    struct stet_fields fields = {lines, 0, 1ull << STET_FIELD_VARY};
    bool open, any_open = false;
    size_t len = 0;
    if (size > INPUT_MAX)
        return 0;
    for (size_t from = 0; from <= size && fields.count < LINES_MAX;) {
        size_t to = from;
        while (to < size && data[to] != '\n')
            to++;
        struct stet_span value = stet_span_of((const char *)data + from, to - from);
        lines[fields.count++] = (struct stet_field){STET_SPAN("Vary"), value, STET_FIELD_VARY};
        splits(value, ',', &open);
        any_open |= open;
        len += check_line(value, joined + len);
        from = to + 1;
    }
    if (!any_open)
        check_joined(&fields, stet_span_of(joined, len));
    return 0;
}
