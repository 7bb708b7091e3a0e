/* SPDX-License-Identifier: MIT */
/*
 * Names of fields and methods: RFC 9110 sections 5.1 and 9.1.
 *
 * stet_field_id is asked once for each field line of each request, so it does not walk the table: a hash of
 * length and three letters leads to the one row that can match, and a comparison settles it. The constants of
 * the hash were chosen so that no two rows share a slot (two initialisers of one slot are an error under
 * -Woverride-init).
 */
#include <stet/message.h>

#define NAME(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

static const struct stet_span field_names[] = {
    {NULL, 0},
#define X(symbol, name, kind, slot) NAME(name),
#include <stet/field_name.def>
#undef X
};

static const unsigned char field_slots[256] = {
#define X(symbol, name, kind, slot) [slot] = symbol,
#include <stet/field_name.def>
#undef X
};

static const struct {
    struct stet_span name;
    bool safe;
    bool idempotent;
} methods[] = {
    {{NULL, 0}, false, false},
#define X(symbol, name, safe, idempotent) {NAME(name), safe, idempotent},
#include <stet/method.def>
#undef X
};

_Static_assert(STET_FIELD_ID_COUNT <= 64, "a set of field ids is one word");

const struct stet_field *stet_fields_find(const struct stet_fields *fields, enum stet_field_id id,
                                          size_t from)
{
    if (!stet_fields_have(fields, id))
        return NULL;
    for (size_t i = from; i < fields->count; i++)
        if (fields->at[i].id == id)
            return &fields->at[i];
    return NULL;
}

size_t stet_fields_count(const struct stet_fields *fields, enum stet_field_id id)
{
    size_t count = 0;
    if (!stet_fields_have(fields, id))
        return 0;
    for (size_t i = 0; i < fields->count; i++)
        count += fields->at[i].id == id;
    return count;
}

struct stet_span stet_field_name(enum stet_field_id id)
{
    return field_names[id];
}

#define BIT(id) (UINT64_C(1) << (id))

/* RFC 9110; RFC 9111 sections 5.1 and 5.3 (Age, Expires); RFC 1864 (Content-MD5). */
static const uint64_t singletons =
    BIT(STET_FIELD_AGE) | BIT(STET_FIELD_AUTHORIZATION) | BIT(STET_FIELD_CONTENT_LENGTH) |
    BIT(STET_FIELD_CONTENT_LOCATION) | BIT(STET_FIELD_CONTENT_MD5) | BIT(STET_FIELD_CONTENT_RANGE) |
    BIT(STET_FIELD_CONTENT_TYPE) | BIT(STET_FIELD_DATE) | BIT(STET_FIELD_ETAG) | BIT(STET_FIELD_EXPIRES) |
    BIT(STET_FIELD_HOST) | BIT(STET_FIELD_IF_MODIFIED_SINCE) | BIT(STET_FIELD_IF_RANGE) |
    BIT(STET_FIELD_IF_UNMODIFIED_SINCE) | BIT(STET_FIELD_LAST_MODIFIED) | BIT(STET_FIELD_LOCATION) |
    BIT(STET_FIELD_MAX_FORWARDS) | BIT(STET_FIELD_PROXY_AUTHORIZATION) | BIT(STET_FIELD_RANGE) |
    BIT(STET_FIELD_REFERER) | BIT(STET_FIELD_SERVER) | BIT(STET_FIELD_USER_AGENT);

bool stet_field_single(enum stet_field_id id)
{
    return (singletons >> id & 1) != 0;
}

bool stet_method_safe(enum stet_method method)
{
    return methods[method].safe;
}

bool stet_method_idempotent(enum stet_method method)
{
    return methods[method].idempotent;
}

/* Field names are tokens: setting this bit lowers their letters and keeps the other octets apart well enough
 * to hash. */
#define LOWER 0x20u

enum stet_field_id stet_field_id(struct stet_span name)
{
    if (name.len == 0)
        return STET_FIELD_OTHER;
    unsigned first = (unsigned char)name.ptr[0] | LOWER;
    unsigned last = (unsigned char)name.ptr[name.len - 1] | LOWER;
    unsigned middle = (unsigned char)name.ptr[name.len / 2] | LOWER;
    unsigned id = field_slots[(2 * (unsigned)name.len + 14 * first + 11 * last + 9 * middle) % 256];
    struct stet_span known = field_names[id];
    return stet_span_equal_nocase(known, name) ? (enum stet_field_id)id : STET_FIELD_OTHER;
}

enum stet_method stet_method_id(struct stet_span name)
{
    for (size_t i = 1; i < sizeof methods / sizeof *methods; i++)
        if (stet_span_equal(name, methods[i].name))
            return (enum stet_method)i;
    return STET_METHOD_OTHER;
}
