/* SPDX-License-Identifier: MIT */
/*
 * The memory of the connections of a worker, in slabs, and how one begins.
 */
#include <netinet/in.h>
#include <sys/epoll.h>

#include "net/connection.h"
#include "net/tls_config.h"

#define SLAB_CONNECTIONS 64

struct stet__connection_slab {
    struct stet__connection_slab *next;
    struct stet__connection at[SLAB_CONNECTIONS];
};

void stet__connection_give_back(struct stet__connection *connection)
{
    struct stet__worker *worker = connection->worker;
    connection->state = STET__CONNECTION_FREE;
    stet__list_append(&worker->free_connections, &connection->deadline.node);
}

static bool add_slab(struct stet__worker *worker)
{
    struct stet__connection_slab *slab = calloc(1, sizeof *slab);
    if (!slab)
        return false;
    slab->next = worker->slabs;
    worker->slabs = slab;
    for (size_t i = 0; i < SLAB_CONNECTIONS; i++) {
        slab->at[i].worker = worker;
        stet__list_append(&worker->free_connections, &slab->at[i].deadline.node);
    }
    return true;
}

static void set_peer(struct stet__connection *connection, const struct sockaddr_storage *peer)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    const struct sockaddr_in *v4 = (const void *)peer;
    const struct sockaddr_in6 *v6 = (const void *)peer;
    if (peer->ss_family == AF_INET) {
        memcpy(connection->peer, mapped, sizeof mapped);
        memcpy(connection->peer + sizeof mapped, &v4->sin_addr, 4);
    } else if (peer->ss_family == AF_INET6) {
        memcpy(connection->peer, &v6->sin6_addr, 16);
    }
}

/* The handshake begins with the client's first octets. */
static bool begin_tls(struct stet__connection *connection)
{
    struct stet__worker *worker = connection->worker;
    struct ssl_st *ssl = stet__tls_config_accept(worker->tls);
    connection->tls = ssl ? stet__tls_new(ssl, worker->tls_io, worker->loop, &connection->watch) : NULL;
    connection->shaking = true;
    return connection->tls != NULL;
}

bool stet__connection_open(struct stet__listener *listener, int fd, const struct sockaddr_storage *peer)
{
    struct stet__worker *worker = listener->worker;
    if (stet__list_empty(&worker->free_connections) && !add_slab(worker)) {
        close(fd);
        return false;
    }
    struct stet__list *node = worker->free_connections.next;
    struct stet__connection *connection = stet__list_entry(node, struct stet__connection, deadline.node);
    stet__list_remove(node);
    *connection = (struct stet__connection){.watch = {.ready = stet__connection_ready, .fd = fd},
                                            .worker = worker,
                                            .state = STET__CONNECTION_READING,
                                            .listening_in = true};
    stet__deadline_init(&connection->deadline);
    stet__buffer_init(&connection->kept, SIZE_MAX);
    set_peer(connection, peer);
    bool begun = !listener->tls || begin_tls(connection);
    if (!begun || stet__loop_add(worker->loop, &connection->watch, EPOLLIN) < 0) {
        stet__transport_cut(stet__connection_transport(connection));
        stet__connection_give_back(connection);
        return false;
    }
    worker->open++;
    const struct stet__limits *limits = worker->limits;
    stet__connection_set_deadline(connection,
                                  listener->tls ? limits->head_timeout_s : limits->idle_timeout_s);
    return true;
}

void stet__connections_each(struct stet__worker *worker, void (*run)(struct stet__connection *connection))
{
    for (struct stet__connection_slab *slab = worker->slabs; slab; slab = slab->next)
        for (size_t i = 0; i < SLAB_CONNECTIONS; i++)
            if (slab->at[i].state != STET__CONNECTION_FREE && slab->at[i].state != STET__CONNECTION_GONE)
                run(&slab->at[i]);
}

void stet__connections_release(struct stet__worker *worker)
{
    struct stet__connection_slab *slab = worker->slabs;
    while (slab) {
        struct stet__connection_slab *next = slab->next;
        for (size_t i = 0; i < SLAB_CONNECTIONS; i++)
            if (slab->at[i].state == STET__CONNECTION_GONE)
                stet__turn_give(worker, slab->at[i].turn);
        free(slab);
        slab = next;
    }
    worker->slabs = NULL;
    stet__list_init(&worker->free_connections);
}
