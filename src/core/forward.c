/* SPDX-License-Identifier: MIT */
/*
 * What an intermediary passes on: RFC 9110 sections 7.6.1 to 7.6.3. The Forwarded field is in
 * forward_forwarded.c.
 *
 * A Connection that names a field which is for everyone behind this hop is an attack, not a wish: it makes a
 * proxy take off what another proxy put there ("MUST NOT send a connection option corresponding to a field
 * that is intended for all recipients of the content").
 */
#include <stet/forward.h>

#include <stet/field.h>

enum { OTHER, REPRESENTATION, VALIDATOR, HOP };

#define BIT(id) (UINT64_C(1) << (id))

static const uint64_t hop_by_hop = 0
#define X(symbol, name, kind, slot) | ((kind) == HOP ? BIT(symbol) : 0)
#include <stet/field_name.def>
#undef X
    ;

/* Framing, identity, who may see it, how long it lasts, and what proxies before this one have added. */
static const uint64_t protected =
    BIT(STET_FIELD_AGE) | BIT(STET_FIELD_AUTHORIZATION) | BIT(STET_FIELD_CACHE_CONTROL) |
    BIT(STET_FIELD_CONTENT_LENGTH) | BIT(STET_FIELD_DATE) | BIT(STET_FIELD_FORWARDED) | BIT(STET_FIELD_HOST) |
    BIT(STET_FIELD_VARY) | BIT(STET_FIELD_VIA) | BIT(STET_FIELD_X_FORWARDED_FOR) |
    BIT(STET_FIELD_X_FORWARDED_HOST) | BIT(STET_FIELD_X_FORWARDED_PROTO);

static bool nominated(struct stet_span name, const struct stet_fields *all)
{
    struct stet_list list;
    struct stet_span option;
    stet_list_begin(&list, all, STET_FIELD_CONNECTION);
    while (stet_list_next(&list, &option) == STET_OK)
        if (stet_span_equal_nocase(option, name))
            return true;
    return false;
}

bool stet_forward_keeps(const struct stet_field *field, const struct stet_fields *all)
{
    if (hop_by_hop >> field->id & 1)
        return false;
    return !stet_fields_have(all, STET_FIELD_CONNECTION) || (protected >> field->id & 1) ||
           !nominated(field->name, all);
}

/* The index after the comment that begins at `at`: RFC 9110 section 5.6.5. They nest. */
static size_t skip_comment(struct stet_span s, size_t at)
{
    size_t depth = 0;
    for (; at < s.len; at++) {
        if (s.ptr[at] == '\\' && at + 1 < s.len)
            at++;
        else if (s.ptr[at] == '(')
            depth++;
        else if (s.ptr[at] == ')' && --depth == 0)
            return at + 1;
    }
    return s.len;
}

static struct stet_span take_via(struct stet_span *rest)
{
    size_t end = 0;
    while (end < rest->len && rest->ptr[end] != ',')
        end = rest->ptr[end] == '(' ? skip_comment(*rest, end) : end + 1;
    struct stet_span member = stet_span_of(rest->ptr, end);
    *rest = stet_span_skip(*rest, end < rest->len ? end + 1 : end);
    return stet_span_trim(member);
}

/* The received-by of "received-protocol RWS received-by [ RWS comment ]"; absent if there is none. */
static struct stet_span received_by(struct stet_span member)
{
    size_t from = 0;
    while (from < member.len && !stet_is_ows(member.ptr[from]) && member.ptr[from] != '(')
        from++;
    member = stet_span_trim(stet_span_skip(member, from));
    size_t len = 0;
    while (len < member.len && !stet_is_ows(member.ptr[len]) && member.ptr[len] != '(')
        len++;
    return stet_span_of(member.ptr, len);
}

bool stet_via_names(const struct stet_fields *fields, struct stet_span pseudonym)
{
    if (!stet_fields_have(fields, STET_FIELD_VIA) || pseudonym.len == 0)
        return false;
    for (size_t i = 0; i < fields->count; i++) {
        struct stet_span rest = fields->at[i].value;
        if (fields->at[i].id != STET_FIELD_VIA)
            continue;
        while (rest.len > 0)
            if (stet_span_equal_nocase(received_by(take_via(&rest)), pseudonym))
                return true;
    }
    return false;
}

int stet_max_forwards(const struct stet_request *request, uint64_t *left)
{
    uint64_t value;
    const struct stet_field *field = stet_fields_find(&request->fields, STET_FIELD_MAX_FORWARDS, 0);
    if (!field || (request->method != STET_METHOD_TRACE && request->method != STET_METHOD_OPTIONS) ||
        stet_fields_count(&request->fields, STET_FIELD_MAX_FORWARDS) != 1)
        return STET_E_SYNTAX;
    int status = stet_span_to_u64(field->value, &value);
    if (status == STET_E_SYNTAX)
        return status;
    if (status == STET_E_NUMBER) /* "the recipient's maximum supported value" is the lesser */
        value = UINT64_MAX;
    if (value == 0)
        return STET_END;
    *left = value - 1;
    return STET_OK;
}
