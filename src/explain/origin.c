/* SPDX-License-Identifier: MIT */
/*
 * What an origin server owes to a request: RFC 9110 sections 13.2 and 14.2, asked of core for a
 * representation with the validators that the response names; and whether that is what came.
 */
#include "explain/explain.h"

#include <stet/cache.h>
#include <stet/coded_tag.h>

#define BIT(id) (UINT64_C(1) << (id))
#define CONDITIONS                                                                                  \
    (BIT(STET_FIELD_IF_MATCH) | BIT(STET_FIELD_IF_NONE_MATCH) | BIT(STET_FIELD_IF_MODIFIED_SINCE) | \
     BIT(STET_FIELD_IF_UNMODIFIED_SINCE) | BIT(STET_FIELD_IF_RANGE) | BIT(STET_FIELD_RANGE))

/* Statuses that say that preconditions and ranges have been asked: section 13.2.1. */
static bool was_asked(unsigned status)
{
    return (status >= 200 && status <= 299) || status == 304 || status == 412 || status == 416;
}

/* The complete length, if the response tells it. */
static uint64_t complete_length(const struct stet_response *response, const struct stet_held *held)
{
    struct stet_content_range range;
    const struct stet_field *field = stet_fields_find(&response->fields, STET_FIELD_CONTENT_RANGE, 0);
    if (response->status == 416)
        return field && stet_content_range_parse(field->value, &range) == STET_OK && range.complete_known
                   ? range.complete_length
                   : UINT64_MAX;
    return held->length_known && response->status != 304 && response->status != 412 ? held->complete_length
                                                                                    : UINT64_MAX;
}

/* A 304 often names less than the 200 before it. */
static void fill_gaps(const struct stet__explain_input *input, const struct stet_cache_policy *policy,
                      struct stet_representation *selected)
{
    struct stet__explain_view before;
    stet__explain_view(&input->before->request.head, &input->before->response.head, policy, input->clock,
                       &before);
    if (!stet_etag_present(selected->etag))
        selected->etag = before.stored.selected.etag;
    if (selected->last_modified == STET_NO_DATE)
        selected->last_modified = before.stored.selected.last_modified;
}

/* What the response says of the selected representation. */
static struct stet_representation selected_of(const struct stet__explain_input *input)
{
    struct stet__explain_view view;
    const struct stet_response *response = &input->exchange->response.head;
    struct stet_cache_policy policy = stet__explain_policy(false);
    stet__explain_view(&input->exchange->request.head, response, &policy, input->clock, &view);
    view.stored.selected.length = complete_length(response, &view.stored.held);
    if (input->before && response->status == 304)
        fill_gaps(input, &policy, &view.stored.selected);
    return view.stored.selected;
}

static unsigned due_to(const struct stet_request *request, const struct stet_representation *selected,
                       int64_t now, enum stet_reason *reason)
{
    struct stet_answer answer;
    if (request->method == STET_METHOD_GET || request->method == STET_METHOD_HEAD) {
        stet_answer_decide(request, selected, now, &answer);
        *reason = answer.reason;
        return answer.status;
    }
    struct stet_judgement judgement = stet_precondition_judge(request, selected, STET_PARTY_ORIGIN, now);
    *reason = judgement.reason;
    return judgement.verdict == STET_PRECONDITION_FAILED ? 412 : 200;
}

/* Whether the representation that was judged may be another one than the server's: the response did not say.
 */
static bool lacks_validators(const struct stet_request *request, const struct stet_response *response,
                             const struct stet_representation *selected)
{
    struct stet_etag_list list;
    if (stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH) == STET_ETAG_LIST_ANY)
        return false; /* 304 and 412 say what is asked: there is a representation */
    bool tags = stet_fields_have(&request->fields, STET_FIELD_IF_MATCH) ||
                stet_fields_have(&request->fields, STET_FIELD_IF_NONE_MATCH);
    bool dates = stet_fields_have(&request->fields, STET_FIELD_IF_MODIFIED_SINCE) ||
                 stet_fields_have(&request->fields, STET_FIELD_IF_UNMODIFIED_SINCE);
    if (response->status != 304 && response->status != 412 && response->status != 416)
        return false;
    return (tags && !stet_etag_present(selected->etag)) ||
           (!tags && dates && selected->last_modified == STET_NO_DATE);
}

/* A tag of the request that is the current one but for what a server does to tags when it codes. */
static bool varied(const struct stet_request *request, struct stet_etag current)
{
    struct stet_etag_list list;
    struct stet_etag tag;
    if (stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS)
        return false;
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        if (stet_coded_tag_variation(tag, current))
            return true;
    return false;
}

/* What came is not what is due, and nothing forbids it. */
static const char *allowed(unsigned due, unsigned came)
{
    if ((due == 206 || due == 416) && came == 200)
        return "That is allowed: a server may ignore Range (RFC 9110 14.2).";
    if (due == 200 && came == 416)
        return "That is allowed: a set of ranges may be refused (RFC 9110 14.2).";
    return NULL;
}

/* Whether a 206 has octets between the first and the last that were asked for: a server may send less than
 * that, and what lies between two ranges (RFC 9110 15.3.7). */
static bool as_asked(const struct stet_request *request, const struct stet_response *response)
{
    struct stet_content_range came;
    const struct stet_field *range = stet_fields_find(&request->fields, STET_FIELD_RANGE, 0);
    const struct stet_field *field = stet_fields_find(&response->fields, STET_FIELD_CONTENT_RANGE, 0);
    if (!range || !field || stet_content_range_parse(field->value, &came) != STET_OK || !came.complete_known)
        return true;
    struct stet_range_set set = stet_range_judge(range->value, came.complete_length);
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < set.count; i++) {
        first = set.at[i].first < first ? set.at[i].first : first;
        last = set.at[i].last > last ? set.at[i].last : last;
    }
    return set.count == 0 || (first <= came.range.first && came.range.last <= last);
}

static void say_elsewhere(struct stet__story *story, struct stet__chapter *part)
{
    part->right = STET__RIGHT_NO;
    stet__story_say(story, &part->brief, "206 has other octets than were asked for");
    stet__story_say(story, &part->verdict,
                    "206 is due, but this one has other octets than were asked for (RFC 9110 15.3.7).");
}

static void compare(struct stet__story *story, struct stet__chapter *part, unsigned due, unsigned came)
{
    const char *sentence = stet__explain_sentence(part->reason);
    const char *excuse = allowed(due, came);
    bool as_due = due == came || (due == 200 && came >= 200 && came <= 299 && came != 206);
    part->right = as_due || excuse ? STET__RIGHT_YES : STET__RIGHT_NO;
    if (as_due || excuse)
        stet__story_say(story, &part->brief, "%u is right", came);
    else
        stet__story_say(story, &part->brief, "%u came where %u is due", came, due);
    if (as_due)
        stet__story_say(story, &part->verdict, "%u is right. %s", came, sentence);
    else
        stet__story_say(story, &part->verdict, "%u came where %u is due. %s", came, due, sentence);
    if (!as_due && excuse)
        stet__story_add(story, &part->verdict, "%s", excuse);
    if (came != 304 && part->reason == STET_REASON_IF_MODIFIED_SINCE_NOT_MODIFIED)
        stet__story_add(story, &part->verdict, "It should, but need not, be a 304 (RFC 9110 13.1.3).");
    if (due == 200 && came == 206 && part->reason == STET_REASON_NO_PRECONDITION)
        stet__story_add(story, &part->verdict, "Nor has it a Range, to which alone 206 is an answer.");
}

/* What a server seems to have done: it let a date count beside tags, which it "MUST ignore" then; or it
 * compares a tag that has been through a filter with what it was before. */
static void guess(struct stet__story *story, struct stet__chapter *part, const struct stet_request *request,
                  const struct stet_representation *selected, unsigned came)
{
    if (part->right != STET__RIGHT_NO || !stet_fields_have(&request->fields, STET_FIELD_IF_NONE_MATCH))
        return;
    struct stet_coded_tag coded;
    stet_coded_tag_read(selected->etag, &coded);
    if (came == 200 && part->reason == STET_REASON_IF_NONE_MATCH_MATCHES &&
        coded.kind == STET_CODED_TAG_FOREIGN)
        stet__story_add(
            story, &part->verdict,
            "The server seems to add a suffix to its tag when it codes the content, and does not know it "
            "again.");
    enum stet_condition date = stet_if_modified_since(request, selected, INT64_MAX).condition;
    if ((came == 200 && date == STET_CONDITION_TRUE) || (came == 304 && date == STET_CONDITION_FALSE))
        stet__story_add(story, &part->verdict,
                        "The server seems to go by If-Modified-Since, which it must ignore beside "
                        "If-None-Match (RFC 9110 13.1.3).");
}

/* A change was made, if its conditions held. */
static bool is_after_change(const struct stet__recorded *exchange)
{
    unsigned status = exchange->response.head.status;
    return !stet_method_safe(exchange->request.head.method) && status >= 200 && status <= 299 &&
           (exchange->request.head.fields.present & CONDITIONS) != 0;
}

/* What cannot be judged: there is no response, or not one that preconditions have to do with. */
static bool set_aside(const struct stet__explain_input *input, struct stet__story *story,
                      struct stet__chapter *part)
{
    const struct stet__recorded *exchange = input->exchange;
    unsigned status = exchange->has_response ? exchange->response.head.status : 0;
    if (!exchange->has_response)
        stet__story_say(story, &part->verdict,
                        "What is due depends on the current validators: give a response that names them.");
    else if (!was_asked(status))
        stet__story_say(story, &part->verdict,
                        "The answer is %u whatever the conditions: they count only where it would be 2xx or "
                        "412 without them (RFC 9110 13.2.1).",
                        status);
    else if (is_after_change(exchange))
        stet__story_say(
            story, &part->verdict,
            "%u cannot be checked: it names the validators of what is there after the request, not of "
            "what was there before (RFC 9110 8.8).",
            status);
    else
        return false;
    if (!exchange->has_response)
        stet__story_say(story, &part->brief, "what is due cannot be told");
    else
        stet__story_say(story, &part->brief,
                        was_asked(status) ? "%u cannot be checked" : "%u, whatever the conditions", status);
    return true;
}

/* Nothing was asked, and the answer is of another kind. */
static bool is_beside_the_point(const struct stet__recorded *exchange)
{
    return exchange->has_response && !was_asked(exchange->response.head.status) &&
           (exchange->request.head.fields.present & CONDITIONS) == 0;
}

void stet__explain_origin(const struct stet__explain_input *input, struct stet__story *story)
{
    struct stet__recorded *exchange = input->exchange;
    if (!exchange->has_request || is_beside_the_point(exchange))
        return;
    struct stet__chapter *part =
        stet__story_part(story, "origin", "The origin server: what is due to this request?");
    if (!part || set_aside(input, story, part))
        return;
    struct stet_request request = exchange->request.head;
    const struct stet_response *response = &exchange->response.head;
    struct stet_representation selected = selected_of(input);
    struct stet__gatherer gatherer = stet__gatherer_of(story, part);
    gatherer.fields[0] = &request.fields;
    gatherer.fields[1] = &response->fields;
    request.trace = &gatherer.trace;
    int64_t now = stet_message_date(&response->fields, input->clock);
    unsigned due = due_to(&request, &selected, now, &part->reason);
    part->has_reason = true;
    if ((request.fields.present & CONDITIONS) == 0 && response->status == due) {
        part->right = STET__RIGHT_YES;
        stet__story_say(story, &part->verdict, "%u is right: the request has no condition.", due);
        stet__story_say(story, &part->brief, "%u is right", due);
    } else if (lacks_validators(&request, response, &selected)) {
        stet__story_say(
            story, &part->verdict,
            "%u cannot be checked: it does not name the validators that it was judged by%s.",
            response->status,
            response->status == 304 ? " (a 304 has the ETag that the 200 would have: RFC 9110 15.4.5)" : "");
        stet__story_say(story, &part->brief, "%u cannot be checked", response->status);
    } else if (due == 206 && response->status == 206 && !as_asked(&request, response)) {
        say_elsewhere(story, part);
    } else {
        compare(story, part, due, response->status);
        request.trace = NULL;
        guess(story, part, &request, &selected, response->status);
        if (due == 200 && varied(&request, selected.etag))
            stet__story_add(story, &part->verdict,
                            "The tags differ only in what a server adds when it codes the content.");
    }
}
