/* SPDX-License-Identifier: MIT */
/*
 * transfer: answers in every framing, and what is told of each; requests octet by octet; connections that are
 * kept. How a transfer ends early is in transfer_end.c, HTTP/2 and TLS in transfer_http2.c.
 */
#include "told.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#define BIG_BYTES ((uint64_t)64 << 20)
/* What 64 MiB that stream through may cost in memory, sanitizers included, in KiB. */
#define GROWTH_KIB 32768

struct framing {
    const char *method, *text, *story;
    bool close; /* the server closes afterwards */
    bool kept;  /* the connection is used again */
};

static const struct framing framings[] = {
    {"GET", HELLO, "(200)hellook", false, true},
    {"GET", H "200 OK\r\nContent-Length: 0\r\n\r\n", "(200)ok", false, true},
    {"GET", H "200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello", "(200)hellook", true, false},
    {"GET", H "200 OK\r\n\r\nuntil close", "(200)until closeok", true, false},
    {"GET", "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nab", "(200)abok", true, false},
    {"GET", H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
     "(200)abcdeok", false, true},
    {"GET", H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nA: 1\r\nB: 2\r\n\r\n",
     "(200)abcok", false, true},
    {"HEAD", H "200 OK\r\nContent-Length: 5\r\n\r\n", "(200)ok", false, true},
    {"GET", H "304 Not Modified\r\nContent-Length: 5\r\nE: \"a\"\r\n\r\n", "(304)E=\"a\";ok", false, true},
    {"GET", H "204 No Content\r\n\r\n", "(204)ok", false, true},
    /* Interim answers are not the answer. */
    {"GET",
     H "100 Continue\r\n\r\n" H "103 Early\r\nL: </a>\r\n\r\n" H
       "200 OK\r\nContent-Length: 1\r\nA: b\r\n\r\nx",
     "[100][103](200)A=b;xok", false, true},
    /* Octets behind a 304 are nobody's answer; see test_unasked. */
    {"GET", H "304 Not Modified\r\n\r\nhello", "(304)ok", false, true},
    /* Tolerated: see transfer.h. */
    {"GET", H "200 OK\r\nE:\r\n \"a\"\r\nContent-Length: 1\r\n\r\nx", "(200)E=\"a\";xok", false, true},
    {"GET", H "200 OK\r\nA: b\r\n\tc\r\n  d\r\nContent-Length: 1\r\n\r\nx", "(200)A=b  \tc    d;xok", false,
     true},
    {"GET", H "200 OK\nA: b\nContent-Length: 1\n\nx", "(200)A=b;xok", false, true},
    {"GET", "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n", "(200)xok", true,
     false},
    {"GET", H "200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "(200)hellook", false, true},
    /* Cut. */
    {"GET", H "200 OK\r\nContent-Length: 10\r\n\r\nhello", "(200)hellocut cut", true, false},
    {"GET", H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "(200)hellocut cut", true, false},
    {"GET", H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", "(200)helcut cut", true, false},
    {"GET", H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n", "(200)cut cut", true, false},
    {"GET", H "200 OK\r\nContent-", "cut", true, false},
    {"GET", "", "cut", true, false},
    /* What core does not take, libcurl's opinion notwithstanding. */
    {"GET", H "200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "content-length-conflict",
     true, false},
    {"GET", H "200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
     "length-and-coding", true, false},
    {"GET", H "200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", "coding-unknown", true, false},
    {"GET", H "200 OK\r\nTransfer-Encoding: gzip\r\n\r\nxyz", "coding-unknown", true, false},
    {"GET", H "200 OK\r\nBad Name: 5\r\nContent-Length: 0\r\n\r\n", "field-name", true, false},
    {"GET", H "200 OK\r\nA: b\rc\r\nContent-Length: 0\r\n\r\n", "bare-cr", true, false},
    {"GET", H "101 Switching Protocols\r\nUpgrade: x\r\n\r\n", "protocol", true, false},
    {"GET", "garbage\r\n\r\n", "protocol", true, false},
    {"GET", "HTTP/2.0 200 OK\r\n\r\n", "version-unsupported", true, false},
    {"GET", "HTTP/2 200 OK\r\nContent-Length: 0\r\n\r\n", "version", true, false},
};

static void test_framings(void **state)
{
    for (size_t i = 0; i < sizeof framings / sizeof framings[0]; i++) {
        const struct framing *framing = &framings[i];
        struct answering_row rows[] = {{.target = "/x", .text = framing->text, .close = framing->close},
                                       {.target = "/hello", .text = HELLO}};
        struct told told = {0}, after = {0};
        struct stet__transfer_request request = {.method = framing->method};
        answering_start(rows, 2);
        open_group(NULL);
        request.uri = uri_of("/x");
        assert_non_null(stet__transfer_begin(group, &request, &events, &told));
        run_group();
        assert_string_equal(told.story, framing->story);
        begin(&after, "/hello");
        run_group();
        assert_string_equal(after.story, "(200)hellook");
        assert_int_equal(answering.accepted, framing->kept ? 1 : 2);
        close_group();
        answering_stop();
    }
}

static void test_result(void **state)
{
    static const struct answering_row rows[] = {{.target = "/a", .text = HELLO}};
    struct told told = {0};
    answering_start(rows, 1);
    fetch(&told, "GET", "/a");
    const struct stet__transfer_result *result = &told.result;
    assert_int_equal(result->content_octets, 5);
    assert_int_equal(result->head_octets, strlen(HELLO) - 5);
    assert_int_equal(result->sent_octets, strlen(answering_last()));
    assert_int_equal(result->major, 1);
    assert_int_equal(result->minor, 1);
    assert_false(result->secure);
    assert_string_equal(result->address, "127.0.0.1");
    assert_int_equal(result->port, answering.port);
    assert_true(result->connected_us > 0);
    assert_true(result->first_octet_us >= result->connected_us);
    assert_true(result->whole_us >= result->first_octet_us);
    assert_int_equal(told.answer.body, STET_BODY_LENGTH);
    answering_stop();
}

/* The request is what was asked for, and nothing else: no Accept, no User-Agent, an empty value as one. */
static void test_request_octets(void **state)
{
    static const struct answering_row rows[] = {{.target = "/", .text = HELLO}};
    const struct stet_field fields[] = {
        {STET_SPAN("If-None-Match"), STET_SPAN("\"a\", W/\"b\""), STET_FIELD_IF_NONE_MATCH},
        {STET_SPAN("X-Empty"), STET_SPAN(""), STET_FIELD_OTHER},
        {STET_SPAN("if-none-match"), STET_SPAN("\"c\""), STET_FIELD_IF_NONE_MATCH},
        {STET_SPAN("X-Semicolon"), STET_SPAN(";"), STET_FIELD_OTHER},
    };
    const struct stet_fields given = {fields, 4, 0};
    char expected[300];
    struct told told = {0};
    answering_start(rows, 1);
    open_group(NULL);
    struct stet__transfer_request request = {
        .method = "GET", .uri = uri_of("/a/../b?c=d%20e#f"), .fields = &given};
    assert_non_null(stet__transfer_begin(group, &request, &events, &told));
    run_group();
    snprintf(expected, sizeof expected,
             "GET /a/../b?c=d%%20e HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nIf-None-Match: \"a\", W/\"b\"\r\n"
             "X-Empty:\r\nif-none-match: \"c\"\r\nX-Semicolon: ;\r\n\r\n",
             answering.port);
    assert_string_equal(answering_last(), expected);
    close_group();
    answering_stop();
}

static struct stet__transfer *ask(struct told *told, const char *method, struct stet_span content)
{
    struct stet__transfer_request request = {.method = method, .uri = uri_of("/"), .content = content};
    struct stet__transfer *transfer = stet__transfer_begin(group, &request, &events, told);
    assert_non_null(transfer);
    run_group();
    return transfer;
}

static void expect_request(const char *method, const char *rest)
{
    char expected[300];
    snprintf(expected, sizeof expected, "%s / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n%s", method, answering.port,
             rest);
    assert_string_equal(answering_last(), expected);
}

/* Methods and content, one after the other with the same handle: nothing of one is left in the next. */
static void test_methods(void **state)
{
    static const struct answering_row rows[] = {{.target = "/", .text = H "204 No Content\r\n\r\n"}};
    static const struct {
        const char *method, *content, *rest;
    } asked[] = {
        {"POST", "a=b", "Content-Length: 3\r\n\r\na=b"},
        {"GET", NULL, "\r\n"}, /* RFC 9110 section 9.3.1 */
        {"HEAD", NULL, "\r\n"},
        {"PUT", "xy", "Content-Length: 2\r\n\r\nxy"},
        {"HEAD", NULL, "\r\n"},
        {"POST", NULL, "Content-Length: 0\r\n\r\n"}, /* RFC 9110 section 8.6 */
        {"DELETE", NULL, "\r\n"},
        {"PUT", "", "Content-Length: 0\r\n\r\n"},
        {"HEAD", "not sent", "\r\n"},
        {"PURGE", NULL, "\r\n"},
        {"OPTIONS", NULL, "\r\n"},
        {"QUERY", "q", "Content-Length: 1\r\n\r\nq"},
        {"GET", "strange", "Content-Length: 7\r\n\r\nstrange"},
        {"GET", NULL, "\r\n"},
    };
    answering_start(rows, 1);
    open_group(NULL);
    for (size_t i = 0; i < sizeof asked / sizeof asked[0]; i++) {
        struct told told = {0};
        const char *content = asked[i].content;
        ask(&told, asked[i].method, stet_span_of(content, content ? strlen(content) : 0));
        assert_string_equal(told.story, "(204)ok");
        expect_request(asked[i].method, asked[i].rest);
    }
    assert_int_equal(answering.accepted, 1);
    close_group();
    answering_stop();
}

static int file_of(const char *text)
{
    char path[] = "/tmp/stet-transfer-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    return fd;
}

/* From where the descriptor stands, and again from there if the kept connection turns out to be dead. */
static void test_content_from_file(void **state)
{
    static const struct answering_row rows[] = {
        {.target = "/bye", .text = HELLO, .close = true},
        {.target = "/", .text = H "204 No Content\r\n\r\n"},
    };
    int fd = file_of("--the content");
    struct told told = {0}, first = {0}, lacking = {0};
    struct stet__transfer_request request = {
        .method = "POST", .content_fd = fd, .has_content_fd = true, .content_length = 11};
    answering_start(rows, 2);
    open_group(NULL);
    begin(&first, "/bye");
    run_group();
    assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
    request.uri = uri_of("/");
    assert_non_null(stet__transfer_begin(group, &request, &events, &told));
    run_group();
    assert_string_equal(told.story, "(204)ok");
    expect_request("POST", "Content-Length: 11\r\n\r\nthe content");
    assert_int_equal(told.result.sent_octets, strlen(answering_last()));
    /* It ends before it should. */
    assert_int_equal(lseek(fd, 5, SEEK_SET), 5);
    assert_non_null(stet__transfer_begin(group, &request, &events, &lacking));
    run_group();
    assert_string_equal(lacking.story, "content");
    close_group();
    answering_stop();
    close(fd);
}

/* Expect goes out if it is given; 417 is the answer then, and nothing is asked a second time. */
static void test_expect(void **state)
{
    static const struct answering_row rows[] = {
        {.target = "/", .text = H "417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"}};
    const struct stet_field expect = {STET_SPAN("Expect"), STET_SPAN("100-continue"), STET_FIELD_EXPECT};
    const struct stet_fields fields = {&expect, 1, UINT64_C(1) << STET_FIELD_EXPECT};
    struct told told = {0};
    answering_start(rows, 1);
    open_group(NULL);
    struct stet__transfer_request request = {
        .method = "POST", .uri = uri_of("/"), .fields = &fields, .content = STET_SPAN("")};
    assert_non_null(stet__transfer_begin(group, &request, &events, &told));
    run_group();
    assert_string_equal(told.story, "(417)nook");
    close_group();
    answering_stop();
}

static void test_kept(void **state)
{
    static const struct answering_row rows[] = {{.target = "/hello", .text = HELLO}};
    answering_start(rows, 1);
    open_group(NULL);
    for (unsigned i = 0; i < 20; i++) {
        struct told told = {0};
        begin(&told, "/hello");
        run_group();
        assert_string_equal(told.story, "(200)hellook");
        assert_true(i == 0 || told.result.connected_us == 0);
    }
    assert_int_equal(answering.accepted, 1);
    /* Unless another one is asked for. */
    struct told told = {0};
    struct stet__transfer_request request = {
        .method = "GET", .uri = uri_of("/hello"), .fresh_connection = true};
    assert_non_null(stet__transfer_begin(group, &request, &events, &told));
    run_group();
    assert_int_equal(answering.accepted, 2);
    assert_true(told.result.connected_us > 0);
    close_group();
    answering_stop();
}

/* What comes on a connection that nobody uses is no answer to the next request: RFC 9112 section 6.3. */
static void test_unasked(void **state)
{
    static const struct answering_row rows[] = {
        {.target = "/304",
         .text = H "304 Not Modified\r\n\r\n",
         .after_ms = 20,
         .later = H "200 OK\r\n\r\npoison"},
        {.target = "/hello", .text = HELLO},
    };
    struct told told = {0}, other = {0}, after = {0};
    answering_start(rows, 2);
    open_group(NULL);
    begin(&told, "/304");
    run_group();
    assert_string_equal(told.story, "(304)ok");
    /* The server answers this one, on another connection, once it has said what nobody asked for. */
    struct stet__transfer_request request = {
        .method = "GET", .uri = uri_of("/hello"), .fresh_connection = true};
    assert_non_null(stet__transfer_begin(group, &request, &events, &other));
    run_group();
    begin(&after, "/hello");
    run_group();
    assert_string_equal(after.story, "(200)hellook");
    assert_int_equal(answering.accepted, 2);
    begin(&after, "/hello");
    run_group();
    assert_string_equal(after.story, "(200)hellook(200)hellook");
    close_group();
    answering_stop();
}

static void test_not_begun(void **state)
{
    static const char *const bad[] = {"",
                                      "/x",
                                      "ftp://h/",
                                      "http://",
                                      "http://a b/",
                                      "http://u:p@h/",
                                      "http://h/a\r\nb",
                                      "file:///etc/passwd"};
    const struct stet_field lines = {STET_SPAN("A"), STET_SPAN("b\r\nC: d"), STET_FIELD_OTHER};
    const struct stet_field name = {STET_SPAN("A b"), STET_SPAN("c"), STET_FIELD_OTHER};
    const struct stet_fields fields[] = {{&lines, 1, 0}, {&name, 1, 0}};
    struct told told = {0};
    open_group(NULL);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct stet__transfer_request request = {.method = "GET", .uri = bad[i]};
        assert_null(stet__transfer_begin(group, &request, &events, &told));
    }
    for (size_t i = 0; i < 2; i++) {
        struct stet__transfer_request request = {.method = "GET", .uri = "http://h/", .fields = &fields[i]};
        assert_null(stet__transfer_begin(group, &request, &events, &told));
    }
    struct stet__transfer_request request = {.method = "GE T", .uri = "http://h/"};
    assert_null(stet__transfer_begin(group, &request, &events, &told));
    assert_int_equal(stet__transfers_step(group, -1), 0);
    assert_int_equal(told.done, 0);
    close_group();
}

static long memory_kib(void)
{
    struct rusage usage;
    assert_int_equal(getrusage(RUSAGE_SELF, &usage), 0);
    return usage.ru_maxrss;
}

static void test_big(void **state)
{
    static const struct answering_row rows[] = {
        {.target = "/", .text = H "200 OK\r\nContent-Length: 67108864\r\n\r\n", .filler = BIG_BYTES}};
    struct told told = {.quiet = true};
    answering_start(rows, 1);
    long before = memory_kib();
    fetch(&told, "GET", "/");
    assert_string_equal(told.story, "(200)ok");
    assert_int_equal(told.octets, BIG_BYTES);
    assert_true(memory_kib() - before < GROWTH_KIB);
    answering_stop();
}

static void test_large_head(void **state)
{
    static char text[9000] = H "200 OK\r\nA: ";
    static const struct answering_row rows[] = {{.target = "/", .text = text, .close = true}};
    size_t len = strlen(text);
    memset(text + len, 'x', sizeof text - 1 - len);
    memcpy(text + sizeof text - 5, "\r\n\r\n", 4);
    struct told fits = {0}, large = {0};
    answering_start(rows, 1);
    fetch(&fits, "GET", "/");
    assert_int_equal(fits.result.head_octets, sizeof text - 1);
    open_group(&(struct stet__transfer_settings){.proxy = "", .head_octets_max = 8000});
    begin(&large, "/");
    run_group();
    assert_string_equal(large.story, "head-too-large");
    assert_non_null(strstr(large.cause, "larger than the limit"));
    close_group();
    answering_stop();
}

/* The name stays in the request, whoever is connected to. */
static void test_address(void **state)
{
    static const struct answering_row rows[] = {{.target = "/", .text = HELLO}};
    char uri[80], host[80], entry[80];
    answering_start(rows, 1);
    snprintf(uri, sizeof uri, "http://name.test:%u/", answering.port);
    snprintf(host, sizeof host, "\r\nHost: name.test:%u\r\n", answering.port);
    snprintf(entry, sizeof entry, "name.test:%u:127.0.0.1", answering.port);
    const char *const resolve[] = {entry, NULL};
    const struct stet__transfer_settings settings[] = {{.proxy = ""}, {.proxy = "", .resolve = resolve}};
    for (size_t i = 0; i < 2; i++) {
        struct told told = {0};
        struct stet__transfer_request request = {
            .method = "GET", .uri = uri, .address = i == 0 ? "127.0.0.1" : NULL};
        open_group(&settings[i]);
        assert_non_null(stet__transfer_begin(group, &request, &events, &told));
        run_group();
        assert_string_equal(told.story, "(200)hellook");
        assert_string_equal(told.result.address, "127.0.0.1");
        assert_non_null(strstr(answering_last(), host));
        close_group();
    }
    answering_stop();
}

/* Whether the request with these credentials, or without, has Authorization. */
static void expect_credentials(bool keep, const char *expected)
{
    struct told told = {0};
    struct stet__transfer_request request = {.method = "GET", .uri = uri_of("/"), .keep_credentials = keep};
    assert_non_null(stet__transfer_begin(group, &request, &events, &told));
    run_group();
    assert_string_equal(told.story, "(200)hellook");
    const char *field = strstr(answering_last(), "Authorization: ");
    if (expected)
        assert_true(field && strncmp(field + 15, expected, strlen(expected)) == 0);
    else
        assert_null(field);
}

static void test_credentials(void **state)
{
    static const struct answering_row rows[] = {{.target = "/", .text = HELLO}};
    char folder[] = "/tmp/stet-netrc-XXXXXX", path[64];
    static const char netrc[] = "machine 127.0.0.1 login me password secret\n";
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/.netrc", folder);
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, netrc, sizeof netrc - 1), sizeof netrc - 1);
    close(fd);
    assert_int_equal(setenv("HOME", folder, 1), 0);
    answering_start(rows, 1);
    const struct stet__transfer_settings settings[] = {{.proxy = "", .user = "a:b"},
                                                       {.proxy = "", .netrc = true}};
    static const char *const expected[] = {"Basic YTpi\r\n", "Basic bWU6c2VjcmV0\r\n"};
    for (size_t i = 0; i < 2; i++) {
        open_group(&settings[i]);
        expect_credentials(false, NULL);
        expect_credentials(true, expected[i]);
        expect_credentials(false, NULL);
        close_group();
    }
    answering_stop();
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* A proxy is asked in the absolute form, and with nothing of libcurl's own. */
static void test_proxy(void **state)
{
    static const struct answering_row rows[] = {{.target = "http://name.test/a", .text = HELLO}};
    struct told told = {0};
    char proxy[60];
    answering_start(rows, 1);
    snprintf(proxy, sizeof proxy, "http://127.0.0.1:%u", answering.port);
    open_group(&(struct stet__transfer_settings){.proxy = proxy});
    struct stet__transfer_request request = {.method = "GET", .uri = "http://name.test/a"};
    assert_non_null(stet__transfer_begin(group, &request, &events, &told));
    run_group();
    assert_string_equal(told.story, "(200)hellook");
    assert_string_equal(answering_last(), "GET http://name.test/a HTTP/1.1\r\nHost: name.test\r\n\r\n");
    close_group();
    answering_stop();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framings),
        cmocka_unit_test(test_result),
        cmocka_unit_test(test_request_octets),
        cmocka_unit_test(test_methods),
        cmocka_unit_test(test_content_from_file),
        cmocka_unit_test(test_expect),
        cmocka_unit_test(test_kept),
        cmocka_unit_test(test_unasked),
        cmocka_unit_test(test_not_begun),
        cmocka_unit_test(test_big),
        cmocka_unit_test(test_large_head),
        cmocka_unit_test(test_address),
        cmocka_unit_test(test_credentials),
        cmocka_unit_test(test_proxy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
