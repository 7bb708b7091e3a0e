/* SPDX-License-Identifier: MIT */
/*
 * A stored response as the decisions see it: RFC 9111 sections 3.1 and 3.5, RFC 9110 section 8.8.
 */
#include <stet/stored.h>

#include <stet/forward.h>

#include "core/freshness.h"

/* One line that is one tag; anything else is none. */
static struct stet_etag read_etag(const struct stet_fields *fields)
{
    struct stet_etag tag;
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_ETAG, 0);
    if (!field || stet_fields_count(fields, STET_FIELD_ETAG) > 1 ||
        stet_etag_parse(stet_span_trim(field->value), &tag) != STET_OK)
        return STET_NO_ETAG;
    return tag;
}

/* `dated`: stored->date is of a Date. */
static void read_selected(struct stet_stored *stored, bool dated)
{
    const struct stet_fields *fields = &stored->response.fields;
    struct stet_representation *selected = &stored->selected;
    int64_t modified;
    *selected = (struct stet_representation){
        .exists = true, .etag = read_etag(fields), .last_modified = STET_NO_DATE};
    if (stored->held.complete || stored->held.length_known)
        selected->length = stored->held.complete_length;
    if (stet__date_read(fields, STET_FIELD_LAST_MODIFIED, stored->date, &modified) != STET_OK)
        return;
    selected->last_modified = modified;
    /*
     * RFC 9110 section 8.8.2.2: "that cache entry includes a Date value that is at least one second after the
     * Last-Modified value" of the same clock. The time of arrival is of another one.
     */
    selected->last_modified_strong = dated && stored->date > modified;
}

void stet_stored_read(struct stet_stored *stored, const struct stet_cache_policy *policy)
{
    const struct stet_fields *fields = &stored->response.fields;
    stet_cache_control_read_targeted(fields, policy->targets, policy->target_count, &stored->control);
    if (!policy->shared)
        stored->control.private_fields = STET_SPAN_NONE;
    stored->freshness = stet_freshness_read(&stored->response, &stored->control, stored->times,
                                            policy->shared, policy->heuristic);
    int64_t arrival = stored->times.response;
    bool dated = stet__date_read(fields, STET_FIELD_DATE, arrival, &stored->date) == STET_OK;
    if (!dated)
        stored->date = arrival;
    read_selected(stored, dated);
}

bool stet_stored_shareable(const struct stet_stored *stored)
{
    const struct stet_cache_control *control = &stored->control;
    return !stored->authorized || stet_cache_control_has(control, STET_CC_PUBLIC) ||
           stet_cache_control_has(control, STET_CC_MUST_REVALIDATE) ||
           stet_cache_control_valid(control, STET_CC_S_MAXAGE);
}

bool stet_stored_keeps(const struct stet_field *field, const struct stet_fields *all,
                       const struct stet_cache_control *control)
{
    switch (field->id) {
    case STET_FIELD_AGE:
    case STET_FIELD_PROXY_AUTHENTICATE:
    case STET_FIELD_PROXY_AUTHENTICATION_INFO:
    case STET_FIELD_PROXY_AUTHORIZATION:
        return false;
    default:
        break;
    }
    if (control->private_fields.ptr && stet_cache_control_names(control->private_fields, field->name))
        return false;
    if (control->no_cache_fields.ptr && stet_cache_control_names(control->no_cache_fields, field->name))
        return false;
    return stet_forward_keeps(field, all);
}
