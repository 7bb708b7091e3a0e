/* SPDX-License-Identifier: MIT */
/*
 * Fields around caching that are Structured Fields (RFC 9651), and those that are obsolete or of one vendor.
 * A structured field that does not parse is ignored as a whole, so that is all that is said of it.
 */
#include <stet/no_vary_search.h>
#include <stet/sf.h>

#include "core/lint.h"

#define GROUPS_MAX 32 /* RFC 9875 section 2: what a cache has to support, in number and in octets */

static const struct stet_span directive_names[] = {
#define X(symbol, name, argument, clause) [symbol] = {name, sizeof(name) - 1},
#include <stet/cache_directive.def>
#undef X
};

/* "CDN-Cache-Control" and its like (RFC 9213 section 2); those with X- are older and have their own syntax.
 */
static bool is_targeted(struct stet_span name)
{
    static const struct stet_span suffix = {"-Cache-Control", 14};
    return name.len > suffix.len && !stet_span_equal_nocase(stet_span_of(name.ptr, 2), STET_SPAN("X-")) &&
           stet_span_equal_nocase(stet_span_skip(name, name.len - suffix.len), suffix);
}

static void targeted(const struct stet__lint_look *look, const struct stet_field *field)
{
    struct stet_cache_control control;
    stet_cache_control_read_targeted(look->fields, &field->name, 1, &control);
    if (!control.targeted) {
        if (field->value.len > 0)
            stet__lint_octets(stet__lint_came(look->out, STET_LINT_TARGETED_MALFORMED, field->value),
                              field->name);
        return;
    }
    for (unsigned i = 0; i < STET_CC_COUNT; i++) {
        if ((control.invalid >> i & 1) == 0)
            continue;
        struct stet_lint_finding *finding = stet__lint_came(look->out, STET_LINT_TARGETED_TYPE, field->value);
        stet__lint_octets(finding, field->name);
        stet__lint_text(finding, ": ");
        stet__lint_octets(finding, directive_names[i]);
    }
}

/* The first line of its name: the reader takes all of them. */
static bool is_first(const struct stet_fields *fields, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (stet_span_equal_nocase(fields->at[i].name, fields->at[index].name))
            return false;
    return true;
}

/* RFC 9211 section 2. False for what is not registered there, or of another type. */
static bool is_parameter(struct stet_span key, const struct stet_sf_item *item)
{
    static const struct {
        struct stet_span key;
        enum stet_sf_type type, other;
    } rows[] = {
        {{"hit", 3}, STET_SF_BOOLEAN, STET_SF_BOOLEAN},
        {{"fwd", 3}, STET_SF_TOKEN, STET_SF_TOKEN},
        {{"fwd-status", 10}, STET_SF_INTEGER, STET_SF_INTEGER},
        {{"ttl", 3}, STET_SF_INTEGER, STET_SF_INTEGER},
        {{"stored", 6}, STET_SF_BOOLEAN, STET_SF_BOOLEAN},
        {{"collapsed", 9}, STET_SF_BOOLEAN, STET_SF_BOOLEAN},
        {{"key", 3}, STET_SF_STRING, STET_SF_STRING},
        {{"detail", 6}, STET_SF_STRING, STET_SF_TOKEN},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (stet_span_equal(key, rows[i].key))
            return item->type == rows[i].type || item->type == rows[i].other;
    return false;
}

static void cache_status_parameters(const struct stet__lint_look *look)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    struct stet_span key;
    struct stet_sf_item item;
    stet_sf_begin(&sf, STET_SF_LIST, look->fields, STET_FIELD_CACHE_STATUS, STET_SPAN_NONE);
    while (stet_sf_next(&sf, &member) == STET_OK)
        while (stet_sf_param(&sf, &key, &item) == STET_OK)
            if (!is_parameter(key, &item))
                stet__lint_octets(stet__lint_came(look->out, STET_LINT_CACHE_STATUS_PARAMETER,
                                                  stet__lint_value(look->fields, STET_FIELD_CACHE_STATUS)),
                                  key);
}

static void cache_status(const struct stet__lint_look *look)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    int status;
    bool good = true;
    if (!stet_fields_have(look->fields, STET_FIELD_CACHE_STATUS))
        return;
    stet_sf_begin(&sf, STET_SF_LIST, look->fields, STET_FIELD_CACHE_STATUS, STET_SPAN_NONE);
    while ((status = stet_sf_next(&sf, &member)) == STET_OK)
        good &= member.item.type == STET_SF_TOKEN || member.item.type == STET_SF_STRING;
    if (status != STET_END || !good)
        stet__lint_came(look->out, STET_LINT_CACHE_STATUS_MALFORMED,
                        stet__lint_value(look->fields, STET_FIELD_CACHE_STATUS));
    else
        cache_status_parameters(look);
}

static void cache_groups(const struct stet__lint_look *look, enum stet_field_id id)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    size_t count = 0, longest = 0;
    int status;
    bool strings = true;
    struct stet_span value = stet__lint_value(look->fields, id);
    if (!value.ptr)
        return;
    stet_sf_begin(&sf, STET_SF_LIST, look->fields, id, STET_SPAN_NONE);
    while ((status = stet_sf_next(&sf, &member)) == STET_OK) {
        strings &= member.item.type == STET_SF_STRING;
        longest = member.item.text.len > longest ? member.item.text.len : longest;
        count++;
    }
    if (status != STET_END || !strings) {
        stet__lint_octets(stet__lint_came(look->out, STET_LINT_CACHE_GROUPS_MALFORMED, value),
                          stet_field_name(id));
    } else if (count > GROUPS_MAX || longest > GROUPS_MAX) {
        struct stet_lint_finding *finding = stet__lint_came(look->out, STET_LINT_CACHE_GROUPS_LARGE, value);
        stet__lint_number(finding, (int64_t)count);
        stet__lint_text(finding, count == 1 ? " group of " : " groups, the longest of ");
        stet__lint_number(finding, (int64_t)longest);
        stet__lint_text(finding, " octets");
    }
}

static void no_vary_search(const struct stet__lint_look *look)
{
    struct stet_no_vary_search nvs;
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_NO_VARY_SEARCH);
    stet_no_vary_search_read(look->fields, &nvs);
    if (value.len > 0 && !nvs.given)
        stet__lint_came(look->out, STET_LINT_NO_VARY_SEARCH_VOID, value);
}

/* RFC 9842 section 2.1: match is a String and has to be there. */
static void use_as_dictionary(const struct stet__lint_look *look)
{
    struct stet_span name = STET_SPAN("Use-As-Dictionary");
    struct stet_span value = stet__lint_named(look->fields, name);
    struct stet_sf sf;
    struct stet_sf_member member;
    bool match = false, id = true;
    int status;
    if (!value.ptr)
        return;
    stet_sf_begin(&sf, STET_SF_DICTIONARY, look->fields, STET_FIELD_OTHER, name);
    while ((status = stet_sf_next(&sf, &member)) == STET_OK) {
        if (stet_span_equal(member.key, STET_SPAN("match")))
            match = member.item.type == STET_SF_STRING;
        else if (stet_span_equal(member.key, STET_SPAN("id")))
            id = member.item.type == STET_SF_STRING;
    }
    if (status != STET_END || !match || !id)
        stet__lint_came(look->out, STET_LINT_USE_AS_DICTIONARY_MALFORMED, value);
}

static void of_vendors(const struct stet__lint_look *look)
{
    static const struct stet_span names[] = {
        {"X-Cache", 7}, {"X-Cache-Status", 14}, {"X-Proxy-Cache", 13}, {"CF-Cache-Status", 15}};
    struct stet_span warning = stet__lint_named(look->fields, STET_SPAN("Warning"));
    if (warning.ptr)
        stet__lint_came(look->out, STET_LINT_WARNING_OBSOLETE, warning);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct stet_span value = stet__lint_named(look->fields, names[i]);
        if (value.ptr && !stet_fields_have(look->fields, STET_FIELD_CACHE_STATUS))
            stet__lint_octets(stet__lint_came(look->out, STET_LINT_X_CACHE, value), names[i]);
    }
}

void stet__lint_structured(const struct stet__lint_look *look)
{
    for (size_t i = 0; i < look->fields->count; i++)
        if (is_targeted(look->fields->at[i].name) && is_first(look->fields, i))
            targeted(look, &look->fields->at[i]);
    cache_status(look);
    cache_groups(look, STET_FIELD_CACHE_GROUPS);
    cache_groups(look, STET_FIELD_CACHE_GROUP_INVALIDATION);
    no_vary_search(look);
    use_as_dictionary(look);
    of_vendors(look);
}
