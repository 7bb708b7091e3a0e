/* SPDX-License-Identifier: MIT */
/*
 * Subjects of coding.h, coded_tag.h and coded.h: who accepts what, whose tag is that, which copy answers.
 *
 * What there is of a representation stands behind the subject's name: `base="x" own=gzip kept=br,gzip
 * passing=zstd no-transform`. The base has 1000 octets and was modified at 1700000000, with a strong date; a
 * kept copy has 100 octets and the fingerprint 5f3a9c02, a passing one an unknown length and the nonce
 * 0123456789abcdef.
 */
#include "markdown.h"
#include "spec.h"

#define FINGERPRINT 0x5f3a9c02u
#define NONCE 0x0123456789abcdefu
#define TAG_ROOM 512

static struct stet_span coding_name(enum stet_coding coding)
{
    return coding == STET_CODING_UNKNOWN ? STET_SPAN("unknown") : stet_coding_name(coding);
}

static void put(struct spec_run *run, struct stet_span text)
{
    markdown_encode(text, run->out);
}

static void put_tag(struct spec_run *run, struct stet_etag tag)
{
    fputs(tag.weak ? "W/\"" : "\"", run->out);
    put(run, tag.opaque);
    putc('"', run->out);
}

/* "given gzip=1000 identity=1", and the normal form. */
static void run_accepts(struct spec_run *run)
{
    struct stet_request request;
    struct stet_accept_encoding accept;
    char normal[STET_ACCEPT_ENCODING_LEN];
    if (!spec_fields(run, &request))
        return;
    stet_accept_encoding_read(&request.fields, &accept);
    fputs(!accept.present ? "absent" : accept.named ? "given" : "empty", run->out);
    for (enum stet_coding coding = 0; coding < STET_CODING_COUNT; coding++) {
        unsigned q = stet_accept_encoding_quality(&accept, coding);
        struct stet_span name = stet_coding_name(coding);
        if (q > 0)
            fprintf(run->out, " %.*s=%u", (int)name.len, name.ptr, q);
    }
    size_t len = stet_accept_encoding_write(accept.set, normal);
    fprintf(run->out, "\n%.*s\n", (int)len, normal);
}

static void run_content_coding(struct spec_run *run)
{
    struct stet_request response;
    if (!spec_fields(run, &response))
        return;
    put(run, coding_name(stet_coding_of(&response.fields)));
    putc('\n', run->out);
}

/* Takes a tag apart, and if it is ours puts it together again. */
static void run_coded_tag(struct spec_run *run)
{
    static const char *const kinds[] = {[STET_CODED_TAG_NONE] = "none",
                                        [STET_CODED_TAG_KEPT] = "kept",
                                        [STET_CODED_TAG_PASSING] = "passing",
                                        [STET_CODED_TAG_FOREIGN] = "foreign"};
    struct stet_etag tag;
    struct stet_coded_tag read;
    char text[TAG_ROOM];
    run->bad = stet_etag_parse(run->input, &tag) != STET_OK;
    if (run->bad)
        return;
    stet_coded_tag_read(tag, &read);
    fprintf(run->out, "%s ", kinds[read.kind]);
    put_tag(run, read.base);
    if (read.kind != STET_CODED_TAG_NONE) {
        putc(' ', run->out);
        put(run, coding_name(read.coding));
    }
    if (read.kind == STET_CODED_TAG_KEPT || read.kind == STET_CODED_TAG_PASSING) {
        size_t len = stet_coded_tag_write(&read, text, sizeof(text));
        fprintf(run->out, " %llx", (unsigned long long)read.mark);
        if (!stet_span_equal(stet_span_of(text, len), run->input))
            fputs(", written otherwise", run->out);
    }
    putc('\n', run->out);
}

static bool two_tags(struct spec_run *run, struct stet_span *rest, struct stet_etag *a, struct stet_etag *b)
{
    run->bad = stet_etag_parse(markdown_word(rest), a) != STET_OK ||
               stet_etag_parse(markdown_word(rest), b) != STET_OK;
    return !run->bad;
}

/* "TAG BASE OWN": what the tag is of the base. */
static void run_coded_compare(struct spec_run *run)
{
    static const char *const words[] = {
        [STET_CODED_UNLIKE] = "unlike", [STET_CODED_EQUIVALENT] = "equivalent", [STET_CODED_SAME] = "same"};
    struct stet_span rest = run->input;
    struct stet_etag tag, base;
    enum stet_coding coding = STET_CODING_UNKNOWN;
    if (!two_tags(run, &rest, &tag, &base))
        return;
    enum stet_coded_likeness likeness = stet_coded_tag_compare(tag, base, stet_coding_id(rest), &coding);
    fputs(words[likeness], run->out);
    if (likeness != STET_CODED_UNLIKE) {
        putc(' ', run->out);
        put(run, coding_name(coding));
    }
    putc('\n', run->out);
}

static void run_variation(struct spec_run *run)
{
    struct stet_span rest = run->input;
    struct stet_etag then, now;
    if (two_tags(run, &rest, &then, &now))
        fprintf(run->out, "%s\n", stet_coded_tag_variation(then, now) ? "yes" : "no");
}

/* What the origin is asked with: the list of the field that the detail names, and whether Range goes on. */
static void run_origin_tags(struct spec_run *run)
{
    struct stet_request request;
    char text[2048];
    size_t len = 0;
    if (!spec_fields(run, &request))
        return;
    switch (stet_origin_tags_write(&request.fields, stet_field_id(run->detail), text, sizeof(text), &len)) {
    case STET_ORIGIN_TAGS_AS_THEY_ARE:
        fputs("as they are", run->out);
        break;
    case STET_ORIGIN_TAGS_REWRITTEN:
        put(run, stet_span_of(text, len));
        break;
    case STET_ORIGIN_TAGS_NO_ROOM:
        fputs("no room", run->out);
        break;
    }
    fputs(stet_origin_range_ours(&request.fields) ? ", no range\n" : "\n", run->out);
}

static unsigned read_set(struct spec_run *run, struct stet_span names)
{
    unsigned set = 0;
    while (names.len > 0) {
        const char *comma = memchr(names.ptr, ',', names.len);
        size_t len = comma ? (size_t)(comma - names.ptr) : names.len;
        enum stet_coding coding = stet_coding_id(stet_span_of(names.ptr, len));
        run->bad |= coding == STET_CODING_UNKNOWN;
        set |= stet_coding_bit(coding);
        names = stet_span_skip(names, comma ? len + 1 : len);
    }
    return set;
}

/* A response that has variants in more than codings. */
static const struct stet_field vary_line = {
    {"Vary", 4}, {"accept-encoding, Accept-Language", 32}, STET_FIELD_VARY};
static const struct stet_fields varied = {&vary_line, 1, UINT64_C(1) << STET_FIELD_VARY};

static bool read_offer(struct spec_run *run, struct stet_coded_offer *out)
{
    struct stet_span rest = run->detail;
    *out = (struct stet_coded_offer){.base = STET_NO_ETAG};
    while (rest.len > 0 && !run->bad) {
        struct stet_span word = markdown_word(&rest);
        if (stet_span_starts(word, STET_SPAN("base=")))
            run->bad = stet_etag_parse(stet_span_skip(word, 5), &out->base) != STET_OK;
        else if (stet_span_starts(word, STET_SPAN("own=")))
            out->own = stet_coding_id(stet_span_skip(word, 4));
        else if (stet_span_starts(word, STET_SPAN("kept=")))
            out->kept = read_set(run, stet_span_skip(word, 5));
        else if (stet_span_starts(word, STET_SPAN("passing=")))
            out->passing = read_set(run, stet_span_skip(word, 8));
        else if (stet_span_starts(word, STET_SPAN("possible=")))
            out->possible = read_set(run, stet_span_skip(word, 9));
        else if (stet_span_equal(word, STET_SPAN("varies")))
            out->response = &varied;
        else if (stet_span_equal(word, STET_SPAN("no-transform")))
            out->no_transform = true;
        else
            run->bad = true;
    }
    return !run->bad;
}

static const char *reason_name(enum stet_reason reason)
{
    return stet_reason_row(reason)->name;
}

/* Which one is chosen, why, and under which tag the client holds it. */
static void run_coded(struct spec_run *run)
{
    struct stet_request request;
    struct stet_coded_offer offer;
    struct stet_coded_choice choice;
    if (!spec_fields(run, &request) || !read_offer(run, &offer))
        return;
    stet_coded_select(&request, &offer, &choice);
    put(run, coding_name(choice.coding));
    fprintf(run->out, " %s", reason_name(choice.reason));
    if (stet_etag_present(choice.held)) {
        putc(' ', run->out);
        put_tag(run, choice.held);
    }
    putc('\n', run->out);
}

/* The chosen representation, as a role would have it. `text` holds its tag. */
static struct stet_representation represent(const struct stet_coded_offer *offer,
                                            const struct stet_coded_choice *choice, char *text)
{
    const struct stet_representation base = {.exists = true,
                                             .last_modified_strong = true,
                                             .etag = offer->base,
                                             .last_modified = 1700000000,
                                             .length = 1000};
    bool kept = (offer->kept & stet_coding_bit(choice->coding)) != 0;
    bool passing = (offer->passing & stet_coding_bit(choice->coding)) != 0;
    if (choice->coding == offer->own || !(kept || passing))
        return stet_coded_selected(&base, choice, offer->base, base.length);
    struct stet_coded_tag tag = {.base = offer->base,
                                 .kind = kept ? STET_CODED_TAG_KEPT : STET_CODED_TAG_PASSING,
                                 .coding = choice->coding,
                                 .mark = kept ? FINGERPRINT : NONCE};
    struct stet_etag etag = STET_NO_ETAG;
    (void)stet_etag_parse(stet_span_of(text, stet_coded_tag_write(&tag, text, TAG_ROOM)), &etag);
    return stet_coded_selected(&base, choice, etag, kept ? 100 : UINT64_MAX);
}

/* The answer, why, and the ETag that it has. */
static void run_coded_answer(struct spec_run *run)
{
    struct stet_request request;
    struct stet_coded_offer offer;
    struct stet_coded_choice choice;
    struct stet_answer answer;
    char text[TAG_ROOM];
    if (!spec_fields(run, &request) || !read_offer(run, &offer))
        return;
    stet_coded_select(&request, &offer, &choice);
    struct stet_representation selected = represent(&offer, &choice, text);
    stet_answer_decide(&request, &selected, run->setting->now, &answer);
    bool held = answer.reason == STET_REASON_IF_NONE_MATCH_EQUIVALENT;
    fprintf(run->out, "%u %s ", answer.status, reason_name(answer.reason));
    put_tag(run, held ? selected.held : selected.etag);
    for (size_t i = 0; i < answer.ranges.count; i++)
        fprintf(run->out, " %llu-%llu", (unsigned long long)answer.ranges.at[i].first,
                (unsigned long long)answer.ranges.at[i].last);
    putc('\n', run->out);
}

/* A response with the octets and the status of the detail: may it be coded? Text and all "+xml" may be, from
 * 50 to 1000 octets. */
static void run_codable(struct spec_run *run)
{
    static const struct stet_span types[] = {{"text/*", 6}, {"application/json", 16}, {"+xml", 4}};
    const struct stet_coded_policy policy = {types, 3, 50, 1000};
    struct stet_request fields;
    struct stet_span rest = run->detail;
    uint64_t octets = 0, status = 200;
    if (!spec_fields(run, &fields))
        return;
    run->bad = stet_span_to_u64(markdown_word(&rest), &octets) != STET_OK ||
               (rest.len > 0 && stet_span_to_u64(rest, &status) != STET_OK);
    struct stet_response response = {.status = (unsigned)status, .fields = fields.fields};
    struct stet_codable said = stet_coded_judge(&response, octets, &policy);
    fprintf(run->out, "%s %s\n", said.codable ? "yes" : "no", reason_name(said.reason));
}

/* The fields of a copy in the coding of the detail, with 5 octets and the tag "c". */
static void put_line(struct spec_run *run, const struct stet_field *field)
{
    put(run, field->name);
    fputs(": ", run->out);
    put(run, field->value);
    putc('\n', run->out);
}

static void run_coded_fields(struct spec_run *run)
{
    struct stet_request base;
    static struct stet_field room[SPEC_FIELDS_MAX + STET_CODED_FIELDS_MORE];
    struct stet_span rest = run->detail;
    enum stet_coding coding = stet_coding_id(markdown_word(&rest));
    bool untagged = stet_span_equal(markdown_word(&rest), STET_SPAN("untagged"));
    const struct stet_coded_head head = {coding, untagged ? STET_SPAN_NONE : STET_SPAN("\"c\""),
                                         STET_SPAN("5")};
    if (!spec_fields(run, &base))
        return;
    size_t count = stet_coded_fields(&base.fields, &head, room);
    for (size_t i = 0; i < count; i++)
        put_line(run, &room[i]);
}

static void run_coded_trailers(struct spec_run *run)
{
    struct stet_request base;
    static struct stet_field room[SPEC_FIELDS_MAX];
    if (!spec_fields(run, &base))
        return;
    size_t count = stet_coded_trailers(&base.fields, room);
    for (size_t i = 0; i < count; i++)
        put_line(run, &room[i]);
}

/* Whether Accept-Encoding has to be added to Vary. */
static void run_vary_lacks(struct spec_run *run)
{
    struct stet_request response;
    if (spec_fields(run, &response))
        fprintf(run->out, "%s\n", stet_coded_vary_lacks(&response.fields) ? "yes" : "no");
}

const struct spec_subject spec_coding_subjects[] = {
    {"accepts", SPEC_INPUT_FIELDS, false, run_accepts},
    {"content-coding", SPEC_INPUT_FIELDS, false, run_content_coding},
    {"coded-tag", SPEC_INPUT_ROW, false, run_coded_tag},
    {"coded-compare", SPEC_INPUT_ROW, false, run_coded_compare},
    {"variation", SPEC_INPUT_ROW, false, run_variation},
    {"origin-tags", SPEC_INPUT_FIELDS, false, run_origin_tags},
    {"coded", SPEC_INPUT_FIELDS, false, run_coded},
    {"coded-answer", SPEC_INPUT_FIELDS, false, run_coded_answer},
    {"codable", SPEC_INPUT_FIELDS, false, run_codable},
    {"coded-fields", SPEC_INPUT_FIELDS, false, run_coded_fields},
    {"coded-trailers", SPEC_INPUT_FIELDS, false, run_coded_trailers},
    {"vary-lacks", SPEC_INPUT_FIELDS, false, run_vary_lacks},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
