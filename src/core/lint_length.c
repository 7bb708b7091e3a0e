/* SPDX-License-Identifier: MIT */
/*
 * Where an answer ends, and whether what came is what was announced: RFC 9110 sections 8.6 and 9.3.2, RFC
 * 9112 section 6, RFC 9530.
 */
#include <stet/sf.h>

#include "core/lint.h"

static bool never_has_content(unsigned status)
{
    return status < 200 || status == 204;
}

static struct stet_lint_finding *octets(struct stet_lint_finding *finding, uint64_t n, const char *what)
{
    stet__lint_number(finding, n < INT64_MAX ? (int64_t)n : INT64_MAX);
    stet__lint_text(finding, what);
    return finding;
}

/* False if the field is there, but no length. */
static bool read_length(const struct stet__lint_look *look, uint64_t *out)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_CONTENT_LENGTH);
    if (!value.ptr)
        return false;
    if (stet_fields_count(look->fields, STET_FIELD_CONTENT_LENGTH) == 1 &&
        stet_span_to_u64(value, out) == STET_OK)
        return true;
    stet__lint_came(look->out, STET_LINT_CONTENT_LENGTH_MALFORMED, value);
    return false;
}

static void compare(const struct stet__lint_look *look, uint64_t announced)
{
    struct stet_span value = stet__lint_value(look->fields, STET_FIELD_CONTENT_LENGTH);
    if (!look->exchange->content_known || look->exchange->cut || look->request->method == STET_METHOD_HEAD ||
        look->response->status == 304 || stet_fields_have(look->fields, STET_FIELD_TRANSFER_ENCODING))
        return;
    if (look->exchange->content_length != announced)
        octets(stet__lint_came(look->out, STET_LINT_CONTENT_LENGTH_WRONG, value),
               look->exchange->content_length, " octets came");
    else if (look->answers)
        stet__lint_came(look->out, STET_LINT_CONTENT_LENGTH_RIGHT, value);
}

static void framing(const struct stet__lint_look *look)
{
    const struct stet_lint_exchange *exchange = look->exchange;
    struct stet_span coding = stet__lint_value(look->fields, STET_FIELD_TRANSFER_ENCODING);
    struct stet_span length = stet__lint_value(look->fields, STET_FIELD_CONTENT_LENGTH);
    if (coding.ptr && length.ptr)
        stet__lint_came(look->out, STET_LINT_LENGTH_BESIDE_CHUNKED, coding);
    if (coding.ptr && exchange->wire_known && exchange->minor == 0)
        stet__lint_came(look->out, STET_LINT_CHUNKED_IN_HTTP_1_0, coding);
    if (coding.ptr && never_has_content(look->response->status))
        stet__lint_came(look->out, STET_LINT_TRANSFER_ENCODING_WITHOUT_CONTENT, coding);
    if (length.ptr && never_has_content(look->response->status))
        stet__lint_came(look->out, STET_LINT_CONTENT_LENGTH_WITHOUT_CONTENT, length);
    if (!coding.ptr && !length.ptr && exchange->wire_known && look->answers &&
        look->request->method == STET_METHOD_GET)
        stet__lint_add(look->out, STET_LINT_LENGTH_UNKNOWN);
}

static void wire(const struct stet__lint_look *look)
{
    const struct stet_lint_exchange *exchange = look->exchange;
    uint64_t behind = exchange->wire_known ? exchange->octets_behind : 0;
    if (exchange->wire_known && exchange->cut)
        stet__lint_add(look->out, STET_LINT_CONTENT_CUT);
    if (look->request->method == STET_METHOD_HEAD) {
        uint64_t content = exchange->content_known ? exchange->content_length : 0;
        if (behind > 0 || content > 0)
            octets(stet__lint_add(look->out, STET_LINT_CONTENT_WITH_HEAD), behind > 0 ? behind : content,
                   " octets");
    } else if (behind > 0 && look->response->status != 304) {
        octets(stet__lint_add(look->out, STET_LINT_OCTETS_BEHIND), behind, " octets");
    }
}

/* Whether it is the SHA-256 of what came. In a 200 content and representation are the same octets. */
static bool is_digest(const struct stet__lint_look *look, const struct stet_sf_item *item)
{
    char text[2 * STET_LINT_DIGEST_BYTES];
    return item->type == STET_SF_BYTES && item->text.len <= sizeof text &&
           stet_sf_decode(item, text) == STET_LINT_DIGEST_BYTES &&
           memcmp(text, look->exchange->digest, STET_LINT_DIGEST_BYTES) == 0;
}

static void digest(const struct stet__lint_look *look, enum stet_field_id id)
{
    struct stet_sf sf;
    struct stet_sf_member member;
    const struct stet_lint_exchange *exchange = look->exchange;
    if (!stet_fields_have(look->fields, id) || !exchange->content_known || exchange->cut ||
        look->response->status != 200 || look->request->method != STET_METHOD_GET)
        return;
    stet_sf_begin(&sf, STET_SF_DICTIONARY, look->fields, id, STET_SPAN_NONE);
    while (stet_sf_next(&sf, &member) == STET_OK)
        if (stet_span_equal(member.key, STET_SPAN("sha-256")) && !is_digest(look, &member.item))
            stet__lint_octets(
                stet__lint_came(look->out, STET_LINT_DIGEST_WRONG, stet__lint_value(look->fields, id)),
                stet_field_name(id));
}

static void obsolete(const struct stet__lint_look *look)
{
    struct stet_span md5 = stet__lint_value(look->fields, STET_FIELD_CONTENT_MD5);
    struct stet_span old = stet__lint_named(look->fields, STET_SPAN("Digest"));
    if (md5.ptr)
        stet__lint_came(look->out, STET_LINT_CONTENT_MD5, md5);
    if (old.ptr)
        stet__lint_came(look->out, STET_LINT_DIGEST_OBSOLETE, old);
}

void stet__lint_length(const struct stet__lint_look *look)
{
    uint64_t announced;
    framing(look);
    if (!never_has_content(look->response->status) && read_length(look, &announced))
        compare(look, announced);
    wire(look);
    digest(look, STET_FIELD_CONTENT_DIGEST);
    digest(look, STET_FIELD_REPR_DIGEST);
    obsolete(look);
}
