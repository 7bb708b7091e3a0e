/* SPDX-License-Identifier: MIT */
/*
 * Slips of the pen that decide: tags without quotes, dates in another form. To every rule they are as if they
 * were not there, which is told nowhere else.
 */
#include "explain/explain.h"

#include <stet/date.h>

static const char *tag_form(void)
{
    return "an entity tag is \"...\" or W/\"...\", with its quotes (RFC 9110 8.8.3)";
}

static void look_at_tag(const struct stet_fields *fields, struct stet__story *story)
{
    struct stet_etag tag;
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_ETAG, 0);
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++)
        count += fields->at[i].id == STET_FIELD_ETAG;
    if (count > 1)
        stet__story_note(
            story, "ETag is there %zu times, so none of them counts: there is one at most (RFC 9110 8.8.3).",
            count);
    else if (field && stet_etag_parse(field->value, &tag) != STET_OK)
        stet__story_note(story, "ETag: %.*s is no entity tag and counts for nothing: %s.",
                         (int)field->value.len, field->value.ptr, tag_form());
}

static void look_at_date(const struct stet_fields *fields, struct stet__story *story)
{
    int64_t date;
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_LAST_MODIFIED, 0);
    if (field && stet_date_parse(field->value, 0, &date) != STET_OK)
        stet__story_note(
            story,
            "Last-Modified: %.*s is no date and counts for nothing: such is Sat, 21 Nov 2026 09:30:00 GMT "
            "(RFC 9110 5.6.7).",
            (int)field->value.len, field->value.ptr);
}

static void look_at_list(const struct stet_fields *fields, enum stet_field_id id, struct stet__story *story)
{
    struct stet_etag_list list;
    struct stet_etag tag;
    const struct stet_field *field = stet_fields_find(fields, id, 0);
    if (field && stet_etag_list_begin(&list, fields, id) == STET_ETAG_LIST_TAGS &&
        stet_etag_list_next(&list, &tag) != STET_OK)
        stet__story_note(story, "%.*s: %.*s has no entity tag in it: %s.", (int)field->name.len,
                         field->name.ptr, (int)field->value.len, field->value.ptr, tag_form());
}

void stet__explain_slips(const struct stet__recorded *recorded, struct stet__story *story)
{
    if (recorded->has_request) {
        look_at_list(&recorded->request.head.fields, STET_FIELD_IF_NONE_MATCH, story);
        look_at_list(&recorded->request.head.fields, STET_FIELD_IF_MATCH, story);
    }
    if (recorded->has_response) {
        look_at_tag(&recorded->response.head.fields, story);
        look_at_date(&recorded->response.head.fields, story);
    }
}
