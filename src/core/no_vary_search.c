/* SPDX-License-Identifier: MIT */
/*
 * No-Vary-Search: draft-ietf-httpbis-no-vary-search sections 5 and 6. What queries are made of is in
 * no_vary_search_query.c.
 *
 * The field is read twice: here whether it is valid and of which kind, and its list of keys each time that a
 * query is written. Nothing that is invalid has an effect: the default costs hits, never a wrong answer
 * (section 5.1).
 */
#include "core/no_vary_search.h"

/* What stood under "params" or "except" last. */
enum entry { ABSENT, TRUE, KEYS, WRONG };

static enum entry read_entry(struct stet_sf *sf, const struct stet_sf_item *value, bool *empty)
{
    struct stet_sf_item item;
    enum entry entry = KEYS;
    *empty = true;
    if (value->type == STET_SF_BOOLEAN && value->integer == 1)
        return TRUE;
    if (value->type != STET_SF_INNER_LIST)
        return WRONG;
    while (stet_sf_inner(sf, &item) == STET_OK) {
        *empty = false;
        if (item.type != STET_SF_STRING)
            entry = WRONG;
    }
    return entry;
}

void stet_no_vary_search_read_value(struct stet_span value, struct stet_no_vary_search *out)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    enum entry params = ABSENT, except = ABSENT;
    bool key_order = false, valid = true, no_keys = true, ignored;
    int status;
    *out = (struct stet_no_vary_search){.value = value};
    stet_sf_begin_value(&sf, STET_SF_DICTIONARY, value);
    while ((status = stet_sf_next(&sf, &member)) == STET_OK) {
        if (stet_span_equal(member.key, STET_SPAN("key-order"))) {
            valid = member.item.type == STET_SF_BOOLEAN;
            key_order = valid && member.item.integer == 1;
        } else if (stet_span_equal(member.key, STET_SPAN("params"))) {
            params = read_entry(&sf, &member.item, &no_keys);
        } else if (stet_span_equal(member.key, STET_SPAN("except"))) {
            except = read_entry(&sf, &member.item, &ignored);
        }
    }
    bool listed = params == KEYS && except == ABSENT;
    bool all = except == KEYS && (params == ABSENT || params == TRUE);
    bool neither = params == ABSENT && except == ABSENT;
    if (status != STET_END || !valid || !(listed || all || neither))
        return;
    out->key_order = key_order;
    out->all = all;
    out->given = key_order || all || (listed && !no_keys);
}

void stet_no_vary_search_read(const struct stet_fields *response, struct stet_no_vary_search *out)
{
    const struct stet_field *field = stet_fields_find(response, STET_FIELD_NO_VARY_SEARCH, 0);
    *out = (struct stet_no_vary_search){.given = false};
    if (field && stet_fields_count(response, STET_FIELD_NO_VARY_SEARCH) == 1)
        stet_no_vary_search_read_value(field->value, out);
}

bool stet__nvs_keys_begin(struct stet__nvs_keys *keys, const struct stet_no_vary_search *nvs)
{
    struct stet_span name = nvs->all ? STET_SPAN("except") : STET_SPAN("params");
    struct stet_sf sf;
    struct stet_sf_member member;
    bool found = false;
    stet_sf_begin_value(&sf, STET_SF_DICTIONARY, nvs->value);
    while (stet_sf_next(&sf, &member) == STET_OK) {
        if (!stet_span_equal(member.key, name))
            continue;
        found = true; /* the last one counts: RFC 9651 section 3.2 */
        keys->sf = sf;
    }
    return found;
}

bool stet__nvs_keys_next(struct stet__nvs_keys *keys, struct stet_span *key)
{
    struct stet_sf_item item;
    if (stet_sf_inner(&keys->sf, &item) != STET_OK)
        return false;
    *key = item.text;
    return true;
}
