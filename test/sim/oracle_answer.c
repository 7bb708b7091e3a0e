/* SPDX-License-Identifier: MIT */
/*
 * What the client gets: the status that its conditions and range lead to, the octets of the one version that
 * it is told of, the fields and the Age that belong to it, nothing that is somebody else's, and after a
 * question to the origin what the origin has now.
 */
#include "oracle.h"

static bool is_read(const struct sim_head *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static bool is_conditional(const struct sim_head *request)
{
    return sim_get(request, "If-None-Match") || sim_get(request, "If-Modified-Since");
}

/* The octets from `first` to `last` of what is stored, or came. */
static void expect_octets(struct sim_oracle *oracle, const struct sim_response *response,
                          const struct sim_version *version, uint64_t first, uint64_t last)
{
    char content[SIM_CONTENT_MAX];
    size_t len = sim_content(version, content);
    bool none =
        response->status == 304 || response->status == 416 || strcmp(oracle->asked->head.method, "HEAD") == 0;
    if (none && response->len != 0)
        sim_wrong(oracle, "there is content with %u", response->status);
    if (none)
        return;
    if (last >= len || response->len != last - first + 1 ||
        memcmp(response->body, content + first, response->len) != 0)
        sim_wrong(oracle, "these are not octets %llu to %llu: %.*s; they are %.*s", (unsigned long long)first,
                  (unsigned long long)last, (int)response->len, response->body, (int)len, content);
}

static void expect_fields(struct sim_oracle *oracle, const struct sim_response *response,
                          const struct sim_head *stored)
{
    static const char *const names[] = {"Cache-Control", "ETag", "Vary", "Date", "Last-Modified", "Expires"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *a = sim_get(&response->head, names[i]), *b = sim_get(stored, names[i]);
        if ((a == NULL) != (b == NULL) || (a && strcmp(a, b) != 0))
            sim_wrong(oracle, "%s is %s, where %s is right", names[i], a ? a : "absent", b ? b : "none");
    }
    if (sim_get(&response->head, "Age"))
        sim_wrong(oracle, "the Age of the origin is sent again");
}

/* Whether the origin may call the two the same. */
static bool as_good_as(const struct sim_version *a, const struct sim_version *b)
{
    bool versions = a->version == b->version || (a->weak && b->weak && a->version / 2 == b->version / 2);
    return versions && a->language == b->language && a->encoding == b->encoding && a->color == b->color &&
           a->user == b->user;
}

static void answered_from_store(struct sim_oracle *oracle, const struct sim_response *response, int64_t now,
                                bool validated)
{
    const struct sim_entry *entry = sim_entry_find(oracle, response->id);
    const struct sim_head *request = &oracle->asked->head;
    uint64_t first = 0, last;
    char content[SIM_CONTENT_MAX];
    uint64_t length = sim_content(&entry->version, content);
    unsigned want = entry->response.status;
    last = length - 1;
    if (want == 200)
        want = sim_status_of(request, &entry->response, entry->response_time, length, &first, &last);
    if (response->status != want)
        sim_wrong(oracle, "%u from what is stored, where %u is right", response->status, want);
    if (response->status == 206 && response->from != first)
        sim_wrong(oracle, "the range begins at %llu", (unsigned long long)response->from);
    if (response->age != sim_age(entry, now))
        sim_wrong(oracle, "Age is %lld, where %lld is right", (long long)response->age,
                  (long long)sim_age(entry, now));
    /* What the origin has confirmed for this very request is this client's. */
    if (!validated && (entry->authorized || sim_get(request, "Authorization")) &&
        !sim_shareable(&entry->response))
        sim_wrong(oracle, "%u was got with credentials, and is shared", entry->id);
    if (entry->of_version)
        expect_octets(oracle, response, &entry->version, first, last);
    expect_fields(oracle, response, &entry->response);
    struct sim_version current = sim_origin_version(oracle->origin, request, oracle->asked->resource);
    bool unfounded = oracle->exchange.answer && oracle->exchange.answer->unfounded;
    if (validated && entry->of_version && !unfounded && !as_good_as(&entry->version, &current))
        sim_wrong(oracle, "%u was validated, and is not what the origin has", entry->id);
}

void sim_oracle_answered(struct sim_oracle *oracle, const struct sim_response *response, int64_t now,
                         bool validated)
{
    const struct sim_head *request = &oracle->asked->head;
    const struct sim_answer *answer = oracle->exchange.answer;
    uint64_t first = 0, last = 0;
    if (response->status == 304 && !is_conditional(request))
        sim_wrong(oracle, "a 304 to a client that sent no condition");
    if (response->stored) {
        answered_from_store(oracle, response, now, validated);
        return;
    }
    bool as_it_came = response->status == answer->head.status;
    char content[SIM_CONTENT_MAX];
    uint64_t length = answer->of_version ? sim_content(&answer->version, content) : 0;
    unsigned want = 0;
    if (answer->head.status == 200 && is_read(request) && answer->of_version)
        want = sim_status_of(request, &answer->head, oracle->exchange.response_time, length, &first, &last);
    if (!as_it_came && response->status != want)
        sim_wrong(oracle, "%u of an answer of %u", response->status, answer->head.status);
    if (as_it_came) {
        if (response->len != answer->len || memcmp(response->body, answer->body, answer->len) != 0)
            sim_wrong(oracle, "the content is not that of the answer");
    } else if (answer->of_version) {
        expect_octets(oracle, response, &answer->version, first, last);
    }
}
