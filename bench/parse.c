/* SPDX-License-Identifier: MIT */
/*
 * parse: nanoseconds that libstet takes to parse the head of a typical browser request and to decide its
 * answer.
 *
 *   taskset -c 1 build/bench/parse
 *
 * The head has If-None-Match, so the decision is a 304, and the tag is the second of two, so a list is read.
 * Each figure is the median of several runs, each long enough for the clock; CPU time, so that a busy machine
 * disturbs it little. The head lies at another place of memory, and at another alignment, for each request,
 * as in the buffers of connections.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <stet/answer.h>
#include <stet/http1.h>

#define RUNS 15
#define REQUESTS 200000
#define COPIES 64
#define ROOM 1024

static const char head[] =
    "GET /articles/2026/11/conditional-requests.html?utm_source=newsletter HTTP/1.1\r\n"
    "Host: www.example.org\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-GB,en;q=0.7,de;q=0.3\r\n"
    "Accept-Encoding: gzip, deflate, br, zstd\r\n"
    "Referer: https://www.example.org/articles/\r\n"
    "Connection: keep-alive\r\n"
    "Upgrade-Insecure-Requests: 1\r\n"
    "Sec-Fetch-Dest: document\r\n"
    "Sec-Fetch-Mode: navigate\r\n"
    "Sec-Fetch-Site: same-origin\r\n"
    "If-Modified-Since: Tue, 10 Nov 2026 08:00:00 GMT\r\n"
    "If-None-Match: \"kf9x1GQbTzq0\", \"Ws3nLh7yR2aE\"\r\n"
    "Priority: u=0, i\r\n"
    "\r\n";

static char copies[COPIES][ROOM];
static unsigned long checksum; /* keeps the compiler from leaving the work out, and shows that it was done */

static void fail(const char *what)
{
    fprintf(stderr, "parse: %s\n", what);
    exit(1);
}

static void parse(size_t i, struct stet_field *room, struct stet_http1_request *request)
{
    static const struct stet_http1_limits limits = {16384, 8192, 100};
    struct stet_span input = {copies[i % COPIES] + i % COPIES % 17, sizeof head - 1};
    if (stet_http1_request_parse(input, 0, &limits, room, request) != STET_OK)
        fail("the head does not parse");
}

static void parse_only(size_t i)
{
    struct stet_field room[100];
    struct stet_http1_request request;
    parse(i, room, &request);
    checksum += request.head.fields.count;
}

static void parse_and_decide(size_t i)
{
    static const struct stet_representation selected = {
        .exists = true,
        .last_modified_strong = true,
        .etag = {{"Ws3nLh7yR2aE", 12}, false},
        .last_modified = 1794297600,
        .length = 51234,
    };
    struct stet_field room[100];
    struct stet_http1_request request;
    struct stet_answer answer;
    parse(i, room, &request);
    stet_answer_decide(&request.head, &selected, 1795000000, &answer);
    if (answer.status != 304)
        fail("the answer is not 304");
    checksum += answer.status;
}

static int64_t cpu_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void measure(const char *name, void (*work)(size_t i))
{
    double ns[RUNS];
    for (size_t run = 0; run < RUNS; run++) {
        int64_t begin = cpu_ns();
        for (size_t i = 0; i < REQUESTS; i++)
            work(i);
        ns[run] = (double)(cpu_ns() - begin) / REQUESTS;
    }
    qsort(ns, RUNS, sizeof *ns, compare);
    printf("%-16s %6.1f ns per request (median of %d; %.1f to %.1f)\n", name, ns[RUNS / 2], RUNS, ns[0],
           ns[RUNS - 1]);
}

int main(void)
{
    for (size_t i = 0; i < COPIES; i++)
        memcpy(copies[i] + i % 17, head, sizeof head - 1);
    printf("head of %zu octets\n", sizeof head - 1);
    measure("parse", parse_only);
    measure("parse and decide", parse_and_decide);
    return checksum == 0;
}
