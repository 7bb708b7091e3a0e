/* SPDX-License-Identifier: MIT */
/*
 * Content codings: RFC 9110 sections 8.4, 12.4.2 and 12.5.3.
 *
 * Accept-Encoding is read on every request of a resource that has codings, so the usual lines ("gzip,
 * deflate, br, zstd": tokens without a weight) cost a walk over their octets and a comparison per name.
 */
#include <stet/coding.h>

#include <stet/field.h>

static const struct stet_span names[] = {
#define X(symbol, name, made, rank, clause) {name, sizeof(name) - 1},
#include <stet/coding.def>
#undef X
    {NULL, 0},
};

_Static_assert(STET_CODING_COUNT <= 8, "a set of codings is one octet");

struct stet_span stet_coding_name(enum stet_coding coding)
{
    return names[coding < STET_CODING_COUNT ? coding : STET_CODING_UNKNOWN];
}

#define CASE_BIT 0x20

/*
 * Each request that has Accept-Encoding is read for a few names. Most that differ do so in length or in the
 * first letter; those that do not are mostly equal in case, too. `known` is not empty.
 */
static bool is(struct stet_span name, struct stet_span known)
{
    return name.len == known.len && ((name.ptr[0] ^ known.ptr[0]) & ~CASE_BIT) == 0 &&
           (stet_span_equal(name, known) || stet_span_equal_nocase(name, known));
}

enum stet_coding stet_coding_id(struct stet_span name)
{
    enum stet_coding coding = STET_CODING_IDENTITY;
    /* Section 8.4.1.3: "A recipient SHOULD consider "x-gzip" to be equivalent to "gzip"" */
    if (is(name, STET_SPAN("x-gzip")))
        return STET_CODING_GZIP;
    while (coding < STET_CODING_COUNT && !is(name, names[coding]))
        coding++;
    return coding;
}

enum stet_coding stet_coding_of(const struct stet_fields *fields)
{
    enum stet_coding coding = STET_CODING_IDENTITY;
    struct stet_list list;
    struct stet_span member;
    if (!stet_fields_have(fields, STET_FIELD_CONTENT_ENCODING))
        return coding;
    stet_list_begin(&list, fields, STET_FIELD_CONTENT_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK) {
        enum stet_coding next = stet_coding_id(member);
        if (next == STET_CODING_IDENTITY)
            continue;
        if (coding != STET_CODING_IDENTITY)
            return STET_CODING_UNKNOWN;
        coding = next;
    }
    return coding;
}

/* codings [ weight ]: the one parameter is a weight. False if the member is malformed. */
static bool read_member(struct stet_span member, struct stet_span *coding, unsigned *q)
{
    struct stet_span params, name, value;
    *q = 1000;
    if (stet_is_token(member)) {
        *coding = member;
        return true;
    }
    stet_member_split(member, coding, &params);
    int status = stet_param_next(&params, &name, &value);
    if (status == STET_END) /* nothing but semicolons */
        return stet_is_token(*coding);
    if (status != STET_OK || !stet_is_token(*coding))
        return false;
    return stet_span_equal_nocase(name, STET_SPAN("q")) && value.ptr &&
           stet_qvalue_parse(value, q) == STET_OK && stet_param_next(&params, &name, &value) == STET_END;
}

#define UNNAMED 0xffffu
#define IMPLIED 1u /* the least that is not 0 */

/* Beside the codings: what "*" says. */
struct reading {
    unsigned short q[STET_CODING_COUNT + 1];
    bool named;
};

#define ANY STET_CODING_COUNT

static void read_members(const struct stet_fields *fields, struct reading *out)
{
    struct stet_list list;
    struct stet_span member, name;
    unsigned q;
    stet_list_begin(&list, fields, STET_FIELD_ACCEPT_ENCODING);
    while (stet_list_next(&list, &member) == STET_OK) {
        if (!read_member(member, &name, &q))
            continue;
        out->named = true;
        bool any = stet_span_equal(name, STET_SPAN("*"));
        enum stet_coding coding = any ? ANY : stet_coding_id(name);
        if (coding == STET_CODING_UNKNOWN && !any)
            continue;
        if (q < out->q[coding])
            out->q[coding] = (unsigned short)q;
    }
}

void stet_accept_encoding_read(const struct stet_fields *fields, struct stet_accept_encoding *out)
{
    struct reading reading;
    for (size_t i = 0; i <= STET_CODING_COUNT; i++)
        reading.q[i] = UNNAMED;
    reading.named = false;
    *out = (struct stet_accept_encoding){.present = stet_fields_have(fields, STET_FIELD_ACCEPT_ENCODING)};
    if (out->present)
        read_members(fields, &reading);
    out->named = reading.named;
    for (size_t i = 0; i < STET_CODING_COUNT; i++) {
        unsigned q = reading.q[i];
        /* "The asterisk "*" symbol [...] matches any available content coding not explicitly listed" */
        if (q == UNNAMED)
            q = reading.q[ANY];
        /* "If the representation has no content coding, then it is acceptable by default" */
        if (q == UNNAMED)
            q = i == STET_CODING_IDENTITY ? IMPLIED : 0;
        out->q[i] = (unsigned short)q;
        if (q > 0)
            out->set |= (unsigned char)(1u << i);
    }
}

static size_t put(char *out, size_t len, struct stet_span text)
{
    if (len > 0) {
        memcpy(out + len, ", ", 2);
        len += 2;
    }
    memcpy(out + len, text.ptr, text.len);
    return len + text.len;
}

size_t stet_accept_encoding_write(unsigned set, char out[STET_ACCEPT_ENCODING_LEN])
{
    static const enum stet_coding order[] = {STET_CODING_BR, STET_CODING_ZSTD, STET_CODING_GZIP,
                                             STET_CODING_DEFLATE};
    size_t len = 0;
    for (size_t i = 0; i < sizeof order / sizeof *order; i++)
        if ((set & stet_coding_bit(order[i])) != 0)
            len = put(out, len, names[order[i]]);
    if ((set & stet_coding_bit(STET_CODING_IDENTITY)) == 0)
        return put(out, len, STET_SPAN("identity;q=0"));
    return len > 0 ? len : put(out, len, names[STET_CODING_IDENTITY]);
}

bool stet_accept_encoding_same(const struct stet_fields *a, const struct stet_fields *b)
{
    struct stet_accept_encoding x, y;
    stet_accept_encoding_read(a, &x);
    stet_accept_encoding_read(b, &y);
    return x.set == y.set;
}
