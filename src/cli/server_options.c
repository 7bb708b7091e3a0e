/* SPDX-License-Identifier: MIT */
/*
 * server_options: the rows that all roles have in common. Their man pages tell the same in more words;
 * docs/check compares the two.
 */
#include "cli/server_options.h"

#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include <stet/status.h>

#include "cli/cli.h"

const char *stet__cli_list_append(struct stet__cli_list *list, const void *element, size_t size)
{
    char *grown = realloc(list->at, (list->count + 1) * size);
    if (!grown)
        return "out of memory";
    memcpy(grown + list->count * size, element, size);
    list->at = grown;
    list->count++;
    return NULL;
}

struct stet_span stet__cli_span(const char *text)
{
    return stet_span_of(text, strlen(text));
}

const char *stet__server_set_listen(void *arg, const char *argument)
{
    struct stet__server_settings *settings = arg;
    struct stet__listen_address address;
    struct stet_span text = stet__cli_span(argument);
    bool secure = stet_span_starts(text, STET_SPAN("https:"));
    if (stet__listen_address_parse(stet_span_skip(text, secure ? strlen("https:") : 0), &address) != STET_OK)
        return "not an address; these are: 8304, :8304, 127.0.0.1:8304, [::1]:8304, unix:PATH, https:8304";
    const char *wrong = stet__cli_list_append(&settings->secure, &secure, sizeof secure);
    if (wrong)
        return wrong;
    return stet__cli_list_append(&settings->addresses, &address, sizeof address);
}

static const char *set_log_format(void *arg, const char *argument)
{
    static const char *const names[] = {
        [STET__LOG_COMMON] = "common", [STET__LOG_COMBINED] = "combined", [STET__LOG_JSON] = "json"};
    struct stet__server_settings *settings = arg;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], argument) == 0) {
            settings->log_format = (enum stet__log_format)i;
            return NULL;
        }
    return "not common, combined or json";
}

#define LIMIT(member) STET__FIELD(struct stet__server_settings, server.limits.member)
#define SERVER(member) STET__FIELD(struct stet__server_settings, server.member)
#define OWN(member) STET__FIELD(struct stet__server_settings, member)
#define SECONDS(name, member, min, help) \
    STET__ROW_NUMBER(name, "SECONDS", LIMIT(member), min, STET__DAY_S, help)

/* clang-format off */
static const struct stet__option workers[] = {
    {STET__OPTION_NUMBER, "workers", "N", SERVER(workers), 1, 1024, "one per CPU", NULL, "worker threads", 0},
    STET__ROW_TEXT("user", "NAME", OWN(user), "after listening, become this user; for a start as root"),
};

static const struct stet__option log_rows[] = {
    STET__ROW_HEADING("Log"),
    STET__ROW_TEXT("log", "FILE", OWN(log), "write one line per answer to FILE; - is standard output"),
    STET__ROW_CALL("log-format", "FORMAT", "combined", set_log_format, "common, combined or json"),
    STET__ROW_SWITCH("quiet", OWN(quiet), "do not say at the start what is where"),
};

static const struct stet__option limits[] = {
    STET__ROW_HEADING("Limits"),
    STET__ROW_SIZE("max-head-bytes", LIMIT(head.head_bytes), 256, STET__MIB, "head of a request, else 431"),
    STET__ROW_SIZE("max-target-bytes", LIMIT(head.target_bytes), 16, STET__MIB, "request target, else 414"),
    STET__ROW_NUMBER("max-fields", "N", LIMIT(head.fields), 1, 1000, "field lines of a request, else 431"),
    SECONDS("idle-timeout", idle_timeout_s, 1, "a kept connection without a request is closed"),
    SECONDS("head-timeout", head_timeout_s, 1, "first octet to end of a head, else 408"),
    SECONDS("body-timeout", body_timeout_s, 1, "pause in a request's body, else 408"),
    SECONDS("send-timeout", send_timeout_s, 1, "pause of a client that takes an answer; then it is cut off"),
    SECONDS("stop-timeout", stop_timeout_s, 0, "what is in flight after SIGTERM, then it is cut off"),
    STET__ROW_NUMBER("max-connections", "N", LIMIT(connections), 1, 10000000, "at a time; the next one waits"),
    STET__ROW_NUMBER("max-pipeline", "N", LIMIT(pipeline), 1, 10000, "requests of a connection that are answered in one go"),
    STET__ROW_NUMBER("max-streams", "N", LIMIT(streams), 1, 10000, "HTTP/2: requests of a connection at a time"),
    STET__ROW_NUMBER("max-resets", "N", LIMIT(resets), 1, 1000000, "HTTP/2: streams of a connection that are reset in a minute"),
    STET__ROW_NUMBER("max-control-frames", "N", LIMIT(controls), 16, 10000000, "HTTP/2: frames in a minute that ask for nothing"),
};

static const struct stet__option others[] = {
    STET__ROW_HEADING("Others"),
    STET__ROW_SWITCH("no-confine", OWN(no_confine), "do without the kernel's confinement (landlock, seccomp)"),
    STET__ROW_SWITCH("help", OWN(help), "this text"),
};
/* clang-format on */

const struct stet__option_rows stet__rows_workers = STET__ROWS(workers);
const struct stet__option_rows stet__rows_log = STET__ROWS(log_rows);
const struct stet__option_rows stet__rows_limits = STET__ROWS(limits);
const struct stet__option_rows stet__rows_others = STET__ROWS(others);

/* CPUs that this process may run on, which can be fewer than the machine has. */
static unsigned usable_cpus(void)
{
    cpu_set_t set;
    int count = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 1;
    return count > 0 ? (unsigned)count : 1;
}

void stet__server_settings_init(struct stet__server_settings *settings, const struct stet__role *role)
{
    *settings = (struct stet__server_settings){.log_format = STET__LOG_COMBINED};
    stet__limits_default(&settings->server.limits);
    settings->server.workers = usable_cpus();
    settings->server.role = role;
    settings->tls.ktls = true;
    settings->tls.ticket_interval_s = STET__TLS_TICKET_INTERVAL_S;
}

void stet__server_settings_release(struct stet__server_settings *settings)
{
    free(settings->addresses.at);
    stet__tls_settings_release(settings);
}

bool stet__server_settings_finish(struct stet__server_settings *settings, const char *fallback)
{
    const char *wrong = settings->addresses.count == 0 ? stet__server_set_listen(settings, fallback) : NULL;
    if (wrong) {
        stet__cli_complain("%s", wrong);
        return false;
    }
    settings->server.addresses = settings->addresses.at;
    settings->server.address_count = settings->addresses.count;
    return stet__tls_settings_finish(settings);
}
