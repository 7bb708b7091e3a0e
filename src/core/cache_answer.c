/* SPDX-License-Identifier: MIT */
/*
 * What the client gets from a stored response: RFC 9111 section 4.3.2. The conditions and ranges themselves
 * are those of answer.c; here stands what a cache does otherwise than an origin server.
 */
#include "core/answer.h"
#include "core/cache.h"
#include "core/trace.h"

/*
 * "If a request contains an If-Modified-Since header field and the Last-Modified header field is not present
 * in a stored response, a cache SHOULD use the stored response's Date field value (or [...] the time that the
 * stored response was received)". A time of that kind is no validator: only If-Modified-Since sees it.
 */
static bool lacks_date(const struct stet_request *request, const struct stet_stored *stored)
{
    return stored->selected.last_modified == STET_NO_DATE &&
           stet_fields_have(&request->fields, STET_FIELD_IF_MODIFIED_SINCE);
}

__attribute__((cold, noinline)) static void tell_date_instead(const struct stet_request *request,
                                                              const struct stet_stored *stored)
{
    struct stet_step step = {.rule = STET_RULE_DATE_INSTEAD, .outcome = STET_OUTCOME_YES};
    step.input = stet__looked_date(stored->date);
    stet__tell_step(request->trace, &step);
}

/* While a response of unknown length still comes in, a range of it cannot be told from one beyond its end. */
static bool ranges_unknown(const struct stet_stored *stored, const struct stet_representation *selected)
{
    return stored->held.complete && selected->length == UINT64_MAX;
}

static void answer_as(const struct stet_request *request, const struct stet_stored *stored,
                      struct stet_representation *selected, int64_t now, struct stet_answer *out)
{
    bool unknown = ranges_unknown(stored, selected);
    if (stet__rule(request, stored, STET_RULE_REPLAYED,
                   stored->response.status != 200 && stored->response.status != 206, STET_REASON_REPLAYED)) {
        out->status = stored->response.status;
        out->reason = STET_REASON_REPLAYED;
        out->if_range_held = false;
        out->ranges.count = 0;
        return;
    }
    selected->exists = true;
    if (lacks_date(request, stored)) {
        selected->last_modified = stored->date;
        selected->last_modified_strong = false;
        if (stet__traced(request->trace))
            tell_date_instead(request, stored);
    }
    stet__answer_decide(request, selected, STET_PARTY_CACHE, now, out);
    if (stet__rule(request, stored, STET_RULE_LENGTH_UNKNOWN,
                   unknown && (out->status == 206 || out->status == 416), STET_REASON_RANGE_LENGTH_UNKNOWN)) {
        out->status = 200;
        out->reason = STET_REASON_RANGE_LENGTH_UNKNOWN;
        out->if_range_held = false;
        out->ranges.count = 0;
    }
}

void stet_cache_answer(const struct stet_request *request, const struct stet_stored *stored, int64_t now,
                       struct stet_answer *out)
{
    struct stet_representation selected = stored->selected;
    selected.length = stored->held.length_known ? stored->held.complete_length : UINT64_MAX;
    answer_as(request, stored, &selected, now, out);
}

void stet_cache_answer_coded(const struct stet_request *request, const struct stet_stored *stored,
                             const struct stet_representation *selected, int64_t now, struct stet_answer *out)
{
    struct stet_representation copy = *selected;
    answer_as(request, stored, &copy, now, out);
}
