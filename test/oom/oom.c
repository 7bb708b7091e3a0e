/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails, for every i: a server of one worker is started on a Unix socket, asked
 * everything once, and stopped. Prints TAP: a line for each way of failing, with the numbers of the
 * allocations at which something went wrong.
 *
 * What has to hold: no crash, no hang, no leak (with the address sanitizer). The server does not start and
 * says why, or each answer is the right one, 500 or 503, or the connection is closed. After a single failure
 * a new connection is served as if nothing had been.
 *
 * Nothing here allocates while a failure is armed, so that only stet's own calls are counted.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

#include "failing.h"
#include "net/address.h"
#include "net/server.h"
#include "serve/serve.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define leaks() (__lsan_do_recoverable_leak_check() != 0)
#else
#define leaks() false
#endif

#define ANSWER_MAX (1u << 20)
#define HANG_S 120
#define PROBLEMS_MAX 10

#define HOST "Host: a\r\nConnection: close\r\n"

/* What is asked, and the status that is right where memory is enough. */
static const struct {
    const char *request;
    unsigned status;
} questions[] = {
    {"GET /ten.txt HTTP/1.1\r\n" HOST "\r\n", 200},
    {"HEAD /ten.txt HTTP/1.1\r\n" HOST "\r\n", 200},
    {"GET /ten.txt HTTP/1.1\r\n" HOST "If-None-Match: *\r\n\r\n", 304},
    {"GET /ten.txt HTTP/1.1\r\n" HOST "If-Match: \"other\"\r\n\r\n", 412},
    {"GET /ten.txt HTTP/1.1\r\n" HOST "Range: bytes=2-5\r\n\r\n", 206},
    {"GET /ten.txt HTTP/1.1\r\n" HOST "Range: bytes=0-1,4-5\r\n\r\n", 206},
    {"GET /ten.txt HTTP/1.1\r\n" HOST "Range: bytes=99-\r\n\r\n", 416},
    {"GET /large.bin HTTP/1.1\r\n" HOST "\r\n", 200},
    {"GET /large.bin HTTP/1.1\r\n" HOST "Range: bytes=0-9,100000-100009\r\n\r\n", 206},
    {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /folder HTTP/1.1\r\n" HOST "\r\n", 301},
    {"GET /folder/ HTTP/1.1\r\n" HOST "\r\n", 200},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0},
    {"POST /ten.txt HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405},
    {"FROB /ten.txt HTTP/1.1\r\n" HOST "\r\n", 501},
    {"GET / HTTP/1.1\r\n\r\n", 400},
};

static char folder[64], socket_path[96];

static int connect_to_server(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Sends `request`, reads until the server closes. The number of octets in `answer`, or -1 if it hangs. */
static ssize_t ask(struct stet_span request, char *answer)
{
    size_t len = 0;
    ssize_t n = 0;
    int fd = connect_to_server();
    if (fd < 0)
        return 0;
    while (request.len > 0 && (n = send(fd, request.ptr, request.len, MSG_NOSIGNAL)) > 0)
        request = stet_span_skip(request, (size_t)n);
    while (len < ANSWER_MAX && (n = recv(fd, answer + len, ANSWER_MAX - len, 0)) > 0)
        len += (size_t)n;
    bool hangs = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    close(fd);
    return hangs ? -1 : (ssize_t)len;
}

/* 0 if there is none: the connection was closed before. */
static unsigned status_of(const char *answer, ssize_t len)
{
    if (len < 12 || memcmp(answer, "HTTP/1.1 ", 9) != 0)
        return 0;
    return (unsigned)((answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0'));
}

/* A sentence about what is wrong, or NULL. */
static const char *ask_one(size_t i, bool memory_is_enough)
{
    static char answer[ANSWER_MAX];
    const char *text = questions[i].request;
    ssize_t len = ask(stet_span_of(text, strlen(text)), answer);
    unsigned status = status_of(answer, len);
    if (len < 0)
        return "no answer in 20 s";
    if (status == questions[i].status || (questions[i].status == 0 && status == 200) ||
        (questions[i].status == 0 && status == 204))
        return NULL;
    if (memory_is_enough)
        return "another status than it should be";
    return status == 0 || status == 500 || status == 503 ? NULL
                                                         : "a status that is neither right nor 500 or 503";
}

/* Many requests at once on one connection, the last of which closes it. */
static const char *ask_pipelined(bool memory_is_enough)
{
    static char request[16384], answer[ANSWER_MAX];
    static const char one[] =
        "GET /ten.txt HTTP/1.1\r\nHost: a\r\nX-Padding: ppppppppppppppppppppppppppppppppp\r\n\r\n";
    static const char last[] = "GET /ten.txt HTTP/1.1\r\n" HOST "\r\n";
    size_t len = 0, answers = 0;
    for (int i = 0; i < 99; i++, len += sizeof(one) - 1)
        memcpy(request + len, one, sizeof(one) - 1);
    memcpy(request + len, last, sizeof(last) - 1);
    ssize_t got = ask(stet_span_of(request, len + sizeof(last) - 1), answer);
    if (got < 0)
        return "no answers to pipelined requests in 20 s";
    for (ssize_t i = 0; i + 12 <= got; i++)
        answers += memcmp(answer + i, "HTTP/1.1 200", 12) == 0;
    return memory_is_enough && answers != 100 ? "not every pipelined request got its answer" : NULL;
}

static const char *ask_everything(bool memory_is_enough)
{
    const char *problem = NULL;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && !problem; i++)
        problem = ask_one(i, memory_is_enough);
    return problem ? problem : ask_pipelined(memory_is_enough);
}

/* Starts, asks, stops, with allocation `n` failing. */
static const char *play(unsigned long n, bool all_after, unsigned long *calls)
{
    struct stet__serve_configuration serve;
    struct stet__listen_address address;
    struct stet__server_configuration server = {.addresses = &address, .address_count = 1, .workers = 1};
    struct stet__server *running = NULL;
    const char *problem = NULL;
    char text[128], error[256] = "";

    unlink(socket_path);
    stet__serve_configuration_default(&serve);
    serve.root = folder;
    serve.listing = true;
    stet__limits_default(&server.limits);
    server.role = &stet__serve_role;
    server.role_configuration = &serve;
    int len = snprintf(text, sizeof(text), "unix:%s", socket_path);
    if (stet__listen_address_parse(stet_span_of(text, (size_t)len), &address) != STET_OK)
        return "the address does not parse";

    failing_arm(n, all_after);
    bool prepared = stet__serve_prepare(&serve, error, sizeof(error));
    if (prepared)
        running = stet__server_start(&server, error, sizeof(error));
    if (!running && (n == 0 || error[0] == '\0'))
        problem = n == 0 ? "it does not start" : "it does not start and does not say why";
    if (running)
        problem = ask_everything(n == 0);
    *calls = failing_calls();
    failing_arm(0, false);
    if (running && !problem && n > 0 && (problem = ask_everything(!all_after)))
        problem = "it does not recover";
    if (running)
        stet__server_stop(running);
    if (prepared)
        stet__serve_finish();
    return !problem && leaks() ? "a leak" : problem;
}

static unsigned tests, failures;

static void report(const char *name, unsigned long calls, unsigned problems)
{
    failures += problems > 0;
    printf("%s %u - %s (%lu allocations)\n", problems == 0 ? "ok" : "not ok", ++tests, name, calls);
    fflush(stdout);
}

static void sweep(const char *name, bool all_after, unsigned long last)
{
    unsigned problems = 0;
    for (unsigned long i = 1; i <= last && problems < PROBLEMS_MAX; i++) {
        unsigned long calls;
        alarm(HANG_S);
        const char *problem = play(i, all_after, &calls);
        problems += problem != NULL;
        if (problem)
            printf("# allocation %lu: %s\n", i, problem);
    }
    report(name, last, problems);
}

static bool write_file(const char *name, size_t len)
{
    static char octets[200000];
    char path[128];
    memset(octets, 'x', sizeof(octets));
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    int fd = open(path, O_WRONLY | O_CREAT, 0644);
    bool good = fd >= 0 && write(fd, octets, len) == (ssize_t)len;
    if (fd >= 0)
        close(fd);
    return good;
}

static bool make_folder(void)
{
    char path[128];
    memcpy(folder, "/tmp/stet-oom-XXXXXX", sizeof("/tmp/stet-oom-XXXXXX"));
    if (!mkdtemp(folder))
        return false;
    snprintf(socket_path, sizeof(socket_path), "%s.sock", folder);
    snprintf(path, sizeof(path), "%s/folder", folder);
    return mkdir(path, 0755) == 0 && write_file("ten.txt", 10) && write_file("large.bin", 200000) &&
           write_file("folder/a.txt", 1) && write_file("folder/b.txt", 1);
}

static void remove_folder(void)
{
    static const char *const names[] = {"/ten.txt",      "/large.bin", "/folder/a.txt",
                                        "/folder/b.txt", "/folder",    ""};
    char path[128];
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        snprintf(path, sizeof(path), "%s%s", folder, names[i]);
        remove(path);
    }
    unlink(socket_path);
}

int main(void)
{
    unsigned long calls = 0;
    alarm(HANG_S);
    const char *problem = make_folder() ? play(0, false, &calls) : "no folder to serve";
    if (!problem && calls == 0)
        problem = "the failing allocator is not in use";
    if (problem)
        printf("# %s\n", problem);
    report("nothing fails", calls, problem != NULL);
    if (!problem) {
        sweep("one allocation fails", false, calls);
        sweep("all allocations fail from one on", true, calls);
    }
    remove_folder();
    printf("1..%u\n", tests);
    return failures > 0;
}
