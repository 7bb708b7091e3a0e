/* SPDX-License-Identifier: MIT */
#include "explain/tally.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include <stet/reason.h>
#include <stet/status.h>

#define STATUS_MIN 100
#define STATUS_MAX 999
#define STATUS_ROWS (STATUS_MAX - STATUS_MIN + 1)
#define NAME_LEN 16

static const int failures[] = {
#define X(symbol, value, name, http_status, clause, sentence) symbol,
#include <stet/status.def>
#undef X
};

#define FAILURES (sizeof failures / sizeof *failures)
#define FIRST_STATUS (STET_REASON_COUNT + FAILURES)

/* The rows, and the names of those that are status codes. */
struct whole {
    struct stet__tally tally; /* first */
    struct stet__tally_row rows[FIRST_STATUS + STATUS_ROWS];
    char names[STATUS_ROWS][NAME_LEN];
};

struct stet__tally *stet__tally_new(void)
{
    struct whole *whole = calloc(1, sizeof *whole);
    if (!whole)
        return NULL;
    struct stet__tally_row *rows = whole->rows;
    for (size_t i = 0; i < STET_REASON_COUNT; i++) {
        const struct stet_reason_row *row = stet_reason_row((enum stet_reason)i);
        rows[i] = (struct stet__tally_row){row->name, row->clause, row->sentence, 0, 0};
    }
    for (size_t i = 0; i < FAILURES; i++) {
        const struct stet_status_row *row = stet_status_row(failures[i]);
        rows[STET_REASON_COUNT + i] = (struct stet__tally_row){row->name, row->clause, row->sentence, 0, 0};
    }
    for (size_t i = 0; i < STATUS_ROWS; i++) {
        snprintf(whole->names[i], NAME_LEN, "status-%u", (unsigned)(STATUS_MIN + i));
        rows[FIRST_STATUS + i] = (struct stet__tally_row){whole->names[i], NULL, "", 0, 0};
    }
    whole->tally.rows = rows;
    whole->tally.row_count = FIRST_STATUS + STATUS_ROWS;
    return &whole->tally;
}

void stet__tally_free(struct stet__tally *tally)
{
    free(tally);
}

/* What a line says. */
struct record {
    struct stet_span method, reason; /* absent if there is none */
    uint64_t status, octets;
    bool aborted;
};

static struct stet__tally_row *row_of(struct stet__tally *tally, const struct record *record)
{
    for (size_t i = 0; record->reason.ptr && i < FIRST_STATUS; i++)
        if (stet_span_equal(record->reason, stet_span_of(tally->rows[i].name, strlen(tally->rows[i].name))))
            return &tally->rows[i];
    return &tally->rows[FIRST_STATUS + (record->status - STATUS_MIN)];
}

static void count_record(struct stet__tally *tally, const struct record *record)
{
    struct stet__tally_row *row = row_of(tally, record);
    bool get = record->method.ptr && stet_span_equal(record->method, STET_SPAN("GET"));
    row->count++;
    row->octets += record->octets;
    tally->answers++;
    tally->octets += record->octets;
    tally->gets += get;
    tally->not_modified += get && record->status == 304;
    tally->aborted += record->aborted;
}

/* --- the common and combined formats --- */

/* Takes a quoted text from the front; backslashes escape. */
static bool take_quoted(struct stet_span *line, struct stet_span *out)
{
    size_t i = 1;
    if (line->len == 0 || line->ptr[0] != '"')
        return false;
    while (i < line->len && line->ptr[i] != '"')
        i += line->ptr[i] == '\\' ? 2 : 1;
    if (i >= line->len)
        return false;
    *out = stet_span_of(line->ptr + 1, i - 1);
    *line = stet_span_trim(stet_span_skip(*line, i + 1));
    return true;
}

static struct stet_span take_word(struct stet_span *line)
{
    const char *space = line->len > 0 ? memchr(line->ptr, ' ', line->len) : NULL;
    struct stet_span word = stet_span_of(line->ptr, space ? (size_t)(space - line->ptr) : line->len);
    *line = stet_span_trim(stet_span_skip(*line, word.len));
    return word;
}

static bool read_text(struct stet_span line, struct record *out)
{
    struct stet_span request, quoted;
    const char *date = line.len > 0 ? memchr(line.ptr, ']', line.len) : NULL;
    if (!date)
        return false;
    line = stet_span_trim(stet_span_skip(line, (size_t)(date - line.ptr) + 1));
    if (!take_quoted(&line, &request))
        return false;
    struct stet_span status = take_word(&line), octets = take_word(&line);
    if (stet_span_to_u64(status, &out->status) != STET_OK)
        return false;
    if (stet_span_to_u64(octets, &out->octets) != STET_OK) /* "-": Apache's word for none */
        out->octets = 0;
    out->method = take_word(&request);
    while (take_quoted(&line, &quoted))
        continue;
    if (line.len > 0)
        out->reason = take_word(&line);
    out->aborted = stet_span_equal(line, STET_SPAN("aborted"));
    return true;
}

/* --- JSON --- */

static struct stet_span json_text(const json_t *object, const char *name)
{
    const json_t *value = json_object_get(object, name);
    return json_is_string(value) ? stet_span_of(json_string_value(value), json_string_length(value))
                                 : STET_SPAN_NONE;
}

static uint64_t json_number(const json_t *object, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(object, name));
    return value > 0 ? (uint64_t)value : 0;
}

static void count_json(struct stet__tally *tally, struct stet_span line)
{
    json_t *object = json_loadb(line.ptr, line.len, 0, NULL);
    struct record record = {.method = json_text(object, "method"),
                            .reason = json_text(object, "reason"),
                            .status = json_number(object, "status"),
                            .octets = json_number(object, "bytes"),
                            .aborted = json_is_true(json_object_get(object, "aborted"))};
    if (json_object_get(object, "dropped"))
        tally->dropped += json_number(object, "dropped");
    else if (record.status >= STATUS_MIN && record.status <= STATUS_MAX)
        count_record(tally, &record);
    else
        tally->unreadable++;
    json_decref(object);
}

/* "log: 17 records dropped" */
static bool count_dropped(struct stet__tally *tally, struct stet_span line)
{
    uint64_t count;
    if (!stet_span_starts(line, STET_SPAN("log: ")))
        return false;
    line = stet_span_skip(line, 5);
    if (stet_span_to_u64(take_word(&line), &count) != STET_OK ||
        !stet_span_equal(line, STET_SPAN("records dropped")))
        return false;
    tally->dropped += count;
    return true;
}

void stet__tally_line(struct stet__tally *tally, struct stet_span line)
{
    struct record record = {.method = STET_SPAN_NONE, .reason = STET_SPAN_NONE};
    while (line.len > 0 && (line.ptr[line.len - 1] == '\n' || line.ptr[line.len - 1] == '\r'))
        line.len--;
    line = stet_span_trim(line);
    if (line.len == 0)
        return;
    if (line.ptr[0] == '{')
        count_json(tally, line);
    else if (read_text(line, &record) && record.status >= STATUS_MIN && record.status <= STATUS_MAX)
        count_record(tally, &record);
    else if (!count_dropped(tally, line))
        tally->unreadable++;
}

static int compare(const void *a, const void *b)
{
    const struct stet__tally_row *one = a, *other = b;
    if (one->count != other->count)
        return one->count > other->count ? -1 : 1;
    return strcmp(one->name, other->name);
}

size_t stet__tally_sort(struct stet__tally *tally)
{
    size_t count = 0;
    qsort(tally->rows, tally->row_count, sizeof *tally->rows, compare);
    while (count < tally->row_count && tally->rows[count].count > 0)
        count++;
    return count;
}
