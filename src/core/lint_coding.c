/* SPDX-License-Identifier: MIT */
/*
 * Content codings of an answer: RFC 9110 sections 8.4 and 12.5.3, RFC 9842 section 6.
 */
#include <stet/coding.h>
#include <stet/field.h>
#include <stet/vary.h>

#include "core/lint.h"

static struct stet_lint_finding *add(const struct stet__lint_look *look, enum stet_lint lint)
{
    return stet__lint_came(look->out, lint, stet__lint_value(look->fields, STET_FIELD_CONTENT_ENCODING));
}

static bool is_dictionary(struct stet_span member)
{
    return stet_span_equal_nocase(member, STET_SPAN("dcb")) ||
           stet_span_equal_nocase(member, STET_SPAN("dcz"));
}

/* Whether the octets depend on a dictionary. */
static bool read_members(const struct stet__lint_look *look)
{
    struct stet_list list;
    struct stet_span member;
    bool dictionary = false;
    stet_list_begin(&list, look->fields, STET_FIELD_CONTENT_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK) {
        enum stet_coding coding = stet_coding_id(member);
        dictionary = dictionary || is_dictionary(member);
        if (!stet_is_token(member))
            add(look, STET_LINT_CONTENT_ENCODING_MALFORMED);
        else if (coding == STET_CODING_IDENTITY)
            add(look, STET_LINT_CONTENT_ENCODING_IDENTITY);
        else if (coding == STET_CODING_UNKNOWN && !is_dictionary(member))
            stet__lint_octets(add(look, STET_LINT_CONTENT_ENCODING_UNKNOWN), member);
    }
    return dictionary;
}

static void variants(const struct stet__lint_look *look, bool dictionary)
{
    bool any = stet_vary_any(look->fields);
    bool coding = any || stet_vary_names(look->fields, STET_SPAN("Accept-Encoding"));
    bool available = any || stet_vary_names(look->fields, STET_SPAN("Available-Dictionary"));
    if (!look->by_own.storable)
        return;
    if (dictionary && !(coding && available))
        add(look, STET_LINT_DICTIONARY_WITHOUT_VARY);
    else if (!coding)
        add(look, STET_LINT_CODED_WITHOUT_VARY);
    else if (!any)
        stet__lint_came(look->out, STET_LINT_VARY_FITS, stet__lint_value(look->fields, STET_FIELD_VARY));
}

/* Section 12.5.3 allows any coding to a request without the field, so nothing is said of that. */
static void accepted(const struct stet__lint_look *look, enum stet_coding coding)
{
    struct stet_accept_encoding accept;
    stet_accept_encoding_read(&look->request->fields, &accept);
    if (!accept.present || coding == STET_CODING_UNKNOWN || stet_accept_encoding_quality(&accept, coding) > 0)
        return;
    struct stet_lint_finding *finding = add(look, STET_LINT_CODING_UNASKED);
    if (finding)
        finding->sent = stet__lint_value(&look->request->fields, STET_FIELD_ACCEPT_ENCODING);
}

static void size(const struct stet__lint_look *look)
{
    uint64_t coded = look->exchange->content_length, plain = look->exchange->identity_length;
    if (!look->exchange->identity_known || plain == 0)
        return;
    bool larger = coded > plain;
    struct stet_lint_finding *finding = add(look, larger ? STET_LINT_LARGER_CODED : STET_LINT_SMALLER_CODED);
    stet__lint_number(finding, (int64_t)coded);
    stet__lint_text(finding, " octets of ");
    stet__lint_number(finding, (int64_t)plain);
}

/* Only what was kept can have been tried to decode, and only these have one form. */
static bool decodable(const struct stet__lint_look *look, enum stet_coding coding)
{
    return look->exchange->content.ptr && !look->exchange->cut &&
           (coding == STET_CODING_GZIP || coding == STET_CODING_BR || coding == STET_CODING_ZSTD);
}

void stet__lint_coding(const struct stet__lint_look *look)
{
    unsigned status = look->response->status;
    enum stet_coding coding = stet_coding_of(look->fields);
    if (!stet_fields_have(look->fields, STET_FIELD_CONTENT_ENCODING) || status < 200 || status == 304)
        return;
    bool dictionary = read_members(look);
    if (coding == STET_CODING_IDENTITY)
        return;
    if (look->answers)
        variants(look, dictionary);
    accepted(look, coding);
    if (!look->exchange->content_known || look->request->method != STET_METHOD_GET || status == 206)
        return;
    if (!look->exchange->identity_known && decodable(look, coding))
        add(look, STET_LINT_CODED_BROKEN);
    else
        size(look);
}
