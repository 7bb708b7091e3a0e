/* SPDX-License-Identifier: MIT */
/*
 * Subjects of vary.h, no_vary_search.h, uri.h and invalidation.h: which stored response, which URI.
 *
 * Vary needs three sets of fields, so its inputs have lines that divide them: what stands before "Stored:" is
 * of the response, then come the fields of the request that it was got with, after "Presented:" those of the
 * request that asks. Of several responses each begins with "Response: METHOD DATE", the date a number.
 */
#include "markdown.h"
#include "spec.h"

#include <stet/invalidation.h>
#include <stet/no_vary_search.h>
#include <stet/vary.h>

#define RESPONSES_MAX 8

struct scene {
    struct stet_stored stored[RESPONSES_MAX];
    const struct stet_stored *all[RESPONSES_MAX];
    size_t count;
    struct stet_request request;
};

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

static void begin_response(struct spec_run *run, struct scene *scene, struct stet_span what)
{
    struct stet_stored *stored = &scene->stored[scene->count];
    struct stet_span method = markdown_word(&what);
    uint64_t date = 0;
    run->bad = run->bad || scene->count == RESPONSES_MAX || stet_span_to_u64(what, &date) != STET_OK;
    if (run->bad)
        return;
    *stored = (struct stet_stored){.method = stet_method_id(method), .date = (int64_t)date};
    stored->response.status = 200;
    scene->all[scene->count++] = stored;
}

static bool read_scene(struct spec_run *run, struct scene *scene)
{
    struct stet_request all;
    struct stet_fields *part = NULL;
    *scene = (struct scene){.request = {.method = STET_METHOD_GET}};
    if (!spec_fields(run, &all))
        return false;
    for (size_t i = 0; i < all.fields.count && !run->bad; i++) {
        const struct stet_field *field = &all.fields.at[i];
        bool response = named(field, STET_SPAN("Response"));
        if (response || i == 0)
            begin_response(run, scene, response ? field->value : STET_SPAN("GET 0"));
        if (response || i == 0)
            part = &scene->stored[scene->count - (scene->count > 0)].response.fields;
        if (named(field, STET_SPAN("Stored")))
            part = &scene->stored[scene->count - 1].selecting;
        else if (named(field, STET_SPAN("Presented")))
            part = &scene->request.fields;
        else if (!response)
            add(part, field);
        if (named(field, STET_SPAN("Presented")) && field->value.len > 0)
            scene->request.method = stet_method_id(field->value);
    }
    return !run->bad;
}

/* "yes" if the request selects the response. */
static void run_selects(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    const struct stet_stored *stored = scene.all[0];
    bool there = stet_vary_matches(&stored->response.fields, &stored->selecting, &scene.request.fields);
    bool kept_enough = true;
    struct stet_field room[SPEC_FIELDS_MAX];
    struct stet_fields kept = {.at = room, .present = stored->selecting.present};
    kept.count = stet_vary_selecting(&stored->response.fields, &stored->selecting, room);
    if (stet_vary_matches(&stored->response.fields, &kept, &scene.request.fields) != there)
        kept_enough = false;
    fprintf(run->out, "%s%s\n", there ? "yes" : "no", kept_enough ? "" : ", but not with what is kept");
}

/* The number of the response, from 1, that is selected of all. */
static void run_best(struct spec_run *run)
{
    struct scene scene;
    if (!read_scene(run, &scene))
        return;
    size_t best = stet_vary_select(&scene.request, scene.all, scene.count);
    if (best < scene.count)
        fprintf(run->out, "%zu\n", best + 1);
    else
        fputs("none\n", run->out);
}

/* What Vary is: "absent", "present" or "any", and whether it names the field of the detail. */
static void run_vary(struct spec_run *run)
{
    struct stet_request response;
    if (!spec_fields(run, &response))
        return;
    const struct stet_fields *fields = &response.fields;
    fprintf(run->out, "%s%s\n",
            stet_vary_any(fields)       ? "any"
            : stet_vary_present(fields) ? "present"
                                        : "absent",
            stet_vary_names(fields, run->detail) ? " named" : "");
}

/* The fields of the request that are kept. */
static void run_selecting(struct spec_run *run)
{
    struct scene scene;
    struct stet_field room[SPEC_FIELDS_MAX];
    if (!read_scene(run, &scene))
        return;
    size_t count = stet_vary_selecting(&scene.all[0]->response.fields, &scene.request.fields, room);
    for (size_t i = 0; i < count; i++)
        fprintf(run->out, "%.*s: %.*s\n", (int)room[i].name.len, room[i].name.ptr, (int)room[i].value.len,
                room[i].value.ptr);
    fprintf(run->out, "%zu in all\n", count);
}

static void put_line(struct spec_run *run, const char *octets, size_t len)
{
    markdown_encode(stet_span_of(octets, len), run->out);
    putc('\n', run->out);
}

/* What No-Vary-Search says, as it was understood. */
static void run_search_field(struct spec_run *run)
{
    struct stet_request response;
    struct stet_no_vary_search nvs;
    if (!spec_fields(run, &response))
        return;
    stet_no_vary_search_read(&response.fields, &nvs);
    fprintf(run->out, "%s%s%s\n", nvs.given ? "given" : "default", nvs.key_order ? " key-order" : "",
            nvs.all ? " all" : "");
}

/* Writes what stands for `query`; every room that is too small has to be refused. */
static size_t canonical(struct spec_run *run, const struct stet_no_vary_search *nvs, struct stet_span query,
                        char **out)
{
    size_t enough = 9 * query.len + 1;
    *out = malloc(enough);
    size_t len = stet_no_vary_search_write(nvs, query, *out, enough);
    char *exact = malloc(len + 1);
    if (len > enough || stet_no_vary_search_write(nvs, query, exact, len) != len ||
        (len > 0 && stet_no_vary_search_write(nvs, query, exact, len - 1) != SIZE_MAX))
        fputs("the room is not minded: ", run->out);
    free(exact);
    return len;
}

static void read_nvs(struct spec_run *run, struct stet_no_vary_search *nvs)
{
    static const struct stet_span mark = {"prefixes ", 9};
    bool prefixes = stet_span_starts(run->detail, mark);
    stet_no_vary_search_read_value(prefixes ? stet_span_skip(run->detail, mark.len) : run->detail, nvs);
    nvs->prefixes = prefixes;
}

/* The query that stands for all equivalent ones, under the field value of the detail. */
static void run_search(struct spec_run *run)
{
    struct stet_no_vary_search nvs;
    char *out;
    read_nvs(run, &nvs);
    size_t len = canonical(run, &nvs, run->input, &out);
    put_line(run, len > 0 ? out : "nothing", len > 0 ? len : 7);
    free(out);
}

/* Whether two queries, with " ~ " between them, are equivalent. */
static void run_equivalent(struct spec_run *run)
{
    struct stet_no_vary_search nvs;
    static const struct stet_span mark = {" ~ ", 3};
    char *a, *b;
    size_t at = 0;
    while (at < run->input.len && !stet_span_starts(stet_span_skip(run->input, at), mark))
        at++;
    run->bad = at == run->input.len;
    if (run->bad)
        return;
    read_nvs(run, &nvs);
    size_t a_len = canonical(run, &nvs, stet_span_of(run->input.ptr, at), &a);
    size_t b_len = canonical(run, &nvs, stet_span_skip(run->input, at + mark.len), &b);
    fputs(a_len == b_len && memcmp(a, b, a_len) == 0 ? "yes\n" : "no\n", run->out);
    free(a);
    free(b);
}

static void put_uri(struct spec_run *run, const char *uri, size_t len)
{
    struct stet_uri parsed;
    char *again = malloc(len + 1);
    if (len > 0 && (stet_uri_parse(stet_span_of(uri, len), &parsed) != STET_OK ||
                    stet_uri_write(&parsed, again, len) != len || memcmp(again, uri, len) != 0 ||
                    stet_uri_write(&parsed, again, len - 1) != 0))
        fputs("not a normal form: ", run->out);
    free(again);
    put_line(run, len > 0 ? uri : "none", len > 0 ? len : 4);
}

/* A URI in normal form. */
static void run_uri(struct spec_run *run)
{
    struct stet_uri uri;
    char *out = malloc(run->input.len + 16);
    int status = stet_uri_parse(run->input, &uri);
    if (status == STET_OK)
        put_uri(run, out, stet_uri_write(&uri, out, run->input.len + 16));
    else
        spec_error(run, status);
    free(out);
}

/* Two URIs. */
static void run_same_origin(struct spec_run *run)
{
    struct stet_uri a, b;
    struct stet_span rest = run->input;
    struct stet_span first = markdown_word(&rest);
    run->bad = stet_uri_parse(first, &a) != STET_OK || stet_uri_parse(rest, &b) != STET_OK;
    if (!run->bad)
        fputs(stet_uri_same_origin(&a, &b) ? "yes\n" : "no\n", run->out);
}

/* A reference, resolved against the URI of the detail. */
static void run_resolve(struct spec_run *run)
{
    struct stet_uri base;
    size_t room = run->detail.len + run->input.len + 16;
    char *out = malloc(room);
    run->bad = stet_uri_parse(run->detail, &base) != STET_OK;
    if (!run->bad)
        put_uri(run, out, stet_uri_resolve(&base, run->input, out, room));
    free(out);
}

/* "AUTHORITY PATH": the target URI of a request with the scheme of the detail. */
static void run_target(struct spec_run *run)
{
    struct stet_span path = run->input;
    struct stet_span authority = markdown_word(&path);
    size_t room = run->detail.len + run->input.len + 16;
    char *out = malloc(room);
    put_uri(run, out, stet_uri_write_target(run->detail, authority, path, out, room));
    free(out);
}

static bool begin(struct spec_run *run, struct stet_response *response, struct stet_invalidation *out,
                  struct stet_uri *target)
{
    struct stet_span rest = run->detail;
    struct stet_span method = markdown_word(&rest), status = markdown_word(&rest);
    uint64_t number = 0;
    run->bad = stet_span_to_u64(status, &number) != STET_OK || stet_uri_parse(rest, target) != STET_OK;
    response->status = (unsigned)number;
    return !run->bad && stet_invalidation_begin(out, stet_method_id(method), response, target);
}

/* "METHOD STATUS TARGET" in the detail, the fields of the answer: the URIs that are invalidated. */
static void run_invalidates(struct spec_run *run)
{
    struct stet_request fields;
    struct stet_response response = {.status = 0};
    struct stet_invalidation invalidation;
    struct stet_uri target;
    char out[1024];
    size_t len = 0;
    int status;
    if (!spec_fields(run, &fields))
        return;
    response.fields = fields.fields;
    if (!begin(run, &response, &invalidation, &target)) {
        fputs("nothing\n", run->out);
        return;
    }
    while ((status = stet_invalidation_next(&invalidation, out, sizeof(out), &len)) == STET_OK)
        put_uri(run, out, len);
    if (status != STET_END)
        spec_error(run, status);
}

/* "METHOD STATUS": whether such an answer invalidates anything. */
static void run_invalidating(struct spec_run *run)
{
    struct stet_response response = {.status = 0};
    struct stet_invalidation invalidation;
    struct stet_uri target;
    char detail[64];
    struct spec_run inner = *run;
    int len = snprintf(detail, sizeof(detail), "%.*s http://h/", (int)run->input.len, run->input.ptr);
    inner.detail = stet_span_of(detail, (size_t)len);
    fputs(begin(&inner, &response, &invalidation, &target) ? "yes\n" : "no\n", run->out);
    run->bad = inner.bad;
}

/* The groups in the fields, by the source that the detail names. */
static void run_groups(struct spec_run *run)
{
    static const struct {
        struct stet_span name;
        enum stet_group_source source;
    } sources[] = {
        {{"belongs", 7}, STET_GROUPS},
        {{"invalidates", 11}, STET_GROUPS_INVALIDATED},
        {{"surrogate", 9}, STET_GROUPS_SURROGATE},
        {{"tag", 3}, STET_GROUPS_CACHE_TAG},
    };
    struct stet_request response;
    struct stet_group_list list;
    struct stet_span group;
    char room[STET_GROUP_OCTETS_MAX];
    size_t i = 0, count = 0;
    while (i < 4 && !stet_span_equal(run->detail, sources[i].name))
        i++;
    run->bad = i == 4;
    if (run->bad || !spec_fields(run, &response))
        return;
    stet_group_list_begin(&list, &response.fields, sources[i].source);
    for (; stet_group_list_next(&list, room, &group) == STET_OK; count++)
        if (group.len > 64)
            fprintf(run->out, "%zu octets\n", group.len);
        else if (count < 8 || count == 31)
            put_line(run, group.ptr, group.len);
    fprintf(run->out, "%zu in all\n", count);
}

const struct spec_subject spec_select_subjects[] = {
    {"selects", SPEC_INPUT_FIELDS, false, run_selects},
    {"best", SPEC_INPUT_FIELDS, false, run_best},
    {"vary", SPEC_INPUT_FIELDS, false, run_vary},
    {"selecting", SPEC_INPUT_FIELDS, false, run_selecting},
    {"search-field", SPEC_INPUT_FIELDS, false, run_search_field},
    {"search", SPEC_INPUT_ROW, false, run_search},
    {"equivalent", SPEC_INPUT_ROW, false, run_equivalent},
    {"uri", SPEC_INPUT_ROW, false, run_uri},
    {"same-origin", SPEC_INPUT_ROW, false, run_same_origin},
    {"resolve", SPEC_INPUT_ROW, false, run_resolve},
    {"target-uri", SPEC_INPUT_ROW, false, run_target},
    {"invalidates", SPEC_INPUT_FIELDS, false, run_invalidates},
    {"invalidating", SPEC_INPUT_ROW, false, run_invalidating},
    {"groups", SPEC_INPUT_FIELDS, false, run_groups},
    {NULL, SPEC_INPUT_ROW, false, NULL},
};
