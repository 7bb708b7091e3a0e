/* SPDX-License-Identifier: MIT */
/*
 * exchange: what a role may do, tried by a role that does it over a Unix socket: answers at once and later,
 * from memory and files, with and without an owner, and answers that must not come to their end.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/address.h"
#include "net/head.h"
#include "net/loop.h"
#include "net/server.h"

#define LARGE 2000000u /* more than a socket takes */
#define FILE_BYTES 300000u
#define HELD_MAX 4

static char folder[] = "/tmp/stet-exchange-XXXXXX";
static char socket_path[64], file_path[64];

/* All of the one worker's thread, but for what is read when the server has stopped. */
static struct {
    struct stet__loop *loop;
    char *large;
    int file;
    unsigned holds, releases, asked_intact;
    atomic_bool intact;                    /* set by the test */
    struct stet__exchange *held[HELD_MAX]; /* until /release */
    size_t held_count;
} role;

static void *role_start(const void *configuration, struct stet__loop *loop, const char **error)
{
    role.loop = loop;
    return &role;
}

static void role_stop(void *state)
{
}

static void hold(void *owner)
{
    role.holds++;
}

static void release(void *owner)
{
    role.releases++;
}

static bool intact(void *owner)
{
    role.asked_intact++;
    return role.intact;
}

/* Answers with these parts, and a head in the exchange's arena. */
static void answer(struct stet__exchange *exchange, unsigned status, struct stet__reply *reply)
{
    char digits[20];
    uint64_t length = 0;
    for (size_t i = 0; i < reply->part_count; i++)
        length += reply->parts[i].length;
    struct stet_field field = {STET_SPAN("Content-Length"),
                               stet_span_of(digits, stet_format_u64(length, digits)),
                               STET_FIELD_CONTENT_LENGTH};
    struct stet_fields fields = {&field, 1, UINT64_C(1) << STET_FIELD_CONTENT_LENGTH};
    struct stet__head *head = stet__head_make(exchange->arena, status, &fields);
    stet__assert(head);
    head->expires_after_s = 60;
    reply->head = head;
    stet__exchange_answer(exchange, reply);
}

static void answer_text(struct stet__exchange *exchange, unsigned status, struct stet_span text)
{
    struct stet_field extra = {STET_SPAN("Extra"), STET_SPAN("one"), STET_FIELD_OTHER};
    struct stet__part part = {.memory = text, .length = text.len, .fd = -1};
    struct stet__reply reply = {.parts = &part, .part_count = 1, .extra = &extra, .extra_count = 1};
    answer(exchange, status, &reply);
}

static void answer_target(void *arg)
{
    struct stet__exchange *exchange = arg;
    struct stet_span target = stet__arena_copy(exchange->arena, exchange->request->path_query);
    answer_text(exchange, 200, target);
}

static void answer_large(struct stet__exchange *exchange, bool owned)
{
    struct stet__part parts[2] = {{.memory = {role.large, LARGE}, .length = LARGE, .fd = -1},
                                  {.memory = STET_SPAN("the end"), .length = 7, .fd = -1}};
    struct stet__reply reply = {.parts = parts, .part_count = 2, .owner = &role};
    reply.hold = owned ? hold : NULL;
    reply.release = owned ? release : NULL;
    answer(exchange, 200, &reply);
}

/* Memory, octets 5 to 14 of the file, `length` octets of it from its start, memory. */
static void answer_file(struct stet__exchange *exchange, uint64_t length)
{
    struct stet__part parts[] = {{.memory = STET_SPAN("<"), .length = 1, .fd = -1},
                                 {.fd = role.file, .offset = 5, .length = 10},
                                 {.fd = role.file, .length = length},
                                 {.memory = STET_SPAN(">"), .length = 1, .fd = -1}};
    struct stet__reply reply = {
        .parts = parts, .part_count = 4, .owner = &role, .hold = hold, .release = release, .intact = intact};
    answer(exchange, 200, &reply);
}

static void release_held(struct stet__exchange *exchange)
{
    for (size_t i = 0; i < role.held_count; i++)
        answer_target(role.held[i]);
    role.held_count = 0;
    answer_target(exchange);
}

static void role_request(void *state, struct stet__exchange *exchange)
{
    struct stet_span target = exchange->request->path_query;
    if (stet_span_equal(target, STET_SPAN("/large")) || stet_span_equal(target, STET_SPAN("/owned"))) {
        answer_large(exchange, target.ptr[1] == 'o');
    } else if (stet_span_equal(target, STET_SPAN("/file"))) {
        answer_file(exchange, FILE_BYTES);
    } else if (stet_span_equal(target, STET_SPAN("/beyond"))) {
        answer_file(exchange, FILE_BYTES + 1000);
    } else if (stet_span_equal(target, STET_SPAN("/304"))) {
        answer_text(exchange, 304, STET_SPAN("must not be sent"));
    } else if (stet_span_starts(target, STET_SPAN("/later"))) {
        int status = stet__loop_post(role.loop, answer_target, exchange);
        stet__assert(status == 0);
    } else if (stet_span_starts(target, STET_SPAN("/hold"))) {
        stet__assert(role.held_count < HELD_MAX);
        role.held[role.held_count++] = exchange;
    } else if (stet_span_equal(target, STET_SPAN("/release"))) {
        release_held(exchange);
    } else {
        answer_target(exchange);
    }
}

static const struct stet__role tried = {.start = role_start, .request = role_request, .stop = role_stop};

static struct stet__server *start(void)
{
    struct stet__listen_address address;
    char text[80], error[256];
    int len = snprintf(text, sizeof text, "unix:%s", socket_path);
    assert_int_equal(stet__listen_address_parse(stet_span_of(text, (size_t)len), &address), STET_OK);
    struct stet__server_configuration configuration = {
        .addresses = &address, .address_count = 1, .workers = 1, .role = &tried};
    stet__limits_default(&configuration.limits);
    configuration.limits.stop_timeout_s = 1;
    role.holds = role.releases = role.asked_intact = 0;
    role.held_count = 0;
    role.intact = true;
    struct stet__server *server = stet__server_start(&configuration, error, sizeof error);
    if (!server)
        fail_msg("%s", error);
    return server;
}

static int connect_to_server(void)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

static void say(int fd, const char *text)
{
    assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

static char received[LARGE + 100000];

/* Everything until the server closes, with a terminator. */
static size_t receive_all(int fd)
{
    size_t len = 0;
    ssize_t n;
    while ((n = recv(fd, received + len, sizeof received - 1 - len, 0)) > 0)
        len += (size_t)n;
    received[len] = '\0';
    close(fd);
    return len;
}

/* Sends the requests, ends its side, receives all answers. */
static size_t ask(const char *requests)
{
    int fd = connect_to_server();
    say(fd, requests);
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    return receive_all(fd);
}

#define GET(target) "GET " target " HTTP/1.1\r\nHost: h\r\n\r\n"

static const char *body_of(const char *answers)
{
    const char *end = strstr(answers, "\r\n\r\n");
    assert_non_null(end);
    return end + 4;
}

static void test_added_fields(void **state)
{
    struct stet__server *server = start();
    ask(GET("/x"));
    const char *expires = strstr(received, "\r\nExpires: "), *date = strstr(received, "\r\nDate: ");
    int64_t expires_at, date_at;
    assert_non_null(expires);
    assert_non_null(date);
    assert_int_equal(stet_date_parse(stet_span_of(expires + 11, STET_DATE_LEN), 0, &expires_at), STET_OK);
    assert_int_equal(stet_date_parse(stet_span_of(date + 8, STET_DATE_LEN), 0, &date_at), STET_OK);
    assert_int_equal(expires_at, date_at + 60);
    assert_non_null(strstr(received, "\r\nExtra: one\r\n"));
    assert_null(strstr(received, "\r\nConnection: "));
    assert_string_equal(body_of(received), "/x");
    stet__server_stop(server);
}

/* RFC 9112 section 6.3: a 304 and the answer to HEAD end with their heads, whatever the role gives. */
static void test_no_content(void **state)
{
    struct stet__server *server = start();
    ask(GET("/304") "HEAD /file HTTP/1.1\r\nHost: h\r\n\r\n" GET("/x"));
    assert_null(strstr(received, "must not"));
    const char *second = body_of(received);
    assert_memory_equal(second, "HTTP/1.1 200 OK\r\nContent-Length: 300012\r\n", 41);
    assert_memory_equal(body_of(second), "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 36);
    stet__server_stop(server);
}

static void test_later(void **state)
{
    struct stet__server *server = start();
    ask(GET("/1") GET("/later/2") GET("/3") GET("/later/4") GET("/later/5") GET("/6"));
    const char *at = received;
    for (int i = 0; i < 6; i++) {
        static const char *const bodies[] = {"/1", "/later/2", "/3", "/later/4", "/later/5", "/6"};
        at = body_of(at);
        assert_memory_equal(at, bodies[i], strlen(bodies[i]));
    }
    stet__server_stop(server);
}

/* Answered from within another's request; requests that came meanwhile were kept. */
static void test_released_by_another(void **state)
{
    struct stet__server *server = start();
    int first = connect_to_server(), second = connect_to_server();
    say(first, GET("/hold/1") GET("/after"));
    say(second, GET("/hold/2"));
    assert_int_equal(shutdown(first, SHUT_WR), 0);
    assert_int_equal(shutdown(second, SHUT_WR), 0);
    /* The loop takes connections in the order in which they spoke, so both are held by then. */
    ask(GET("/release"));
    assert_non_null(strstr(received, "/release"));
    receive_all(first);
    const char *one = body_of(received);
    assert_memory_equal(one, "/hold/1HTTP/1.1", 15);
    assert_string_equal(body_of(one), "/after");
    receive_all(second);
    assert_string_equal(body_of(received), "/hold/2");
    stet__server_stop(server);
}

/* A client that goes while its answer is not there, then the answer; and one that is never answered. */
static void test_gone_and_forgotten(void **state)
{
    struct stet__server *server = start();
    int gone = connect_to_server();
    say(gone, GET("/hold/1"));
    ask(GET("/x"));
    close(gone);
    ask(GET("/release"));
    assert_string_equal(body_of(received), "/release");
    int forgotten = connect_to_server();
    say(forgotten, GET("/hold/2"));
    ask(GET("/x"));
    assert_string_equal(body_of(received), "/x");
    stet__server_stop(server);
    assert_int_equal(role.held_count, 1);
    assert_int_equal(receive_all(forgotten), 0);
}

static void assert_large(const char *at)
{
    assert_memory_equal(at, role.large, LARGE);
    assert_memory_equal(at + LARGE, "the end", 7);
}

static void test_large(void **state)
{
    struct stet__server *server = start();
    ask(GET("/large") GET("/x"));
    assert_large(body_of(received));
    assert_string_equal(body_of(body_of(received) + LARGE), "/x");
    ask(GET("/owned") GET("/x"));
    assert_large(body_of(received));
    assert_string_equal(body_of(body_of(received) + LARGE), "/x");
    stet__server_stop(server);
    assert_int_equal(role.holds, role.releases); /* a client that reads fast enough leaves nothing to hold */
}

/* Cut off by the end of the server: released all the same. */
static void test_large_cut_off(void **state)
{
    struct stet__server *server = start();
    int fd = connect_to_server();
    say(fd, GET("/owned"));
    assert_true(recv(fd, received, 1000, 0) > 0);
    stet__server_stop(server);
    assert_int_equal(role.holds, 1);
    assert_int_equal(role.releases, 1);
    assert_true(receive_all(fd) < LARGE);
}

static void test_file(void **state)
{
    struct stet__server *server = start();
    size_t len = ask(GET("/file") GET("/x"));
    const char *body = body_of(received);
    assert_memory_equal(body, "<", 1);
    assert_memory_equal(body + 1, role.large + 5, 10);
    assert_memory_equal(body + 11, role.large, FILE_BYTES);
    assert_memory_equal(body + 11 + FILE_BYTES, ">HTTP/1.1 200 OK", 16);
    assert_true(received + len > body + FILE_BYTES);
    stet__server_stop(server);
    assert_int_equal(role.asked_intact, 2);
    assert_int_equal(role.holds, role.releases);
}

/* The last octets stay back if the file is another, or shorter than the head says: no receiver takes it for
 * complete. */
static void test_not_intact(void **state)
{
    struct stet__server *server = start();
    role.intact = false;
    assert_true(ask(GET("/file") GET("/x")) < FILE_BYTES);
    role.intact = true;
    size_t len = ask(GET("/beyond") GET("/x"));
    assert_true(len < FILE_BYTES + 1000);
    assert_null(strstr(received, "/x"));
    ask(GET("/x"));
    assert_string_equal(body_of(received), "/x");
    stet__server_stop(server);
    assert_int_equal(role.holds, role.releases);
}

static int prepare(void **state)
{
    role.large = malloc(LARGE);
    if (!role.large || !mkdtemp(folder))
        return -1;
    for (size_t i = 0; i < LARGE; i++)
        role.large[i] = (char)('a' + i % 23);
    snprintf(socket_path, sizeof socket_path, "%s/socket", folder);
    snprintf(file_path, sizeof file_path, "%s/file", folder);
    FILE *file = fopen(file_path, "w+");
    if (!file || fwrite(role.large, 1, FILE_BYTES, file) != FILE_BYTES || fflush(file) != 0)
        return -1;
    role.file = dup(fileno(file));
    return fclose(file);
}

static int clean_up(void **state)
{
    free(role.large);
    close(role.file);
    (void)unlink(file_path);
    /* The server has removed its socket, or this fails. */
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_added_fields),
        cmocka_unit_test(test_no_content),
        cmocka_unit_test(test_later),
        cmocka_unit_test(test_released_by_another),
        cmocka_unit_test(test_gone_and_forgotten),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_large_cut_off),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_not_intact),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
