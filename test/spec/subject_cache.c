/* SPDX-License-Identifier: MIT */
/*
 * Subjects of cache_control.h, freshness.h and stored.h: what directives say, how long a response is fresh,
 * and whether it may be stored.
 *
 * The input is the fields of a response. A line "Response: STATUS" gives it another status than 200, and
 * "Response: STATUS DELAY" a request that was sent so many seconds before the head came, which is `now`.
 * After a line "Request: METHOD TARGET" come the fields of the request.
 *
 * Words after a subject's name change the policy of stet proxy: private (a private cache), no-cookies,
 * no-heuristic, grace (a minute of both kinds), target=NAME (once or several times).
 */
#include "markdown.h"
#include "spec.h"

#include <stet/stored.h>

#define TARGETS_MAX 4

struct scene {
    struct stet_request request;
    struct stet_stored stored;
    struct stet_cache_policy policy;
    struct stet_span targets[TARGETS_MAX];
    uint64_t later_s; /* a number in the detail */
};

static bool read_word(struct scene *scene, struct stet_span word)
{
    static const struct stet_span target = {"target=", 7};
    if (stet_span_equal(word, STET_SPAN("private")))
        scene->policy.shared = false;
    else if (stet_span_equal(word, STET_SPAN("no-cookies")))
        scene->policy.keep_cookies = false;
    else if (stet_span_equal(word, STET_SPAN("no-heuristic")))
        scene->policy.heuristic.percent = 0;
    else if (stet_span_equal(word, STET_SPAN("grace")))
        scene->policy.grace_s = scene->policy.error_grace_s = 60;
    else if (stet_span_starts(word, target) && scene->policy.target_count < TARGETS_MAX)
        scene->targets[scene->policy.target_count++] = stet_span_skip(word, target.len);
    else
        return stet_span_to_u64(word, &scene->later_s) == STET_OK;
    return true;
}

static bool named(const struct stet_field *field, struct stet_span name)
{
    return stet_span_equal(field->name, name);
}

static void add(struct stet_fields *part, const struct stet_field *field)
{
    if (part->count++ == 0)
        part->at = field;
    if (field->id != STET_FIELD_OTHER)
        part->present |= 1ull << field->id;
}

static void begin_request(struct scene *scene, struct stet_span line)
{
    scene->request.method_name = markdown_word(&line);
    scene->request.method = stet_method_id(scene->request.method_name);
    scene->request.target = line;
}

static void begin_response(struct spec_run *run, struct scene *scene, struct stet_span line)
{
    uint64_t status = 0, delay = 0;
    run->bad |= stet_span_to_u64(markdown_word(&line), &status) != STET_OK;
    run->bad |= line.len > 0 && stet_span_to_u64(line, &delay) != STET_OK;
    scene->stored.response.status = (unsigned)status;
    scene->stored.times.request = run->setting->now - (int64_t)delay;
}

static void divide(struct spec_run *run, struct scene *scene, const struct stet_fields *all)
{
    struct stet_fields *part = &scene->stored.response.fields;
    for (size_t i = 0; i < all->count; i++) {
        const struct stet_field *field = &all->at[i];
        if (named(field, STET_SPAN("Request"))) {
            begin_request(scene, field->value);
            part = &scene->request.fields;
        } else if (named(field, STET_SPAN("Response"))) {
            begin_response(run, scene, field->value);
            part = &scene->stored.response.fields;
        } else {
            add(part, field);
        }
    }
}

static bool read_scene(struct spec_run *run, struct scene *scene)
{
    struct stet_request all;
    struct stet_span detail = run->detail;
    *scene = (struct scene){.policy = STET_CACHE_POLICY_SHARED};
    scene->policy.targets = scene->targets;
    while (detail.len > 0)
        run->bad |= !read_word(scene, markdown_word(&detail));
    if (run->bad || !spec_fields(run, &all))
        return false;
    begin_request(scene, STET_SPAN("GET /"));
    scene->stored.response.status = 200;
    scene->stored.method = STET_METHOD_GET;
    scene->stored.times.request = scene->stored.times.response = run->setting->now;
    scene->stored.held.complete = true;
    divide(run, scene, &all.fields);
    scene->stored.times.age = stet_message_age(&scene->stored.response.fields);
    scene->stored.authorized = stet_fields_have(&scene->request.fields, STET_FIELD_AUTHORIZATION);
    stet_stored_read(&scene->stored, &scene->policy);
    return !run->bad;
}

static const char *const directive_names[] = {
#define X(symbol, name, argument, clause) [symbol] = name,
#include <stet/cache_directive.def>
#undef X
};

static int64_t number(const struct stet_cache_control *control, enum stet_cache_directive directive)
{
    switch (directive) {
    case STET_CC_MAX_AGE:
        return control->max_age;
    case STET_CC_S_MAXAGE:
        return control->s_maxage;
    case STET_CC_MIN_FRESH:
        return control->min_fresh;
    case STET_CC_MAX_STALE:
        return control->max_stale;
    case STET_CC_STALE_IF_ERROR:
        return control->stale_if_error;
    case STET_CC_STALE_WHILE_REVALIDATE:
        return control->stale_while_revalidate;
    default:
        return -1;
    }
}

static void put_directive(struct spec_run *run, const struct stet_cache_control *control,
                          enum stet_cache_directive directive)
{
    struct stet_span list = directive == STET_CC_PRIVATE    ? control->private_fields
                            : directive == STET_CC_NO_CACHE ? control->no_cache_fields
                                                            : STET_SPAN_NONE;
    fputs(directive_names[directive], run->out);
    if (!stet_cache_control_valid(control, directive))
        fputs("=invalid", run->out);
    else if (number(control, directive) >= 0)
        fprintf(run->out, "=%lld", (long long)number(control, directive));
    else if (list.ptr)
        fprintf(run->out, "=(%.*s)", (int)list.len, list.ptr);
}

/* What was understood, and from which field if it is a targeted one. */
static void run_directives(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    const struct stet_cache_control *control = &scene.stored.control;
    const char *between = "";
    for (unsigned i = 0; i < STET_CC_COUNT; i++) {
        if (!stet_cache_control_has(control, i))
            continue;
        fputs(between, run->out);
        put_directive(run, control, i);
        between = " ";
    }
    if (control->present == 0)
        fputs("none", run->out);
    if (control->targeted)
        fprintf(run->out, " by %.*s", (int)control->source.len, control->source.ptr);
    putc('\n', run->out);
}

static void run_lifetime(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    const struct stet_freshness *freshness = &scene.stored.freshness;
    fprintf(run->out, "%lld %s\n", (long long)freshness->lifetime_s,
            stet_reason_row(freshness->reason)->name);
}

/* So many seconds after the response came. */
static void run_age(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    const struct stet_freshness *freshness = &scene.stored.freshness;
    int64_t now = run->setting->now + (int64_t)scene.later_s;
    int64_t ttl = stet_freshness_ttl(freshness, now);
    fprintf(run->out, "%lld %s by %lld\n", (long long)stet_freshness_age(freshness, now),
            ttl > 0 ? "fresh" : "stale", (long long)(ttl > 0 ? ttl : -ttl));
}

static void run_storable(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    struct stet_storable storable =
        stet_storable_judge(&scene.request, scene.request.target, &scene.stored, &scene.policy);
    fprintf(run->out, "%s %s\n", storable.storable ? "yes" : "no", stet_reason_row(storable.reason)->name);
}

/* The names of the fields that are kept. */
static void run_keeps(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    const struct stet_fields *fields = &scene.stored.response.fields;
    size_t count = 0;
    for (size_t i = 0; i < fields->count; i++) {
        if (!stet_stored_keeps(&fields->at[i], fields, &scene.stored.control))
            continue;
        fputs(count++ > 0 ? ", " : "", run->out);
        markdown_encode(fields->at[i].name, run->out);
    }
    fputs(count > 0 ? "\n" : "nothing\n", run->out);
}

static void run_shareable(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    fputs(stet_stored_shareable(&scene.stored) ? "yes\n" : "no\n", run->out);
}

static void run_validators(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    const struct stet_representation *selected = &scene.stored.selected;
    const char *etag = !stet_etag_present(selected->etag) ? "no" : selected->etag.weak ? "weak" : "strong";
    const char *date = selected->last_modified == STET_NO_DATE ? "no"
                       : selected->last_modified_strong        ? "strong"
                                                               : "weak";
    fprintf(run->out, "%s tag, %s date\n", etag, date);
}

const struct spec_subject spec_cache_subjects[] = {
    {"directives", SPEC_INPUT_FIELDS, false, run_directives},
    {"lifetime", SPEC_INPUT_FIELDS, false, run_lifetime},
    {"age", SPEC_INPUT_FIELDS, false, run_age},
    {"storable", SPEC_INPUT_FIELDS, false, run_storable},
    {"keeps", SPEC_INPUT_FIELDS, false, run_keeps},
    {"shareable", SPEC_INPUT_FIELDS, false, run_shareable},
    {"validators", SPEC_INPUT_FIELDS, false, run_validators},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
