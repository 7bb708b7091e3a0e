/* SPDX-License-Identifier: MIT */
/*
 * Connections to other servers, by address. A kept connection stays in epoll for EPOLLIN, so that using it
 * again costs no system call, and is closed as soon as anything comes: there is nothing it could be (RFC 9112
 * section 9.5 asks to watch for a close; section 6.3 forbids to take such octets for an answer).
 */
#include "net/pool.h"
#include "net/tls_client.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/assert.h"

#define INPUT_BYTES 65536u

void stet__upstream_limits_default(struct stet__upstream_limits *limits)
{
    *limits = (struct stet__upstream_limits){.head = STET_HTTP1_LIMITS_DEFAULT,
                                             .connect_timeout_s = 5,
                                             .answer_timeout_s = 60,
                                             .read_timeout_s = 60,
                                             .keep_timeout_s = 55,
                                             .kept = 64,
                                             .connections = 1024};
}

static void second(struct stet__tick *tick)
{
    struct stet__upstreams *pool = stet__list_entry(tick, struct stet__upstreams, tick);
    int64_t now_s = stet__pool_seconds(pool);
    while (!stet__list_empty(&pool->queue)) {
        struct stet__upstream *first = stet__list_entry(pool->queue.next, struct stet__upstream, queued);
        if (first->wait_until_s > now_s)
            break;
        stet__upstream_waited(first);
    }
    stet__deadlines_advance(&pool->deadlines, now_s, stet__upstream_passed);
}

struct stet__upstreams *stet__upstreams_new(struct stet__loop *loop,
                                            const struct stet__upstream_limits *limits)
{
    struct stet__upstreams *pool = calloc(1, sizeof *pool);
    if (!pool)
        return NULL;
    pool->loop = loop;
    pool->limits = *limits;
    /* A head that is not complete is always followed by room for more. */
    pool->room = 2 * limits->head.head_bytes > INPUT_BYTES ? 2 * limits->head.head_bytes : INPUT_BYTES;
    pool->input = malloc(pool->room);
    pool->fields = calloc(limits->head.fields + 1, sizeof *pool->fields);
    if (!pool->input || !pool->fields) {
        free(pool->input);
        free(pool->fields);
        free(pool);
        return NULL;
    }
    stet__list_init(&pool->queue);
    stet__deadlines_init(&pool->deadlines, stet__pool_seconds(pool));
    pool->tick.run = second;
    stet__loop_add_tick(loop, &pool->tick);
    return pool;
}

void stet__upstreams_free(struct stet__upstreams *pool)
{
    if (!pool)
        return;
    for (size_t i = 0; i < STET__POOL_BUCKETS; i++)
        while (pool->buckets[i]) {
            struct stet__pool_peer *peer = pool->buckets[i];
            stet__assert(peer->load == 0 && !stet__list_empty(&peer->kept));
            stet__pool_close(stet__list_entry(peer->kept.next, struct stet__pool_connection, node));
        }
    stet__loop_remove_tick(pool->loop, &pool->tick);
    stet__tls_io_free(pool->tls_io);
    free(pool->input);
    free(pool->fields);
    free(pool);
}

/* FNV-1a: addresses come from the configuration or the resolver; a forward proxy's client that piles them up
 * in one bucket meets the limit of its own connections first. */
static size_t bucket(const struct stet__listen_address *address)
{
    const unsigned char *octets = (const unsigned char *)&address->at;
    uint32_t hash = 2166136261u;
    for (socklen_t i = 0; i < address->len; i++)
        hash = (hash ^ octets[i]) * 16777619u;
    return hash % STET__POOL_BUCKETS;
}

static bool is_at(const struct stet__pool_peer *peer, const struct stet__listen_address *address)
{
    return peer->address.len == address->len && memcmp(&peer->address.at, &address->at, address->len) == 0;
}

unsigned stet__upstreams_load(const struct stet__upstreams *pool, const struct stet__listen_address *address)
{
    unsigned load = 0;
    for (const struct stet__pool_peer *peer = pool->buckets[bucket(address)]; peer; peer = peer->next)
        load += is_at(peer, address) ? peer->load : 0;
    return load;
}

struct stet__pool_peer *stet__pool_peer_get(struct stet__upstreams *pool,
                                            const struct stet__listen_address *address,
                                            struct stet__tls_origin *tls)
{
    size_t at = bucket(address);
    struct stet__pool_peer *peer = pool->buckets[at];
    while (peer && (peer->tls != tls || !is_at(peer, address)))
        peer = peer->next;
    if (peer)
        return peer;
    peer = calloc(1, sizeof *peer);
    if (!peer)
        return NULL;
    peer->address = *address;
    peer->tls = tls;
    stet__list_init(&peer->kept);
    stet__list_init(&peer->waiting);
    peer->next = pool->buckets[at];
    pool->buckets[at] = peer;
    return peer;
}

void stet__pool_peer_drop(struct stet__upstreams *pool, struct stet__pool_peer *peer)
{
    if (peer->open > 0 || peer->load > 0)
        return;
    struct stet__pool_peer **link = &pool->buckets[bucket(&peer->address)];
    while (*link != peer)
        link = &(*link)->next;
    *link = peer->next;
    free(peer);
}

static void leave_kept(struct stet__pool_connection *connection)
{
    if (connection->state != STET__POOL_KEPT)
        return;
    stet__list_remove(&connection->node);
    connection->peer->kept_count--;
    connection->state = STET__POOL_ASKED;
}

/* With TLS tickets may come at any time, and are no octets of an answer. */
static bool is_open(const struct stet__pool_connection *connection)
{
    char octet;
    int fd = connection->watch.fd; /* NOLINT(clang-analyzer-unix.Malloc): as in list.h */
    if (connection->tls)
        return stet__tls_recv(connection->tls, fd, &octet, 1) < 0 && errno == EAGAIN;
    return recv(fd, &octet, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

struct stet__pool_connection *stet__pool_take(struct stet__pool_peer *peer, bool sure)
{
    while (!stet__list_empty(&peer->kept)) {
        struct stet__list *node = peer->kept.next;
        struct stet__pool_connection *newest = stet__list_entry(node, struct stet__pool_connection, node);
        if (!sure || is_open(newest)) {
            leave_kept(newest);
            return newest;
        }
        stet__pool_close(newest);
    }
    return NULL;
}

enum stet_reason stet__pool_reason(int cause)
{
    switch (cause) {
    case ECONNREFUSED:
    case ECONNRESET:
        return STET_REASON_UPSTREAM_REFUSED;
    case ETIMEDOUT:
        return STET_REASON_UPSTREAM_CONNECT_TIMEOUT;
    case EAGAIN: /* a Unix socket whose backlog is full */
        return STET_REASON_UPSTREAM_UNAVAILABLE;
    case EMFILE:
    case ENFILE:
    case ENOMEM:
    case ENOBUFS:
    case EADDRNOTAVAIL: /* all ports are in use */
        return STET_REASON_UPSTREAM_INTERNAL;
    default:
        return STET_REASON_UPSTREAM_UNREACHABLE;
    }
}

/* A socket that connects, or a negative errno; `*state` is how far it is. */
static int connect_socket(const struct stet__listen_address *address, enum stet__pool_state *state)
{
    int on = 1;
    int fd = socket(address->at.any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    /* A body goes out in pieces: none of them waits for the acknowledgement of the one before. */
    if (address->at.any.sa_family != AF_UNIX)
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    *state = STET__POOL_ASKED;
    if (connect(fd, &address->at.any, address->len) == 0)
        return fd;
    *state = STET__POOL_CONNECTING;
    if (errno == EINPROGRESS)
        return fd;
    int cause = errno;
    close(fd);
    return -cause;
}

bool stet__pool_shake(struct stet__pool_connection *connection)
{
    struct stet__upstreams *pool = connection->pool;
    if (!pool->tls_io)
        pool->tls_io = stet__tls_io_new();
    struct ssl_st *ssl = pool->tls_io ? stet__tls_origin_connect(connection->peer->tls) : NULL;
    connection->tls = ssl ? stet__tls_new(ssl, pool->tls_io, pool->loop, &connection->watch) : NULL;
    connection->state = STET__POOL_SHAKING;
    return connection->tls != NULL;
}

struct stet__pool_connection *stet__pool_connect(struct stet__upstreams *pool, struct stet__pool_peer *peer,
                                                 enum stet_reason *reason)
{
    *reason = STET_REASON_UPSTREAM_INTERNAL;
    struct stet__pool_connection *connection = calloc(1, sizeof *connection);
    if (!connection)
        return NULL;
    int fd = connect_socket(&peer->address, &connection->state);
    if (fd < 0) {
        *reason = stet__pool_reason(-fd);
        free(connection);
        return NULL;
    }
    connection->watch = (struct stet__watch){.ready = stet__upstream_ready, .fd = fd};
    connection->pool = pool;
    connection->peer = peer;
    stet__deadline_init(&connection->deadline);
    stet__list_init(&connection->node);
    stet__buffer_init(&connection->kept, pool->room);
    peer->open++;
    return connection;
}

void stet__pool_keep(struct stet__pool_connection *connection)
{
    struct stet__pool_peer *peer = connection->peer;
    connection->state = STET__POOL_KEPT;
    connection->reused = true;
    stet__buffer_release(&connection->kept);
    stet__list_append(peer->kept.next, &connection->node);
    peer->kept_count++;
    stet__pool_deadline(connection, connection->keep_s);
    if (!stet__pool_listen(connection, true, false))
        stet__pool_close(connection);
    else if (peer->kept_count > connection->pool->limits.kept)
        stet__pool_close(stet__list_entry(peer->kept.prev, struct stet__pool_connection, node));
}

void stet__pool_forget(struct stet__pool_connection *connection)
{
    struct stet__pool_peer *peer = connection->peer;
    leave_kept(connection);
    (void)stet__pool_listen(connection, false, false);
    stet__deadline_clear(&connection->deadline);
    connection->dead = true;
    peer->open--;
    stet__pool_peer_drop(connection->pool, peer);
    if (connection->busy)
        return;
    stet__buffer_release(&connection->kept);
    free(connection);
}

void stet__pool_close(struct stet__pool_connection *connection)
{
    /* The watch goes first: a number that is closed may be that of another socket at once. */
    (void)stet__pool_listen(connection, false, false);
    stet__transport_close(
        stet__pool_transport(connection)); /* NOLINT(clang-analyzer-unix.Malloc): as in list.h */
    connection->tls = NULL;
    stet__pool_forget(connection);
}

bool stet__pool_listen(struct stet__pool_connection *connection, bool in, bool out)
{
    struct stet__loop *loop = connection->pool->loop;
    uint32_t events = (in ? (uint32_t)EPOLLIN : 0) | (out ? (uint32_t)EPOLLOUT : 0);
    uint32_t before = connection->watching;
    struct stet__transport transport = stet__pool_transport(connection);
    if (stet__transport_blocked(transport))
        events = EPOLLOUT;
    else if (in)
        stet__transport_go_on(transport);
    connection->watching = events;
    if (events == before)
        return true;
    if (events == 0)
        stet__loop_remove(loop, &connection->watch);
    else if ((before == 0 ? stet__loop_add(loop, &connection->watch, events)
                          : stet__loop_change(loop, &connection->watch, events)) < 0) {
        connection->watching = before;
        return false;
    }
    return true;
}

void stet__pool_deadline(struct stet__pool_connection *connection, int64_t seconds)
{
    struct stet__upstreams *pool = connection->pool;
    /* One more, as the current second has begun already: never too early. */
    stet__deadline_set(&pool->deadlines, &connection->deadline, stet__pool_seconds(pool) + seconds + 1);
}
