/* SPDX-License-Identifier: MIT */
/*
 * A 304 by itself: RFC 9110 sections 8.6, 13.1.2, 13.1.3 and 15.4.5. What it should have of the 200 can only
 * be told beside one: lint_probe.c.
 */
#include "core/lint.h"

struct confirmation {
    const struct stet__lint_look *look;
    bool wrong; /* a warning or an error was found */
};

static struct stet_lint_finding *wrong(struct confirmation *c, enum stet_lint lint, struct stet_span came)
{
    c->wrong = true;
    return stet__lint_came(c->look->out, lint, came);
}

static void asked(struct confirmation *c)
{
    const struct stet_fields *request = &c->look->request->fields;
    if (!c->look->reads)
        wrong(c, STET_LINT_NOT_MODIFIED_METHOD, STET_SPAN_NONE);
    else if (!stet_fields_have(request, STET_FIELD_IF_NONE_MATCH) &&
             !stet_fields_have(request, STET_FIELD_IF_MODIFIED_SINCE))
        wrong(c, STET_LINT_NOT_MODIFIED_UNASKED, STET_SPAN_NONE);
}

static void content(struct confirmation *c)
{
    const struct stet_lint_exchange *exchange = c->look->exchange;
    uint64_t octets = exchange->wire_known ? exchange->octets_behind : 0;
    if (octets == 0 && exchange->content_known)
        octets = exchange->content_length;
    if (octets == 0 || octets > INT64_MAX || !c->look->reads)
        return;
    struct stet_lint_finding *finding = wrong(c, STET_LINT_NOT_MODIFIED_CONTENT, STET_SPAN_NONE);
    stet__lint_number(finding, (int64_t)octets);
    stet__lint_text(finding, " octets");
}

static void metadata(struct confirmation *c)
{
    static const enum stet_field_id mislabel[] = {STET_FIELD_CONTENT_ENCODING, STET_FIELD_CONTENT_RANGE};
    static const enum stet_field_id superfluous[] = {STET_FIELD_CONTENT_TYPE, STET_FIELD_CONTENT_LANGUAGE};
    const struct stet_fields *fields = c->look->fields;
    struct stet_span length = stet__lint_value(fields, STET_FIELD_CONTENT_LENGTH);
    struct stet_span coding = stet__lint_value(fields, STET_FIELD_TRANSFER_ENCODING);
    uint64_t octets;
    for (size_t i = 0; i < sizeof mislabel / sizeof *mislabel; i++)
        if (stet_fields_have(fields, mislabel[i]))
            stet__lint_octets(wrong(c, STET_LINT_NOT_MODIFIED_CODING, stet__lint_value(fields, mislabel[i])),
                              stet_field_name(mislabel[i]));
    for (size_t i = 0; i < sizeof superfluous / sizeof *superfluous; i++)
        if (stet_fields_have(fields, superfluous[i]))
            stet__lint_octets(stet__lint_came(c->look->out, STET_LINT_NOT_MODIFIED_METADATA,
                                              stet__lint_value(fields, superfluous[i])),
                              stet_field_name(superfluous[i]));
    if (length.ptr && stet_span_to_u64(length, &octets) == STET_OK && octets == 0)
        wrong(c, STET_LINT_NOT_MODIFIED_LENGTH_ZERO, length);
    if (coding.ptr)
        stet__lint_came(c->look->out, STET_LINT_NOT_MODIFIED_TRANSFER_ENCODING, coding);
    if (!stet_fields_have(fields, STET_FIELD_DATE))
        wrong(c, STET_LINT_NOT_MODIFIED_WITHOUT_DATE, STET_SPAN_NONE);
}

/* Whether `tag` is one of those that were asked about, by weak comparison. */
static bool is_asked(const struct stet_fields *request, struct stet_etag tag)
{
    struct stet_etag_list list;
    struct stet_etag other;
    (void)stet_etag_list_begin(&list, request, STET_FIELD_IF_NONE_MATCH);
    while (stet_etag_list_next(&list, &other) == STET_OK)
        if (stet_etag_weak_equal(tag, other))
            return true;
    return false;
}

static void by_tag(struct confirmation *c)
{
    const struct stet_fields *request = &c->look->request->fields;
    struct stet_span value = stet__lint_value(c->look->fields, STET_FIELD_ETAG);
    struct stet_etag_list list;
    struct stet_lint_finding *finding = NULL;
    if (stet_etag_list_begin(&list, request, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS)
        return;
    if (!value.ptr)
        finding = wrong(c, STET_LINT_NOT_MODIFIED_WITHOUT_ETAG, value);
    else if (stet_etag_present(c->look->own.selected.etag) && !is_asked(request, c->look->own.selected.etag))
        finding = wrong(c, STET_LINT_NOT_MODIFIED_OTHER_ETAG, value);
    if (finding)
        finding->sent = stet__lint_value(request, STET_FIELD_IF_NONE_MATCH);
}

/* A date counts only without tags: section 13.1.3. */
static void by_date(struct confirmation *c)
{
    struct stet_span since = stet__lint_value(&c->look->request->fields, STET_FIELD_IF_MODIFIED_SINCE);
    int64_t modified = c->look->own.selected.last_modified, date;
    if (stet_fields_have(&c->look->request->fields, STET_FIELD_IF_NONE_MATCH) || !since.ptr ||
        modified == STET_NO_DATE || stet_date_parse(since, c->look->now, &date) != STET_OK ||
        modified <= date)
        return;
    struct stet_lint_finding *finding = wrong(c, STET_LINT_NOT_MODIFIED_BUT_MODIFIED,
                                              stet__lint_value(c->look->fields, STET_FIELD_LAST_MODIFIED));
    if (finding)
        finding->sent = since;
    stet__lint_text(finding, "later by ");
    stet__lint_seconds(finding, modified - date);
}

void stet__lint_not_modified(const struct stet__lint_look *look)
{
    struct confirmation c = {.look = look};
    if (look->response->status != 304)
        return;
    asked(&c);
    content(&c);
    metadata(&c);
    if (look->reads) {
        by_tag(&c);
        by_date(&c);
    }
    if (!c.wrong)
        stet__lint_came(look->out, STET_LINT_NOT_MODIFIED_RIGHT,
                        stet__lint_value(look->fields, STET_FIELD_ETAG));
}
