/* SPDX-License-Identifier: MIT */
/*
 * The i-th allocation fails, for every i: a server of one worker is started on a Unix socket, asked
 * everything once, and stopped.
 *
 * What has to hold: no crash, no hang, no leak (with the address sanitizer). The server does not start and
 * says why, or each answer is the right one, 500 or 503, or the connection is closed. After a single failure
 * a new connection is served as if nothing had been.
 */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "net/address.h"
#include "net/server.h"
#include "serve/serve.h"
#include "sweep.h"

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
    {"GET /large.bin HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", 200},
    {"GET /large.bin HTTP/1.1\r\n" HOST "Accept-Encoding: br\r\nIf-Match: \"other\"\r\n\r\n", 412},
    {"GET /large.bin HTTP/1.1\r\n" HOST "Accept-Encoding: gzip\r\n\r\n", 200},
    {"GET /nothing HTTP/1.1\r\n" HOST "\r\n", 404},
    {"GET /folder HTTP/1.1\r\n" HOST "\r\n", 301},
    {"GET /folder/ HTTP/1.1\r\n" HOST "\r\n", 200},
    {"OPTIONS * HTTP/1.1\r\n" HOST "\r\n", 0},
    {"POST /ten.txt HTTP/1.1\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", 405},
    {"FROB /ten.txt HTTP/1.1\r\n" HOST "\r\n", 501},
    {"GET / HTTP/1.1\r\n\r\n", 400},
};

static char folder[64], socket_path[96];

/* A sentence about what is wrong, or NULL. */
static const char *ask_one(size_t i, bool memory_is_enough)
{
    static char answer[ANSWER_MAX];
    const char *text = questions[i].request;
    ssize_t len = ask(socket_path, stet_span_of(text, strlen(text)), answer);
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
    ssize_t got = ask(socket_path, stet_span_of(request, len + sizeof(last) - 1), answer);
    if (got < 0)
        return "no answers to pipelined requests in 20 s";
    for (ssize_t i = 0; i + 12 <= got; i++)
        answers += memcmp(answer + i, "HTTP/1.1 200", 12) == 0;
    return memory_is_enough && answers != 100 ? "not every pipelined request got its answer" : NULL;
}

/* HTTP/2, RFC 9113: windows for all, requests on streams 1 to 9, and GOAWAY, so that the server closes when
 * it has answered. */
#define HEADERS(len, flags, id) "\0\0" len "\1" flags "\0\0\0" id
#define LOCALHOST "\1\011localhost"
static const char http2[] =
    "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    "\0\0\6\4\0\0\0\0\0\0\4\0\x20\0\0\0\0\4\x8\0\0\0\0\0\0\x20\0\0" /* windows of 2 MiB */
    HEADERS("\x17", "\5", "\1") "\x82\x86\4\x8/ten.txt" LOCALHOST HEADERS(
        "\x19", "\5", "\3") "\x82\x86\4\012/large.bin" LOCALHOST
        HEADERS("\x19", "\4", "\5") "\x83\x86\4\012/large.bin" LOCALHOST "\0\0\5\0\1\0\0\0\5hello" HEADERS(
            "\x25", "\5", "\7") "\x82\x86\4\012/large.bin" LOCALHOST "\x0f\x23\x9"
                                "bytes=0-9" HEADERS("\x34", "\5",
                                                    "\x9") "\x82\x86\4\x8/ten.txt" LOCALHOST
                                                           "\0\6cookie\3a=1\0\6cookie\3b=2\0\1x\1y"
                                                           "\0\0\x8\7\0\0\0\0\0"
                                                           "\0\0\0\0\0\0\0\0";

/* How many streams have ended well in what the server sent. */
static unsigned count_ended(const char *answer, size_t len)
{
    unsigned ended = 0;
    for (size_t at = 0; at + 9 <= len;) {
        const unsigned char *head = (const unsigned char *)answer + at;
        ended += head[3] <= 1 && (head[4] & 1);
        at += 9 + ((size_t)head[0] << 16 | (size_t)head[1] << 8 | head[2]);
    }
    return ended;
}

static const char *ask_http2(bool memory_is_enough)
{
    static char answer[ANSWER_MAX];
    ssize_t got = ask(socket_path, stet_span_of(http2, sizeof(http2) - 1), answer);
    if (got < 0)
        return "HTTP/2: neither answers nor an end in 20 s";
    if (memory_is_enough && count_ended(answer, (size_t)got) != 5)
        return "HTTP/2: not every stream got its answer";
    return NULL;
}

static const char *ask_everything(bool memory_is_enough)
{
    const char *problem = NULL;
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]) && !problem; i++)
        problem = ask_one(i, memory_is_enough);
    if (!problem)
        problem = ask_pipelined(memory_is_enough);
    return problem ? problem : ask_http2(memory_is_enough);
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
    static const struct stet_span types[] = {{"application/octet-stream", 24}};
    stet__serve_configuration_default(&serve);
    serve.coding =
        (struct stet__coding_settings){.policy = {.types = types, .type_count = 1, .max_octets = 1 << 20},
                                       .made = 1u << STET_CODING_GZIP | 1u << STET_CODING_BR,
                                       .levels = {[STET_CODING_GZIP] = 1, [STET_CODING_BR] = 1}};
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
    if (!make_folder()) {
        printf("Bail out! no folder to serve\n");
        return 1;
    }
    int code = sweep(play);
    remove_folder();
    return code;
}
