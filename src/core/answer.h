/* SPDX-License-Identifier: MIT */
/*
 * What an origin server (answer.c) and a cache (cache_answer.c) do alike once they have a representation.
 */
#ifndef STET_CORE_ANSWER_H
#define STET_CORE_ANSWER_H

#include <stet/answer.h>

/* As stet_answer_decide, by the preconditions that are for `party`. */
void stet__answer_decide(const struct stet_request *request, const struct stet_representation *selected,
                         enum stet_party party, int64_t now, struct stet_answer *out);

/* Range of a request whose preconditions hold: RFC 9110 section 14.2. */
void stet__answer_ranges(const struct stet_request *request, uint64_t complete_length,
                         struct stet_range_set *out);

#endif
