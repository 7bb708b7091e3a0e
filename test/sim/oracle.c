/* SPDX-License-Identifier: MIT */
/*
 * The lists: what is stored, changed and taken out, and whether that was allowed. RFC 9111 sections 3, 4.3.4,
 * 4.3.5 and 4.4, RFC 9875.
 */
#include "oracle.h"

#include <stdarg.h>

static void print_head(const char *title, const struct sim_head *head)
{
    printf("# %s\n", title);
    for (unsigned i = 0; i < head->count; i++)
        printf("#     %s: %s\n", head->lines[i].name, head->lines[i].value);
}

static void print_entry(const struct sim_entry *entry)
{
    char title[100];
    snprintf(title, sizeof title, "  stored %u: %s %s %u, came at %lld, %s%s", entry->id,
             entry->head ? "HEAD" : "GET", entry->uri, entry->response.status,
             (long long)entry->response_time, entry->partial ? "partial " : "",
             entry->invalidated ? "invalidated" : "");
    print_head(title, &entry->response);
    print_head("   for", &entry->request);
}

void sim_wrong(const struct sim_oracle *oracle, const char *format, ...)
{
    va_list arguments;
    const struct sim_request *asked = oracle->asked;
    printf("not ok - seed %llu, operation %llu: ", (unsigned long long)oracle->seed,
           (unsigned long long)oracle->operation);
    va_start(arguments, format);
    vprintf(format, arguments); /* NOLINT(clang-analyzer-valist.Uninitialized): as in head.c */
    va_end(arguments);
    printf("\n# %s %s\n", asked->head.method, asked->uri);
    print_head("the request", &asked->head);
    if (oracle->exchange.answer) {
        printf("# the origin's answer: %u\n", oracle->exchange.answer->head.status);
        print_head("", &oracle->exchange.answer->head);
    }
    for (unsigned i = 0; i < oracle->candidate_count; i++)
        for (unsigned j = 0; j < oracle->lists[asked->resource].count; j++)
            if (oracle->lists[asked->resource].at[j].id == oracle->candidates[i])
                print_entry(&oracle->lists[asked->resource].at[j]);
    exit(1);
}

struct sim_entry *sim_entry_find(struct sim_oracle *oracle, unsigned id)
{
    struct sim_list *list = &oracle->lists[oracle->asked->resource];
    for (unsigned i = 0; i < list->count; i++)
        if (list->at[i].id == id)
            return &list->at[i];
    sim_wrong(oracle, "%u is used, which is not stored", id);
}

static void drop(struct sim_list *list, const struct sim_entry *entry)
{
    size_t i = (size_t)(entry - list->at);
    list->at[i] = list->at[--list->count];
}

void sim_entry_drop(struct sim_oracle *oracle, const struct sim_entry *entry)
{
    drop(&oracle->lists[oracle->asked->resource], entry);
}

/* Whether the URIs of two requests for a resource are the same, or by No-Vary-Search as good as that. */
static bool stands_for(const struct sim_entry *entry, const char *uri)
{
    return strcmp(entry->uri, uri) == 0 || sim_get(&entry->response, "No-Vary-Search") != NULL;
}

void sim_oracle_found(struct sim_oracle *oracle, const struct sim_request *asked, const unsigned *ids,
                      uint64_t invalidated, unsigned count)
{
    struct sim_list *list = &oracle->lists[asked->resource];
    oracle->asked = asked;
    oracle->chosen = NULL;
    oracle->exchange = (struct sim_exchange){.request = &asked->head};
    oracle->candidate_count = count;
    for (unsigned i = 0; i < count; i++) {
        struct sim_entry *entry = sim_entry_find(oracle, ids[i]);
        bool told = (invalidated >> i & 1) != 0;
        oracle->candidates[i] = ids[i];
        if (!stands_for(entry, asked->uri))
            sim_wrong(oracle, "%u is of %s", ids[i], entry->uri);
        if (entry->invalidated && !told)
            sim_wrong(oracle, "%u was invalidated, and is found as if it were not", ids[i]);
        if (told && !entry->invalidated && !entry->maybe_invalidated)
            sim_wrong(oracle, "%u is invalidated, and nothing did that", ids[i]);
        entry->invalidated = told;
        entry->maybe_invalidated = false;
    }
    for (unsigned i = list->count; i-- > 0;) { /* those that are not found any more were evicted */
        bool found = strcmp(list->at[i].uri, asked->uri) != 0;
        for (unsigned j = 0; j < count && !found; j++)
            found = ids[j] == list->at[i].id;
        if (!found)
            drop(list, &list->at[i]);
    }
}

static void purge(struct sim_oracle *oracle,
                  bool (*is_meant)(const struct sim_entry *entry, const char *what), const char *what,
                  bool hard)
{
    for (unsigned r = 0; r < SIM_RESOURCES; r++)
        for (unsigned i = oracle->lists[r].count; i-- > 0;) {
            struct sim_entry *entry = &oracle->lists[r].at[i];
            if (!is_meant(entry, what))
                continue;
            entry->invalidated = true;
            if (hard)
                drop(&oracle->lists[r], entry);
        }
}

static bool of_uri(const struct sim_entry *entry, const char *uri)
{
    return strcmp(entry->uri, uri) == 0;
}

static bool of_prefix(const struct sim_entry *entry, const char *prefix)
{
    return strncmp(entry->uri, prefix, strlen(prefix)) == 0;
}

static bool of_group(const struct sim_entry *entry, const char *group)
{
    const char *groups = sim_get(&entry->response, "Cache-Groups");
    return groups && strcmp(groups, group) == 0;
}

void sim_oracle_purged_uri(struct sim_oracle *oracle, const char *uri, bool hard)
{
    size_t path = strcspn(uri, "?");
    /* What No-Vary-Search lets stand for it may be purged with it. */
    for (unsigned r = 0; r < SIM_RESOURCES; r++)
        for (unsigned i = 0; i < oracle->lists[r].count; i++) {
            struct sim_entry *entry = &oracle->lists[r].at[i];
            if (strcspn(entry->uri, "?") == path && strncmp(entry->uri, uri, path) == 0 &&
                stands_for(entry, uri))
                entry->maybe_invalidated = true;
        }
    purge(oracle, of_uri, uri, hard);
}

void sim_oracle_purged_prefix(struct sim_oracle *oracle, const char *prefix, bool hard)
{
    purge(oracle, of_prefix, prefix, hard);
}

void sim_oracle_purged_group(struct sim_oracle *oracle, const char *group, bool hard)
{
    purge(oracle, of_group, group, hard);
}

/* RFC 9111 section 4.4 and RFC 9875 section 3. */
static void invalidate(struct sim_oracle *oracle, const struct sim_head *answer)
{
    static const char *const names[] = {"Location", "Content-Location"};
    const char *method = oracle->exchange.request->method,
               *group = sim_get(answer, "Cache-Group-Invalidation");
    char uri[40];
    if (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0 || strcmp(method, "OPTIONS") == 0 ||
        answer->status >= 400)
        return;
    sim_oracle_purged_uri(oracle, oracle->asked->uri, false);
    for (size_t i = 0; i < 2; i++)
        if (sim_get(answer, names[i])) {
            snprintf(uri, sizeof uri, "%s%s", SIM_ORIGIN, sim_get(answer, names[i]));
            sim_oracle_purged_uri(oracle, uri, false);
        }
    if (group)
        sim_oracle_purged_group(oracle, group, false);
}

void sim_oracle_exchanged(struct sim_oracle *oracle, const struct sim_exchange *exchange)
{
    oracle->exchange = *exchange;
    if (!exchange->answer->none)
        invalidate(oracle, &exchange->answer->head);
}

static bool has_validator(const struct sim_head *response)
{
    return sim_get(response, "ETag") || sim_get(response, "Last-Modified");
}

/* One that is stale at once, cannot be validated and is never used stale is of no use. */
static bool is_useful(const struct sim_oracle *oracle, const struct sim_head *response, int64_t response_time)
{
    if (has_validator(response))
        return true;
    if (sim_directive(response, "no-cache"))
        return false;
    bool stale = sim_window(response, "stale-while-revalidate", oracle->policy.grace_s) > 0 ||
                 sim_window(response, "stale-if-error", oracle->policy.error_grace_s) > 0;
    return sim_lifetime(response, response_time) > 0 || (stale && !sim_never_stale(response));
}

/* A POST is stored with a lifetime and a Content-Location that is its own: RFC 9110 section 9.3.3. */
static bool is_storable_post(const struct sim_oracle *oracle, const struct sim_head *response, bool fresh)
{
    const char *location = sim_get(response, "Content-Location");
    return response->status == 200 && fresh && location &&
           strcmp(location, oracle->asked->uri + strlen(SIM_ORIGIN)) == 0;
}

static bool is_private(const struct sim_head *response)
{
    const char *control = sim_get(response, "Cache-Control");
    return sim_directive(response, "private") && !strstr(control, "private=\"");
}

/* Section 3. */
static bool may_store(const struct sim_oracle *oracle)
{
    const struct sim_head *request = oracle->exchange.request, *response = &oracle->exchange.answer->head;
    int64_t response_time = oracle->exchange.response_time;
    bool fresh = sim_explicit(response) && sim_lifetime(response, response_time) > 0;
    const char *vary = sim_get(response, "Vary"), *control = sim_get(response, "Cache-Control");
    bool post = strcmp(request->method, "POST") == 0;
    if (strcmp(request->method, "GET") != 0 && strcmp(request->method, "HEAD") != 0 &&
        !(post && is_storable_post(oracle, response, fresh)))
        return false;
    if (response->status == 304 || response->status == 412 || response->status == 416)
        return false;
    if (sim_directive(request, "no-store") || sim_directive(response, "no-store"))
        return false;
    if (is_private(response))
        return false;
    if (sim_get(request, "Authorization") && !sim_shareable(response))
        return false;
    if (!sim_explicit(response) && !sim_directive(response, "public") &&
        !sim_heuristic_status(response->status))
        return false;
    if (vary && strcmp(vary, "*") == 0)
        return false;
    bool cookie = sim_get(response, "Set-Cookie") && !(control && strstr(control, "private=\"set-cookie\""));
    if (cookie && (!fresh || sim_directive(response, "no-cache")))
        return false;
    return is_useful(oracle, response, response_time);
}

static int64_t age_of(const struct sim_head *response)
{
    const char *age = sim_get(response, "Age");
    return age ? strtol(age, NULL, 10) : 0;
}

static void set_part(struct sim_entry *entry, const char *content_range)
{
    char *end;
    entry->first = strtoul(content_range + strlen("bytes "), &end, 10);
    entry->last = strtoul(end + 1, &end, 10);
    entry->length = strtoul(end + 1, &end, 10);
    entry->partial = entry->first != 0 || entry->last + 1 != entry->length;
    entry->response.status = 200;
    sim_drop(&entry->response, "Content-Length");
    sim_drop(&entry->response, "Content-Range");
}

void sim_oracle_kept(struct sim_oracle *oracle, bool kept, bool may_be_left)
{
    const struct sim_exchange *exchange = &oracle->exchange;
    const struct sim_answer *answer = exchange->answer;
    bool want = may_store(oracle), head = strcmp(exchange->request->method, "HEAD") == 0;
    if (kept && !want)
        sim_wrong(oracle, "the answer is stored, and must not be");
    if (!kept && want && !head && answer->head.status != 206 && !may_be_left)
        sim_wrong(oracle, "the answer is not stored, and may be");
    if (!kept)
        return;
    struct sim_list *list = &oracle->lists[oracle->asked->resource];
    if (list->count == SIM_ENTRIES)
        sim_wrong(oracle, "too many are stored");
    struct sim_entry *entry = &list->at[list->count++];
    const char *id = sim_get(&answer->head, head ? "Sim-Head" : "Sim-Origin");
    *entry = (struct sim_entry){
        .id = (unsigned)strtoul(id, NULL, 10),
        .request = *exchange->request,
        .response = answer->head,
        .request_time = exchange->request_time,
        .response_time = exchange->response_time,
        .age_value = age_of(&answer->head),
        .version = answer->version,
        .of_version = answer->of_version,
        .head = head,
        .authorized = sim_get(exchange->request, "Authorization") != NULL,
    };
    snprintf(entry->uri, sizeof entry->uri, "%s", oracle->asked->uri);
    if (answer->head.status == 206)
        set_part(entry, sim_get(&answer->head, "Content-Range"));
    sim_drop(&entry->response, "Age");
}

void sim_oracle_replaced(struct sim_oracle *oracle, unsigned id)
{
    const struct sim_entry *entry = sim_entry_find(oracle, id);
    struct sim_head request = *oracle->exchange.request;
    snprintf(request.method, sizeof request.method, "%s", entry->head ? "HEAD" : "GET");
    if (!sim_selects(entry, &request))
        sim_wrong(oracle, "%u is replaced by the answer to a request that does not select it", id);
    sim_entry_drop(oracle, entry);
}

/* Section 3.2: each name of the update replaces all lines of that name, but for what belongs to the octets.
 */
static void update(struct sim_entry *entry, const struct sim_exchange *exchange)
{
    static const char *const not [] = {"Age",      "Content-Length", "Content-Range",
                                       "Sim-Head", "Sim-Origin",     "Set-Cookie"};
    const struct sim_head *answer = &exchange->answer->head;
    for (unsigned i = 0; i < answer->count; i++) {
        const struct sim_line *line = &answer->lines[i];
        bool left = strcmp(line->name, "ETag") == 0 && sim_get(&entry->response, "ETag");
        for (size_t j = 0; j < sizeof not / sizeof *not ; j++)
            left |= strcmp(line->name, not [j]) == 0;
        if (left)
            continue;
        sim_drop(&entry->response, line->name);
        sim_put(&entry->response, line->name, "%s", line->value);
    }
    /* What the origin has confirmed, it has confirmed for this request, by the Vary that is there now. */
    entry->request = *exchange->request;
    entry->request_time = exchange->request_time;
    entry->response_time = exchange->response_time;
    entry->age_value = age_of(answer);
    entry->invalidated = entry->maybe_invalidated = false;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const char *opaque(const char *etag)
{
    return etag && strncmp(etag, "W/", 2) == 0 ? etag + 2 : etag;
}

/* Sections 4.3.4 and 4.3.5. */
static bool may_freshen(const struct sim_entry *entry, const struct sim_head *answer)
{
    const char *etag = sim_get(answer, "ETag"), *modified = sim_get(answer, "Last-Modified");
    const char *length = sim_get(answer, "Content-Length"),
               *stored = sim_get(&entry->response, "Content-Length");
    if (answer->status != 304 && length && stored && strcmp(length, stored) != 0)
        return false;
    if (etag)
        return same_text(opaque(etag), opaque(sim_get(&entry->response, "ETag")));
    if (modified)
        return same_text(modified, sim_get(&entry->response, "Last-Modified"));
    return answer->status != 304 || !has_validator(&entry->response);
}

void sim_oracle_freshened(struct sim_oracle *oracle, unsigned id)
{
    struct sim_entry *entry = sim_entry_find(oracle, id);
    const struct sim_exchange *exchange = &oracle->exchange;
    if (!sim_selects(entry, exchange->request))
        sim_wrong(oracle, "%u is updated, which the request does not select", id);
    if (!may_freshen(entry, &exchange->answer->head))
        sim_wrong(oracle, "%u is updated, whose validator is another", id);
    if (sim_directive(exchange->request, "no-store"))
        sim_wrong(oracle, "%u is updated with the answer to a request that says no-store", id);
    if (sim_directive(&exchange->answer->head, "no-store") || is_private(&exchange->answer->head))
        sim_wrong(oracle, "%u is updated with what must not be stored", id);
    if (sim_get(exchange->request, "Authorization") && sim_get(&exchange->answer->head, "Cache-Control") &&
        !sim_shareable(&exchange->answer->head))
        sim_wrong(oracle, "%u is updated with what is for one user", id);
    update(entry, exchange);
}

/* Section 4.1: "the cache [...] can use that 304 response to select one of those responses". */
void sim_oracle_adopted(struct sim_oracle *oracle, unsigned old, unsigned new, bool kept)
{
    const struct sim_exchange *exchange = &oracle->exchange;
    const struct sim_head *answer = &exchange->answer->head;
    struct sim_list *list = &oracle->lists[oracle->asked->resource];
    struct sim_entry copy = *sim_entry_find(oracle, old);
    const char *etag = sim_get(answer, "ETag");
    if (sim_selects(&copy, exchange->request) || copy.partial || copy.head)
        sim_wrong(oracle, "%u is adopted, and need not or cannot be", old);
    if (!etag || etag[0] != '"' || !same_text(etag, sim_get(&copy.response, "ETag")))
        sim_wrong(oracle, "%u is adopted, whose tag is another", old);
    copy.id = new;
    copy.authorized |= sim_get(exchange->request, "Authorization") != NULL;
    snprintf(copy.uri, sizeof copy.uri, "%s", oracle->asked->uri);
    update(&copy, exchange);
    bool personal = sim_directive(answer, "no-store") || is_private(answer) ||
                    sim_directive(exchange->request, "no-store") ||
                    (copy.authorized && !sim_shareable(&copy.response));
    if (kept && personal)
        sim_wrong(oracle, "%u is adopted and kept, and is for one user", old);
    if (list->count == SIM_ENTRIES)
        sim_wrong(oracle, "too many are stored");
    list->at[list->count++] = copy;
}

void sim_oracle_combined(struct sim_oracle *oracle, unsigned old, unsigned new)
{
    struct sim_entry *entry = sim_entry_find(oracle, old);
    const struct sim_answer *answer = oracle->exchange.answer;
    const char *etag = sim_get(&answer->head, "ETag"), *stored = sim_get(&entry->response, "ETag");
    struct sim_entry part = {.response = answer->head};
    set_part(&part, sim_get(&answer->head, "Content-Range"));
    bool same = etag || stored ? same_text(etag, stored) && etag[0] == '"'
                               : same_text(sim_get(&answer->head, "Last-Modified"),
                                           sim_get(&entry->response, "Last-Modified"));
    /* A part that is all there is needs no other. */
    if (part.partial && !same)
        sim_wrong(oracle, "parts without a strong validator in common are combined");
    if (!may_store(oracle))
        sim_wrong(oracle, "a part is stored, and must not be");
    if (entry->partial && (part.first > entry->last + 1 || entry->first > part.last + 1))
        sim_wrong(oracle, "there is a hole between the parts");
    if (entry->partial) {
        entry->first = part.first < entry->first ? part.first : entry->first;
        entry->last = part.last > entry->last ? part.last : entry->last;
        entry->partial = entry->first != 0 || entry->last + 1 != entry->length;
    }
    update(entry, &oracle->exchange);
    entry->id = new;
}

void sim_oracle_invalidated(struct sim_oracle *oracle, unsigned id)
{
    sim_entry_find(oracle, id)->invalidated = true;
}
