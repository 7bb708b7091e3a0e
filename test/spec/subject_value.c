/* SPDX-License-Identifier: MIT */
/*
 * Subjects that take one value: dates, entity tags, ranges, numbers, methods and field names.
 */
#include "markdown.h"
#include "spec.h"

#define ull(n) ((unsigned long long)(n))

static void run_date(struct spec_run *run)
{
    int64_t date;
    int status = stet_date_parse(run->input, run->setting->now, &date);
    if (status == STET_OK)
        fprintf(run->out, "%lld\n", (long long)date);
    else
        spec_error(run, status);
}

/* "-5" or "5"; false for anything else. */
static bool number(struct stet_span text, int64_t *out)
{
    uint64_t n;
    bool minus = stet_span_starts(text, STET_SPAN("-"));
    if (stet_span_to_u64(minus ? stet_span_skip(text, 1) : text, &n) != STET_OK || n > INT64_MAX)
        return false;
    *out = minus ? -(int64_t)n : (int64_t)n;
    return true;
}

static void run_date_format(struct spec_run *run)
{
    int64_t date;
    char out[STET_DATE_LEN];
    run->bad = !number(run->input, &date);
    if (run->bad)
        return;
    stet_date_format(date, out);
    fprintf(run->out, "%.*s\n", STET_DATE_LEN, out);
}

static void put_tag(struct spec_run *run, struct stet_etag tag)
{
    fputs(tag.weak ? "weak" : "strong", run->out);
    fputs(tag.opaque.len > 0 ? " " : "", run->out);
    markdown_encode(tag.opaque, run->out);
    putc('\n', run->out);
}

static void run_etag(struct spec_run *run)
{
    struct stet_etag tag;
    int status = stet_etag_parse(run->input, &tag);
    if (status == STET_OK)
        put_tag(run, tag);
    else
        spec_error(run, status);
}

/* Two tags, separated by a space; "none" is no tag at all. */
static void run_compare(struct spec_run *run)
{
    struct stet_etag tags[2] = {STET_NO_ETAG, STET_NO_ETAG};
    struct stet_span rest = run->input;
    for (int i = 0; i < 2; i++) {
        struct stet_span word = markdown_word(&rest);
        if (!stet_span_equal(word, STET_SPAN("none")) && stet_etag_parse(word, &tags[i]) != STET_OK)
            run->bad = true;
    }
    fprintf(run->out, "strong %s, weak %s\n", stet_etag_strong_equal(tags[0], tags[1]) ? "yes" : "no",
            stet_etag_weak_equal(tags[0], tags[1]) ? "yes" : "no");
}

static void run_range(struct spec_run *run)
{
    uint64_t length;
    run->bad = stet_span_to_u64(run->detail, &length) != STET_OK;
    if (run->bad)
        return;
    static const char *const verdicts[] = {
        [STET_RANGE_IGNORE] = "ignore",
        [STET_RANGE_SATISFIABLE] = "satisfiable",
        [STET_RANGE_UNSATISFIABLE] = "unsatisfiable",
    };
    struct stet_range_set set = stet_range_judge(run->input, length);
    fprintf(run->out, "%s", verdicts[set.verdict]);
    if (set.verdict == STET_RANGE_IGNORE)
        fprintf(run->out, " %s", stet_reason_row(set.reason)->name);
    for (size_t i = 0; i < set.count; i++)
        fprintf(run->out, " %llu-%llu", ull(set.at[i].first), ull(set.at[i].last));
    putc('\n', run->out);
}

/* Reads a Content-Range and writes it again. */
static void run_content_range(struct spec_run *run)
{
    struct stet_content_range parsed;
    int status = stet_content_range_parse(run->input, &parsed);
    if (status != STET_OK) {
        spec_error(run, status);
        return;
    }
    char text[STET_CONTENT_RANGE_LEN];
    size_t len = 0;
    if (parsed.unsatisfied) {
        len = stet_content_range_format_unsatisfied(parsed.complete_length, text);
        fprintf(run->out, "%.*s\n", (int)len, text);
    } else if (parsed.complete_known) {
        len = stet_content_range_format(parsed.range, parsed.complete_length, text);
        fprintf(run->out, "%.*s\n", (int)len, text);
    } else {
        fprintf(run->out, "%llu-%llu of unknown\n", ull(parsed.range.first), ull(parsed.range.last));
    }
}

static void run_number(struct spec_run *run)
{
    uint64_t n;
    char text[20];
    int status = stet_span_to_u64(run->input, &n);
    if (status == STET_OK)
        fprintf(run->out, "%.*s\n", (int)stet_format_u64(n, text), text);
    else
        spec_error(run, status);
}

static void run_method(struct spec_run *run)
{
    enum stet_method method = stet_method_id(run->input);
    fprintf(run->out, "%s%s%s\n", method == STET_METHOD_OTHER ? "other" : "known",
            stet_method_safe(method) ? " safe" : "", stet_method_idempotent(method) ? " idempotent" : "");
}

static void run_field_name(struct spec_run *run)
{
    enum stet_field_id id = stet_field_id(run->input);
    markdown_encode(id == STET_FIELD_OTHER ? STET_SPAN("other") : stet_field_name(id), run->out);
    putc('\n', run->out);
}

const struct spec_subject spec_value_subjects[] = {
    {"date", SPEC_INPUT_ROW, false, run_date},
    {"date-format", SPEC_INPUT_ROW, false, run_date_format},
    {"etag", SPEC_INPUT_ROW, false, run_etag},
    {"compare", SPEC_INPUT_ROW, false, run_compare},
    {"range", SPEC_INPUT_ROW, false, run_range},
    {"content-range", SPEC_INPUT_ROW, false, run_content_range},
    {"number", SPEC_INPUT_ROW, false, run_number},
    {"method", SPEC_INPUT_ROW, false, run_method},
    {"field-name", SPEC_INPUT_ROW, false, run_field_name},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
