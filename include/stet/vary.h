/* SPDX-License-Identifier: MIT */
/*
 * vary: which stored response a request selects. RFC 9110 section 12.5.5 and RFC 9111 section 4.1.
 *
 * Two sets of request fields select the same variant if each field that Vary names has the same meaning in
 * both. Absent matches absent only, but for Accept-Encoding. Field lines are joined (RFC 9110 section 5.3)
 * and compared by what the field is:
 *
 *   Accept-Encoding    the set of known codings that it accepts (stet_accept_encoding_read), whatever the
 *                      weights. Absent, empty and "identity" accept the same. A response in a coding outside
 *                      of that set is selected only if the fields are the same as below
 *   Accept, Accept-Charset, Accept-Language
 *                      a set of members without order, in any case, with q-values compared as numbers; q=1 is
 *                      the same as none. What they name is compared, not what they lead to. If one of the two
 *                      is malformed, or has more than 64 members, they are compared as below
 *   Authorization, Host, If-Modified-Since, If-Range, If-Unmodified-Since, Proxy-Authorization, Referer,
 *   User-Agent         octet by octet, line by line: their commas separate nothing
 *   Cookie             the same after whitespace around semicolons; several lines are joined by one
 *   everything else    octet by octet, after whitespace at the ends and around commas outside of quoted
 *                      strings
 */
#ifndef STET_VARY_H
#define STET_VARY_H

#include <stet/stored.h>

/* Vary of a response: whether any member is "*" (RFC 9110 section 12.5.5), or malformed, which is taken as
 * "*". */
bool stet_vary_any(const struct stet_fields *response);

/* Whether some Vary line has a member. */
bool stet_vary_present(const struct stet_fields *response);

/* Whether the Vary of `response` names `field`, in any case. */
bool stet_vary_names(const struct stet_fields *response, struct stet_span field);

/*
 * Whether `request` selects the response that was got with the fields `selecting`. False for "*".
 *
 * One thing that a field leads to counts: a response whose only Content-Language is what `request` likes
 * better than everything else in Accept-Language, and that was got by a request which named it too, is
 * selected as far as this field goes. No other could be liked better (section 12.5.4).
 */
bool stet_vary_matches(const struct stet_fields *response, const struct stet_fields *selecting,
                       const struct stet_fields *request);

/*
 * Copies those of `request` that the Vary of `response` names to `room` (at least request->count), in order,
 * and returns their number: what has to be kept as `selecting`.
 */
size_t stet_vary_selecting(const struct stet_fields *response, const struct stet_fields *request,
                           struct stet_field *room);

/*
 * The best of the candidates that `request` selects: the latest Date wins (RFC 9111 section 4), and of equal
 * ones that stored last, which stands first; but a response without Vary beside others with one counts only
 * if none of these matches (section 4.1). Only what the methods allow: HEAD may be answered by GET, GET never
 * by HEAD, and nothing else by either. `count` if there is none.
 */
size_t stet_vary_select(const struct stet_request *request, const struct stet_stored *const *stored,
                        size_t count);

/* Whether the two fields have the same meaning for selection, by the rules above. */
bool stet_vary_same(struct stet_span name, const struct stet_fields *a, const struct stet_fields *b);

#endif
