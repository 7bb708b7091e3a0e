/* SPDX-License-Identifier: MIT */
/*
 * reports: what has to hold of a report of the linter that was made, and written, while allocations fail. It
 * is the one that there would be with more memory, or it says of a resource why that could not be checked.
 */
#ifndef STET_TEST_OOM_REPORTS_H
#define STET_TEST_OOM_REPORTS_H

#include <jansson.h>

#include "check/check.h"

/* What is remembered of a report that was made with enough memory. */
struct known {
    size_t resources, findings, exchanges;
};

static inline struct known known_of(const struct stet__check_report *report, bool *failed)
{
    struct known known = {report->resource_count, 0, 0};
    for (size_t i = 0; i < report->resource_count; i++) {
        const struct stet__check_resource *resource = &report->resources[i];
        known.findings += resource->finding_count;
        known.exchanges += resource->exchange_count;
        *failed |= resource->failure != NULL;
        for (size_t k = 0; k < resource->exchange_count; k++)
            *failed |= resource->exchanges[k].failure != NULL;
    }
    return known;
}

/* A text that says it is all there is JSON. The first `forms` of four, and that for a terminal. */
static inline const char *write_all(const struct stet__check_report *report, size_t forms,
                                    bool memory_is_enough)
{
    typedef bool writer(const struct stet__check_report *report, struct stet__buffer *out);
    static writer *const writers[] = {stet__check_write_json, stet__check_write_sarif,
                                      stet__check_write_junit, stet__check_write_html};
    static const struct stet__check_style style = {.verbose = true};
    struct stet__buffer out;
    const char *problem = NULL;
    stet__buffer_init(&out, 8u << 20);
    for (size_t i = 0; i < forms; i++) {
        stet__buffer_release(&out);
        bool done = writers[i](report, &out);
        json_t *json = i < 2 && memory_is_enough && done ? json_loadb(out.ptr, out.len, 0, NULL) : NULL;
        if (memory_is_enough && (!done || (i < 2 && !json)))
            problem = "a report is not written";
        if (done && (out.failed || out.len == 0))
            problem = "a report is said to be written, and is not";
        json_decref(json);
    }
    stet__buffer_release(&out);
    if (!stet__check_write_terminal(report, &style, &out) && memory_is_enough)
        problem = "a report for the terminal is not written";
    stet__buffer_release(&out);
    return problem;
}

static inline const char *look(struct stet__check_report *report, struct known *known, size_t forms,
                               bool memory_is_enough)
{
    bool failed = false;
    if (!report)
        return memory_is_enough ? "there is no report" : NULL;
    struct known found = known_of(report, &failed);
    const char *problem = NULL;
    if (known->resources == 0)
        *known = found;
    if (failed ? memory_is_enough : memcmp(&found, known, sizeof found) != 0)
        problem = failed ? "a report says that something failed" : "a report lacks something";
    if (!problem)
        problem = write_all(report, forms, memory_is_enough);
    stet__check_free(report);
    return problem;
}

#endif
