/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails in the client: jobs whose answers are stored, come from the store, are validated,
 * redirected, decoded, cut off and gone on with, and an unsafe one, with a store and transfers made anew.
 *
 * What has to hold: no crash, no hang, no leak (with the address sanitizer). The sink of each job is told of
 * one end; a job that says it has succeeded gave all of the content, once; one that fails says why. After
 * a single failure everything works, and the store has no fault.
 *
 * libcurl and LMDB allocate by themselves: what they ask for does not fail here.
 */
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stet/field.h>

#include "folder.h"
#include "get/get.h"
#include "origin.h"
#include "sweep.h"

/* What is got, in this order, one after the other. */
static const struct question {
    const char *method, *target;
    unsigned code;
    uint64_t octets;
    enum stet__get_source source; /* of the first round */
} questions[] = {
    {"GET", "/pieces", 200, ORIGIN_PIECES, STET__GET_ORIGIN},
    {"GET", "/pieces", 200, ORIGIN_PIECES, STET__GET_STORE},
    {"GET", "/stale", 200, ORIGIN_SMALL, STET__GET_ORIGIN},
    {"GET", "/stale", 200, ORIGIN_SMALL, STET__GET_VALIDATED},
    {"GET", "/large", 200, ORIGIN_LARGE, STET__GET_ORIGIN},
    {"GET", "/large", 200, ORIGIN_LARGE, STET__GET_STORE},
    {"GET", "/moved", 200, ORIGIN_PIECES, STET__GET_STORE},
    {"GET", "/cut", 200, ORIGIN_LARGE, STET__GET_COMBINED},
    {"GET", "/gzip", 200, ORIGIN_SMALL, STET__GET_ORIGIN},
    {"GET", "/gzip", 200, ORIGIN_SMALL, STET__GET_STORE},
    {"GET", "/language", 200, ORIGIN_SMALL, STET__GET_ORIGIN},
    {"POST", "/group", 204, 0, STET__GET_ORIGIN},
    {"GET", "/group", 200, ORIGIN_SMALL, STET__GET_ORIGIN},
    {"GET", "/until-close", 200, ORIGIN_SMALL, STET__GET_ORIGIN},
};

enum { QUESTIONS = sizeof questions / sizeof *questions };

/* A job and what its sink was told. */
struct asked {
    uint64_t octets;
    unsigned begun, ended;
    bool wrong; /* an octet that is not the content's */
    struct stet__get_result result;
    char cause[80]; /* which lasts no longer than the call that tells it */
};

static char folder[FOLDER_ROOM], socket_path[96];
static struct asked asked[QUESTIONS];
static size_t supplied;

static enum stet__get_take on_begin(void *owner, const struct stet__get_answer *answer)
{
    struct asked *job = owner;
    job->begun++;
    job->wrong |= job->octets > 0 || !answer->response || !answer->uri;
    return STET__GET_TAKE;
}

static bool on_data(void *owner, struct stet_span octets)
{
    struct asked *job = owner;
    for (size_t i = 0; i < octets.len; i++)
        job->wrong |= octets.ptr[i] != 'x';
    job->octets += octets.len;
    return true;
}

static bool on_restart(void *owner)
{
    struct asked *job = owner;
    job->octets = 0;
    return true;
}

static void on_end(void *owner, const struct stet__get_result *result)
{
    struct asked *job = owner;
    job->ended++;
    job->result = *result;
    snprintf(job->cause, sizeof job->cause, "%s", result->cause ? result->cause : "");
}

static bool supply(void *owner, struct stet__get_job *job)
{
    static char uri[64];
    static const struct stet_field fields[] = {
        {{"Accept-Language", 15}, {"de", 2}, STET_FIELD_ACCEPT_LANGUAGE}};
    if (supplied == QUESTIONS)
        return false;
    const struct question *question = &questions[supplied];
    snprintf(uri, sizeof uri, "http://a.example%s#part", question->target);
    *job = (struct stet__get_job){
        .uri = uri,
        .method = question->method,
        .fields = {fields, 1, UINT64_C(1) << STET_FIELD_ACCEPT_LANGUAGE},
        .sink = {.begin = on_begin,
                 .data = on_data,
                 .restart = on_restart,
                 .end = on_end,
                 .owner = &asked[supplied]},
    };
    if (strcmp(question->method, "POST") == 0)
        job->content = STET_SPAN("four");
    supplied++;
    return true;
}

static const char *judge(size_t i, bool memory_is_enough, unsigned round)
{
    static char words[160];
    const struct asked *job = &asked[i];
    const struct stet__get_result *result = &job->result;
    const char *problem = NULL;
    bool failed = result->status != STET_OK;
    if (job->ended != 1)
        problem = "it has not ended once";
    else if (job->wrong)
        problem = "octets that are not its content";
    else if (failed && (memory_is_enough || job->cause[0] == '\0'))
        problem = memory_is_enough ? "it fails" : "it fails and does not say why";
    else if (!failed && (result->code != questions[i].code || job->octets != questions[i].octets))
        problem = "it succeeds with another answer";
    else if (round == 0 && memory_is_enough && result->source != questions[i].source)
        problem = "its answer comes from elsewhere";
    if (!problem)
        return NULL;
    snprintf(words, sizeof words, "%s %s: %s (%s)", questions[i].method, questions[i].target, problem,
             job->cause);
    return words;
}

static const char *get_all(struct stet__get *get, bool memory_is_enough, unsigned round)
{
    static const volatile int stop = 0;
    const char *problem = NULL;
    memset(asked, 0, sizeof asked);
    supplied = 0;
    stet__get_run(get, supply, NULL, &stop);
    for (size_t i = 0; i < QUESTIONS && !problem; i++)
        problem = judge(i, memory_is_enough, round);
    return problem;
}

static void note_fault(void *owner, const char *fault)
{
    static char words[200];
    const char **problem = owner;
    snprintf(words, sizeof words, "verify: %s", fault);
    *problem = words;
}

static const char *verify(struct stet__disk *disk)
{
    struct stet__disk_findings findings = {.faults = 0};
    const char *problem = NULL;
    int code = stet__disk_verify(disk, false, note_fault, &problem, &findings);
    return problem ? problem : code != STET_OK ? "it cannot be verified" : NULL;
}

static const char *use(struct stet__disk *disk, unsigned long n, bool all_after, unsigned long *calls)
{
    const struct stet__transfer_settings how = {.unix_socket = socket_path, .proxy = ""};
    const struct stet__get_settings settings = {.transfer = &how,
                                                .max_stale_s = -1,
                                                .store = true,
                                                .follow = true,
                                                .redirects_max = 5,
                                                .compressed = true,
                                                .parallel = 1,
                                                .retries = 1,
                                                .policy = {.obey_clients = true}};
    const char *problem = NULL;
    failing_arm(n, all_after);
    struct stet__transfers *transfers = stet__transfers_new(&how);
    struct stet__get *get = transfers ? stet__get_new(&settings, transfers, disk) : NULL;
    if (get)
        problem = get_all(get, n == 0, 0);
    else if (n == 0)
        problem = "there is no client";
    *calls = failing_calls();
    failing_arm(0, false);
    if (get && !problem && n > 0 && (problem = get_all(get, true, 1)) == NULL)
        problem = get_all(get, true, 2);
    stet__get_free(get);
    stet__transfers_free(transfers);
    return problem ? problem : verify(disk);
}

static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    const struct stet__disk_settings settings = {
        .folder = folder, .octets_max = 1u << 24, .object_max = 1u << 20, .map_octets = 1u << 24};
    struct stet__disk *disk = NULL;
    const char *cause;
    folder_clear(folder);
    if (stet__disk_open(&settings, &disk, &cause) != STET_OK)
        return "the store does not open";
    const char *problem = use(disk, n, all_after, calls);
    stet__disk_close(disk);
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    pid_t origin = -1;
    if (folder_make(folder)) {
        snprintf(socket_path, sizeof socket_path, "%s.sock", folder);
        origin = origin_start(socket_path);
    }
    if (origin < 0) {
        printf("Bail out! no folder, or no origin\n");
        return 1;
    }
    int code = sweep(play);
    kill(origin, SIGKILL);
    waitpid(origin, NULL, 0);
    folder_remove(folder);
    unlink(socket_path);
    return code;
}
