/* SPDX-License-Identifier: MIT */
/*
 * What may be done with a request, and in place of an error: RFC 9111 sections 4 and 5.2.1, RFC 5861.
 */
#include "oracle.h"

static bool permitted(const struct sim_entry *entry, const struct sim_head *request)
{
    bool credentials = entry->authorized || sim_get(request, "Authorization");
    return !credentials || sim_shareable(&entry->response);
}

/* Of those that the request selects and may have (`whole`: and that have the octets), the latest by Date. */
static const struct sim_entry *best(struct sim_oracle *oracle, const struct sim_head *request, bool whole)
{
    const struct sim_entry *found = NULL;
    for (unsigned varied = 1; varied < 2 && !found; varied--)
        for (unsigned i = 0; i < oracle->candidate_count; i++) {
            const struct sim_entry *entry = sim_entry_find(oracle, oracle->candidates[i]);
            if (!sim_selects(entry, request) || !permitted(entry, request) ||
                (whole && !sim_has_octets(entry, request)) ||
                (sim_get(&entry->response, "Vary") != NULL) != (varied == 1))
                continue;
            int64_t date = sim_date(&entry->response, "Date", entry->response_time);
            if (!found || date > sim_date(&found->response, "Date", found->response_time))
                found = entry;
        }
    return found;
}

static bool asks_no_cache(const struct sim_head *request)
{
    const char *pragma = sim_get(request, "Pragma");
    if (sim_get(request, "Cache-Control"))
        return sim_directive(request, "no-cache");
    return pragma && strcmp(pragma, "no-cache") == 0;
}

/* Section 4.2.4: it is stale, and nothing else is against it. */
static enum stet_cache_action stale(const struct sim_oracle *oracle, const struct sim_entry *entry,
                                    const struct sim_head *request, int64_t over)
{
    if (sim_never_stale(&entry->response))
        return STET_CACHE_REVALIDATE;
    if (sim_directive(request, "max-stale")) {
        int64_t accepted = sim_seconds(request, "max-stale");
        if (accepted < 0 || over <= accepted)
            return STET_CACHE_SERVE;
    } else if (sim_directive(request, "max-age")) {
        return STET_CACHE_REVALIDATE;
    }
    if (over < sim_window(&entry->response, "stale-while-revalidate", oracle->policy.grace_s))
        return STET_CACHE_SERVE_AND_REVALIDATE;
    return STET_CACHE_REVALIDATE;
}

static enum stet_cache_action judge(const struct sim_oracle *oracle, const struct sim_entry *entry,
                                    const struct sim_head *request, int64_t now)
{
    int64_t age = sim_age(entry, now), ttl = sim_ttl(entry, now);
    int64_t wanted_age = sim_seconds(request, "max-age"), wanted_ttl = sim_seconds(request, "min-fresh");
    if (entry->invalidated || sim_directive(&entry->response, "no-cache") || asks_no_cache(request))
        return STET_CACHE_REVALIDATE;
    if (wanted_ttl >= 0 && ttl < wanted_ttl)
        return STET_CACHE_REVALIDATE;
    /* RFC 8246: a reload says max-age=0 */
    if (wanted_age >= 0 && age > wanted_age && !(sim_directive(&entry->response, "immutable") && ttl > 0))
        return STET_CACHE_REVALIDATE;
    return ttl > 0 ? STET_CACHE_SERVE : stale(oracle, entry, request, -ttl);
}

static bool is_read(const struct sim_head *request)
{
    return strcmp(request->method, "GET") == 0 || strcmp(request->method, "HEAD") == 0;
}

static const char *name_of(enum stet_cache_action action)
{
    static const char *const names[] = {"serve", "serve and revalidate", "revalidate", "forward", "fail"};
    return names[action];
}

static enum stet_cache_action decide(struct sim_oracle *oracle, const struct sim_head *request, int64_t now)
{
    oracle->chosen = NULL;
    if (!is_read(request) || sim_get(request, "If-Match"))
        return STET_CACHE_FORWARD;
    oracle->chosen = best(oracle, request, true);
    if (oracle->chosen)
        return judge(oracle, oracle->chosen, request, now);
    oracle->chosen = best(oracle, request, false);
    return STET_CACHE_FORWARD;
}

void sim_oracle_decided(struct sim_oracle *oracle, const struct sim_head *request, int64_t now,
                        enum stet_cache_action action, unsigned chosen)
{
    enum stet_cache_action want = decide(oracle, request, now);
    unsigned id = oracle->chosen ? oracle->chosen->id : 0;
    bool served = want == STET_CACHE_SERVE || want == STET_CACHE_SERVE_AND_REVALIDATE;
    /* What has not all octets may be asked for in part or anew. */
    bool lacks = oracle->chosen && !sim_has_octets(oracle->chosen, request);
    bool safe = is_read(request) || strcmp(request->method, "OPTIONS") == 0;
    if (!served && safe && sim_directive(request, "only-if-cached"))
        want = STET_CACHE_FAIL;
    else if (want == STET_CACHE_REVALIDATE && sim_directive(request, "no-store"))
        want = STET_CACHE_FORWARD;
    if (chosen != id)
        sim_wrong(oracle, "%u is chosen, where %u is right (%s)", chosen, id, name_of(action));
    if (action != want && !(lacks && want == STET_CACHE_FORWARD && action == STET_CACHE_REVALIDATE))
        sim_wrong(oracle, "%s, where %s is right; stored %u, age %lld, ttl %lld", name_of(action),
                  name_of(want), id, oracle->chosen ? (long long)sim_age(oracle->chosen, now) : 0LL,
                  oracle->chosen ? (long long)sim_ttl(oracle->chosen, now) : 0LL);
}

static bool stands_in(const struct sim_oracle *oracle, const struct sim_head *request, int64_t now)
{
    const struct sim_entry *entry = oracle->chosen;
    if (!entry || entry->invalidated || sim_directive(&entry->response, "no-cache") ||
        asks_no_cache(request) || !sim_has_octets(entry, request))
        return false;
    int64_t over = -sim_ttl(entry, now);
    if (over < 0)
        return true;
    if (sim_never_stale(&entry->response))
        return false;
    return over < sim_seconds(request, "stale-if-error") ||
           over < sim_window(&entry->response, "stale-if-error", oracle->policy.error_grace_s);
}

void sim_oracle_error(struct sim_oracle *oracle, int64_t now, bool stale_used)
{
    bool want = stands_in(oracle, oracle->exchange.request, now);
    if (want != stale_used)
        sim_wrong(oracle, "what is stored %s an error, and it should%s",
                  stale_used ? "stands in for" : "gives way to", want ? "" : " not");
}
