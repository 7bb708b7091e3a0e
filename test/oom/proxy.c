/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails in a proxy of one worker: misses, hits, validations, parts, ranges, purges by
 * unsafe requests, answers that may not be stored and origins that do not answer, all of them through the
 * role and with real sockets.
 *
 * What has to hold: no crash, no hang, no leak (with the address sanitizer). The proxy does not start and
 * says why, or each answer is the right one, 500, 502 or 503, or the connection is closed; and whatever
 * content there is, is the origin's. After a single failure everything is answered as if nothing had been:
 * what could not be stored, or only in part, is not served.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "net/address.h"
#include "net/server.h"
#include "origin.h"
#include "proxy/proxy.h"
#include "sweep.h"

#define HOST "Host: a\r\nConnection: close\r\n"
#define ANY SIZE_MAX
#define CUT (SIZE_MAX - 1) /* the connection may be closed at any time */
#define TOKEN "open-sesame"

/* What is asked, in this order, and what is right where memory is enough. */
static const struct question {
    const char *request;
    unsigned status;
    size_t length; /* of the content; ANY: not looked at */
} questions[] = {
    {"GET /stale HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"GET /stale HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"GET /stale HTTP/1.1\r\n" HOST "If-None-Match: \"v1\"\r\n\r\n", 304, 0},
    {"GET /stale HTTP/1.1\r\n" HOST "Stet-Debug: " TOKEN "\r\n\r\n", 200, ORIGIN_SMALL},
    {"GET /untagged HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"HEAD /untagged HTTP/1.1\r\n" HOST "\r\n", 200, 0},
    {"GET /pieces HTTP/1.1\r\n" HOST "\r\n", 200, ANY},
    {"GET /pieces HTTP/1.1\r\n" HOST "\r\n", 200, ANY},
    {"GET /pieces HTTP/1.1\r\n" HOST "Range: bytes=1-2,4000-5000\r\n\r\n", 206, ANY},
    {"GET /large HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_LARGE},
    {"GET /large HTTP/1.1\r\n" HOST "Range: bytes=5-9\r\n\r\n", 206, 5},
    {"GET /large HTTP/1.1\r\n" HOST "Range: bytes=999999-\r\n\r\n", 416, 0},
    {"GET /coded HTTP/1.1\r\n" HOST "Accept-Encoding: br\r\n\r\n", 200, ANY},
    {"GET /coded HTTP/1.1\r\n" HOST "Accept-Encoding: br\r\n\r\n", 200, ANY},
    {"GET /coded HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", 200, ANY},
    {"GET /coded HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\nIf-None-Match: \"v1-gzip\"\r\n\r\n", 304, 0},
    {"GET /coded HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_LARGE},
    {"GET /damaged HTTP/1.1\r\n" HOST "\r\n", 200, CUT},
    {"GET /damaged HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", 200, ORIGIN_SMALL},
    {"GET /coded-private HTTP/1.1\r\n" HOST "Accept-Encoding: zstd\r\n\r\n", 200, ANY},
    {"GET /language HTTP/1.1\r\n" HOST "Accept-Language: fr\r\n\r\n", 200, ORIGIN_SMALL},
    {"GET /language HTTP/1.1\r\n" HOST "Accept-Language: en\r\n\r\n", 200, ORIGIN_SMALL},
    {"GET /private HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"GET /query?a=1 HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"GET /query?a=2 HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"GET /part HTTP/1.1\r\n" HOST "Range: bytes=0-9\r\n\r\n", 206, 10},
    {"GET /part HTTP/1.1\r\n" HOST "\r\n", 200, 20},
    {"GET /group HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"POST /group HTTP/1.1\r\n" HOST "Content-Length: 4\r\n\r\nbody", 204, 0},
    {"GET /group HTTP/1.1\r\n" HOST "\r\n", 200, ORIGIN_SMALL},
    {"GET /close HTTP/1.1\r\n" HOST "\r\n", 502, ANY},
    {"GET /until-close HTTP/1.1\r\n" HOST "\r\n", 200, ANY},
    {"TRACE / HTTP/1.1\r\n" HOST "Max-Forwards: 0\r\n\r\n", 200, ANY},
};

static char folder[64], socket_path[96], origin_path[96];

static bool is_failure(unsigned status)
{
    return status == 0 || status == 500 || status == 502 || status == 503;
}

/* Whether what stands behind the head is what the origin has, as far as it goes. */
static bool is_content(const struct question *question, const char *answer, size_t len, bool whole)
{
    const char *end = memmem(answer, len, "\r\n\r\n", 4);
    if (question->length == ANY || question->length == CUT)
        return true;
    if (!end)
        return !whole;
    size_t content = len - (size_t)(end + 4 - answer);
    for (size_t i = 0; i < content; i++)
        if (end[4 + i] != 'x')
            return false;
    return whole ? content == question->length : content <= question->length;
}

/* A sentence about what is wrong, or NULL. */
static const char *ask_one(const struct question *question, bool memory_is_enough)
{
    static char answer[ANSWER_MAX];
    ssize_t len = ask(socket_path, stet_span_of(question->request, strlen(question->request)), answer);
    unsigned status = status_of(answer, len);
    if (len < 0)
        return "no answer in 20 s";
    if (status == 0 && question->length == CUT)
        return NULL;
    if (status == question->status)
        return is_content(question, answer, (size_t)len, memory_is_enough)
                   ? NULL
                   : "content that is not the origin's";
    if (memory_is_enough)
        return "another status than it should be";
    /* Without memory for a part, the whole is what the client may get. */
    bool whole =
        status == 200 && (question->status == 206 || question->status == 416 || question->status == 304);
    return is_failure(status) || whole ? NULL : "a status that is neither right nor 500, 502 or 503";
}

static const char *ask_everything(bool memory_is_enough)
{
    static char problem[256];
    for (size_t i = 0; i < sizeof questions / sizeof *questions; i++) {
        const char *wrong = ask_one(&questions[i], memory_is_enough);
        if (wrong) {
            snprintf(problem, sizeof problem, "%s%s: question %zu, %.*s",
                     memory_is_enough ? "afterwards " : "", wrong, i,
                     (int)strcspn(questions[i].request, "\r"), questions[i].request);
            return problem;
        }
    }
    return NULL;
}

static void configure(struct stet__proxy_configuration *proxy, struct stet__proxy_origin *origin)
{
    *origin = (struct stet__proxy_origin){.text = stet_span_of(origin_path, strlen(origin_path)),
                                          .authority = STET_SPAN("localhost")};
    stet__listen_address_parse(origin->text, &origin->local);
    static const struct stet_span types[] = {{"text/*", 6}};
    *proxy = (struct stet__proxy_configuration){
        .origins = origin,
        .origin_count = 1,
        .health = {.interval_s = 5, .fall = 3, .rise = 2, .retry_s = 1},
        .tries = 2,
        .tunnel_timeout_s = 10,
        .policy = STET_CACHE_POLICY_SHARED,
        .store = {.bytes = 16 << 20, .object_bytes = 1 << 20, .variants = 8},
        .etag_bytes = 1 << 20,
        .range_miss = STET__RANGE_MISS_SLICE,
        .coding = {.policy = {.types = types, .type_count = 1, .max_octets = 1 << 20},
                   .made = stet_coding_bit(STET_CODING_BR) | stet_coding_bit(STET_CODING_GZIP) |
                           stet_coding_bit(STET_CODING_ZSTD),
                   .levels = {1, 1, 1, 1}},
        .code_passing = STET__CODE_PASSING_ALL,
        .decode_bytes = 1 << 20,
        .name = STET_SPAN("stet"),
        .debug_token = STET_SPAN(TOKEN),
        .workers = 1,
    };
    stet__upstream_limits_default(&proxy->upstream);
}

/* Starts, asks, stops, with allocation `n` failing. */
static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    struct stet__proxy_configuration configuration;
    struct stet__proxy_origin origin;
    struct stet__listen_address address;
    struct stet__server_configuration server = {.addresses = &address, .address_count = 1, .workers = 1};
    struct stet__server *running = NULL;
    const char *problem = NULL, *why = NULL;
    char text[128], error[256] = "";

    unlink(socket_path);
    configure(&configuration, &origin);
    stet__limits_default(&server.limits);
    server.role = &stet__proxy_role;
    int len = snprintf(text, sizeof(text), "unix:%s", socket_path);
    if (stet__listen_address_parse(stet_span_of(text, (size_t)len), &address) != STET_OK)
        return "the address does not parse";

    failing_arm(n, all_after);
    struct stet__proxy *proxy = stet__proxy_new(&configuration, &why);
    server.role_configuration = proxy;
    if (proxy)
        running = stet__server_start(&server, error, sizeof(error));
    if (!running && (n == 0 || (!why && error[0] == '\0')))
        problem = n == 0 ? "it does not start" : "it does not start and does not say why";
    if (running)
        problem = ask_everything(n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    if (running && !problem && n > 0)
        problem = ask_everything(true);
    if (running)
        stet__server_stop(running);
    stet__proxy_free(proxy);
    return !problem && leaks() ? "a leak" : problem;
}

int main(void)
{
    memcpy(folder, "/tmp/stet-oom-XXXXXX", sizeof("/tmp/stet-oom-XXXXXX"));
    if (!mkdtemp(folder)) {
        printf("Bail out! no folder\n");
        return 1;
    }
    snprintf(socket_path, sizeof(socket_path), "%s/sock", folder);
    snprintf(origin_path, sizeof(origin_path), "unix:%s/origin", folder);
    pid_t origin = origin_start(origin_path + 5);
    int code = 1;
    if (origin > 0) {
        code = sweep(play);
        kill(origin, SIGKILL);
        waitpid(origin, NULL, 0);
    } else {
        printf("Bail out! no origin\n");
    }
    unlink(origin_path + 5);
    unlink(socket_path);
    rmdir(folder);
    return code;
}
