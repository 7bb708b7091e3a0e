/* SPDX-License-Identifier: MIT */
/*
 * no_vary_search: which parts of the query do not matter. draft-ietf-httpbis-no-vary-search.
 *
 * "params, except=(...)", the spelling of browsers and of drafts up to -03, is accepted too. A lone key-order
 * counts, as the introduction of the draft means it: docs/decisions.md.
 */
#ifndef STET_NO_VARY_SEARCH_H
#define STET_NO_VARY_SEARCH_H

#include <stet/message.h>

struct stet_no_vary_search {
    bool given;             /* false: the default, queries are compared as they stand */
    bool key_order;         /* the order of different keys does not matter */
    bool all;               /* all parameters are dropped but those in `except` */
    bool prefixes;          /* a listed key that ends in "*" stands for all that begin so. The field has no
                               such thing: a caller sets it for an option of its operator */
    struct stet_span value; /* the field value that was read; its lists are read again when compared */
};

/*
 * Reads No-Vary-Search of a response; anything invalid gives the default (section 5.1 of the draft), and so
 * do several lines. What is equivalent to the default, as params=(), is not `given` either.
 */
void stet_no_vary_search_read(const struct stet_fields *response, struct stet_no_vary_search *out);

/*
 * The same from one value, which outlives `out`. An option of the operator (--ignore-query) is put this way:
 * params=("utm_*") and `prefixes`.
 */
void stet_no_vary_search_read_value(struct stet_span value, struct stet_no_vary_search *out);

/*
 * Writes the query (without question mark) that stands for all that are equivalent to `query`: form-decoded
 * and encoded again, dropped parameters left out, sorted by key if the order does not matter (stable: the
 * values of one key keep their order). Two queries are equivalent if and only if this gives the same octets;
 * if it is `given`, an absent query and an empty one are.
 *
 * Without `given` it is `query` itself, and whether there is one is for the caller to tell apart ("/p" and
 * "/p?" differ then). Returns the octets; SIZE_MAX if `room` is too small: 3 * query.len + 1 is enough for
 * what a request target can hold (http1.h: no octet above 0x7F), 9 * query.len + 1 for anything. At most
 * STET_QUERY_PARAMETERS_MAX parameters: with more it is `query` itself.
 */
size_t stet_no_vary_search_write(const struct stet_no_vary_search *nvs, struct stet_span query, char *out,
                                 size_t room);

#define STET_QUERY_PARAMETERS_MAX 256

#endif
