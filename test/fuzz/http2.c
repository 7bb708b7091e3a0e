/* SPDX-License-Identifier: MIT */
/*
 * What a client of HTTP/2 may send, behind its preface, to a role that answers in various ways: RFC 9113.
 *
 * The first octet of the input says in which pieces the rest comes, the paths of the requests say how they
 * are answered. What must hold: each exchange is answered once and each source is done once, and when the
 * client has gone and time has passed nothing is left.
 */
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/head.h"

#define HELD_MAX 64
#define ROUNDS_MAX 400

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct {
    struct stet__worker worker;
    atomic_uint connections;
    struct stet__exchange *held[HELD_MAX];
    size_t held_count;
    struct stet__exchange *streaming; /* one at a time */
    unsigned given, open_sources;
    struct stet__soon soon;
    struct stet_span left;
    size_t piece;
    unsigned rounds;
    int peer;
} world;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static enum stet__supply next(void *owner, struct stet__part *part)
{
    if (world.given == 5)
        return STET__SUPPLY_END;
    if (world.given++ % 2)
        return STET__SUPPLY_WAIT;
    *part = stet__part_memory(STET_SPAN("a part"));
    return STET__SUPPLY_PART;
}

static const struct stet_fields *trailers(void *owner)
{
    static const struct stet_field at = {{"X-Sum", 5}, {"1", 1}, STET_FIELD_OTHER};
    static const struct stet_fields fields = {&at, 1, 1};
    return &fields;
}

static void done(void *owner, bool sent)
{
    world.open_sources--;
    world.streaming = NULL;
}

static void answer(struct stet__exchange *exchange, unsigned status, size_t octets)
{
    static const char large[100000];
    struct stet_field tag = {STET_SPAN("ETag"), STET_SPAN("\"x\""), STET_FIELD_ETAG};
    struct stet_fields fields = {&tag, 1, UINT64_C(1) << STET_FIELD_ETAG};
    struct stet__part part = stet__part_memory(stet_span_of(large, octets));
    struct stet__reply reply = {
        .head = stet__head_make(exchange->arena, status, &fields), .parts = &part, .part_count = octets > 0};
    require(reply.head);
    stet__exchange_answer(exchange, &reply);
}

static void stream(struct stet__exchange *exchange)
{
    struct stet_fields none = {NULL, 0, 0};
    struct stet__reply reply = {.head = stet__head_make(exchange->arena, 200, &none),
                                .source = {.next = next, .trailers = trailers, .done = done},
                                .chunked = true};
    require(reply.head);
    world.streaming = exchange;
    world.open_sources++;
    world.given = 0;
    stet__exchange_answer(exchange, &reply);
}

/* The exchange is its sink's owner, and answered at the end of its body. */
static size_t take(void *owner, struct stet_span octets)
{
    return octets.len > 7 ? 7 : octets.len;
}

static void end(void *owner, int status, const struct stet_fields *fields)
{
    answer(owner, status == STET_OK ? 200 : 400, 10);
}

static void gone(struct stet__exchange *exchange)
{
    answer(exchange, 503, 0);
}

static void *start(const void *configuration, struct stet__loop *loop, const char **error)
{
    return &world;
}

static void request(void *state, struct stet__exchange *exchange)
{
    struct stet_span path = exchange->request->path_query;
    switch (path.len > 1 ? path.ptr[1] : '4') {
    case 'h':
        if (world.held_count < HELD_MAX) {
            world.held[world.held_count++] = exchange;
            return;
        }
        break;
    case 's':
        if (!world.streaming) {
            stream(exchange);
            return;
        }
        break;
    case 'b': {
        struct stet__sink sink = {.owner = exchange, .data = take, .end = end};
        exchange->gone = gone;
        stet__exchange_read(exchange, &sink);
        return;
    }
    case 'l':
        answer(exchange, 200, 100000);
        return;
    default:
        break;
    }
    answer(exchange, 304, 0);
}

static void stop(void *state)
{
}

static const struct stet__role role = {
    .start = start, .request = request, .stop = stop, .reads_bodies = true};

static void answer_held(void)
{
    while (world.held_count > 0)
        answer(world.held[--world.held_count], 200, 20);
}

/* One round of the loop: a piece comes in, what came out is read, what waits goes on. */
static void step(struct stet__soon *soon)
{
    static char octets[65536];
    size_t n = world.left.len < world.piece ? world.left.len : world.piece;
    ssize_t sent = n > 0 ? send(world.peer, world.left.ptr, n, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
    world.left = stet_span_skip(world.left, sent > 0 ? (size_t)sent : 0);
    while (recv(world.peer, octets, sizeof octets, MSG_DONTWAIT) > 0)
        ;
    if (world.streaming)
        stet__exchange_write_on(world.streaming);
    if (world.rounds++ % 8 == 7)
        answer_held();
    if (sent < 0 || (world.left.len == 0 && n == 0 && world.rounds > 16) || world.rounds >= ROUNDS_MAX)
        stet__loop_stop(world.worker.loop);
    else
        stet__loop_soon(world.worker.loop, soon);
}

static bool set_up(void)
{
    static struct stet__limits limits;
    static const struct stet__server_configuration configuration = {.role = &role};
    const char *error;
    stet__limits_default(&limits);
    limits.head = (struct stet_http1_limits){2000, 500, 20};
    limits.body_bytes = 1000;
    limits.streams = 20;
    limits.resets = 20;
    limits.controls = 50;
    world.worker.limits = &limits;
    world.worker.connections = &world.connections;
    return stet__worker_init(&world.worker, &configuration, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool ready;
    static char text[24 + 65536];
    static const struct sockaddr_storage nobody = {.ss_family = AF_UNSPEC};
    struct stet__listener listener = {.worker = &world.worker};
    int pair[2];
    if (!ready)
        ready = set_up();
    if (size < 1 || size > 65536 || !ready ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) < 0)
        return 0;
    memcpy(text, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24);
    memcpy(text + 24, data + 1, size - 1);
    world.left = stet_span_of(text, 24 + size - 1);
    world.piece = data[0] ? data[0] * (size_t)16 : 65536;
    world.rounds = 0;
    world.peer = pair[1];
    atomic_fetch_add(&world.connections, 1);
    require(stet__connection_open(&listener, pair[0], &nobody));
    stet__soon_init(&world.soon, step);
    stet__loop_soon(world.worker.loop, &world.soon);
    stet__loop_run(world.worker.loop);
    stet__loop_skip(world.worker.loop, 130);
    close(pair[1]);
    stet__connections_each(&world.worker, stet__connection_cut);
    answer_held();
    require(world.open_sources == 0 && world.worker.open == 0 && atomic_load(&world.connections) == 0);
    return 0;
}
