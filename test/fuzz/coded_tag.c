/* SPDX-License-Identifier: MIT */
/*
 * Tags of coded copies: RFC 9110 section 8.8.3.3.
 *
 * The input is lines of If-None-Match, LF between them. What must hold of each of its tags: it is taken apart
 * as a reading from its front finds; what is ours is written again as it was; it is equivalent to its base
 * and to nothing else of the list that is not its base; variations go both ways. And of the list that the
 * origin gets: nothing is ours but what was coded twice, and every base is there, once.
 */
#include <stdlib.h>

#include <stet/coded_tag.h>

#define INPUT_MAX 2048
#define LINES_MAX 64
#define TAGS_MAX 32
#define ID STET_FIELD_IF_NONE_MATCH

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static bool is_hex(struct stet_span s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] == '\0' || !strchr("0123456789abcdef", s.ptr[i]))
            return false;
    return true;
}

/* The kind of a suffix that begins with a semicolon and is all of `s`, if it is ours. */
static enum stet_coded_tag_kind naive_ours(struct stet_span s)
{
    static const char *const names[] = {";identity-", ";gzip-", ";br-", ";zstd-"};
    for (size_t i = 0; i < 4; i++) {
        struct stet_span name = stet_span_of(names[i], strlen(names[i]));
        if (!stet_span_starts(s, name))
            continue;
        struct stet_span mark = stet_span_skip(s, name.len);
        if (mark.len == 8 && is_hex(mark))
            return STET_CODED_TAG_KEPT;
        if (mark.len == 17 && mark.ptr[0] == '~' && is_hex(stet_span_skip(mark, 1)))
            return STET_CODED_TAG_PASSING;
    }
    return STET_CODED_TAG_NONE;
}

/* Every place is tried as the end of the base, from the front: ours first, then the longest foreign one. */
static enum stet_coded_tag_kind naive_read(struct stet_span opaque, size_t *base)
{
    static const char *const foreign[] = {"--gzip", "-gzip", "-br", "-zstd", "-deflate",
                                          "-df",    ";gzip", ";br", ";zstd"};
    for (*base = 0; *base < opaque.len; (*base)++) {
        enum stet_coded_tag_kind kind = naive_ours(stet_span_skip(opaque, *base));
        if (kind != STET_CODED_TAG_NONE)
            return kind;
    }
    for (*base = 1; *base < opaque.len; (*base)++)
        for (size_t i = 0; i < sizeof foreign / sizeof *foreign; i++)
            if (stet_span_equal(stet_span_skip(opaque, *base), stet_span_of(foreign[i], strlen(foreign[i]))))
                return STET_CODED_TAG_FOREIGN;
    *base = opaque.len;
    return STET_CODED_TAG_NONE;
}

static void check_tag(struct stet_etag tag)
{
    char text[INPUT_MAX + STET_CODED_TAG_MORE];
    struct stet_coded_tag read;
    struct stet_etag again;
    enum stet_coding coding = STET_CODING_UNKNOWN;
    size_t base;
    stet_coded_tag_read(tag, &read);
    enum stet_coded_tag_kind kind = naive_read(tag.opaque, &base);
    require(read.kind == kind && read.base.opaque.len == base && read.base.weak == tag.weak);
    require(read.base.opaque.ptr == tag.opaque.ptr);
    bool ours = kind == STET_CODED_TAG_KEPT || kind == STET_CODED_TAG_PASSING;
    require(stet_coded_tag_ours(tag) == ours);
    require(stet_coded_tag_compare(tag, tag, STET_CODING_GZIP, &coding) == STET_CODED_SAME);
    if (kind == STET_CODED_TAG_NONE)
        return;
    require(stet_coded_tag_compare(tag, read.base, STET_CODING_GZIP, &coding) == STET_CODED_EQUIVALENT);
    require(coding == read.coding);
    require(stet_coded_tag_compare(read.base, tag, STET_CODING_GZIP, &coding) == STET_CODED_UNLIKE);
    if (!ours)
        return;
    size_t len = stet_coded_tag_write(&read, text, sizeof(text));
    require(stet_etag_parse(stet_span_of(text, len), &again) == STET_OK);
    require(again.weak == tag.weak && stet_span_equal(again.opaque, tag.opaque));
}

static void check_pair(struct stet_etag a, struct stet_etag b)
{
    enum stet_coding coding;
    struct stet_coded_tag read;
    stet_coded_tag_read(a, &read);
    enum stet_coded_likeness likeness = stet_coded_tag_compare(a, b, STET_CODING_BR, &coding);
    require((likeness == STET_CODED_SAME) == stet_etag_weak_equal(a, b));
    if (likeness == STET_CODED_EQUIVALENT)
        require(stet_etag_weak_equal(read.base, b));
    require(stet_coded_tag_variation(a, b) == stet_coded_tag_variation(b, a));
    require(!(stet_coded_tag_variation(a, b) && stet_etag_strong_equal(a, b)));
}

static struct stet_etag origins(struct stet_etag tag)
{
    struct stet_coded_tag read;
    stet_coded_tag_read(tag, &read);
    return read.kind == STET_CODED_TAG_KEPT || read.kind == STET_CODED_TAG_PASSING ? read.base : tag;
}

static size_t times(struct stet_etag tag, const struct stet_fields *fields)
{
    struct stet_etag_list list;
    struct stet_etag other;
    size_t count = 0;
    stet_etag_list_begin(&list, fields, ID);
    while (stet_etag_list_next(&list, &other) == STET_OK)
        count += other.weak == tag.weak && stet_span_equal(other.opaque, tag.opaque);
    return count;
}

static void check_origin(const struct stet_fields *fields)
{
    static char text[2 * INPUT_MAX];
    struct stet_etag_list list;
    struct stet_etag tag;
    size_t len, ours = 0, in = 0, out = 0;
    if (stet_etag_list_begin(&list, fields, ID) != STET_ETAG_LIST_TAGS)
        return;
    for (; stet_etag_list_next(&list, &tag) == STET_OK; in++)
        ours += stet_coded_tag_ours(tag);
    enum stet_origin_tags said = stet_origin_tags_write(fields, ID, text, sizeof(text), &len);
    require(said == (ours > 0 ? STET_ORIGIN_TAGS_REWRITTEN : STET_ORIGIN_TAGS_AS_THEY_ARE));
    if (said != STET_ORIGIN_TAGS_REWRITTEN)
        return;
    const struct stet_field line = {STET_SPAN("If-None-Match"), stet_span_of(text, len), ID};
    const struct stet_fields built = {&line, 1, 1ull << ID};
    stet_etag_list_begin(&list, fields, ID);
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        require(times(origins(tag), &built) == 1);
    stet_etag_list_begin(&list, &built, ID);
    while (stet_etag_list_next(&list, &tag) == STET_OK)
        out++;
    require(out > 0 && out <= in);
}

static struct stet_fields lines_of(const uint8_t *data, size_t size, struct stet_field lines[LINES_MAX])
{
    struct stet_fields fields = {lines, 0, 1ull << ID};
    size_t from = 0;
    while (fields.count < LINES_MAX) {
        size_t to = from;
        while (to < size && data[to] != '\n')
            to++;
        struct stet_span value = stet_span_of((const char *)data + from, to - from);
        lines[fields.count++] = (struct stet_field){STET_SPAN("If-None-Match"), stet_span_trim(value), ID};
        if (to == size)
            break;
        from = to + 1;
    }
    return fields;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct stet_field lines[LINES_MAX];
    struct stet_etag tags[TAGS_MAX];
    struct stet_etag_list list;
    size_t count = 0;
    if (size > INPUT_MAX)
        return 0;
    struct stet_fields fields = lines_of(data, size, lines);
    if (stet_etag_list_begin(&list, &fields, ID) != STET_ETAG_LIST_TAGS)
        return 0;
    while (count < TAGS_MAX && stet_etag_list_next(&list, &tags[count]) == STET_OK)
        check_tag(tags[count++]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < count; k++)
            check_pair(tags[i], tags[k]);
    check_origin(&fields);
    return 0;
}
