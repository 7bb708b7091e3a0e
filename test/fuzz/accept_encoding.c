/* SPDX-License-Identifier: MIT */
/*
 * Accept-Encoding: RFC 9110 sections 12.4.2 and 12.5.3.
 *
 * The input is lines of the field, LF between them, then an empty line and the lines of another request. What
 * must hold: each coding has the quality that a reading octet by octet finds; the normal form says the same
 * set; the two requests select the same if their sets are the same; and whatever is chosen among copies is
 * there.
 */
#include <stdlib.h>

#include <stet/coded.h>
#include <stet/vary.h>

#define INPUT_MAX 4096
#define LINES_MAX 64
#define ID STET_FIELD_ACCEPT_ENCODING

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_tchar(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("!#$%&'*+-.^_`|~", c));
}

static size_t token(struct stet_span s)
{
    size_t len = 0;
    while (len < s.len && is_tchar(s.ptr[len]))
        len++;
    return len;
}

static struct stet_span skip_ows(struct stet_span s)
{
    while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
        s = stet_span_skip(s, 1);
    return s;
}

/* A qvalue that is all of `s`: 0 to 1000, or -1. */
static int qvalue(struct stet_span s)
{
    int n = 0, place = 1000;
    if (s.len == 0 || s.len > 5 || (s.len > 1 && s.ptr[1] != '.'))
        return -1;
    for (size_t i = 0; i < s.len; i++) {
        if (i == 1)
            continue;
        if (s.ptr[i] < '0' || s.ptr[i] > '9')
            return -1;
        n += place * (s.ptr[i] - '0');
        place /= 10;
    }
    return n > 1000 ? -1 : n;
}

/* Parameters after the coding: at most one weight, between any number of empty ones. -1 for anything else. */
static int weight(struct stet_span rest)
{
    bool weighted = false;
    int q = 1000;
    while (rest.len > 0) {
        const char *semicolon = memchr(rest.ptr, ';', rest.len);
        size_t len = semicolon ? (size_t)(semicolon - rest.ptr) : rest.len;
        struct stet_span part = stet_span_trim(stet_span_of(rest.ptr, len));
        rest = stet_span_skip(rest, semicolon ? len + 1 : len);
        if (part.len == 0)
            continue;
        if (weighted || part.len < 3 || (part.ptr[0] | 0x20) != 'q' || part.ptr[1] != '=')
            return -1;
        q = qvalue(stet_span_skip(part, 2));
        if (q < 0)
            return -1;
        weighted = true;
    }
    return q;
}

/* Quality by coding and, at the end, by "*"; -1: not named. */
struct naive {
    int q[STET_CODING_COUNT + 1];
    bool named;
};

static void read_member(struct stet_span member, struct naive *out)
{
    size_t len = token(member);
    struct stet_span name = stet_span_of(member.ptr, len), rest = skip_ows(stet_span_skip(member, len));
    int q = 1000;
    if (len == 0 || (rest.len > 0 && rest.ptr[0] != ';'))
        return;
    if (rest.len > 0)
        q = weight(stet_span_skip(rest, 1));
    if (q < 0)
        return;
    out->named = true;
    for (size_t i = 0; i <= STET_CODING_COUNT; i++) {
        struct stet_span known =
            i == STET_CODING_COUNT ? STET_SPAN("*") : stet_coding_name((enum stet_coding)i);
        bool old = i == STET_CODING_GZIP && stet_span_equal_nocase(name, STET_SPAN("x-gzip"));
        if ((old || stet_span_equal_nocase(name, known)) && (out->q[i] < 0 || q < out->q[i]))
            out->q[i] = q;
    }
}

/* The length up to a comma that no quoted string holds. */
static size_t member_len(struct stet_span s)
{
    bool quoted = false;
    for (size_t i = 0; i < s.len; i++) {
        if (quoted && s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            quoted = !quoted;
        else if (!quoted && s.ptr[i] == ',')
            return i;
    }
    return s.len;
}

static void naive_read(const struct stet_fields *fields, struct naive *out)
{
    out->named = false;
    for (size_t i = 0; i <= STET_CODING_COUNT; i++)
        out->q[i] = -1;
    for (size_t i = 0; i < fields->count; i++) {
        struct stet_span rest = fields->at[i].value;
        while (rest.len > 0) {
            size_t len = member_len(rest);
            read_member(stet_span_trim(stet_span_of(rest.ptr, len)), out);
            rest = stet_span_skip(rest, len < rest.len ? len + 1 : len);
        }
    }
    for (size_t i = 0; i < STET_CODING_COUNT; i++) {
        if (out->q[i] < 0)
            out->q[i] = out->q[STET_CODING_COUNT];
        if (out->q[i] < 0)
            out->q[i] = i == STET_CODING_IDENTITY;
    }
}

/* Takes lines up to an empty one from the front of `*rest`. */
static struct stet_fields take_lines(struct stet_span *rest, struct stet_field *room)
{
    struct stet_fields fields = {.at = room};
    while (rest->len > 0) {
        const char *lf = memchr(rest->ptr, '\n', rest->len);
        size_t len = lf ? (size_t)(lf - rest->ptr) : rest->len;
        struct stet_span value = stet_span_trim(stet_span_of(rest->ptr, len));
        *rest = stet_span_skip(*rest, lf ? len + 1 : len);
        if (len == 0)
            break;
        if (fields.count == LINES_MAX)
            continue;
        room[fields.count++] = (struct stet_field){STET_SPAN("Accept-Encoding"), value, ID};
        fields.present = 1ull << ID;
    }
    return fields;
}

static void check_form(const struct stet_accept_encoding *accept)
{
    char text[STET_ACCEPT_ENCODING_LEN];
    struct stet_field line = {STET_SPAN("Accept-Encoding"), STET_SPAN(""), ID};
    struct stet_fields fields = {&line, 1, 1ull << ID};
    struct stet_accept_encoding again;
    size_t len = stet_accept_encoding_write(accept->set, text);
    require(len <= sizeof(text));
    line.value = stet_span_of(text, len);
    stet_accept_encoding_read(&fields, &again);
    require(again.set == accept->set);
}

static void check_choice(const struct stet_fields *fields, const struct stet_accept_encoding *accept)
{
    const struct stet_request request = {.method = STET_METHOD_GET, .fields = *fields};
    for (unsigned kept = 0; kept < 1u << STET_CODING_COUNT; kept++) {
        const struct stet_coded_offer offer = {
            .base = {STET_SPAN("x"), false}, .own = (enum stet_coding)(kept % 3), .kept = kept};
        struct stet_coded_choice choice;
        unsigned there = kept | 1u << offer.own;
        stet_coded_select(&request, &offer, &choice);
        require((there >> choice.coding & 1) != 0);
        bool acceptable = stet_accept_encoding_quality(accept, choice.coding) > 0;
        require(acceptable || there == 1u << offer.own || (there & accept->set) == 0);
    }
}

static void check(const struct stet_fields *fields, struct stet_accept_encoding *accept)
{
    struct naive naive;
    naive_read(fields, &naive);
    stet_accept_encoding_read(fields, accept);
    require(accept->present == (fields->count > 0) && accept->named == naive.named);
    for (size_t i = 0; i < STET_CODING_COUNT; i++) {
        require(accept->q[i] == naive.q[i]);
        require((accept->set >> i & 1) == (naive.q[i] > 0));
    }
    check_form(accept);
    check_choice(fields, accept);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct stet_field a_lines[LINES_MAX], b_lines[LINES_MAX];
    struct stet_accept_encoding x, y;
    struct stet_span rest = stet_span_of((const char *)data, size);
    if (size > INPUT_MAX)
        return 0;
    struct stet_fields a = take_lines(&rest, a_lines), b = take_lines(&rest, b_lines);
    check(&a, &x);
    check(&b, &y);
    require(stet_accept_encoding_same(&a, &b) == (x.set == y.set));
    require(stet_vary_same(STET_SPAN("Accept-Encoding"), &a, &b) == (x.set == y.set));
    return 0;
}
