/* SPDX-License-Identifier: MIT */
/*
 * lint: what the files of the linter share. lint_look.c reads an exchange once, as a struct
 * stet__lint_look, and hands it to one function per subject. They judge by the functions that a cache judges
 * by, so the linter never says other than stet does.
 *
 * A finding is added, then told in parts; what does not fit into its detail is left out. All of these take
 * the NULL that stands for "no room".
 */
#ifndef STET_CORE_LINT_H
#define STET_CORE_LINT_H

#include <stet/lint.h>
#include <stet/stored.h>

/* Clocks that differ by less are taken for the same: seconds. */
#define STET__LINT_CLOCK_S 60

struct stet__lint_look {
    const struct stet_lint_exchange *exchange;
    const struct stet_request *request;
    const struct stet_response *response;
    const struct stet_fields *fields; /* of the response */
    struct stet_lint_findings *out;
    int64_t requested, received; /* if exchange->times_known */
    int64_t now;                 /* when it came; without a clock its Date, or 0 */
    int64_t date;                /* its Date, or STET_NO_DATE if it has none that counts */
    bool reads;                  /* the method is GET or HEAD */
    bool answers;                /* it reads, and the status is 200 */
    struct stet_stored shared;   /* as stet proxy would keep it */
    struct stet_stored own;      /* as a private cache would */
    struct stet_storable by_shared, by_own;
};

/* A time that sums cannot make overflow: within what an HTTP-date can say. Recordings may say anything. */
int64_t stet__lint_time(int64_t time);

/* Reads an exchange. `look` borrows from it. */
void stet__lint_look(struct stet__lint_look *look, const struct stet_lint_exchange *exchange,
                     struct stet_lint_findings *out);

/* The two halves of stet_lint_exchange. A probe's request is what it has to be, so only its answer is looked
 * at. */
void stet__lint_request(const struct stet__lint_look *look);
void stet__lint_answer(const struct stet__lint_look *look);

/* The subjects of an answer, each in the file of its name. */
void stet__lint_validator(const struct stet__lint_look *look);
void stet__lint_date(const struct stet__lint_look *look);
void stet__lint_age(const struct stet__lint_look *look);
void stet__lint_directive(const struct stet__lint_look *look);
void stet__lint_conflict(const struct stet__lint_look *look);
void stet__lint_freshness(const struct stet__lint_look *look);
void stet__lint_storing(const struct stet__lint_look *look);
void stet__lint_vary(const struct stet__lint_look *look);
void stet__lint_coding(const struct stet__lint_look *look);
void stet__lint_length(const struct stet__lint_look *look);
void stet__lint_partial(const struct stet__lint_look *look);
void stet__lint_not_modified(const struct stet__lint_look *look);
void stet__lint_condition(const struct stet__lint_look *look);
void stet__lint_structured(const struct stet__lint_look *look);

/* Cache-Control of a request, by lint_directive.c. */
void stet__lint_request_directive(const struct stet__lint_look *look);

/* The value of the first line with this id or name; absent if there is none. */
struct stet_span stet__lint_value(const struct stet_fields *fields, enum stet_field_id id);
struct stet_span stet__lint_named(const struct stet_fields *fields, struct stet_span name);

/* Whether the directive is there, in any form, as a shared cache reads it. */
static inline bool stet__lint_has(const struct stet__lint_look *look, enum stet_cache_directive directive)
{
    return stet_cache_control_has(&look->shared.control, directive);
}

/* Whether the answer has something to ask with. */
static inline bool stet__lint_has_validator(const struct stet__lint_look *look)
{
    return stet_etag_present(look->own.selected.etag) || look->own.selected.last_modified != STET_NO_DATE;
}

/* A new finding without sent, came and detail, or NULL if there is no room for it; it is counted in any case.
 */
struct stet_lint_finding *stet__lint_add(struct stet_lint_findings *out, enum stet_lint lint);

/* The same with what came, or what was sent. */
struct stet_lint_finding *stet__lint_came(struct stet_lint_findings *out, enum stet_lint lint,
                                          struct stet_span came);
struct stet_lint_finding *stet__lint_sent(struct stet_lint_findings *out, enum stet_lint lint,
                                          struct stet_span sent);

/* Append to the detail: words, a number, octets of a message (controls and obs-text as "?"). */
void stet__lint_text(struct stet_lint_finding *finding, const char *text);
void stet__lint_number(struct stet_lint_finding *finding, int64_t n);
void stet__lint_octets(struct stet_lint_finding *finding, struct stet_span octets);

/* "90 s"; what is larger rounded down in words, too: "3600 s (1 hour)", "90000 s (25 hours)". */
void stet__lint_seconds(struct stet_lint_finding *finding, int64_t seconds);

#endif
