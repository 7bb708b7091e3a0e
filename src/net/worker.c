/* SPDX-License-Identifier: MIT */
#include "net/worker.h"

#include <errno.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "net/connection.h"
#include "net/http2.h"

#define INPUT_BYTES 65536u
#define TURNS_KEPT 32 /* a role that waits for another server has many at once */
#define ARENA_MAX (1024 * 1024)
#define ACCEPTS 64 /* in one wake-up */

static void free_turn(struct stet__turn *turn)
{
    stet__arena_release(&turn->arena);
    stet__buffer_release(&turn->output.octets);
    free(turn->input);
    free(turn->fields);
    free(turn);
}

static struct stet__turn *new_turn(const struct stet__limits *limits)
{
    struct stet__turn *turn = calloc(1, sizeof *turn);
    if (!turn)
        return NULL;
    stet__arena_init(&turn->arena, ARENA_MAX);
    stet__output_init(&turn->output);
    /* A head that is not complete is always followed by room for more. */
    turn->room = 2 * limits->head.head_bytes > INPUT_BYTES ? 2 * limits->head.head_bytes : INPUT_BYTES;
    turn->input = malloc(turn->room);
    turn->fields = calloc(limits->head.fields + 1, sizeof *turn->fields);
    if (turn->input && turn->fields && stet__buffer_reserve(&turn->output.octets, STET__OUTPUT_MAX))
        return turn;
    free_turn(turn);
    return NULL;
}

struct stet__turn *stet__turn_take(struct stet__worker *worker)
{
    struct stet__turn *turn = worker->turns;
    if (!turn)
        return new_turn(worker->limits);
    worker->turns = turn->next;
    worker->turn_count--;
    return turn;
}

void stet__turn_give(struct stet__worker *worker, struct stet__turn *turn)
{
    if (worker->turn_count == TURNS_KEPT) {
        free_turn(turn);
        return;
    }
    turn->next = worker->turns;
    worker->turns = turn;
    worker->turn_count++;
}

static void close_listeners(struct stet__worker *worker)
{
    for (size_t i = 0; i < worker->listener_count; i++) {
        struct stet__listener *listener = &worker->listeners[i];
        if (listener->watch.fd < 0)
            continue;
        if (worker->listening)
            stet__loop_remove(worker->loop, &listener->watch);
        if (!listener->shared)
            close(listener->watch.fd);
        listener->watch.fd = -1;
    }
    worker->listening = false;
}

static uint32_t listener_events(const struct stet__listener *listener)
{
    /* One connection wakes one of the workers that share the socket. */
    return listener->shared ? EPOLLIN | EPOLLEXCLUSIVE : EPOLLIN;
}

/* A limit is reached: connections wait in the backlog until one is closed, or for the next second. */
static void stop_accepting(struct stet__worker *worker)
{
    if (!worker->listening)
        return;
    worker->listening = false;
    for (size_t i = 0; i < worker->listener_count; i++)
        stet__loop_remove(worker->loop, &worker->listeners[i].watch);
}

static bool at_limit(const struct stet__worker *worker)
{
    return atomic_load_explicit(worker->connections, memory_order_relaxed) >= worker->limits->connections;
}

/* Counts a connection that is about to be accepted. False if there are as many as there may be. */
static bool reserve(struct stet__worker *worker)
{
    if (atomic_fetch_add_explicit(worker->connections, 1, memory_order_relaxed) < worker->limits->connections)
        return true;
    atomic_fetch_sub_explicit(worker->connections, 1, memory_order_relaxed);
    return false;
}

static void go_on_accepting(struct stet__worker *worker)
{
    if (worker->listening || worker->stopping || at_limit(worker))
        return;
    worker->listening = true;
    for (size_t i = 0; i < worker->listener_count; i++) {
        struct stet__listener *listener = &worker->listeners[i];
        if (stet__loop_add(worker->loop, &listener->watch, listener_events(listener)) < 0) {
            stop_accepting(worker);
            return;
        }
    }
}

/* False if there is none, or none can be had now. */
static bool accept_one(struct stet__listener *listener)
{
    struct stet__worker *worker = listener->worker;
    struct sockaddr_storage peer = {.ss_family = AF_UNSPEC};
    socklen_t len = sizeof peer;
    if (!reserve(worker)) {
        stop_accepting(worker);
        return false;
    }
    int fd = accept4(listener->watch.fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && stet__connection_open(listener, fd, &peer))
        return true;
    atomic_fetch_sub_explicit(worker->connections, 1, memory_order_relaxed);
    if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
        stop_accepting(worker);
    return false;
}

static void acceptable(struct stet__watch *watch, uint32_t events)
{
    struct stet__listener *listener = stet__list_entry(watch, struct stet__listener, watch);
    for (int i = 0; i < ACCEPTS && accept_one(listener); i++)
        ;
}

int stet__worker_listen(struct stet__worker *worker, struct stet__listener *listener, int fd, bool shared)
{
    listener->watch = (struct stet__watch){.ready = acceptable, .fd = fd};
    listener->worker = worker;
    listener->shared = shared;
    return stet__loop_add(worker->loop, &listener->watch, listener_events(listener));
}

void stet__worker_closed(struct stet__worker *worker)
{
    if (worker->stopping && worker->open == 0)
        stet__loop_stop(worker->loop);
    else
        go_on_accepting(worker);
}

static void stop_on_loop(void *arg)
{
    struct stet__worker *worker = arg;
    worker->stopping = true;
    worker->stop_by_s = stet__worker_seconds(worker) + worker->limits->stop_timeout_s;
    close_listeners(worker);
    stet__connections_each(worker, stet__connection_stop);
    if (worker->open == 0)
        stet__loop_stop(worker->loop);
}

static void second(struct stet__tick *tick)
{
    struct stet__worker *worker = stet__list_entry(tick, struct stet__worker, tick);
    int64_t now_s = stet__worker_seconds(worker);
    if (atomic_load(&worker->stop_asked) && !worker->stopping)
        stop_on_loop(worker);
    stet__deadlines_advance(&worker->deadlines, now_s, stet__connection_passed);
    go_on_accepting(worker);
    if (worker->stopping && now_s >= worker->stop_by_s) {
        stet__connections_each(worker, stet__connection_cut);
        stet__loop_stop(worker->loop);
    }
}

void stet__worker_stop(struct stet__worker *worker)
{
    /* Without memory for a post it is seen with the next second. */
    if (stet__loop_post(worker->loop, stop_on_loop, worker) < 0)
        atomic_store(&worker->stop_asked, true);
}

static void *run(void *arg)
{
    struct stet__worker *worker = arg;
    /* Signals are for the main thread; SIGPIPE (sendfile has no flag against it) is for nobody. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    stet__loop_run(worker->loop);
    return NULL;
}

int stet__worker_start(struct stet__worker *worker)
{
    int status = pthread_create(&worker->thread, NULL, run, worker);
    worker->started = status == 0;
    return status;
}

bool stet__worker_init(struct stet__worker *worker, const struct stet__server_configuration *configuration,
                       const char **error)
{
    *error = "there is no memory or no descriptor for a worker";
    worker->role = configuration->role;
    worker->log = configuration->log;
    worker->tls = configuration->tls;
    if (configuration->hsts_s > 0)
        snprintf(worker->hsts, sizeof worker->hsts, "max-age=%u", configuration->hsts_s);
    worker->expires = STET_NO_DATE;
    stet__list_init(&worker->free_connections);
    worker->loop = stet__loop_new();
    if (!worker->loop)
        return false;
    stet__deadlines_init(&worker->deadlines, stet__worker_seconds(worker));
    worker->tick.run = second;
    stet__loop_add_tick(worker->loop, &worker->tick);
    worker->turns = new_turn(worker->limits);
    worker->turn_count = 1;
    worker->listeners = calloc(configuration->address_count, sizeof *worker->listeners);
    if (worker->tls)
        worker->tls_io = stet__tls_io_new();
    if (!worker->turns || !worker->listeners || (worker->tls && !worker->tls_io))
        return false;
    worker->role_state = worker->role->start(configuration->role_configuration, worker->loop, error);
    worker->listening = true;
    return worker->role_state != NULL;
}

void stet__worker_release(struct stet__worker *worker)
{
    if (!worker->loop)
        return;
    close_listeners(worker);
    stet__connections_each(worker, stet__connection_cut);
    if (worker->role_state)
        worker->role->stop(worker->role_state);
    stet__connections_release(worker);
    stet__http2_worker_free(worker->http2);
    while (worker->turns) {
        struct stet__turn *turn = worker->turns;
        worker->turns = turn->next;
        free_turn(turn);
    }
    free(worker->listeners);
    stet__tls_io_free(worker->tls_io);
    stet__loop_free(worker->loop);
    worker->loop = NULL;
}
