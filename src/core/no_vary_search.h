/* SPDX-License-Identifier: MIT */
/*
 * no_vary_search: the keys that a field value lists, for no_vary_search_query.c.
 */
#ifndef STET_CORE_NO_VARY_SEARCH_H
#define STET_CORE_NO_VARY_SEARCH_H

#include <stet/no_vary_search.h>
#include <stet/sf.h>

struct stet__nvs_keys {
    struct stet_sf sf;
};

/* The list under "params", or "except" if `nvs->all`. False if there is none: a lone key-order. */
bool stet__nvs_keys_begin(struct stet__nvs_keys *keys, const struct stet_no_vary_search *nvs);

/* The next key, still escaped as in a String and encoded as in a form; false at the end. */
bool stet__nvs_keys_next(struct stet__nvs_keys *keys, struct stet_span *key);

#endif
