/* SPDX-License-Identifier: MIT */
/*
 * Names that responses have in common, so that they can be invalidated together: RFC 9875 sections 2 and 3,
 * and the fields that caches had before it (Surrogate-Key and xkey of Fastly and Varnish, Cache-Tag of
 * Cloudflare and Akamai), which no standard describes.
 *
 * Names compare octet by octet (section 2.1), so nothing is done to them but unescaping.
 */
#include <stet/invalidation.h>

static bool all_strings(struct stet_sf sf)
{
    struct stet_sf_member member;
    int status;
    while ((status = stet_sf_next(&sf, &member)) == STET_OK)
        if (member.item.type != STET_SF_STRING)
            return false;
    return status == STET_END;
}

static bool is_structured(enum stet_group_source source)
{
    return source == STET_GROUPS || source == STET_GROUPS_INVALIDATED;
}

void stet_group_list_begin(struct stet_group_list *list, const struct stet_fields *fields,
                           enum stet_group_source source)
{
    enum stet_field_id id =
        source == STET_GROUPS ? STET_FIELD_CACHE_GROUPS : STET_FIELD_CACHE_GROUP_INVALIDATION;
    *list = (struct stet_group_list){.source = source, .fields = fields, .left = STET_GROUPS_MAX};
    if (!is_structured(source))
        return;
    if (stet_fields_have(fields, id))
        stet_sf_begin(&list->sf, STET_SF_LIST, fields, id, STET_SPAN_NONE);
    if (!stet_fields_have(fields, id) || !all_strings(list->sf))
        list->left = 0;
}

/* Copies a group without its escapes; false if it is too long. */
static bool copy(struct stet_span text, bool escaped, char *room, struct stet_span *group)
{
    size_t len = 0;
    for (size_t i = 0; i < text.len; i++) {
        if (len == STET_GROUP_OCTETS_MAX)
            return false;
        if (escaped && text.ptr[i] == '\\')
            i++;
        room[len++] = text.ptr[i];
    }
    *group = stet_span_of(room, len);
    return true;
}

static bool is_of(const struct stet_group_list *list, const struct stet_field *field)
{
    if (list->source == STET_GROUPS_CACHE_TAG)
        return field->id == STET_FIELD_CACHE_TAG;
    return field->id == STET_FIELD_SURROGATE_KEY ||
           (field->id == STET_FIELD_OTHER && stet_span_equal_nocase(field->name, STET_SPAN("xkey")));
}

static bool separates(const struct stet_group_list *list, char c)
{
    return list->source == STET_GROUPS_CACHE_TAG ? c == ',' : stet_is_ows(c);
}

/* The next word, perhaps empty, of the words that lines hold; false at the end. */
static bool next_word(struct stet_group_list *list, struct stet_span *word)
{
    while (list->rest.len == 0) {
        if (list->line == list->fields->count)
            return false;
        const struct stet_field *field = &list->fields->at[list->line++];
        if (is_of(list, field))
            list->rest = field->value;
    }
    size_t len = 0;
    while (len < list->rest.len && !separates(list, list->rest.ptr[len]))
        len++;
    *word = stet_span_trim(stet_span_of(list->rest.ptr, len));
    list->rest = stet_span_skip(list->rest, len < list->rest.len ? len + 1 : len);
    return true;
}

int stet_group_list_next(struct stet_group_list *list, char *room, struct stet_span *group)
{
    struct stet_sf_member member;
    struct stet_span word;
    bool structured = is_structured(list->source);
    while (list->left > 0) {
        if (structured ? stet_sf_next(&list->sf, &member) != STET_OK : !next_word(list, &word))
            break;
        if (structured)
            word = member.item.text;
        else if (word.len == 0)
            continue;
        list->left--;
        if (copy(word, structured, room, group))
            return STET_OK;
    }
    list->left = 0;
    return STET_END;
}
