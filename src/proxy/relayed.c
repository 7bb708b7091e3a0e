/* SPDX-License-Identifier: MIT */
/*
 * relayed: the codings of an answer that is passed on and not kept.
 *
 * - A 304 names what the origin was asked with. Where that was a tag of ours without what we append (ask.c),
 *   the client gets the tag that it presented: RFC 9111 section 4.3.4.
 * - Content in a coding that the client does not accept is decoded while it passes: there are origins that
 *   ignore Accept-Encoding.
 * - Content without a coding is coded with --coding-passing all only. It may be made for one client, of what
 *   others send it and of secrets, and then its length tells something about these (BREACH).
 */
#include "proxy/coded.h"
#include "proxy/fetch.h"

static struct stet_etag tag_of(const struct stet_fields *fields)
{
    const struct stet_field *field = stet_fields_find(fields, STET_FIELD_ETAG, 0);
    struct stet_etag tag = STET_NO_ETAG;
    if (field)
        (void)stet_etag_parse(stet_span_trim(field->value), &tag);
    return tag;
}

/* The tag of If-None-Match that stands for `tag`, which itself is not there; NO_ETAG if none does. */
static struct stet_etag presented(const struct stet_request *request, struct stet_etag tag)
{
    struct stet_etag_list list;
    struct stet_etag member, found = STET_NO_ETAG;
    enum stet_coding coding;
    if (!stet_etag_present(tag) ||
        stet_etag_list_begin(&list, &request->fields, STET_FIELD_IF_NONE_MATCH) != STET_ETAG_LIST_TAGS)
        return found;
    while (stet_etag_list_next(&list, &member) == STET_OK) {
        if (stet_etag_weak_equal(member, tag))
            return STET_NO_ETAG;
        if (!stet_etag_present(found) &&
            stet_coded_tag_compare(member, tag, STET_CODING_IDENTITY, &coding) == STET_CODED_EQUIVALENT)
            found = member;
    }
    return found;
}

/* A tag of a coded copy tells that there are codings, and so has Vary. */
static bool rename_tag(struct stet__fetch *fetch, struct stet_etag tag, struct stet_fields *fields)
{
    struct stet__arena *arena = fetch->visit->exchange->arena;
    struct stet__lines lines;
    stet__lines_begin(&lines, arena, fields->count);
    for (size_t i = 0; i < fields->count; i++)
        if (fields->at[i].id == STET_FIELD_ETAG)
            stet__lines_put(&lines, STET_FIELD_ETAG, stet__tag_text(tag));
        else
            stet__lines_add(&lines, &fields->at[i]);
    *fields = lines.fields;
    struct stet__codable codable = {.codings = fetch->worker->configuration->coding.made};
    return !lines.failed && stet__coded_add_vary(arena, &codable, fields);
}

/* What it may be made into on its way. */
static unsigned passing_of(const struct stet__fetch *fetch, const struct stet__codable *codable)
{
    if (codable->own == STET_CODING_IDENTITY && !stet__coded_may_pass(fetch->worker, false))
        return 0;
    return stet__recode_affords(fetch->worker, codable->own, codable->codings);
}

static bool reads(enum stet_method method)
{
    return method == STET_METHOD_GET || method == STET_METHOD_HEAD;
}

static bool code(struct stet__fetch *fetch, struct stet__coded_relay *out)
{
    struct stet__exchange *exchange = fetch->visit->exchange;
    const struct stet__proxy_configuration *configuration = fetch->worker->configuration;
    bool known = fetch->framing == STET_BODY_LENGTH;
    struct stet__codable codable = stet__coded_judge(
        configuration, &fetch->response, known ? fetch->content_length : STET__BODY_LENGTH_UNKNOWN);
    unsigned own = stet_coding_bit(codable.own);
    struct stet_coded_offer offer = {.base = STET_NO_ETAG,
                                     .own = codable.own,
                                     .kept = own,
                                     .passing = passing_of(fetch, &codable),
                                     .possible = codable.codings,
                                     .rank = stet__recode_rank};
    struct stet__serving serving = {.exchange = exchange,
                                    .trace = fetch->visit->trace,
                                    .request = &fetch->request.head,
                                    .codable = codable,
                                    .coded = true};
    if (codable.codings == 0 || (offer.passing == 0 && codable.own == STET_CODING_IDENTITY))
        return true;
    stet_coded_select(serving.request, &offer, &serving.choice);
    /* For who needs it decoded there is no memory now. */
    if (offer.passing == 0 && reads(fetch->request.head.method) &&
        serving.choice.reason == STET_REASON_CODING_NOT_ACCEPTABLE)
        return false;
    out->coding = serving.choice.coding;
    out->decode = out->coding == STET_CODING_IDENTITY;
    if (out->decode)
        out->coding = codable.own;
    out->coded = serving.passing = serving.choice.coding != codable.own;
    stet__trace_coding(&serving);
    if (!out->coded)
        return stet__coded_add_vary(exchange->arena, &codable, &out->fields);
    struct stet_fields base = out->fields;
    /* After PUT and its like ETag is of what the target is now, not of the octets here: RFC 9110 section 8.8.
     */
    struct stet_etag etag = tag_of(&base);
    struct stet_span tag = stet_etag_present(etag) ? stet__tag_text(etag) : STET_SPAN_NONE;
    if (reads(fetch->request.head.method))
        tag = stet__coded_passing_tag(exchange->arena, etag, serving.choice.coding);
    return stet__coded_fields(&serving, &base, tag, &out->fields);
}

bool stet__coded_relay(struct stet__fetch *fetch, struct stet__coded_relay *out)
{
    *out = (struct stet__coded_relay){.fields = fetch->forwarded};
    if (fetch->response.status != 304)
        return code(fetch, out);
    struct stet_etag tag = presented(&fetch->request.head, tag_of(&out->fields));
    return !stet_etag_present(tag) || rename_tag(fetch, tag, &out->fields);
}
