/* SPDX-License-Identifier: MIT */
/*
 * wire: what came over a connection, octet by octet: where the message ends and what stands behind it, in
 * every framing; how an answer ends that is not complete; several requests on one wire.
 */
#include "answering.h"

#include "transfer/wire.h"

#define H "HTTP/1.1 "
#define HELLO H "200 OK\r\nContent-Length: 5\r\n\r\nhello"
#define ASKED "GET / HTTP/1.1\r\nHost: h\r\n\r\n"

static const struct stet__transfer_settings plain = {.proxy = ""};
static struct stet__wire_answer answer;

static struct stet__wire *open_wire(void)
{
    char uri[60];
    const char *cause;
    snprintf(uri, sizeof uri, "http://127.0.0.1:%u/", answering.port);
    struct stet__wire *wire = stet__wire_open(&plain, uri, NULL, &cause);
    if (!wire)
        fail_msg("%s", cause);
    return wire;
}

struct row {
    enum stet_method method;
    const char *text;
    bool close;
    int status;
    unsigned code; /* 0: there is no head */
    const char *content, *behind;
    bool reusable;
};

#define GET STET_METHOD_GET

static const struct row rows[] = {
    {GET, HELLO, false, STET_OK, 200, "hello", "", true},
    {GET, HELLO, true, STET_OK, 200, "hello", "", false},
    {GET, H "200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", false, STET_OK, 200, "", "", false},
    {GET, H "304 Not Modified\r\nContent-Length: 5\r\n\r\n", false, STET_OK, 304, "", "", true},
    /* What no client shows. */
    {GET, H "304 Not Modified\r\nContent-Length: 5\r\n\r\nhello", false, STET_OK, 304, "", "hello", false},
    {GET, H "304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", false, STET_OK, 304, "",
     "0\r\n\r\n", false},
    {STET_METHOD_HEAD, H "200 OK\r\nContent-Length: 5\r\n\r\nhello", false, STET_OK, 200, "", "hello", false},
    {GET, H "204 No Content\r\n\r\nx", true, STET_OK, 204, "", "x", false},
    {GET, HELLO "more", false, STET_OK, 200, "hello", "more", false},
    {GET, H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\nA: b\r\n\r\n", false,
     STET_OK, 200, "abcde", "", true},
    {GET, H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nrest", false, STET_OK, 200,
     "abc", "rest", false},
    {GET, H "200 OK\r\n\r\nuntil close", true, STET_OK, 200, "until close", "", false},
    {GET, H "103 Early\r\nLink: </a>\r\n\r\n" HELLO, false, STET_OK, 200, "hello", "", true},
    {GET, H "200 OK\r\nETag:\r\n \"a\"\r\nContent-Length: 1\r\n\r\nx", false, STET_OK, 200, "x", "", true},
    /* Not complete. */
    {GET, H "200 OK\r\nContent-Length: 10\r\n\r\nhello", true, STET_MORE, 200, "hello", "", false},
    {GET, H "200 OK\r\nContent-Length: 10\r\n\r\nhello", false, STET_MORE, 200, "hello", "", false},
    {GET, H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel", true, STET_MORE, 200, "hel", "", false},
    {GET, H "200 OK\r\nConten", true, STET_MORE, 0, "", "", false},
    {GET, "", true, STET_MORE, 0, "", "", false},
    /* Not HTTP/1.1 as it should be. */
    {GET, "garbage\r\n\r\n", false, STET_E_STATUS_LINE, 0, "", "", false},
    {GET, H "200 OK\nContent-Length: 0\n\n", false, STET_E_BARE_LF, 0, "", "", false},
    {GET, H "200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", false,
     STET_E_LENGTH_AND_CODING, 0, "", "", false},
    {GET, H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", false, STET_E_CHUNK_END,
     200, "abc", "", false},
};

static void expect_text(struct stet_span span, const char *text)
{
    assert_int_equal(span.len, strlen(text));
    if (span.len > 0)
        assert_memory_equal(span.ptr, text, span.len);
}

static void expect_row(const struct row *row)
{
    assert_int_equal(answer.status, row->status);
    assert_int_equal(answer.has_head, row->code > 0);
    if (row->code > 0)
        assert_int_equal(answer.head.head.status, row->code);
    expect_text(answer.content, row->content);
    expect_text(answer.behind, row->behind);
    assert_int_equal(answer.reusable, row->reusable);
    assert_int_equal(answer.closed, row->close);
    assert_int_equal(answer.silent, row->status == STET_MORE && !row->close);
    assert_false(answer.limited);
}

static void test_answers(void **state)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *row = &rows[i];
        const struct answering_row said = {.target = "/", .text = row->text, .close = row->close};
        const struct stet__wire_limits limits = {.patience_ms = row->status == STET_MORE ? 60 : 10000,
                                                 .linger_ms = 30};
        answering_start(&said, 1);
        struct stet__wire *wire = open_wire();
        stet__wire_ask(wire, STET_SPAN(ASKED), row->method, &limits, &answer);
        assert_string_equal(answering_last(), ASKED);
        expect_row(row);
        stet__buffer_release(&answer.octets);
        stet__wire_close(wire);
        answering_stop();
    }
}

static void test_seen(void **state)
{
    static const struct answering_row said = {.target = "/",
                                              .text = H
                                              "100 Continue\r\n\r\n" H "103 Early\r\n\r\n" H
                                              "200 OK\r\nETag:\r\n \"a\"\r\nContent-Length: 1\r\n\r\nx"};
    const struct stet__wire_limits limits = {.patience_ms = 10000};
    answering_start(&said, 1);
    struct stet__wire *wire = open_wire();
    stet__wire_ask(wire, STET_SPAN(ASKED), GET, &limits, &answer);
    assert_int_equal(answer.status, STET_OK);
    assert_int_equal(answer.interims, 2);
    assert_true(answer.folded);
    const struct stet_field *etag = stet_fields_find(&answer.head.head.fields, STET_FIELD_ETAG, 0);
    assert_non_null(etag);
    expect_text(etag->value, "\"a\"");
    assert_int_equal(answer.octets.len, strlen(said.text));
    stet__buffer_release(&answer.octets);
    stet__wire_close(wire);
    answering_stop();
}

/* Octets that come a little later, within linger_ms, are seen as well; and what comes later still breaks the
 * wire. */
static void test_linger(void **state)
{
    static const struct answering_row said[] = {
        {.target = "/late", .text = H "304 Not Modified\r\n\r\n", .after_ms = 30, .later = "late"},
        {.target = "/", .text = HELLO}};
    const struct stet__wire_limits patient = {.patience_ms = 10000, .linger_ms = 1000},
                                   hasty = {.patience_ms = 10000};
    answering_start(said, 2);
    struct stet__wire *wire = open_wire();
    stet__wire_ask(wire, STET_SPAN("GET /late HTTP/1.1\r\nHost: h\r\n\r\n"), GET, &patient, &answer);
    assert_int_equal(answer.status, STET_OK);
    expect_text(answer.behind, "late");
    assert_false(answer.reusable);
    stet__buffer_release(&answer.octets);
    /* Nothing more can be asked on it. */
    stet__wire_ask(wire, STET_SPAN(ASKED), GET, &hasty, &answer);
    assert_int_equal(answer.status, STET_MORE);
    assert_false(answer.has_head);
    stet__buffer_release(&answer.octets);
    stet__wire_close(wire);
    answering_stop();
}

static void test_several(void **state)
{
    static const struct answering_row said[] = {
        {.target = "/304", .text = H "304 Not Modified\r\n\r\n"},
        {.target = "/chunked",
         .text = H "200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"},
        {.target = "/", .text = HELLO}};
    const struct stet_span asked[] = {STET_SPAN("GET /304 HTTP/1.1\r\nHost: h\r\n\r\n"),
                                      STET_SPAN("GET /chunked HTTP/1.1\r\nHost: h\r\n\r\n"),
                                      STET_SPAN(ASKED)};
    static const char *const contents[] = {"", "hello", "hello"};
    const struct stet__wire_limits limits = {.patience_ms = 10000, .linger_ms = 5};
    answering_start(said, 3);
    struct stet__wire *wire = open_wire();
    for (size_t i = 0; i < 9; i++) {
        stet__wire_ask(wire, asked[i % 3], GET, &limits, &answer);
        assert_int_equal(answer.status, STET_OK);
        expect_text(answer.content, contents[i % 3]);
        assert_true(answer.reusable);
        stet__buffer_release(&answer.octets);
    }
    assert_int_equal(answering.accepted, 1);
    stet__wire_close(wire);
    answering_stop();
}

/* Larger than one read, and than what may be read. */
static void test_large(void **state)
{
    static const struct answering_row said = {
        .target = "/", .text = H "200 OK\r\nContent-Length: 1000000\r\n\r\n", .filler = 1000000};
    const struct stet__wire_limits all = {.patience_ms = 10000},
                                   some = {.patience_ms = 10000, .octets_max = 100000};
    answering_start(&said, 1);
    struct stet__wire *wire = open_wire();
    stet__wire_ask(wire, STET_SPAN(ASKED), GET, &all, &answer);
    assert_int_equal(answer.status, STET_OK);
    assert_int_equal(answer.content.len, 1000000);
    assert_true(answer.reusable);
    stet__buffer_release(&answer.octets);
    stet__wire_ask(wire, STET_SPAN(ASKED), GET, &some, &answer);
    assert_int_equal(answer.status, STET_MORE);
    assert_true(answer.has_head && answer.limited);
    assert_false(answer.reusable || answer.closed || answer.silent);
    assert_int_equal(answer.octets.len, 100000);
    assert_int_equal(answer.content.len, 100000 - (strlen(said.text)));
    stet__buffer_release(&answer.octets);
    stet__wire_close(wire);
    answering_stop();
}

/* A request that is no good is sent as it is. */
static void test_as_it_is(void **state)
{
    static const struct answering_row said = {.target = "/",
                                              .text = H "400 Bad Request\r\nContent-Length: 0\r\n\r\n"};
    static const char bad[] = "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nBad Name : c\rd\r\n\r\n";
    const struct stet__wire_limits limits = {.patience_ms = 10000};
    answering_start(&said, 1);
    struct stet__wire *wire = open_wire();
    stet__wire_ask(wire, stet_span_of(bad, sizeof bad - 1), GET, &limits, &answer);
    assert_int_equal(answer.head.head.status, 400);
    assert_string_equal(answering_last(), bad);
    stet__buffer_release(&answer.octets);
    stet__wire_close(wire);
    answering_stop();
}

static void test_no_connection(void **state)
{
    static const struct answering_row said = {.target = "/", .text = HELLO};
    const char *cause = NULL;
    char uri[60];
    answering_start(&said, 1);
    snprintf(uri, sizeof uri, "http://name.test:%u/", answering.port);
    struct stet__wire *wire = stet__wire_open(&plain, uri, "127.0.0.1", &cause);
    assert_non_null(wire);
    stet__wire_close(wire);
    answering_stop();
    assert_null(stet__wire_open(&plain, uri, "127.0.0.1", &cause));
    assert_non_null(strstr(cause, "onnect"));
    assert_null(stet__wire_open(&plain, "ftp://h/", NULL, &cause));
    assert_non_null(strstr(cause, "URI"));
    stet__wire_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),       cmocka_unit_test(test_seen),  cmocka_unit_test(test_linger),
        cmocka_unit_test(test_several),       cmocka_unit_test(test_large), cmocka_unit_test(test_as_it_is),
        cmocka_unit_test(test_no_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
