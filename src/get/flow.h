/* SPDX-License-Identifier: MIT */
/*
 * flow: content on its way to a sink: decoded, and each octet once.
 *
 * A flow is of one version of a representation, told by its strong validator and coding. Content is fed with
 * its offset, and what went before is left out: whether a download goes on after it was cut off, or all of it
 * comes again, from the store or the origin, the sink gets the rest. If another version comes, the sink
 * starts over.
 */
#ifndef STET_GET_FLOW_H
#define STET_GET_FLOW_H

#include "coding/coder.h"
#include "get/get.h"

#define STET__FLOW_CODINGS_MAX 4

struct stet__flow {
    struct stet__get_sink *sink; /* NULL: nobody is there */
    bool begun;
    bool skips;                                         /* the sink wants no data */
    bool decodes;                                       /* what is coded */
    bool undecoded;                                     /* a coding is not known */
    struct stet__coder *coders[STET__FLOW_CODINGS_MAX]; /* that applied last first */
    size_t coder_count;
    struct stet_etag etag;   /* of the version; it borrows from the arena of the job */
    int64_t last_modified;   /* the same, if it has no tag and this is strong */
    struct stet_span coding; /* Content-Encoding */
    uint64_t raw;            /* octets as coded that went in */
    uint64_t out;            /* octets that the sink took */
};

/* `decodes`: content codings are taken off. */
void stet__flow_init(struct stet__flow *flow, struct stet__get_sink *sink, bool decodes);
void stet__flow_release(struct stet__flow *flow);

/*
 * An answer begins, or goes on. `stored` is it, with its validators; `arena` lasts as long as the flow.
 * `coded`: it has content that may have to be decoded. STET_OK; STET_E_GET_SINK: the sink cannot start over;
 * STET_E_GET_STOPPED: it wants nothing; STET_E_GET_MEMORY.
 */
int stet__flow_open(struct stet__flow *flow, struct stet__arena *arena, const struct stet_stored *stored,
                    const struct stet__get_answer *answer, bool coded);

/* Whether what went into it so far is the front of `stored`. */
bool stet__flow_fits(const struct stet__flow *flow, const struct stet_stored *stored);

/* It was cut off. What has a strong validator can be gone on with; else the sink starts over. False: it
 * cannot. */
bool stet__flow_may_go_on(struct stet__flow *flow);

/* What went into it is wrong: nothing fits any more. */
void stet__flow_spoil(struct stet__flow *flow);

/* Content from `offset` on, which is at most flow->raw. STET_OK, STET_E_GET_SINK, or a failure of coder.h. */
int stet__flow_feed(struct stet__flow *flow, uint64_t offset, struct stet_span octets);

/* That was all. The same. */
int stet__flow_close(struct stet__flow *flow);

#endif
