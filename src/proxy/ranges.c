/* SPDX-License-Identifier: MIT */
/*
 * ranges: several ranges of a stored body as multipart/byteranges (RFC 9110 sections 14.6 and 15.3.7.2), a
 * source. The body may stand in several pieces, so what lies between two texts is read piece by piece.
 */
#include "net/multipart.h"
#include "proxy/worker.h"

#define TYPE_PREFIX "multipart/byteranges; boundary="

struct stet__ranges {
    struct stet__body *body; /* a reference */
    size_t count, next;      /* of `at` */
    uint64_t given;          /* octets of at[next] */
    uint64_t length;
    struct stet__part at[STET__MULTIPART_PARTS]; /* texts, and between them offsets into the body */
    char type[sizeof TYPE_PREFIX - 1 + STET__BOUNDARY_LEN];
    char text[];
};

struct stet__ranges *stet__ranges_new(struct stet__proxy_worker *worker, const struct stet__serving *serving,
                                      struct stet_span type, const struct stet_range_set *set)
{
    const struct stet_held *held = &serving->stored->held;
    if (!held->complete || !serving->body || stet__body_state(serving->body) != STET__BODY_COMPLETE)
        return NULL;
    struct stet__part offsets = {.fd = -1, .length = held->complete_length};
    struct stet__multipart_source source = {type, held->complete_length, &offsets};
    struct stet__ranges *ranges = malloc(sizeof *ranges + stet__multipart_text_max(set, type));
    if (!ranges)
        return NULL;
    char *boundary = ranges->type + sizeof TYPE_PREFIX - 1;
    memcpy(ranges->type, TYPE_PREFIX, sizeof TYPE_PREFIX - 1);
    stet__multipart_boundary(worker->proxy->secret, sizeof worker->proxy->secret,
                             serving->stored->selected.etag.opaque, set, boundary);
    ranges->body = stet__body_acquire(serving->body);
    ranges->count = stet__multipart_parts(&source, set, boundary, ranges->text, ranges->at);
    ranges->next = 0;
    ranges->given = ranges->length = 0;
    for (size_t i = 0; i < ranges->count; i++)
        ranges->length += ranges->at[i].length;
    return ranges;
}

void stet__ranges_free(struct stet__ranges *ranges)
{
    stet__body_release(ranges->body);
    free(ranges);
}

struct stet_span stet__ranges_type(const struct stet__ranges *ranges)
{
    return stet_span_of(ranges->type, sizeof ranges->type);
}

uint64_t stet__ranges_length(const struct stet__ranges *ranges)
{
    return ranges->length;
}

static enum stet__supply next(void *owner, struct stet__part *part)
{
    struct stet__ranges *ranges = owner;
    if (ranges->next == ranges->count)
        return STET__SUPPLY_END;
    const struct stet__part *at = &ranges->at[ranges->next];
    if (at->memory.ptr)
        *part = *at;
    else if (!stet__body_read(ranges->body, at->offset + ranges->given, at->length - ranges->given, part))
        return STET__SUPPLY_CUT;
    ranges->given += part->length;
    if (ranges->given == at->length) {
        ranges->next++;
        ranges->given = 0;
    }
    return STET__SUPPLY_PART;
}

static void done(void *owner, bool sent)
{
    stet__ranges_free(owner);
}

void stet__ranges_source(struct stet__ranges *ranges, struct stet__source *out)
{
    *out = (struct stet__source){.owner = ranges, .next = next, .done = done};
}
