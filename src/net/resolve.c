/* SPDX-License-Identifier: MIT */
/*
 * One thread asks the system, one name at a time; whoever asks for a name that is being asked for shares the
 * answer. The thread is detached, because nothing can hurry getaddrinfo: it holds the state as long as it
 * needs it, so freeing the resolver never waits.
 *
 *   name  NEW --thread takes it--> ASKED --answer--> KNOWN --too old, asked for--> NEW
 *
 * A question is in `questions` of its name until the answer is there; then it is posted to its loop, and
 * freed there. Cancelling cuts it off from its owner; both happen on the loop's thread, so `done` never comes
 * after stet__resolve_cancel.
 *
 * Times are those of the loop that asks. Left out: the time to live of DNS records, which getaddrinfo does
 * not tell.
 */
#include "net/resolve.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>

#include "base/assert.h"
#include "base/list.h"
#include "net/loop.h"

#define NAMES_MAX 1024
#define HOST_MAX 255 /* RFC 1035 section 2.3.4 */

enum state { NEW, ASKED, KNOWN };

struct name {
    struct stet__list node; /* resolver->names, oldest question first */
    struct stet__list questions;
    enum state state;
    int64_t known_ms;
    struct stet__resolved resolved; /* with port 0 */
    char host[HOST_MAX + 1];
};

struct question {
    struct stet__list node; /* name->questions, or resolver->posted */
    struct stet__resolver *resolver;
    struct stet__resolve *resolve; /* NULL: cancelled */
    struct stet__loop *loop;
    struct name *name;
    in_port_t port;
    struct stet__resolved answer;
};

struct stet__resolver {
    pthread_mutex_t lock;
    pthread_cond_t asked;
    bool ended;
    unsigned holders; /* the owner and the thread */
    stet__resolve_lookup *lookup;
    struct stet__list names;
    size_t name_count;
    struct stet__list posted;
};

static void take(struct stet__resolved *out, const struct addrinfo *found)
{
    if (found->ai_addrlen > sizeof out->at[0].at || out->count == STET__RESOLVE_ADDRESSES)
        return;
    memcpy(&out->at[out->count].at, found->ai_addr, found->ai_addrlen);
    out->at[out->count++].len = found->ai_addrlen;
}

static void ask_system(const char *host, struct stet__resolved *out)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG}, *found = NULL;
    out->count = 0;
    if (getaddrinfo(host, NULL, &hints, &found) != 0)
        return;
    for (const struct addrinfo *at = found; at; at = at->ai_next)
        take(out, at);
    freeaddrinfo(found);
}

static void set_port(struct stet__resolved *resolved, in_port_t port)
{
    for (size_t i = 0; i < resolved->count; i++) {
        if (resolved->at[i].at.any.sa_family == AF_INET6)
            resolved->at[i].at.v6.sin6_port = port;
        else
            resolved->at[i].at.v4.sin_port = port;
    }
}

/* On the loop of the question. */
static void deliver(void *arg)
{
    struct question *question = arg;
    struct stet__resolver *resolver = question->resolver;
    pthread_mutex_lock(&resolver->lock);
    stet__list_remove(&question->node);
    if (question->name && question->name->state == KNOWN)
        question->name->known_ms = stet__loop_monotonic_ms(question->loop);
    pthread_mutex_unlock(&resolver->lock);
    struct stet__resolve *resolve = question->resolve;
    if (resolve) {
        resolve->pending = NULL;
        resolve->done(resolve, &question->answer);
    }
    free(question);
}

/* With the lock. */
static void answer_questions(struct stet__resolver *resolver, struct name *name)
{
    while (!stet__list_empty(&name->questions)) {
        struct question *question = stet__list_entry(name->questions.next, struct question, node);
        stet__list_remove(&question->node);
        question->answer = name->resolved;
        set_port(&question->answer, question->port);
        stet__list_append(&resolver->posted, &question->node);
        /* Without memory for a post: a moment later there may be some. */
        while (stet__loop_post(question->loop, deliver, question) < 0) {
            struct timespec moment = {.tv_nsec = 10000000};
            (void)nanosleep(&moment, NULL);
        }
    }
}

static struct name *next_name(struct stet__resolver *resolver)
{
    for (struct stet__list *node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = stet__list_entry(node, struct name, node);
        if (name->state == NEW)
            return name;
    }
    return NULL;
}

static void free_list(struct stet__list *list)
{
    while (!stet__list_empty(list)) {
        struct question *question = stet__list_entry(list->next, struct question, node);
        stet__list_remove(&question->node);
        free(question);
    }
}

static void free_name(struct stet__resolver *resolver, struct name *name)
{
    stet__list_remove(&name->node);
    resolver->name_count--;
    free_list(&name->questions);
    free(name);
}

/* With the lock, which is gone when it returns, and so may the resolver be. */
static void let_go(struct stet__resolver *resolver)
{
    bool last = --resolver->holders == 0;
    pthread_mutex_unlock(&resolver->lock);
    if (!last)
        return;
    while (!stet__list_empty(&resolver->names)) {
        struct name *name = stet__list_entry(resolver->names.next, struct name, node);
        free_name(resolver, name); /* NOLINT(clang-analyzer-unix.Malloc): as in list.h */
    }
    free_list(&resolver->posted);
    pthread_cond_destroy(&resolver->asked);
    pthread_mutex_destroy(&resolver->lock);
    free(resolver);
}

static void *run(void *arg)
{
    struct stet__resolver *resolver = arg;
    struct stet__resolved resolved;
    pthread_mutex_lock(&resolver->lock);
    while (!resolver->ended) {
        struct name *name = next_name(resolver);
        if (!name) {
            pthread_cond_wait(&resolver->asked, &resolver->lock);
            continue;
        }
        name->state = ASKED;
        pthread_mutex_unlock(&resolver->lock);
        resolver->lookup(name->host, &resolved);
        pthread_mutex_lock(&resolver->lock);
        if (resolver->ended)
            break;
        name->resolved = resolved;
        name->state = KNOWN;
        answer_questions(resolver, name);
    }
    let_go(resolver);
    return NULL;
}

static bool start(struct stet__resolver *resolver)
{
    pthread_t thread;
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    /* Signals are for the main thread. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = pthread_create(&thread, &attributes, run, resolver) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

struct stet__resolver *stet__resolver_new_with(stet__resolve_lookup *lookup)
{
    struct stet__resolver *resolver = calloc(1, sizeof *resolver);
    if (!resolver)
        return NULL;
    pthread_mutex_init(&resolver->lock, NULL);
    pthread_cond_init(&resolver->asked, NULL);
    stet__list_init(&resolver->names);
    stet__list_init(&resolver->posted);
    resolver->lookup = lookup;
    resolver->holders = 2;
    if (start(resolver))
        return resolver;
    resolver->holders = 1;
    stet__resolver_free(resolver);
    return NULL;
}

struct stet__resolver *stet__resolver_new(void)
{
    return stet__resolver_new_with(ask_system);
}

void stet__resolver_free(struct stet__resolver *resolver)
{
    if (!resolver)
        return;
    pthread_mutex_lock(&resolver->lock);
    resolver->ended = true;
    pthread_cond_signal(&resolver->asked);
    let_go(resolver);
}

/* An address in digits; IPv6 with or without brackets. */
static bool parse_digits(const char *host, size_t len, struct stet__resolved *out)
{
    char text[HOST_MAX + 1];
    struct stet__listen_address address;
    memset(&address, 0, sizeof address);
    bool brackets = len > 2 && host[0] == '[' && host[len - 1] == ']';
    size_t skip = brackets ? 1 : 0;
    memcpy(text, host + skip, len - 2 * skip);
    text[len - 2 * skip] = '\0';
    if (!brackets && inet_pton(AF_INET, text, &address.at.v4.sin_addr) == 1) {
        address.at.v4.sin_family = AF_INET;
        address.len = sizeof address.at.v4;
    } else if (inet_pton(AF_INET6, text, &address.at.v6.sin6_addr) == 1) {
        address.at.v6.sin6_family = AF_INET6;
        address.len = sizeof address.at.v6;
    } else {
        return false;
    }
    out->count = 1;
    out->at[0] = address;
    return true;
}

static bool too_old(const struct name *name, int64_t now_ms)
{
    int64_t keep_s = name->resolved.count > 0 ? STET__RESOLVE_KEEP_S : STET__RESOLVE_KEEP_FAILURE_S;
    return now_ms - name->known_ms >= keep_s * 1000;
}

static struct name *find(struct stet__resolver *resolver, const char *host)
{
    for (struct stet__list *node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = stet__list_entry(node, struct name, node);
        if (strcmp(name->host, host) == 0)
            return name;
    }
    return NULL;
}

/* Makes room: the name whose question is the oldest goes. */
static void drop_oldest(struct stet__resolver *resolver)
{
    for (struct stet__list *node = resolver->names.next; node != &resolver->names; node = node->next) {
        struct name *name = stet__list_entry(node, struct name, node);
        if (name->state != KNOWN)
            continue;
        for (struct stet__list *at = resolver->posted.next; at != &resolver->posted; at = at->next) {
            struct question *question = stet__list_entry(at, struct question, node);
            if (question->name == name)
                question->name = NULL;
        }
        free_name(resolver, name);
        return;
    }
}

static struct name *add(struct stet__resolver *resolver, const char *host)
{
    if (resolver->name_count >= NAMES_MAX)
        drop_oldest(resolver);
    if (resolver->name_count >= NAMES_MAX)
        return NULL;
    struct name *name = calloc(1, sizeof *name);
    if (!name)
        return NULL;
    memcpy(name->host, host, strlen(host) + 1);
    stet__list_init(&name->questions);
    stet__list_append(&resolver->names, &name->node);
    resolver->name_count++;
    return name;
}

/* With the lock. False if there is no memory. */
static bool put_question(struct stet__resolver *resolver, struct stet__resolve *resolve, struct name *name,
                         in_port_t port)
{
    struct question *question = calloc(1, sizeof *question);
    if (!question)
        return false;
    *question = (struct question){
        .resolver = resolver, .resolve = resolve, .loop = resolve->loop, .name = name, .port = port};
    resolve->pending = question;
    name->known_ms = stet__loop_monotonic_ms(resolve->loop); /* at the earliest; `deliver` knows better */
    stet__list_append(&name->questions, &question->node);
    if (name->state == KNOWN) {
        name->state = NEW;
        stet__list_remove(&name->node);
        stet__list_append(&resolver->names, &name->node);
    }
    pthread_cond_signal(&resolver->asked);
    return true;
}

bool stet__resolve_ask(struct stet__resolver *resolver, struct stet__resolve *resolve, struct stet_span host,
                       unsigned port, struct stet__resolved *out)
{
    char text[HOST_MAX + 1];
    in_port_t in_port = htons((uint16_t)port);
    resolve->pending = NULL;
    out->count = 0;
    if (host.len == 0 || host.len > HOST_MAX || memchr(host.ptr, '\0', host.len))
        return true;
    for (size_t i = 0; i < host.len; i++)
        text[i] = host.ptr[i] >= 'A' && host.ptr[i] <= 'Z' ? (char)(host.ptr[i] | 0x20) : host.ptr[i];
    text[host.len] = '\0';
    if (parse_digits(text, host.len, out)) {
        set_port(out, in_port);
        return true;
    }
    pthread_mutex_lock(&resolver->lock);
    struct name *name = find(resolver, text);
    bool known = name && name->state == KNOWN && !too_old(name, stet__loop_monotonic_ms(resolve->loop));
    if (known)
        *out = name->resolved;
    if (!name)
        name = add(resolver, text);
    bool asked = !known && name && put_question(resolver, resolve, name, in_port);
    pthread_mutex_unlock(&resolver->lock);
    set_port(out, in_port);
    return !asked;
}

void stet__resolve_cancel(struct stet__resolver *resolver, struct stet__resolve *resolve)
{
    struct question *question = resolve->pending;
    if (!question)
        return;
    resolve->pending = NULL;
    pthread_mutex_lock(&resolver->lock);
    /* Posted or about to be: `deliver` frees it, on this thread. */
    question->resolve = NULL;
    pthread_mutex_unlock(&resolver->lock);
}
