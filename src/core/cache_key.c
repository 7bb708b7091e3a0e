/* SPDX-License-Identifier: MIT */
/*
 * What a cache key, method and target URI (RFC 9111 section 2), cannot stand for.
 */
#include <stet/cache.h>

/* Fields by which frameworks take another method, target or host than those of the request. */
static bool overrides(const struct stet_field *field)
{
    static const struct stet_span names[] = {{"X-HTTP-Method-Override", 22}, {"X-HTTP-Method", 13},
                                             {"X-Method-Override", 17},      {"X-Original-URL", 14},
                                             {"X-Rewrite-URL", 13},          {"X-Host", 6},
                                             {"X-Original-Host", 15},        {"X-HTTP-Host-Override", 20}};
    if (field->id != STET_FIELD_OTHER || field->name.len < 6 || (field->name.ptr[0] | 0x20) != 'x')
        return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (stet_span_equal_nocase(field->name, names[i]))
            return true;
    return false;
}

bool stet_cache_exceeds_key(const struct stet_fields *fields, bool has_content)
{
    bool more = has_content;
    for (size_t i = 0; i < fields->count && !more; i++)
        more = overrides(&fields->at[i]);
    return more;
}
