/* SPDX-License-Identifier: MIT */
/*
 * Asking, taking down, judging, gathering.
 *
 * A server that says 429 is left alone at once, and one that does not answer three times running, too: a
 * check is not worth anybody's trouble.
 */
#include <stdlib.h>
#include <time.h>

#include <stet/uri.h>

#include "check/visit.h"

#define ARENA_MAX ((size_t)1 << 30)
enum { FINDINGS_MAX = 128, SILENT_MAX = 3 };

struct stet__check_report *stet__check_begin(struct stet__check_making *run,
                                             const struct stet__check_settings *settings)
{
    *run = (struct stet__check_making){.settings = settings};
    run->report = calloc(1, sizeof *run->report);
    if (!run->report)
        return NULL;
    stet__arena_init(&run->report->arena, ARENA_MAX);
    run->report->begun_at = time(NULL);
    memcpy(run->report->grade, "-", 2);
    return run->report;
}

/* The grade of the whole is the worst there is: F after A, and A after A+. */
static void worst(char grade[3], const char other[3])
{
    bool worse = other[0] > grade[0] || (other[0] == grade[0] && other[1] < grade[1]);
    if (other[0] != '-' && (grade[0] == '-' || worse))
        memcpy(grade, other, 3);
}

struct stet__check_report *stet__check_end(struct stet__check_making *run)
{
    struct stet__check_report *report = run->report;
    struct stet__check_resource *kept = stet__arena_alloc(&report->arena, run->count * sizeof *kept + 1);
    stet__asker_free(run->asker);
    if (kept && run->count > 0)
        memcpy(kept, run->resources, run->count * sizeof *kept);
    free(run->resources);
    if (!kept || run->failed) {
        stet__check_free(report);
        return NULL;
    }
    report->resources = kept;
    report->resource_count = run->count;
    for (size_t i = 0; i < run->count; i++) {
        for (size_t j = 0; j <= STET_LINT_BAD; j++)
            report->counts[j] += kept[i].counts[j];
        worst(report->grade, kept[i].grade);
    }
    return report;
}

void stet__check_free(struct stet__check_report *report)
{
    if (!report)
        return;
    stet__arena_release(&report->arena);
    free(report);
}

static char *text(struct stet__check_making *run, const char *words)
{
    char *kept = stet__gather_text(&run->report->arena, stet_span_of(words, strlen(words)));
    run->failed |= !kept;
    return kept;
}

void stet__visit_begin(struct stet__visit *visit, struct stet__check_making *run, const char *asked,
                       const char *role)
{
    *visit = (struct stet__visit){.run = run};
    stet__gather_begin(&visit->gather, &run->report->arena, &run->settings->choice);
    visit->resource.asked = text(run, asked);
    visit->resource.uri = visit->resource.asked;
    visit->resource.role = role;
    visit->over = run->failed;
}

static bool same_origin(const char *one, const char *two)
{
    struct stet_uri a, b;
    return one && stet_uri_parse(stet_span_of(one, strlen(one)), &a) == STET_OK &&
           stet_uri_parse(stet_span_of(two, strlen(two)), &b) == STET_OK && stet_uri_same_origin(&a, &b);
}

/* The asker for the host of the resource. */
static struct stet__asker *asker_for(struct stet__check_making *run, const char *uri)
{
    if (run->asker && same_origin(run->asker_uri, uri))
        return run->asker;
    stet__asker_free(run->asker);
    run->asker = stet__asker_new(run->settings, &run->report->arena, uri);
    run->asker_uri = uri;
    return run->asker;
}

/* Where a 304 is due, or no content: what stands behind the head is looked at. */
static bool lingers(const struct stet__probe *probe)
{
    return (probe->kind >= STET_PROBE_INM && probe->kind <= STET_PROBE_INM_WITH_OLD_IMS) ||
           strcmp(probe->method, "HEAD") == 0 || probe->kind == STET_PROBE_RANGE_INM ||
           probe->kind == STET_PROBE_RANGE_INM_WEAK;
}

static bool ask(struct stet__visit *visit, const struct stet__probe *probe, struct stet__taken *taken)
{
    struct stet__check_making *run = visit->run;
    struct stet__asker *asker = asker_for(run, visit->resource.uri);
    struct stet__buffer head;
    stet__buffer_init(&head, STET__TAKEN_HEAD_MAX);
    bool written = stet__probe_write(run->settings, visit->resource.uri, probe, &head);
    const struct stet__question question = {.kind = probe->kind,
                                            .variant = probe->variant,
                                            .method = probe->method,
                                            .uri = visit->resource.uri,
                                            .address = probe->address,
                                            .head = stet__buffer_span(&head),
                                            .linger = lingers(probe),
                                            .keep = true};
    uint64_t before = asker ? stet__asker_requests(asker) : 0;
    *taken = (struct stet__taken){.record = {.kind = probe->kind, .variant = probe->variant}};
    stet__buffer_init(&taken->content, 0);
    if (!written)
        taken->record.failure = "It is no http or https URI, or too long.";
    else if (!asker || !stet__ask(asker, &question, taken))
        run->failed = true;
    if (asker)
        run->report->requests += stet__asker_requests(asker) - before;
    stet__buffer_release(&head);
    return !run->failed;
}

/* The requests are made here, some of them malformed on purpose: nobody has to be told of that. */
static bool about_request(enum stet_lint lint)
{
    static const char prefix[] = "request-";
    return strncmp(stet_lint_row(lint)->name, prefix, sizeof prefix - 1) == 0;
}

static void about_answer(const struct stet_lint_exchange *exchange, struct stet_lint_findings *found)
{
    size_t kept = 0;
    stet_lint_exchange(exchange, found);
    size_t count = found->count < found->room ? found->count : found->room;
    for (size_t i = 0; i < count; i++)
        if (!stet__told_by_probes(found->at[i].lint) && !about_request(found->at[i].lint))
            found->at[kept++] = found->at[i];
    found->count = kept;
}

/* What a part is not, told once: by the probe, which knows the whole. */
static void tell_parts_once(struct stet_lint_findings *found)
{
    bool told = false;
    size_t kept = 0, count = found->count < found->room ? found->count : found->room;
    for (size_t i = 0; i < count; i++) {
        enum stet_lint lint = found->at[i].lint;
        told |=
            lint == STET_LINT_206_OTHER_RANGE || lint == STET_LINT_206_LENGTH || lint == STET_LINT_206_BEYOND;
    }
    for (size_t i = 0; i < count; i++)
        if (!told || found->at[i].lint != STET_LINT_PARTIAL_ELSEWHERE)
            found->at[kept++] = found->at[i];
    found->count = kept;
}

static void judge(struct stet__visit *visit, const struct stet__taken *taken,
                  const struct stet_lint_exchange *base, size_t exchange)
{
    struct stet_lint_finding *at = malloc(FINDINGS_MAX * sizeof *at);
    struct stet_lint_findings found = {at, FINDINGS_MAX, 0};
    if (!at) {
        visit->run->failed = true;
        return;
    }
    if (stet__taken_answered(taken))
        about_answer(&taken->lint, &found);
    if (base)
        stet_lint_probe(taken->record.kind, base, &taken->lint, &found);
    tell_parts_once(&found);
    stet__gather_findings(&visit->gather, &found, exchange);
    free(at);
}

void stet__visit_judge(struct stet__visit *visit, enum stet_lint_probe_kind kind,
                       const struct stet_lint_exchange *base, const struct stet_lint_exchange *probe,
                       size_t exchange)
{
    struct stet_lint_finding at[16];
    struct stet_lint_findings found = {at, 16, 0};
    stet_lint_probe(kind, base, probe, &found);
    stet__gather_findings(&visit->gather, &found, exchange);
}

static void progress(struct stet__visit *visit)
{
    const struct stet__check_settings *settings = visit->run->settings;
    enum { USUAL = STET_PROBE_COUNT + 16 }; /* with codings by codings; nobody counts on it */
    unsigned done = ++visit->done;
    if (settings->progress)
        settings->progress(settings->owner, visit->resource.uri, done, done > USUAL ? done : USUAL);
    if (stet__check_stopped(settings))
        visit->over = true;
}

bool stet__visit_ask(struct stet__visit *visit, const struct stet__probe *probe,
                     const struct stet_lint_exchange *base, struct stet__taken *kept)
{
    struct stet__taken own = {.cut_off = false}, *taken = kept ? kept : &own;
    *taken = own;
    if (visit->over || !ask(visit, probe, taken)) {
        visit->over = true;
        return false;
    }
    /* What nobody waited for says nothing of the server. */
    if (stet__check_stopped(visit->run->settings) && (taken->unended || !stet__taken_answered(taken))) {
        visit->over = true;
        visit->resource.failure = "It was interrupted.";
        if (!kept)
            stet__taken_release(&own);
        return false;
    }
    size_t number = stet__gather_exchange(&visit->gather, &taken->record);
    judge(visit, taken, base, number);
    bool answered = stet__taken_answered(taken);
    visit->status[probe->kind] = taken->record.status;
    visit->silent = answered ? 0 : visit->silent + 1;
    if (visit->silent >= SILENT_MAX || taken->record.status == 429 || taken->unended)
        visit->over = true;
    if (taken->unended && probe->kind == STET_PROBE_GET)
        visit->resource.failure =
            "The answer had not ended when its time was over, so nothing more was asked.";
    if (!kept)
        stet__taken_release(&own);
    progress(visit);
    return answered;
}

void stet__visit_move(struct stet__visit *visit, const char *uri)
{
    visit->resource.uri = text(visit->run, uri);
    visit->over |= visit->run->failed;
}

static struct stet_span field(const struct stet_lint_exchange *exchange, enum stet_field_id id)
{
    const struct stet_field *line = stet_fields_find(&exchange->response.fields, id, 0);
    return line ? line->value : STET_SPAN_NONE;
}

/* Why an answer that is no 200 was the last one. It is judged by itself; conditions are looked at only where
 * there is something to have: RFC 9110 section 13.2.1. */
static const char *not_checked(unsigned status)
{
    switch (status) {
    case 401:
    case 407:
        return "It wants credentials, and nothing more was asked. They can be given: -H 'Authorization: "
               "...'.";
    case 405:
        return "GET is not allowed here, and nothing but GET and HEAD is sent.";
    case 429:
        return "It gets too many requests, and nothing more was asked.";
    default:
        return status >= 300 && status <= 399 && status != 304
                   ? "It redirects to where nobody can follow, and nothing more was asked."
                   : "The answer is no 200, so there is nothing to ask conditions of.";
    }
}

/* What a report says of the resource itself. */
static void describe(struct stet__visit *visit)
{
    const struct stet_lint_exchange *base = &visit->base[STET_CODING_IDENTITY].lint;
    struct stet__check_resource *resource = &visit->resource;
    resource->status = base->response.status;
    if (resource->status == 0)
        return;
    if (resource->status != 200 && !resource->failure)
        resource->failure = not_checked(resource->status);
    resource->content_type = field(base, STET_FIELD_CONTENT_TYPE);
    resource->etag = field(base, STET_FIELD_ETAG);
    resource->last_modified = field(base, STET_FIELD_LAST_MODIFIED);
    resource->cache_control = field(base, STET_FIELD_CACHE_CONTROL);
    resource->server = field(base, STET_FIELD_SERVER);
}

void stet__visit_end(struct stet__visit *visit)
{
    struct stet__check_making *run = visit->run;
    describe(visit);
    run->failed |= !stet__gather_end(&visit->gather, &visit->resource);
    for (size_t i = 0; i < STET_CODING_COUNT; i++)
        stet__taken_release(&visit->base[i]);
    if (run->count == run->room) {
        size_t room = run->room > 0 ? 2 * run->room : 8;
        void *at = reallocarray(run->resources, room, sizeof *run->resources);
        if (!at) {
            run->failed = true;
            return;
        }
        run->resources = at;
        run->room = room;
    }
    run->resources[run->count++] = visit->resource;
}
