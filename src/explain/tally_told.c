/* SPDX-License-Identifier: MIT */
/*
 * A tally for people and as JSON.
 */
#include "explain/tally.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>

#define LINE_MAX_OCTETS 512

__attribute__((format(printf, 2, 3))) static void put(struct stet__buffer *out, const char *format, ...)
{
    char line[LINE_MAX_OCTETS];
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line, sizeof line, format, arguments); /* NOLINT(clang-analyzer-valist.*) */
    va_end(arguments);
    if (len > 0)
        stet__buffer_append(out,
                            stet_span_of(line, (size_t)len < sizeof line ? (size_t)len : sizeof line - 1));
}

static double percent(uint64_t part, uint64_t whole)
{
    return whole == 0 ? 0 : 100.0 * (double)part / (double)whole;
}

/* "12.3 MB" */
static void put_octets(struct stet__buffer *out, uint64_t octets)
{
    static const char *const units[] = {"octets", "kB", "MB", "GB", "TB"};
    double much = (double)octets;
    size_t unit = 0;
    while (much >= 1000 && unit + 1 < sizeof units / sizeof *units)
        much /= 1000, unit++;
    if (unit == 0)
        put(out, "%" PRIu64 " octets", octets);
    else
        put(out, "%.1f %s", much, units[unit]);
}

static void put_head(const struct stet__tally *tally, struct stet__buffer *out)
{
    put(out, "%" PRIu64 " answer%s, ", tally->answers, tally->answers == 1 ? "" : "s");
    put_octets(out, tally->octets);
    put(out, " of content.");
    if (tally->gets > 0)
        put(out, " %" PRIu64 " of %" PRIu64 " GETs got a 304: %.1f %%.", tally->not_modified, tally->gets,
            percent(tally->not_modified, tally->gets));
    put(out, "\n");
    if (tally->aborted > 0)
        put(out, "%" PRIu64 " were cut off.\n", tally->aborted);
    if (tally->dropped > 0)
        put(out, "The log says that %" PRIu64 " more were left out of it.\n", tally->dropped);
    if (tally->unreadable > 0)
        put(out, "%" PRIu64 " lines are no access log and were skipped.\n", tally->unreadable);
}

void stet__tally_write(const struct stet__tally *tally, size_t count, bool colour, struct stet__buffer *out)
{
    size_t width = 0;
    put_head(tally, out);
    for (size_t i = 0; i < count; i++)
        width = strlen(tally->rows[i].name) > width ? strlen(tally->rows[i].name) : width;
    if (count > 0)
        put(out, "\n");
    for (size_t i = 0; i < count; i++) {
        const struct stet__tally_row *row = &tally->rows[i];
        put(out, "%10" PRIu64 "  %5.1f %%  %s%-*s%s", row->count, percent(row->count, tally->answers),
            colour ? "\033[36m" : "", row->sentence[0] ? (int)width : 0, row->name, colour ? "\033[0m" : "");
        put(out, "%s%s\n", row->sentence[0] ? "  " : "", row->sentence);
    }
}

static json_t *row_json(const struct stet__tally *tally, const struct stet__tally_row *row)
{
    return json_pack("{ss ss? ss? sI sf sI}", "reason", row->name, "clause", row->clause, "sentence",
                     row->sentence[0] ? row->sentence : NULL, "count", (json_int_t)row->count, "share",
                     percent(row->count, tally->answers) / 100, "octets", (json_int_t)row->octets);
}

struct json_t *stet__tally_json(const struct stet__tally *tally, size_t count)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        (void)json_array_append_new(rows, row_json(tally, &tally->rows[i]));
    return json_pack("{sI sI sI sI sf sI sI sI so}", "answers", (json_int_t)tally->answers, "octets",
                     (json_int_t)tally->octets, "gets", (json_int_t)tally->gets, "not_modified",
                     (json_int_t)tally->not_modified, "not_modified_share",
                     percent(tally->not_modified, tally->gets) / 100, "aborted", (json_int_t)tally->aborted,
                     "dropped", (json_int_t)tally->dropped, "unreadable", (json_int_t)tally->unreadable,
                     "reasons", rows);
}
