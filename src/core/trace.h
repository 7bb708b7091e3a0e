/* SPDX-License-Identifier: MIT */
/*
 * What the decisions say to a trace (<stet/trace.h>). One test where nobody wants to know: all that costs
 * more stands in trace.c, is cold, and is given what the decision has at hand anyway.
 */
#ifndef STET_CORE_TRACE_H
#define STET_CORE_TRACE_H

#include <stet/stored.h>
#include <stet/trace.h>

static inline bool stet__traced(const struct stet_trace *trace)
{
    return __builtin_expect(trace != NULL, 0);
}

/* What was looked at. */
struct stet_looked stet__looked_text(struct stet_span text);
struct stet_looked stet__looked_tag(struct stet_etag tag); /* NONE without a tag */
struct stet_looked stet__looked_date(int64_t date);        /* NONE for STET_NO_DATE */
struct stet_looked stet__looked_seconds(int64_t seconds);
struct stet_looked stet__looked_count(uint64_t count);
struct stet_looked stet__looked_field(const struct stet_fields *fields, enum stet_field_id id);

/* A step that has a reason and, if `decides`, decides. The caller adds what it looked at. */
struct stet_step stet__step(enum stet_rule rule, enum stet_outcome outcome, enum stet_reason reason,
                            bool decides);

static inline void stet__tell_step(const struct stet_trace *trace, const struct stet_step *step)
{
    trace->step(trace, step);
}

/*
 * Tells that `rule` applies and decides with `reason`, or that it does not. If it looks at a response, that
 * is `stored`; NULL if there is none.
 */
__attribute__((cold, noinline)) void stet__tell_rule(const struct stet_request *request,
                                                     const struct stet_stored *stored, enum stet_rule rule,
                                                     bool applies, enum stet_reason reason);

/* Returns `applies`, so that a chain of rules reads as one. */
static inline bool stet__rule(const struct stet_request *request, const struct stet_stored *stored,
                              enum stet_rule rule, bool applies, enum stet_reason reason)
{
    if (stet__traced(request->trace))
        stet__tell_rule(request, stored, rule, applies, reason);
    return applies;
}

/* The line that directives were read from: of Cache-Control or of a targeted field. Absent if there is none.
 */
struct stet_looked stet__looked_control(const struct stet_response *response,
                                        const struct stet_cache_control *control);

#endif
