/* SPDX-License-Identifier: MIT */
/*
 * explain: why an exchange is what it is. Asks core what is due, with a trace, and compares that with what
 * came. It has no rule of its own: what it knows of HTTP is which question to ask.
 *
 *   an exchange alone      as an origin server: what is due to the request, given the validators that the
 *                          response names; as a private and as a shared cache: may the response be stored,
 *                          and how long is it fresh
 *   with what is stored    as a cache: what becomes of the request, what the origin is asked, what the answer
 *                          does to what is stored, and what the client gets
 */
#ifndef STET_EXPLAIN_EXPLAIN_H
#define STET_EXPLAIN_EXPLAIN_H

#include <stet/stored.h>

#include "explain/recorded.h"
#include "explain/story.h"

struct stet__explain_when {
    bool given, after_arrival; /* +N: seconds after the response came; else Unix seconds */
    int64_t at;
};

struct stet__explain_input {
    struct stet__recorded *exchange; /* has a request, or a response, or both */
    struct stet__recorded *before;   /* an earlier answer, for validators that this one leaves out; or NULL */
    struct stet__recorded *stored;   /* a response, and maybe the request that it was got with; or NULL */
    struct stet__explain_when now;
    struct stet__explain_when stored_at; /* when what is stored came; as it says itself, if not given */
    bool private_only, shared_only;
    int64_t clock; /* what time it is, for messages without a Date */
};

/* "Sat, 21 Nov 2026 09:30:00 GMT", "1795253400" or "+60". False if it is none of these. */
bool stet__explain_when_read(const char *text, int64_t clock, struct stet__explain_when *out);

/* Tells the whole story. `story` is empty. */
void stet__explain(const struct stet__explain_input *input, struct stet__story *story);

/* --- what the files of this folder share --- */

/* A response as core sees it when it is stored. */
struct stet__explain_view {
    struct stet_stored stored;
    int64_t arrival; /* when it came: its Date and its Age, else the clock */
};

/* Reads `response` as the answer to `request`, with `trace` if that is not NULL. */
void stet__explain_view(const struct stet_request *request, const struct stet_response *response,
                        const struct stet_cache_policy *policy, int64_t clock,
                        struct stet__explain_view *out);
void stet__explain_view_read(struct stet__explain_view *view, const struct stet_cache_policy *policy,
                             const struct stet_trace *trace);

struct stet_cache_policy stet__explain_policy(bool shared);

/* `when` as Unix seconds, for something that came at `arrival`. */
int64_t stet__explain_time(const struct stet__explain_when *when, int64_t arrival);

const char *stet__explain_sentence(enum stet_reason reason);

/* RFC 9111 section 4.4. */
bool stet__explain_invalidates(const struct stet_request *request, const struct stet_response *response);

/* Notes what a reader takes for a validator or a list of tags, and core does not: slips.c. */
void stet__explain_slips(const struct stet__recorded *recorded, struct stet__story *story);

void stet__explain_origin(const struct stet__explain_input *input, struct stet__story *story);
void stet__explain_caches(const struct stet__explain_input *input, struct stet__story *story);
void stet__explain_conclude(struct stet__story *story); /* puts the verdicts of the parts together */
void stet__explain_storing(const struct stet__explain_input *input, bool shared, struct stet__story *story);
void stet__explain_stored(const struct stet__explain_input *input, bool shared, struct stet__story *story);

#endif
