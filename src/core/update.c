/* SPDX-License-Identifier: MIT */
/*
 * What a 304 or the answer to a HEAD does to stored responses: RFC 9111 sections 3.2, 4.3.4 and 4.3.5.
 *
 * Section 4.3.4 lets any one strong validator identify a response. Taken alone that would let a date that two
 * representations share outweigh tags that say they are two. So a pair is judged as one: tags whose octets
 * differ say no whatever the date says, and only then the strongest thing that both have in common counts.
 *
 * A tag that differs in the suffix of a server that codes on the way is not a validator of something else,
 * but the stored one altered: coded_tag.h. It counts last, for one response only.
 */
#include <stet/update.h>

#include "core/cache.h"
#include "core/trace.h"

/* The validators of a response that just came. */
struct validators {
    struct stet_etag etag;
    const struct stet_field *last_modified; /* NULL if there is none */
};

/* How a stored response and a new one are alike. */
enum likeness { UNLIKE, LIKE_VARIATION, LIKE_WEAK, LIKE_STRONG };

/* A field that is a single value: NULL if it is not there once. */
static const struct stet_field *single(const struct stet_fields *fields, enum stet_field_id id)
{
    return stet_fields_count(fields, id) == 1 ? stet_fields_find(fields, id, 0) : NULL;
}

static struct validators validators_of(const struct stet_response *response)
{
    struct validators out = {STET_NO_ETAG, single(&response->fields, STET_FIELD_LAST_MODIFIED)};
    const struct stet_field *etag = single(&response->fields, STET_FIELD_ETAG);
    if (etag)
        (void)stet_etag_parse(etag->value, &out.etag);
    return out;
}

/* Last-Modified as a time; two-digit years are read as those of the stored response were. */
static int64_t modified(const struct validators *new, const struct stet_stored *stored)
{
    int64_t date = STET_NO_DATE;
    if (new->last_modified)
        (void)stet_date_parse(new->last_modified->value, stored->times.response, &date);
    return date;
}

static bool same_date(const struct validators *new, const struct stet_stored *stored)
{
    return stored->selected.last_modified != STET_NO_DATE &&
           modified(new, stored) == stored->selected.last_modified;
}

static enum likeness likeness(const struct validators *new, const struct stet_stored *stored)
{
    struct stet_etag etag = stet__origin_etag(stored);
    bool both = stet_etag_present(new->etag) && stet_etag_present(etag);
    if (both && !stet_etag_weak_equal(new->etag, etag))
        return stet_coded_tag_variation(etag, new->etag) ? LIKE_VARIATION : UNLIKE;
    if (stet_etag_strong_equal(new->etag, etag))
        return LIKE_STRONG;
    if (same_date(new, stored) && stored->selected.last_modified_strong)
        return LIKE_STRONG;
    /* "contains no strong validators but does contain one or more weak validators" */
    if (stet_etag_present(new->etag) && !new->etag.weak)
        return UNLIKE;
    return both || same_date(new, stored) ? LIKE_WEAK : UNLIKE;
}

static bool without_validator(const struct stet_stored *stored)
{
    return !stet_etag_present(stet__origin_etag(stored)) && stored->selected.last_modified == STET_NO_DATE;
}

/* What the initial set of section 4.3.4 holds. */
struct found {
    uint64_t strong;
    size_t newest_weak;      /* count: none */
    size_t newest_variation; /* the same */
    size_t any;              /* the last one that was looked at */
    size_t selected;         /* how many there are */
};

static void keep_newer(size_t *newest, const struct stet_stored *const *stored, size_t i, size_t count)
{
    if (*newest == count || stored[i]->date > stored[*newest]->date)
        *newest = i;
}

__attribute__((cold, noinline)) static void tell_likeness(const struct stet_request *request,
                                                          const struct validators *new,
                                                          const struct stet_stored *stored, size_t i,
                                                          enum likeness like)
{
    static const enum stet_reason reasons[] = {
        [LIKE_VARIATION] = STET_REASON_UPDATE_VARIATION,
        [LIKE_WEAK] = STET_REASON_UPDATE_WEAK,
        [LIKE_STRONG] = STET_REASON_UPDATE_STRONG,
    };
    struct stet_etag etag = stet__origin_etag(stored);
    struct stet_step step = {.rule = STET_RULE_RECEIVE_VALIDATOR, .outcome = STET_OUTCOME_NO, .candidate = i};
    if (like != UNLIKE)
        step = stet__step(STET_RULE_RECEIVE_VALIDATOR, STET_OUTCOME_YES, reasons[like], false);
    step.candidate = i;
    step.input = stet__looked_tag(new->etag);
    step.against = stet__looked_tag(etag);
    bool dates = !stet_etag_present(new->etag) || !stet_etag_present(etag);
    if (dates && new->last_modified) {
        step.input = stet__looked_text(new->last_modified->value);
        step.against = stet__looked_date(stored->selected.last_modified);
    }
    stet__tell_step(request->trace, &step);
}

static void look(struct found *found, enum likeness like, const struct stet_stored *const *stored, size_t i,
                 size_t count)
{
    found->selected++;
    found->any = i;
    if (like == LIKE_STRONG)
        found->strong |= stet__bit(i);
    if (like == LIKE_WEAK)
        keep_newer(&found->newest_weak, stored, i, count);
    if (like == LIKE_VARIATION)
        keep_newer(&found->newest_variation, stored, i, count);
}

static void conclude(struct stet_update *out, uint64_t set, enum stet_reason reason)
{
    out->verdict = STET_UPDATE_FRESHEN;
    out->reason = reason;
    out->set = set;
}

void stet_update_by_304(const struct stet_request *request, const struct stet_response *response,
                        const struct stet_stored *const *stored, size_t count, struct stet_update *out)
{
    struct validators new = validators_of(response);
    struct found found = {.newest_weak = count, .newest_variation = count};
    *out = (struct stet_update){.verdict = STET_UPDATE_NONE, .reason = STET_REASON_UPDATE_UNKNOWN};
    for (size_t i = 0; i < count; i++) {
        if (!stet__stored_selected(request, stored[i]))
            continue;
        enum likeness like = likeness(&new, stored[i]);
        look(&found, like, stored, i, count);
        if (stet__traced(request->trace))
            tell_likeness(request, &new, stored[i], i, like);
    }
    bool none = !stet_etag_present(new.etag) && !new.last_modified;
    if (found.strong != 0)
        conclude(out, found.strong, STET_REASON_UPDATE_STRONG);
    else if (found.newest_weak < count)
        conclude(out, stet__bit(found.newest_weak), STET_REASON_UPDATE_WEAK);
    else if (found.newest_variation < count)
        conclude(out, stet__bit(found.newest_variation), STET_REASON_UPDATE_VARIATION);
    else if (none && found.selected == 1 && without_validator(stored[found.any]))
        conclude(out, stet__bit(found.any), STET_REASON_UPDATE_ONLY);
}

/* Section 4.3.5: "matching values for any received validator fields [...] and, if the HEAD response has a
 * Content-Length header field, the value of Content-Length matches". */
static bool head_agrees(const struct validators *new, const struct stet_response *response,
                        const struct stet_stored *stored)
{
    const struct stet_field *length = single(&response->fields, STET_FIELD_CONTENT_LENGTH);
    struct stet_etag etag = stet__origin_etag(stored);
    uint64_t octets;
    if (stet_etag_present(new->etag) &&
        !(stet_etag_weak_equal(new->etag, etag) && new->etag.weak == etag.weak))
        return false;
    if (new->last_modified && modified(new, stored) != stored->selected.last_modified)
        return false;
    return !length || !stored->held.length_known || stet_span_to_u64(length->value, &octets) != STET_OK ||
           octets == stored->held.complete_length;
}

void stet_update_by_head(const struct stet_request *request, const struct stet_response *response,
                         const struct stet_stored *const *stored, size_t count, struct stet_update *out)
{
    struct validators new = validators_of(response);
    *out = (struct stet_update){.verdict = STET_UPDATE_NONE, .reason = STET_REASON_UPDATE_UNKNOWN};
    if (response->status != 200)
        return;
    for (size_t i = 0; i < count; i++) {
        /* A stored 404 says nothing that a 200 could agree with; it is for its own lifetime to end. */
        if (stored[i]->method != STET_METHOD_GET || stored[i]->response.status != 200 ||
            !stet__stored_selected(request, stored[i]))
            continue;
        if (head_agrees(&new, response, stored[i]))
            out->set |= stet__bit(i);
        else
            out->invalidated |= stet__bit(i);
    }
    if (out->set != 0)
        conclude(out, out->set, STET_REASON_UPDATE_HEAD);
    else if (out->invalidated != 0)
        *out = (struct stet_update){STET_UPDATE_INVALIDATE, STET_REASON_UPDATE_HEAD_DIFFERS, 0,
                                    out->invalidated};
}

/* About octets that did not come with the update, or whose stored value belongs to the octets that stay. */
static bool left_out(const struct stet_field *field, const struct stet_fields *stored)
{
    switch (field->id) {
    case STET_FIELD_CONTENT_LENGTH:
    case STET_FIELD_CONTENT_ENCODING:
    case STET_FIELD_CONTENT_RANGE:
    case STET_FIELD_CONTENT_MD5:
    case STET_FIELD_CONTENT_DIGEST:
        return true;
    case STET_FIELD_ETAG:
    case STET_FIELD_REPR_DIGEST:
        return stet_fields_have(stored, field->id);
    default:
        return false;
    }
}

static bool taken(const struct stet_field *field, const struct stet_fields *stored,
                  const struct stet_fields *update, const struct stet_cache_control *control)
{
    return !left_out(field, stored) && stet_stored_keeps(field, update, control);
}

/* Whether a line of the update takes the place of `field`. */
static bool replaced(const struct stet_field *field, const struct stet_fields *stored,
                     const struct stet_fields *update, const struct stet_cache_control *control)
{
    if (field->id != STET_FIELD_OTHER && !stet_fields_have(update, field->id))
        return false;
    for (size_t i = 0; i < update->count; i++) {
        const struct stet_field *at = &update->at[i];
        bool same = at->id == field->id &&
                    (field->id != STET_FIELD_OTHER || stet_span_equal_nocase(at->name, field->name));
        if (same && taken(at, stored, update, control))
            return true;
    }
    return false;
}

size_t stet_update_fields(const struct stet_fields *stored, const struct stet_fields *update,
                          const struct stet_cache_control *control, struct stet_field *room)
{
    size_t count = 0;
    for (size_t i = 0; i < stored->count; i++)
        if (!replaced(&stored->at[i], stored, update, control) &&
            stet_stored_keeps(&stored->at[i], stored, control))
            room[count++] = stored->at[i];
    for (size_t i = 0; i < update->count; i++)
        if (taken(&update->at[i], stored, update, control))
            room[count++] = update->at[i];
    return count;
}
