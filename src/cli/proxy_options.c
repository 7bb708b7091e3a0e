/* SPDX-License-Identifier: MIT */
/*
 * proxy_options: the table of options of `stet proxy`, and how those are read that are more than a number or
 * a text.
 *
 * The man page docs/man/stet-proxy.1.md tells the same in more words; docs/check compares the two.
 */
#include "cli/proxy_options.h"

#include <stdlib.h>
#include <string.h>

#include <stet/sf.h>

#include "cli/cli.h"

enum { ORIGINS_MAX = 64 };

static const char *set_origin(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    struct stet__proxy_origin origin;
    if (settings->origins.count == ORIGINS_MAX)
        return "that is one origin too many; there may be 64";
    const char *wrong = stet__proxy_origin_parse(stet__cli_span(argument), &origin);
    return wrong ? wrong : stet__cli_list_append(&settings->origins, &origin, sizeof origin);
}

static const char *set_balance(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    if (strcmp(argument, "round-robin") == 0)
        settings->proxy.balance = STET__BALANCE_ROUND_ROBIN;
    else if (strcmp(argument, "least-connections") == 0)
        settings->proxy.balance = STET__BALANCE_LEAST_CONNECTIONS;
    else
        return "not round-robin or least-connections";
    return NULL;
}

/* One of two words into a bool. */
static const char *set_word(bool *field, const char *argument, const char *yes, const char *no)
{
    bool is_yes = strcmp(argument, yes) == 0;
    if (!is_yes && strcmp(argument, no) != 0)
        return "not one of the words it can be; stet help proxy names them";
    *field = is_yes;
    return NULL;
}

static const char *set_range_miss(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    bool slice = false;
    const char *wrong = set_word(&slice, argument, "slice", "whole");
    settings->proxy.range_miss = slice ? STET__RANGE_MISS_SLICE : STET__RANGE_MISS_WHOLE;
    return wrong;
}

static const char *set_host(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    return set_word(&settings->proxy.host_of_origin, argument, "origin", "client");
}

static const char *set_coding_passing(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    if (strcmp(argument, "stored") == 0)
        settings->proxy.code_passing = STET__CODE_PASSING_STORED;
    else if (strcmp(argument, "all") == 0)
        settings->proxy.code_passing = STET__CODE_PASSING_ALL;
    else if (strcmp(argument, "off") == 0)
        settings->proxy.code_passing = STET__CODE_PASSING_OFF;
    else
        return "not stored, all or off";
    return NULL;
}

static const char *set_cookie(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    return set_word(&settings->proxy.policy.keep_cookies, argument, "store", "never");
}

static const char *set_cache_status(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    settings->proxy.tell_key = strcmp(argument, "key") == 0;
    settings->proxy.quiet = strcmp(argument, "off") == 0;
    bool known = settings->proxy.tell_key || settings->proxy.quiet || strcmp(argument, "on") == 0;
    return known ? NULL : "not on, off or key";
}

static bool is_token(const char *text)
{
    static const char special[] = "!#$%&'*+-.^_`|~";
    const char *at = text;
    for (; *at; at++)
        if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') ||
              strchr(special, *at)))
            return false;
    return at > text;
}

static const char *set_target_field(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    struct stet_span name = stet__cli_span(argument);
    return is_token(argument) ? stet__cli_list_append(&settings->targets, &name, sizeof name)
                              : "not the name of a field";
}

static const char *set_name(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    settings->name = argument;
    return is_token(argument) ? NULL : "not a token: letters, digits and a few signs, without spaces";
}

static const char *set_no_cache(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    struct stet_span prefix = stet__cli_span(argument);
    return argument[0] == '/' ? stet__cli_list_append(&settings->bypass, &prefix, sizeof prefix)
                              : "not the beginning of a path: it begins with a slash";
}

static const char *set_ignore_query(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    char *value = stet__ignore_query_value(argument);
    if (!value)
        return "not names of parameters with commas between them";
    free(settings->ignore_query);
    settings->ignore_query = value;
    return NULL;
}

static const char *set_health_path(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    settings->health_path = argument;
    return argument[0] == '/' && !strpbrk(argument, " \t\r\n") ? NULL : "not a path: it begins with a slash";
}

static const char *set_admin(void *arg, const char *argument)
{
    struct stet__proxy_settings *settings = arg;
    struct stet__listen_address address;
    if (settings->admin.count > 0)
        return "there is one already";
    if (stet__listen_address_parse(stet__cli_span(argument), &address) != STET_OK)
        return "not an address; these are: 8306, 127.0.0.1:8306, [::1]:8306, unix:PATH";
    if (!stet__address_is_local(&address))
        return "others could reach it; it has to be 127.0.0.1, [::1] or a Unix socket";
    return stet__cli_list_append(&settings->admin, &address, sizeof address);
}

#define LIMIT(member) STET__FIELD(struct stet__proxy_settings, common.server.limits.member)
#define PROXY(member) STET__FIELD(struct stet__proxy_settings, proxy.member)
#define OWN(member) STET__FIELD(struct stet__proxy_settings, member)
#define SECONDS(name, member, min, max, help) STET__ROW_NUMBER(name, "SECONDS", PROXY(member), min, max, help)
#define YEAR_S 31536000
#define AS_GRACE (-1) /* --error-grace is not given */

/* clang-format off */
static const struct stet__option where[] = {
    STET__ROW_HEADING("Where to listen"),
    STET__ROW_LISTEN("8305"),
    STET__ROW_CALL("admin", "ADDR", NULL, set_admin, "where stet purge and GET /status are answered: 8306 or unix:PATH,\nof this machine only"),
};

static const struct stet__option origins[] = {
    STET__ROW_HEADING("Origins"),
    STET__ROW_CALL("origin", "ORIGIN", NULL, set_origin, "another one that serves the same; may be repeated"),
    STET__ROW_CALL("balance", "HOW", "round-robin", set_balance, "round-robin or least-connections"),
    STET__ROW_NUMBER("tries", "N", PROXY(tries), 1, 100, "of a safe request, each on another origin"),
    STET__ROW_CALL("health-path", "PATH", NULL, set_health_path, "ask each origin for this now and then"),
    SECONDS("health-interval", health.interval_s, 1, STET__DAY_S, "how often"),
    STET__ROW_NUMBER("health-fall", "N", PROXY(health.fall), 1, 1000, "failures in a row that make an origin unhealthy"),
    STET__ROW_NUMBER("health-rise", "N", PROXY(health.rise), 1, 1000, "good checks in a row that make it healthy again"),
    SECONDS("health-retry", health.retry_s, 1, STET__DAY_S, "without --health-path: until an unhealthy one is tried again"),
    STET__ROW_CALL("host", "WHOSE", "client", set_host, "Host of requests to the origin: client or origin"),
    STET__ROW_SWITCH("trust-forwarded", PROXY(trust_forwarded), "append to the client's X-Forwarded-* and Forwarded"),
    STET__ROW_SWITCH("forward", PROXY(forward), "also be a forward proxy, to any server; mind who can reach it"),
};

static const struct stet__option caching[] = {
    STET__ROW_HEADING("What is cached"),
    STET__ROW_CALL("no-cache", "PREFIX", NULL, set_no_cache, "paths that begin so are never cached; may be repeated"),
    STET__ROW_CALL("ignore-query", "NAMES", NULL, set_ignore_query, "parameters that make no difference: utm_*,fbclid;\n* for all"),
    STET__ROW_CALL("set-cookie", "WHAT", "store", set_cookie, "answers with Set-Cookie and an explicit lifetime: store or never"),
    STET__ROW_CALL("target-field", "NAME", "Stet-Cache-Control, CDN-Cache-Control", set_target_field, "fields that count more than Cache-Control; may be repeated,\nthe first that is there counts"),
    SECONDS("grace", policy.grace_s, 0, YEAR_S, "stale answers while one is fetched, if the origin does not say"),
    {STET__OPTION_NUMBER, "error-grace", "SECONDS", PROXY(policy.error_grace_s), 0, YEAR_S, "as --grace", NULL, "stale answers while the origin fails, if it does not say", 0},
    STET__ROW_NUMBER("heuristic-percent", "N", PROXY(policy.heuristic.percent), 0, 100, "lifetime without being told: of the time since the last change"),
    SECONDS("heuristic-max", policy.heuristic.max_s, 0, YEAR_S, "at most so long"),
    STET__ROW_SWITCH("ignore-clients", OWN(ignore_clients), "clients cannot ask for anything fresher (no-cache, max-age)"),
    STET__ROW_CALL("range-miss", "WHAT", "slice", set_range_miss, "fetch for a range that is not there: whole or slice"),
    STET__ROW_SIZE("etag-limit", PROXY(etag_bytes), 0, STET__TIB, "answers without an entity tag get one, up to here"),
};

static const struct stet__option told[] = {
    STET__ROW_HEADING("What is told"),
    STET__ROW_CALL("name", "NAME", "stet", set_name, "of this cache, in Via and Cache-Status"),
    STET__ROW_CALL("cache-status", "WHAT", "on", set_cache_status, "the field Cache-Status: on, off or key"),
    STET__ROW_TEXT("debug-header", "TOKEN", OWN(debug_token), "requests with Stet-Debug: TOKEN are told every step"),
};

/* Behind those of stet__rows_codings. */
static const struct stet__option passing[] = {
    STET__ROW_CALL("coding-passing", "WHAT", "stored", set_coding_passing, "what is coded while it is sent: stored (answers that are stored\nmeanwhile), all, or off"),
    STET__ROW_SIZE("decode-max", PROXY(decode_bytes), STET__KIB, STET__TIB, "an answer that a client cannot read is decoded, up to here"),
};

static const struct stet__option own_limits[] = {
    STET__ROW_SIZE("max-body-bytes", LIMIT(body_bytes), 0, STET__TIB, "body of a request, else 413"),
    STET__ROW_SIZE("memory", PROXY(store.bytes), STET__MIB, STET__TIB, "what is stored, with all overhead"),
    STET__ROW_SIZE("max-object", PROXY(store.object_bytes), STET__KIB, STET__TIB, "larger answers pass without being stored"),
    SECONDS("lag-timeout", lag_timeout_s, 1, STET__DAY_S, "slow client that others wait for, in one answer that is not stored"),
    STET__ROW_NUMBER("max-variants", "N", PROXY(store.variants), 1, STET_CANDIDATES_MAX, "stored answers of one URI"),
    STET__ROW_SIZE("max-answer-head-bytes", PROXY(upstream.head.head_bytes), 256, STET__MIB, "head of an origin's answer, else 502"),
    STET__ROW_NUMBER("max-answer-fields", "N", PROXY(upstream.head.fields), 1, 1000, "field lines of an origin's answer, else 502"),
    SECONDS("connect-timeout", upstream.connect_timeout_s, 1, STET__DAY_S, "until the connection to an origin stands, else 504"),
    SECONDS("answer-timeout", upstream.answer_timeout_s, 1, STET__DAY_S, "until the head of its answer is there, else 504"),
    SECONDS("read-timeout", upstream.read_timeout_s, 1, STET__DAY_S, "pause in its answer, or in taking a request"),
    SECONDS("keep-timeout", upstream.keep_timeout_s, 1, STET__DAY_S, "a connection to an origin without a request is closed"),
    STET__ROW_NUMBER("max-kept", "N", PROXY(upstream.kept), 1, 100000, "such connections, per origin and worker"),
    STET__ROW_NUMBER("max-upstream-connections", "N", PROXY(upstream.connections), 1, 100000, "connections per origin and worker; requests wait"),
    SECONDS("tunnel-timeout", tunnel_timeout_s, 1, STET__DAY_S, "a tunnel in which nothing moves is closed"),
};
/* clang-format on */

static const struct stet__option_rows where_rows = STET__ROWS(where), origin_rows = STET__ROWS(origins),
                                      caching_rows = STET__ROWS(caching), told_rows = STET__ROWS(told),
                                      passing_rows = STET__ROWS(passing),
                                      own_limit_rows = STET__ROWS(own_limits);

static const struct stet__option_rows *const parts[] = {
    &where_rows,        &stet__rows_workers, &stet__rows_tls,   &origin_rows, &stet__rows_origin_tls,
    &caching_rows,      &stet__rows_codings, &passing_rows,     &told_rows,   &stet__rows_log,
    &stet__rows_limits, &own_limit_rows,     &stet__rows_others};

const struct stet__option_table stet__proxy_options = {"proxy", parts, sizeof parts / sizeof *parts};

static const struct stet_span default_targets[] = {{"Stet-Cache-Control", sizeof "Stet-Cache-Control" - 1},
                                                   {"CDN-Cache-Control", sizeof "CDN-Cache-Control" - 1}};

void stet__proxy_settings_init(struct stet__proxy_settings *settings)
{
    memset(settings, 0, sizeof *settings);
    stet__server_settings_init(&settings->common, &stet__proxy_role);
    stet__coding_settings_init(&settings->codings);
    /* Answers change more often than files. */
    settings->codings.coding.levels[STET_CODING_BR] = 9;
    settings->codings.coding.levels[STET_CODING_ZSTD] = 15;
    settings->common.server.limits.body_bytes = UINT64_C(1) << 30; /* uploads are streamed, not held */
    settings->name = "stet";
    settings->proxy = (struct stet__proxy_configuration){
        .health = {.interval_s = 5, .fall = 3, .rise = 2, .retry_s = 10},
        .tries = 3,
        .tunnel_timeout_s = 600,
        .lag_timeout_s = 5,
        .policy = STET_CACHE_POLICY_SHARED,
        .store = {.bytes = 512 * STET__MIB, .object_bytes = 64 * STET__MIB, .variants = 32},
        .etag_bytes = STET__MIB,
        .range_miss = STET__RANGE_MISS_SLICE,
        .decode_bytes = UINT64_C(1) << 30,
    };
    settings->proxy.policy.error_grace_s = AS_GRACE;
    settings->proxy.policy.targets = default_targets;
    settings->proxy.policy.target_count = sizeof default_targets / sizeof *default_targets;
    stet__upstream_limits_default(&settings->proxy.upstream);
}

void stet__proxy_settings_release(struct stet__proxy_settings *settings)
{
    stet__coding_settings_release(&settings->codings);
    stet__server_settings_release(&settings->common);
    free(settings->origins.at);
    free(settings->targets.at);
    free(settings->bypass.at);
    free(settings->admin.at);
    free(settings->ignore_query);
}

static struct stet_span span_or_none(const char *text)
{
    return text ? stet__cli_span(text) : STET_SPAN_NONE;
}

/* What was collected goes to where the proxy reads it. */
static void fill_configuration(struct stet__proxy_settings *settings)
{
    struct stet__proxy_configuration *proxy = &settings->proxy;
    proxy->origins = settings->origins.at;
    proxy->origin_count = settings->origins.count;
    proxy->bypass = settings->bypass.at;
    proxy->bypass_count = settings->bypass.count;
    if (settings->targets.count > 0) {
        proxy->policy.targets = settings->targets.at;
        proxy->policy.target_count = settings->targets.count;
    }
    if (proxy->policy.error_grace_s == AS_GRACE)
        proxy->policy.error_grace_s = proxy->policy.grace_s;
    proxy->policy.obey_clients = !settings->ignore_clients;
    proxy->health.path = span_or_none(settings->health_path);
    proxy->name = stet__cli_span(settings->name);
    proxy->ignore_query = span_or_none(settings->ignore_query);
    proxy->debug_token = span_or_none(settings->debug_token);
    proxy->workers = settings->common.server.workers;
    stet__coding_settings_finish(&settings->codings);
    proxy->coding = settings->codings.coding;
    if (proxy->store.object_bytes > proxy->store.bytes)
        proxy->store.object_bytes = proxy->store.bytes;
}

bool stet__proxy_settings_parse(struct stet__proxy_settings *settings, int argc, char **argv)
{
    int operands;
    if (!stet__options_parse(&stet__proxy_options, settings, argc, argv, &operands))
        return false;
    for (int i = 0; i < operands; i++) {
        const char *wrong = set_origin(settings, argv[i]);
        if (wrong) {
            stet__cli_complain("proxy: %s: %s", argv[i], wrong);
            return false;
        }
    }
    if (settings->origins.count == 0 && !settings->proxy.forward && !settings->common.help) {
        stet__cli_complain("proxy: which origin? stet proxy http://127.0.0.1:8304, for example");
        return false;
    }
    /* Whoever may use the forward proxy would reach it as this machine. */
    const struct stet__listen_address *admin = settings->admin.at;
    if (settings->proxy.forward && settings->admin.count > 0 && admin->at.any.sa_family != AF_UNIX) {
        stet__cli_complain("proxy: --admin: with --forward clients could reach a port; give it unix:PATH");
        return false;
    }
    if (settings->debug_token && strlen(settings->debug_token) < 8) {
        stet__cli_complain("proxy: --debug-header %s: too short to be a secret; 8 characters at least",
                           settings->debug_token);
        return false;
    }
    fill_configuration(settings);
    return stet__server_settings_finish(&settings->common, "127.0.0.1:8305");
}
