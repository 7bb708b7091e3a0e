/* SPDX-License-Identifier: MIT */
/*
 * The life of a check, from top to bottom: visit().
 *
 * What the plain GET does not have is not asked about, and what follows from an earlier answer is not asked
 * again: a server that ignores If-None-Match altogether is told so once, not once for each form of it.
 */
#include <stdio.h>
#include <time.h>

#include <stet/uri.h>

#include "check/asset.h"
#include "check/nodes.h"
#include "check/visit.h"

static const enum stet_coding codings[] = {STET_CODING_GZIP, STET_CODING_BR, STET_CODING_ZSTD};
enum { CODINGS = sizeof codings / sizeof *codings, URI_MAX = 8192, WORTH_ASKING_TWICE = 256 };

static const char *coding_name(enum stet_coding coding)
{
    return stet_coding_name(coding).ptr; /* of a literal, so it has an end */
}

static struct stet_lint_exchange *base_of(struct stet__visit *visit, enum stet_coding coding)
{
    return &visit->base[coding].lint;
}

static bool wanted(const struct stet__visit *visit, enum stet_lint_probe_kind kind)
{
    return !visit->over && stet__choice_probe(&visit->run->settings->choice, kind);
}

/* Where the answer redirects to; false if it does not. */
static bool redirect(const struct stet__visit *visit, char *room)
{
    const struct stet_lint_exchange *answer = &visit->base[STET_CODING_IDENTITY].lint;
    const struct stet_field *location = stet_fields_find(&answer->response.fields, STET_FIELD_LOCATION, 0);
    struct stet_uri base;
    unsigned status = answer->response.status;
    if ((status < 301 || status > 303) && status != 307 && status != 308)
        return false;
    if (!location || stet_uri_parse(answer->uri, &base) != STET_OK)
        return false;
    size_t len = stet_uri_resolve(&base, location->value, room, URI_MAX - 1);
    room[len] = '\0';
    return len > 0;
}

/* The plain GET, behind all redirects. False if there is nothing to go on with. */
static bool first_get(struct stet__visit *visit)
{
    const struct stet__probe get = {.kind = STET_PROBE_GET, .method = "GET", .accept_encoding = "identity"};
    struct stet__taken *base = &visit->base[STET_CODING_IDENTITY];
    char target[URI_MAX];
    unsigned left = visit->run->settings->redirects_max;
    while (stet__visit_ask(visit, &get, NULL, base)) {
        if (!redirect(visit, target))
            return base->record.status == 200;
        if (left-- == 0) {
            visit->resource.failure = "There are too many redirects.";
            return false;
        }
        stet__taken_release(base);
        stet__visit_move(visit, target);
    }
    if (!visit->resource.failure)
        visit->resource.failure = base->record.failure ? base->record.failure : "It was not asked for.";
    return false;
}

static bool has_tag(const struct stet_lint_exchange *exchange)
{
    return stet_fields_have(&exchange->response.fields, STET_FIELD_ETAG);
}

/* A server that has to read a large file first may send its tag only later: that answer is the base then. */
static void take_base(struct stet__visit *visit, struct stet__taken *again)
{
    struct stet__taken *base = &visit->base[STET_CODING_IDENTITY];
    if (again->record.status != 200 || has_tag(&base->lint) || !has_tag(&again->lint))
        return;
    struct stet__taken first = *base;
    bool changing = first.lint.changing;
    *base = *again;
    base->lint.changing = changing;
    *again = first;
}

static bool other_value(const struct stet_lint_exchange *a, const struct stet_lint_exchange *b,
                        enum stet_field_id id)
{
    const struct stet_field *one = stet_fields_find(&a->response.fields, id, 0);
    const struct stet_field *two = stet_fields_find(&b->response.fields, id, 0);
    return one && two && !stet_span_equal(one->value, two->value);
}

/* Other content, or another validator. */
static bool differs(const struct stet_lint_exchange *a, const struct stet_lint_exchange *b)
{
    bool content = a->identity_known && b->identity_known &&
                   memcmp(a->identity_digest, b->identity_digest, STET_LINT_DIGEST_BYTES) != 0;
    return content || other_value(a, b, STET_FIELD_ETAG) || other_value(a, b, STET_FIELD_LAST_MODIFIED);
}

/* The same again: is it stable? From here on it is known whether the content changes all the time. */
static void repeat(struct stet__visit *visit)
{
    struct stet__probe probe;
    struct stet_lint_exchange *base = base_of(visit, STET_CODING_IDENTITY);
    for (unsigned i = 1; i < visit->run->settings->repeat && wanted(visit, STET_PROBE_REPEATED); i++) {
        struct stet__taken again;
        stet__probe_make(&visit->run->report->arena, STET_PROBE_REPEATED, i, base, &probe);
        if (stet__visit_ask(visit, &probe, base, &again) && differs(base, &again.lint))
            base->changing = true;
        take_base(visit, &again);
        stet__taken_release(&again);
    }
}

/* A plain GET that accepts one coding, the base of its own questions. */
static void ask_coding(struct stet__visit *visit, enum stet_coding coding, size_t *exchange)
{
    const struct stet__probe probe = {.kind = STET_PROBE_CODING,
                                      .variant = coding_name(coding),
                                      .method = "GET",
                                      .accept_encoding = coding_name(coding)};
    struct stet__taken *coded = &visit->base[coding];
    if (!wanted(visit, STET_PROBE_CODING))
        return;
    stet__taken_release(coded);
    visit->has[coding] = stet__visit_ask(visit, &probe, NULL, coded) && coded->record.status == 200 &&
                         stet_coding_of(&coded->lint.response.fields) == coding;
    coded->lint.changing = base_of(visit, STET_CODING_IDENTITY)->changing;
    *exchange = visit->gather.exchange_count - 1;
}

/* Each coding beside the plain content, and beside the codings before it. */
static void judge_codings(struct stet__visit *visit, const size_t exchanges[CODINGS])
{
    for (int i = 0; i < CODINGS; i++) {
        const struct stet_lint_exchange *coded = base_of(visit, codings[i]);
        if (stet__taken_answered(&visit->base[codings[i]]))
            stet__visit_judge(visit, STET_PROBE_CODING, base_of(visit, STET_CODING_IDENTITY), coded,
                              exchanges[i]);
        for (int j = 0; j < i; j++)
            if (visit->has[codings[i]] && visit->has[codings[j]])
                stet__visit_judge(visit, STET_PROBE_CODING, base_of(visit, codings[j]), coded, exchanges[i]);
    }
}

/* Servers and CDNs code in the background, after they were asked for the first time: so what came uncoded is
 * asked for once more, and the last answer counts. */
static void ask_codings(struct stet__visit *visit)
{
    static const struct timespec moment = {0, 200000000};
    size_t exchanges[CODINGS] = {0};
    for (int i = 0; i < CODINGS; i++)
        ask_coding(visit, codings[i], &exchanges[i]);
    bool waited = false;
    for (int i = 0; i < CODINGS; i++) {
        if (visit->over || visit->has[codings[i]] ||
            base_of(visit, codings[i])->content_length < WORTH_ASKING_TWICE)
            continue;
        if (!waited)
            nanosleep(&moment, NULL);
        waited = true;
        ask_coding(visit, codings[i], &exchanges[i]);
    }
    judge_codings(visit, exchanges);
}

/* No: it need not be asked about the tags of codings. */
static bool heeds_tags(const struct stet__visit *visit)
{
    return visit->status[STET_PROBE_INM] == 304 || visit->status[STET_PROBE_INM] == 0;
}

/* The tag that came with a coding, asked with that coding. */
static void ask_coded_tags(struct stet__visit *visit)
{
    struct stet__probe probe;
    for (int i = 0; i < CODINGS && wanted(visit, STET_PROBE_INM) && heeds_tags(visit); i++) {
        struct stet_lint_exchange *base = base_of(visit, codings[i]);
        if (!visit->has[codings[i]] ||
            !stet__probe_make(&visit->run->report->arena, STET_PROBE_INM, 0, base, &probe))
            continue;
        probe.variant = probe.accept_encoding = coding_name(codings[i]);
        unsigned of_identity = visit->status[STET_PROBE_INM];
        stet__visit_ask(visit, &probe, base, NULL);
        visit->status[STET_PROBE_INM] = of_identity;
    }
}

/* What a server may answer in another way to who accepts a coding. One coding stands for all. What was coded
 * in the background has another tag by now, perhaps. */
static void ask_coded_rest(struct stet__visit *visit)
{
    static const enum stet_lint_probe_kind kinds[] = {STET_PROBE_HEAD, STET_PROBE_IF_MATCH, STET_PROBE_RANGE};
    struct stet__probe probe;
    size_t exchange;
    int coding = 0;
    while (coding < CODINGS && !visit->has[codings[coding]])
        coding++;
    if (coding < CODINGS)
        ask_coding(visit, codings[coding], &exchange);
    for (unsigned i = 0; coding < CODINGS && visit->has[codings[coding]] && i < sizeof kinds / sizeof *kinds;
         i++) {
        struct stet_lint_exchange *base = base_of(visit, codings[coding]);
        unsigned last = stet__probe_count(kinds[i]) - 1, of_identity = visit->status[kinds[i]];
        if (!wanted(visit, kinds[i]) ||
            !stet__probe_make(&visit->run->report->arena, kinds[i], last, base, &probe))
            continue;
        probe.variant = probe.accept_encoding = coding_name(codings[coding]);
        stet__visit_ask(visit, &probe, base, NULL);
        visit->status[kinds[i]] = of_identity;
    }
}

/* Each tag with each other coding, which is liked better, but not alone: what the client holds is of use to
 * it, too. */
static void ask_tag(struct stet__visit *visit, enum stet_coding of, enum stet_coding better)
{
    struct stet__arena *arena = &visit->run->report->arena;
    struct stet__probe probe;
    char text[64];
    if (of == better || (of != STET_CODING_IDENTITY && !visit->has[of]) ||
        (better != STET_CODING_IDENTITY && !visit->has[better]) || !wanted(visit, STET_PROBE_INM_CODING) ||
        !stet__probe_make(arena, STET_PROBE_INM_CODING, 0, base_of(visit, of), &probe))
        return;
    int len = snprintf(text, sizeof text, "%s, %s;q=0.5", coding_name(better), coding_name(of));
    probe.accept_encoding = stet__gather_text(arena, stet_span_of(text, (size_t)len));
    len = snprintf(text, sizeof text, "tag of %s, %s is liked better", coding_name(of), coding_name(better));
    probe.variant = stet__gather_text(arena, stet_span_of(text, (size_t)len));
    if (probe.variant && probe.accept_encoding)
        stet__visit_ask(visit, &probe, base_of(visit, of), NULL);
}

static void ask_tags_by_codings(struct stet__visit *visit)
{
    for (int i = 0; i < CODINGS && heeds_tags(visit); i++) {
        ask_tag(visit, STET_CODING_IDENTITY, codings[i]);
        ask_tag(visit, codings[i], STET_CODING_IDENTITY);
        for (int j = 0; j < CODINGS; j++)
            ask_tag(visit, codings[i], codings[j]);
    }
}

/* Whether an earlier answer makes this one worth asking for. */
static bool follows(const struct stet__visit *visit, enum stet_lint_probe_kind kind)
{
    switch (kind) {
    case STET_PROBE_INM_HEAD:
    case STET_PROBE_INM_WEAK:
    case STET_PROBE_INM_LIST:
    case STET_PROBE_INM_LIST_COMMA:
    case STET_PROBE_INM_LINES:
    case STET_PROBE_INM_LONG:
    case STET_PROBE_INM_WITH_OLD_IMS:
        return visit->status[STET_PROBE_INM] == 304;
    case STET_PROBE_INM_ANY: /* it needs no tag */
        return heeds_tags(visit);
    case STET_PROBE_IMS_LATER:
    case STET_PROBE_IMS_RFC850:
    case STET_PROBE_IMS_ASCTIME:
    case STET_PROBE_IMS_HEAD:
        return visit->status[STET_PROBE_IMS] == 304;
    case STET_PROBE_IF_MATCH_WITH_OLD_IUS: /* whoever fails the tag alone has another fault */
        return visit->status[STET_PROBE_IF_MATCH] != 412;
    case STET_PROBE_IF_MATCH_WEAK:
        return visit->status[STET_PROBE_IF_MATCH_OTHER] == 412;
    case STET_PROBE_RANGE_SUFFIX:
    case STET_PROBE_RANGE_SEVERAL:
    case STET_PROBE_IF_RANGE:
    case STET_PROBE_IF_RANGE_OTHER:
    case STET_PROBE_IF_RANGE_WEAK:
    case STET_PROBE_IF_RANGE_DATE:
    case STET_PROBE_IF_RANGE_DATE_OTHER:
        return visit->status[STET_PROBE_RANGE] == 206;
    case STET_PROBE_RANGE_INM:
        return visit->status[STET_PROBE_RANGE] == 206 && visit->status[STET_PROBE_INM] == 304;
    case STET_PROBE_RANGE_INM_WEAK:
        return visit->status[STET_PROBE_RANGE_INM] == 304 && visit->status[STET_PROBE_INM_WEAK] == 304;
    default:
        return true;
    }
}

static void ask_kind(struct stet__visit *visit, enum stet_lint_probe_kind kind)
{
    struct stet_lint_exchange *base = base_of(visit, STET_CODING_IDENTITY);
    struct stet__probe probe;
    for (unsigned i = 0; i < stet__probe_count(kind); i++)
        if (wanted(visit, kind) && follows(visit, kind) &&
            stet__probe_make(&visit->run->report->arena, kind, i, base, &probe))
            stet__visit_ask(visit, &probe, base, NULL);
}

static void ask_kinds(struct stet__visit *visit, enum stet_lint_probe_kind first,
                      enum stet_lint_probe_kind last)
{
    for (int kind = (int)first; kind <= (int)last; kind++)
        if (kind != STET_PROBE_INM_CODING)
            ask_kind(visit, (enum stet_lint_probe_kind)kind);
}

static void ask_nodes(struct stet__visit *visit)
{
    struct stet__nodes nodes;
    struct stet_lint_exchange *base = base_of(visit, STET_CODING_IDENTITY);
    struct stet__probe probe;
    if (!visit->run->settings->nodes || !wanted(visit, STET_PROBE_NODE))
        return;
    stet__nodes_find(visit->resource.uri, &nodes);
    for (unsigned i = 0; i < nodes.count && nodes.count > 1; i++) {
        const char *address = nodes.at[i];
        stet__probe_make(&visit->run->report->arena, STET_PROBE_NODE, i, base, &probe);
        probe.address = probe.variant =
            stet__gather_text(&visit->run->report->arena, stet_span_of(address, strlen(address)));
        stet__visit_ask(visit, &probe, base, NULL);
    }
}

static void ask_later(struct stet__visit *visit)
{
    const struct stet__check_settings *settings = visit->run->settings;
    struct stet_lint_exchange *base = base_of(visit, STET_CODING_IDENTITY);
    struct stet__probe probe;
    const struct timespec second = {1, 0};
    if (settings->later_s == 0 || !wanted(visit, STET_PROBE_LATER))
        return;
    for (unsigned i = 0; i < settings->later_s && !stet__check_stopped(settings); i++)
        nanosleep(&second, NULL);
    stet__probe_make(&visit->run->report->arena, STET_PROBE_LATER, 0, base, &probe);
    stet__visit_ask(visit, &probe, base, NULL);
}

static void visit(struct stet__visit *visit)
{
    if (!first_get(visit))
        return;
    repeat(visit);
    ask_codings(visit);
    ask_kind(visit, STET_PROBE_HEAD);
    ask_kinds(visit, STET_PROBE_INM, STET_PROBE_INM_CODING);
    ask_coded_tags(visit);
    ask_tags_by_codings(visit);
    ask_coded_rest(visit);
    ask_kinds(visit, STET_PROBE_IMS, STET_PROBE_IMS_HEAD);
    ask_kinds(visit, STET_PROBE_INM_BEATS_IMS, STET_PROBE_IF_UNMODIFIED_SINCE_OLD);
    ask_kinds(visit, STET_PROBE_RANGE, STET_PROBE_IF_RANGE_DATE_OTHER);
    ask_nodes(visit);
    ask_later(visit);
}

/* One resource, and what it links if it is a page. */
static void check(struct stet__check_making *run, const char *uri)
{
    struct stet__visit at;
    struct stet__assets assets = {.count = 0};
    stet__visit_begin(&at, run, uri, NULL);
    visit(&at);
    if (run->settings->assets_max > 0 && at.resource.failure == NULL)
        run->failed |=
            !stet__assets_find(base_of(&at, STET_CODING_IDENTITY), run->settings->assets_max, &assets);
    stet__visit_end(&at);
    for (size_t i = 0; i < assets.count && !stet__check_stopped(run->settings); i++) {
        stet__visit_begin(&at, run, assets.at[i], "asset");
        visit(&at);
        stet__visit_end(&at);
    }
    stet__assets_release(&assets);
}

static int64_t now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct stet__check_report *stet__check_run(const struct stet__check_settings *settings,
                                           const char *const *uris, size_t count)
{
    struct stet__check_making run;
    int64_t begun_ms = now_ms();
    if (!stet__check_begin(&run, settings))
        return NULL;
    for (size_t i = 0; i < count && !stet__check_stopped(settings); i++)
        check(&run, uris[i]);
    run.report->whole_ms = now_ms() - begun_ms;
    return stet__check_end(&run);
}

struct stet__check_report *stet__check_hops(const struct stet__check_settings *settings, const char *edge,
                                            const char *origin)
{
    struct stet__check_making run;
    struct stet__visit at_edge, at_origin;
    int64_t begun_ms = now_ms();
    if (!stet__check_begin(&run, settings))
        return NULL;
    stet__visit_begin(&at_edge, &run, edge, "edge");
    visit(&at_edge);
    stet__visit_begin(&at_origin, &run, origin, "origin");
    visit(&at_origin);
    if (stet__choice_probe(&settings->choice, STET_PROBE_EDGE) && at_edge.gather.exchange_count > 0)
        stet__visit_judge(&at_edge, STET_PROBE_EDGE, base_of(&at_origin, STET_CODING_IDENTITY),
                          base_of(&at_edge, STET_CODING_IDENTITY), 0);
    stet__visit_end(&at_edge);
    stet__visit_end(&at_origin);
    run.report->whole_ms = now_ms() - begun_ms;
    return stet__check_end(&run);
}
