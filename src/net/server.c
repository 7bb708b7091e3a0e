/* SPDX-License-Identifier: MIT */
#include "net/server.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "net/address.h"
#include "net/listen.h"
#include "net/worker.h"

#define ADDRESS_ROOM 128

/* One of the addresses. */
struct place {
    struct stet__listen_address address;
    char text[ADDRESS_ROOM];
    bool secure;      /* for TLS */
    int fd;           /* of a Unix socket, which the workers share; else -1 */
    struct stat made; /* of its name */
};

struct stet__server {
    struct stet__limits limits;
    struct place *places;
    size_t place_count;
    struct stet__worker *workers;
    unsigned worker_count;
    atomic_uint connections;
};

void stet__limits_default(struct stet__limits *limits)
{
    *limits = (struct stet__limits){.head = STET_HTTP1_LIMITS_DEFAULT,
                                    .body_bytes = 1024 * 1024,
                                    .idle_timeout_s = 60,
                                    .head_timeout_s = 15,
                                    .body_timeout_s = 15,
                                    .send_timeout_s = 60,
                                    .stop_timeout_s = 10,
                                    .connections = 16384,
                                    .streams = 128,
                                    .resets = 500,
                                    .controls = 10000,
                                    .pipeline = 64};
}

static bool fail(char *error, size_t error_len, const char *what, int status)
{
    char room[128];
    snprintf(error, error_len, "%s: %s", what, strerror_r(-status, room, sizeof room));
    return false;
}

/* Opens the sockets of one address: one for each worker, or for a Unix socket one for all. */
static bool open_place(struct stet__server *server, size_t i, char *error, size_t error_len)
{
    struct place *place = &server->places[i];
    bool local = place->address.at.any.sa_family == AF_UNIX;
    stet__listen_address_format(&place->address, place->text, sizeof place->text);
    int status = stet__listen_probe(&place->address);
    for (unsigned w = 0; w < server->worker_count && status >= 0; w++) {
        struct stet__worker *worker = &server->workers[w];
        int fd = local && w > 0 ? place->fd : stet__listen_open(&place->address);
        if (fd < 0) {
            status = fd;
            break;
        }
        if (local)
            place->fd = fd;
        worker->listeners[i].tls = place->secure;
        status = stet__worker_listen(worker, &worker->listeners[i], fd, local);
        worker->listener_count = i + 1;
    }
    if (status < 0)
        return fail(error, error_len, place->text, status);
    stet__listen_address_format(&place->address, place->text, sizeof place->text);
    return !local || lstat(place->address.at.local.sun_path, &place->made) == 0 ||
           fail(error, error_len, place->text, -errno);
}

static void close_places(struct stet__server *server)
{
    for (size_t i = 0; i < server->place_count; i++) {
        struct place *place = &server->places[i];
        if (place->fd < 0)
            continue;
        stet__listen_remove(&place->address, &place->made);
        close(place->fd);
    }
}

/* Who comes now is refused rather than left to wait in the backlog. */
static void refuse_local(struct stet__server *server)
{
    for (size_t i = 0; i < server->place_count; i++) {
        if (server->places[i].fd < 0)
            continue;
        stet__listen_remove(&server->places[i].address, &server->places[i].made);
        (void)shutdown(server->places[i].fd, SHUT_RDWR);
    }
}

static void free_server(struct stet__server *server)
{
    for (unsigned i = 0; i < server->worker_count && server->workers; i++)
        stet__worker_release(&server->workers[i]);
    if (server->places)
        close_places(server);
    free(server->places);
    free(server->workers);
    free(server);
}

static void stop_workers(struct stet__server *server)
{
    for (unsigned i = 0; i < server->worker_count; i++)
        if (server->workers[i].started)
            stet__worker_stop(&server->workers[i]);
    refuse_local(server);
    for (unsigned i = 0; i < server->worker_count; i++)
        if (server->workers[i].started)
            pthread_join(server->workers[i].thread, NULL);
}

static struct stet__server *new_server(const struct stet__server_configuration *configuration)
{
    struct stet__server *server = calloc(1, sizeof *server);
    if (!server)
        return NULL;
    server->limits = configuration->limits;
    if (server->limits.pipeline == 0)
        server->limits.pipeline = 1;
    server->places = calloc(configuration->address_count, sizeof *server->places);
    server->workers = calloc(configuration->workers, sizeof *server->workers);
    server->worker_count = configuration->workers;
    server->place_count = configuration->address_count;
    if (!server->places || !server->workers) {
        server->place_count = 0;
        free_server(server);
        return NULL;
    }
    for (size_t i = 0; i < server->place_count; i++) {
        server->places[i].address = configuration->addresses[i];
        server->places[i].fd = -1;
        server->places[i].secure = configuration->secure && configuration->secure[i];
    }
    return server;
}

static bool init_workers(struct stet__server *server, const struct stet__server_configuration *configuration,
                         char *error, size_t error_len)
{
    for (unsigned i = 0; i < server->worker_count; i++) {
        struct stet__worker *worker = &server->workers[i];
        const char *cause;
        worker->limits = &server->limits;
        worker->connections = &server->connections;
        worker->index = i;
        if (!stet__worker_init(worker, configuration, &cause)) {
            snprintf(error, error_len, "%s", cause);
            return false;
        }
    }
    return true;
}

struct stet__server *stet__server_start(const struct stet__server_configuration *configuration, char *error,
                                        size_t error_len)
{
    struct stet__server *server = new_server(configuration);
    if (!server) {
        snprintf(error, error_len, "there is no memory for the server");
        return NULL;
    }
    bool good = init_workers(server, configuration, error, error_len);
    for (size_t i = 0; i < server->place_count && good; i++)
        good = open_place(server, i, error, error_len);
    for (unsigned i = 0; i < server->worker_count && good; i++) {
        int status = stet__worker_start(&server->workers[i]);
        good = status == 0 || fail(error, error_len, "a worker cannot be started", -status);
    }
    if (good)
        return server;
    stop_workers(server);
    free_server(server);
    return NULL;
}

const char *stet__server_address(const struct stet__server *server, size_t i)
{
    return server->places[i].text;
}

void stet__server_stop(struct stet__server *server)
{
    stop_workers(server);
    free_server(server);
}
