/* SPDX-License-Identifier: MIT */
/*
 * Whether a representation may be coded, and the head of a copy: RFC 9110 sections 8.3 to 8.8 and 12.5.5,
 * RFC 9111 section 5.2.2.6, RFC 9530 sections 2 and 3.
 */
#include <stet/coded.h>

#include <stet/cache_control.h>
#include <stet/field.h>
#include <stet/vary.h>

static struct stet_codable judged(bool codable, enum stet_reason reason)
{
    return (struct stet_codable){codable, reason};
}

/* "text/html" is of "text/html", of the pattern that has an asterisk for its subtype, and if it ends so of
 * "+xml". */
static bool is_of(struct stet_span type, struct stet_span pattern)
{
    if (pattern.len > type.len)
        return false;
    if (pattern.len > 0 && pattern.ptr[0] == '+')
        return stet_span_equal_nocase(stet_span_skip(type, type.len - pattern.len), pattern);
    if (pattern.len >= 2 && stet_span_equal(stet_span_skip(pattern, pattern.len - 2), STET_SPAN("/*")))
        return stet_span_equal_nocase(stet_span_of(type.ptr, pattern.len - 1),
                                      stet_span_of(pattern.ptr, pattern.len - 1));
    return stet_span_equal_nocase(type, pattern);
}

static bool type_allowed(const struct stet_fields *fields, const struct stet_coded_policy *policy)
{
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_CONTENT_TYPE, 0);
    struct stet_span type, params;
    if (!field || stet_fields_count(fields, STET_FIELD_CONTENT_TYPE) != 1)
        return false;
    stet_member_split(stet_span_trim(field->value), &type, &params);
    for (size_t i = 0; i < policy->type_count; i++)
        if (is_of(type, policy->types[i]))
            return true;
    return false;
}

static bool no_transform(const struct stet_fields *fields)
{
    struct stet_cache_control control;
    if (!stet_fields_have(fields, STET_FIELD_CACHE_CONTROL))
        return false;
    stet_cache_control_read(fields, &control);
    return stet_cache_control_has(&control, STET_CC_NO_TRANSFORM);
}

struct stet_codable stet_coded_judge(const struct stet_response *response, uint64_t octets,
                                     const struct stet_coded_policy *policy)
{
    const struct stet_fields *fields = &response->fields;
    if (no_transform(fields))
        return judged(false, STET_REASON_NOT_CODED_NO_TRANSFORM);
    if (response->status != 200)
        return judged(false, STET_REASON_NOT_CODED_STATUS);
    if (stet_fields_have(fields, STET_FIELD_CONTENT_RANGE))
        return judged(false, STET_REASON_NOT_CODED_PART);
    if (stet_coding_of(fields) != STET_CODING_IDENTITY)
        return judged(false, STET_REASON_NOT_CODED_ALREADY);
    if (!type_allowed(fields, policy))
        return judged(false, STET_REASON_NOT_CODED_TYPE);
    if (octets < policy->min_octets)
        return judged(false, STET_REASON_NOT_CODED_SMALL);
    if (octets > policy->max_octets)
        return judged(false, STET_REASON_NOT_CODED_LARGE);
    return judged(true, STET_REASON_CODABLE);
}

/* Whether the field says the same of the octets of every coding, and may stand beside what `head` has. */
static bool stays(const struct stet_field *field, const struct stet_coded_head *head)
{
    switch (field->id) {
    case STET_FIELD_LAST_MODIFIED:
        return head->etag.ptr != NULL;
    case STET_FIELD_CONTENT_ENCODING:
    case STET_FIELD_CONTENT_LENGTH:
    case STET_FIELD_CONTENT_MD5:
    case STET_FIELD_CONTENT_DIGEST:
    case STET_FIELD_REPR_DIGEST:
    case STET_FIELD_ETAG:
        return false;
    case STET_FIELD_OTHER: /* RFC 3230, which RFC 9530 made obsolete */
        return !stet_span_equal_nocase(field->name, STET_SPAN("Digest"));
    default:
        return true;
    }
}

size_t stet_coded_trailers(const struct stet_fields *base, struct stet_field *room)
{
    static const struct stet_coded_head none;
    size_t count = 0;
    for (size_t i = 0; i < base->count; i++)
        if (stays(&base->at[i], &none))
            room[count++] = base->at[i];
    return count;
}

bool stet_coded_vary_lacks(const struct stet_fields *response)
{
    return !stet_vary_any(response) &&
           !stet_vary_names(response, stet_field_name(STET_FIELD_ACCEPT_ENCODING));
}

static struct stet_field line(enum stet_field_id id, struct stet_span value)
{
    return (struct stet_field){stet_field_name(id), value, id};
}

size_t stet_coded_fields(const struct stet_fields *base, const struct stet_coded_head *head,
                         struct stet_field *room)
{
    size_t count = 0;
    for (size_t i = 0; i < base->count; i++)
        if (stays(&base->at[i], head))
            room[count++] = base->at[i];
    if (head->coding != STET_CODING_IDENTITY)
        room[count++] = line(STET_FIELD_CONTENT_ENCODING, stet_coding_name(head->coding));
    if (head->content_length.ptr)
        room[count++] = line(STET_FIELD_CONTENT_LENGTH, head->content_length);
    if (head->etag.ptr)
        room[count++] = line(STET_FIELD_ETAG, head->etag);
    if (stet_coded_vary_lacks(base))
        room[count++] = line(STET_FIELD_VARY, stet_field_name(STET_FIELD_ACCEPT_ENCODING));
    return count;
}
