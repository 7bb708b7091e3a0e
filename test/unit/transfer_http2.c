/* SPDX-License-Identifier: MIT */
/*
 * transfer_http2: transfers and wires with a server of our own: HTTP/2 with prior knowledge and by ALPN, TLS
 * with a certificate that is, or is not, believed; many streams on one connection.
 */
#include "told.h"

#include "net/address.h"
#include "net/exchange.h"
#include "net/head.h"
#include "net/server.h"
#include "net/tls_config.h"
#include "transfer/wire.h"

#define NOW 1800000000
#define BODY_BYTES 300000u

static struct {
    struct stet__server *server;
    struct stet__tls_config *tls;
    unsigned port, secure_port;
    atomic_uint asked;
    char body[BODY_BYTES];
} world;

static void *role_start(const void *configuration, struct stet__loop *loop, const char **error)
{
    return &world;
}

static void role_stop(void *state)
{
}

/* With Content-Length. */
static void reply(struct stet__exchange *exchange, unsigned status, struct stet_span text)
{
    char digits[20];
    struct stet_field field = {{"Content-Length", 14},
                               stet_span_of(digits, stet_format_u64(text.len, digits)),
                               STET_FIELD_CONTENT_LENGTH};
    struct stet_fields fields = {&field, 1, UINT64_C(1) << STET_FIELD_CONTENT_LENGTH};
    struct stet__part part = stet__part_memory(text);
    struct stet__reply reply = {.parts = &part, .part_count = 1};
    reply.head = stet__head_make(exchange->arena, status, &fields);
    stet__assert(reply.head);
    stet__exchange_answer(exchange, &reply);
}

/* "/304" gets one, "/big" much, anything else a little. */
static void role_request(void *state, struct stet__exchange *exchange)
{
    char target = exchange->request->path_query.ptr[1];
    world.asked++;
    if (target == '3')
        reply(exchange, 304, STET_SPAN(""));
    else if (target == 'b')
        reply(exchange, 200, stet_span_of(world.body, sizeof world.body));
    else
        reply(exchange, 200, STET_SPAN("hello"));
}

static const struct stet__role the_role = {.start = role_start, .request = role_request, .stop = role_stop};

static unsigned port_of(size_t i)
{
    return (unsigned)strtoul(strrchr(stet__server_address(world.server, i), ':') + 1, NULL, 10);
}

static int prepare(void **state)
{
    static const bool secure[] = {false, true};
    struct stet__listen_address addresses[2];
    struct stet__tls_settings tls = {.self_signed = true, .h2 = true, .ticket_interval_s = 3600};
    char error[256];
    world.tls = stet__tls_config_new(&tls, NOW, error, sizeof error);
    assert_non_null(world.tls);
    for (size_t i = 0; i < 2; i++)
        assert_int_equal(stet__listen_address_parse(STET_SPAN("127.0.0.1:0"), &addresses[i]), STET_OK);
    struct stet__server_configuration configuration = {.addresses = addresses,
                                                       .address_count = 2,
                                                       .secure = secure,
                                                       .tls = world.tls,
                                                       .workers = 1,
                                                       .role = &the_role};
    stet__limits_default(&configuration.limits);
    configuration.limits.stop_timeout_s = 1;
    world.server = stet__server_start(&configuration, error, sizeof error);
    if (!world.server)
        fail_msg("%s", error);
    world.port = port_of(0);
    world.secure_port = port_of(1);
    return 0;
}

static int clean_up(void **state)
{
    stet__server_stop(world.server);
    stet__tls_config_free(world.tls);
    return 0;
}

static const char *uri_at(bool secure, const char *target)
{
    static char uri[80];
    snprintf(uri, sizeof uri, "%s://127.0.0.1:%u%s", secure ? "https" : "http",
             secure ? world.secure_port : world.port, target);
    return uri;
}

static void ask_at(struct told *told, const char *method, const char *uri)
{
    struct stet__transfer_request request = {.method = method, .uri = uri};
    assert_non_null(stet__transfer_begin(group, &request, &events, told));
}

struct way {
    bool secure;
    enum stet__transfer_version version;
    unsigned major;
};

static const struct way ways[] = {
    {false, STET__TRANSFER_ANY, 1}, {false, STET__TRANSFER_HTTP1, 1}, {false, STET__TRANSFER_HTTP2, 2},
    {true, STET__TRANSFER_ANY, 2},  {true, STET__TRANSFER_HTTP1, 1},  {true, STET__TRANSFER_HTTP2, 2},
};

static const struct {
    const char *method, *target, *story;
} exchanges[] = {
    {"GET", "/hello", "(200)hellook"},    {"GET", "/304", "(304)ok"},        {"HEAD", "/hello", "(200)ok"},
    {"DELETE", "/hello", "(200)hellook"}, {"GET", "/hello", "(200)hellook"},
};

/* The same story in each version, with TLS and without, over one connection. */
static void test_versions(void **state)
{
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        open_group(
            &(struct stet__transfer_settings){.proxy = "", .insecure = true, .version = ways[i].version});
        for (size_t k = 0; k < sizeof exchanges / sizeof exchanges[0]; k++) {
            struct told told = {0};
            ask_at(&told, exchanges[k].method, uri_at(ways[i].secure, exchanges[k].target));
            run_group();
            assert_string_equal(told.story, exchanges[k].story);
            assert_int_equal(told.result.major, ways[i].major);
            assert_int_equal(told.result.secure, ways[i].secure);
            if (ways[i].secure || ways[i].major == 1) /* see attach.c */
                assert_int_equal(told.result.connected_us > 0, k == 0);
        }
        close_group();
    }
}

/* So many at once that one connection has to carry them, each with more than its window. */
static void test_streams(void **state)
{
    static struct told told[100];
    open_group(&(struct stet__transfer_settings){.proxy = "", .insecure = true, .connections_max = 60});
    memset(told, 0, sizeof told);
    unsigned connected = 0;
    for (size_t i = 0; i < 100; i++) {
        told[i].quiet = true;
        ask_at(&told[i], "GET", uri_at(true, "/big"));
    }
    run_group();
    for (size_t i = 0; i < 100; i++) {
        assert_string_equal(told[i].story, "(200)ok");
        assert_int_equal(told[i].octets, BODY_BYTES);
        connected += told[i].result.connected_us > 0;
    }
    assert_int_equal(connected, 1);
    close_group();
}

/* A stream that is stopped leaves its connection to the others. */
static void test_stop_stream(void **state)
{
    struct told stopped = {.stop_in_data = true, .quiet = true}, told = {0};
    open_group(&(struct stet__transfer_settings){.proxy = "", .insecure = true});
    ask_at(&stopped, "GET", uri_at(true, "/big"));
    ask_at(&told, "GET", uri_at(true, "/hello"));
    run_group();
    assert_string_equal(stopped.story, "(200)stopped cut");
    assert_string_equal(told.story, "(200)hellook");
    close_group();
}

static void test_not_believed(void **state)
{
    struct told told = {0};
    const struct stet__transfer_settings settings = {.proxy = ""};
    const char *cause;
    unsigned before = world.asked;
    open_group(&settings);
    ask_at(&told, "GET", uri_at(true, "/hello"));
    run_group();
    assert_string_equal(told.story, "tls");
    assert_non_null(strstr(told.cause, "certificate"));
    close_group();
    assert_null(stet__wire_open(&settings, uri_at(true, "/"), NULL, &cause));
    assert_non_null(strstr(cause, "certificate"));
    assert_int_equal(world.asked, before);
}

/* A wire speaks HTTP/1.1, whatever the server would like. */
static void test_wire_over_tls(void **state)
{
    static struct stet__wire_answer answer;
    const struct stet__transfer_settings settings = {.proxy = "", .insecure = true};
    const struct stet__wire_limits limits = {.patience_ms = 10000, .linger_ms = 10};
    const char *cause;
    struct stet__wire *line = stet__wire_open(&settings, uri_at(true, "/"), NULL, &cause);
    assert_non_null(line);
    for (unsigned i = 0; i < 3; i++) {
        stet__wire_ask(line, STET_SPAN("GET /big HTTP/1.1\r\nHost: h\r\n\r\n"), STET_METHOD_GET, &limits,
                       &answer);
        assert_int_equal(answer.status, STET_OK);
        assert_int_equal(answer.content.len, BODY_BYTES);
        assert_true(answer.reusable);
        stet__buffer_release(&answer.octets);
    }
    stet__wire_ask(line, STET_SPAN("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"), STET_METHOD_GET,
                   &limits, &answer);
    assert_int_equal(answer.status, STET_OK);
    assert_false(answer.reusable);
    stet__buffer_release(&answer.octets);
    stet__wire_close(line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_versions),      cmocka_unit_test(test_streams),
        cmocka_unit_test(test_stop_stream),   cmocka_unit_test(test_not_believed),
        cmocka_unit_test(test_wire_over_tls),
    };
    return cmocka_run_group_tests(tests, prepare, clean_up);
}
