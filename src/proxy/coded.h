/* SPDX-License-Identifier: MIT */
/*
 * coded: answers in other content codings than that in which the origin sent them. RFC 9110 sections 8.4
 * and 12.5.3. Which coding a request gets is core's to say (stet/coded.h).
 *
 *   kept copy    of a stored response whose body is complete: made once, in the background (copying.c), while
 *                clients get what there is; stands with the body (store/codings.h), its head with each
 * version of the head (coded.c). Served as any other object: ready-made heads, ranges, sendfile passing
 * octets that are coded or decoded while they are sent (recode.c): what still comes in or is not stored, and
 * a copy that is not made yet, for clients that cannot read what the origin sent
 *
 * 1. What is stored is what the origin sent; freshness and reuse are judged by that alone.
 * 2. A kept copy is never there without its object: both are evicted, purged and replaced as one.
 * 3. Nobody waits for a copy.
 */
#ifndef STET_PROXY_CODED_H
#define STET_PROXY_CODED_H

#include <stet/coded.h>

#include "proxy/worker.h"

/*
 * Of an answer of the origin's with `octets` octets of content, or STET__BODY_LENGTH_UNKNOWN. An identity one
 * may be coded as stet_coded_judge says, but not an event stream; one in a known coding may be decoded,
 * unless it says no-transform or is a part.
 */
struct stet__codable stet__coded_judge(const struct stet__proxy_configuration *configuration,
                                       const struct stet_response *response, uint64_t octets);

/* Whether there is a Vary to add to the fields of an answer: it has codings, and no Vary that says so. */
bool stet__coded_adds_vary(const struct stet__codable *codable, const struct stet_fields *fields);

/* `fields` with that Vary behind them, if it is to be added; false if there is no memory. */
bool stet__coded_add_vary(struct stet__arena *arena, const struct stet__codable *codable,
                          struct stet_fields *fields);

/*
 * Chooses what answers: sets `serving->choice`, and changes what is served to the copy, if there is one.
 * `serving->copy` is a reference then.
 */
void stet__coded_choose(struct stet__proxy_worker *worker, struct stet__serving *serving);

/*
 * Whether the client has what answers, by a shortcut to the commonest case of If-None-Match: then the answer
 * is 304, by STET_REASON_IF_NONE_MATCH_MATCHES, and all is set that stet__coded_choose would set but
 * `selected`. False tells nothing.
 */
bool stet__coded_current(struct stet__serving *serving);

/* Whether what is fetched for a client may be coded while it is sent to that; `kept`: it is stored, too. */
bool stet__coded_may_pass(const struct stet__proxy_worker *worker, bool kept);

/* Whether the client of a fetch has in some coding what came (fetch->next), by its If-None-Match: 304. */
struct stet__fetch;
bool stet__coded_held(const struct stet__fetch *fetch, const struct stet__codable *codable);

/* What goes out of a chosen representation that has no ready-made heads: its fields, in the exchange's arena.
 * `etag` is the field value. False without memory. */
bool stet__coded_fields(struct stet__serving *serving, const struct stet_fields *base, struct stet_span etag,
                        struct stet_fields *fields);

/* What goes on of an answer that nobody keeps. */
struct stet__coded_relay {
    struct stet_fields fields;
    bool coded;              /* its content has to be recoded as the rest says */
    enum stet_coding coding; /* for stet__recode */
    bool decode;
};

/* relayed.c: of fetch->forwarded, in the exchange's arena. False without memory. */
bool stet__coded_relay(struct stet__fetch *fetch, struct stet__coded_relay *out);

/* The tag as it stands in the field that it was read from. */
struct stet_span stet__tag_text(struct stet_etag tag);

/* The tag of what passes, of a base with the tag `base`; absent if that has none, or there is no memory. */
struct stet_span stet__coded_passing_tag(struct stet__arena *arena, struct stet_etag base,
                                         enum stet_coding coding);

/* ---- copying.c ---- */

struct stet__copying;

/* NULL if there is no memory or no thread. */
struct stet__copying *stet__copying_new(struct stet__proxy *proxy);
void stet__copying_free(struct stet__copying *copying); /* NULL does nothing */

/* Has a copy made, if nobody has. The object is in the store, its body complete. */
void stet__copying_ask(struct stet__proxy *proxy, struct stet__object *object, enum stet_coding coding);

/* An object is complete: makes what `request`, for which it was fetched, would have liked. */
void stet__coded_filled(struct stet__proxy_worker *worker, struct stet__object *object,
                        const struct stet_request *request);

/* ---- recode.c ---- */

/*
 * Those of `codings` for which there is memory now, of content that comes in the coding `own`. The coders of
 * a proxy take at most so much together; beyond it answers go out as they came. It is an estimate, and so are
 * the costs of each.
 */
#define STET__RECODE_BYTES (128u * 1024 * 1024)
unsigned stet__recode_affords(const struct stet__proxy_worker *worker, enum stet_coding own,
                              unsigned codings);

/* Which one is made of those that a client likes equally: what takes least memory. */
extern const unsigned char stet__recode_rank[STET_CODING_COUNT];

/*
 * `source` gives what it gave in another coding from now on: it is decoded from `coding`, or coded into it.
 * False, and nothing changes, without memory.
 */
bool stet__recode(struct stet__proxy_worker *worker, struct stet__source *source, enum stet_coding coding,
                  bool decode);

#endif
