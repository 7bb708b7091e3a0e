/* SPDX-License-Identifier: MIT */
/*
 * Which URIs an answer to an unsafe request invalidates: RFC 9111 section 4.4. Groups are in group.c.
 *
 * Location and Content-Location are a MAY of the RFC; they are followed because what a form created or
 * changed is what its sender looks at next. Their lines are taken as they come, also if there are several:
 * one entry too many that has to be validated does no harm.
 */
#include <stet/invalidation.h>

#include "core/trace.h"
#include "core/uri.h"

/* `at`: the target, then one more than the index of the next line. */
#define TARGET 0

__attribute__((cold, noinline)) static void tell(const struct stet_response *response, bool invalidates)
{
    struct stet_step step = {.rule = STET_RULE_INVALIDATES,
                             .outcome = invalidates ? STET_OUTCOME_YES : STET_OUTCOME_NO,
                             .input = stet__looked_count(response->status)};
    stet__tell_step(response->trace, &step);
}

bool stet_invalidation_begin(struct stet_invalidation *out, enum stet_method method,
                             const struct stet_response *response, const struct stet_uri *target)
{
    /* "a non-error response is one with a 2xx (Successful) or 3xx (Redirection) status code." */
    bool invalidates = !stet_method_safe(method) && response->status >= 200 && response->status <= 399;
    if (stet__traced(response->trace))
        tell(response, invalidates);
    if (!invalidates)
        return false;
    *out = (struct stet_invalidation){.response = response, .target = *target, .at = TARGET};
    return true;
}

static int give(const struct stet__reference *reference, char *out, size_t room, size_t *len)
{
    size_t written = stet__uri_write_reference(reference, out, room);
    if (written == 0)
        return STET_E_NO_ROOM;
    *len = written;
    return STET_OK;
}

int stet_invalidation_next(struct stet_invalidation *invalidation, char *out, size_t room, size_t *len)
{
    const struct stet_fields *fields = &invalidation->response->fields;
    struct stet__reference reference = {.uri = invalidation->target};
    if (invalidation->at == TARGET) {
        invalidation->at = 1;
        return give(&reference, out, room, len);
    }
    while (invalidation->at - 1 < fields->count) {
        const struct stet_field *field = &fields->at[invalidation->at++ - 1];
        if (field->id != STET_FIELD_LOCATION && field->id != STET_FIELD_CONTENT_LOCATION)
            continue;
        if (stet__uri_refer(&invalidation->target, field->value, &reference) == STET_OK &&
            stet_uri_same_origin(&invalidation->target, &reference.uri))
            return give(&reference, out, room, len);
    }
    return STET_END;
}
