/* SPDX-License-Identifier: MIT */
/*
 * The memory is a table of sets of four, found by a keyed hash of the identity; a full set forgets its
 * oldest. Forgetting costs only time. A job is in one of three places: the queue, `running`, or `posted` (its
 * callback is under way to the loop). All under one mutex, which is never held while a file is read.
 */
#include "serve/hash.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <xxhash.h>

#define SETS 16384
#define WAYS 4
#define QUEUE_MAX 1024 /* jobs that wait; more are refused and asked for again later */
#define READ_BYTES (256 * 1024)

struct remembered {
    struct stet__identity identity; /* inode 0: free */
    struct stet__digest digest;
};

struct set {
    struct remembered way[WAYS];
    unsigned next; /* to be overwritten */
};

struct job {
    struct stet__list node;
    struct stet__hashes *hashes;
    struct stet__hash_asker asker;
    int fd;
    bool cancelled;  /* its loop is gone; only while running */
    bool remembered; /* the result */
    size_t label_len;
    char label[];
};

struct stet__hashes {
    pthread_mutex_t lock;
    pthread_cond_t work;
    pthread_t thread;
    bool stopping;
    struct stet__list queue, posted;
    size_t queued;
    struct job *running;
    uint64_t seed;
    struct set *sets;
};

int64_t stet__hash_clock_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

bool stet__identity_racy(const struct stet__identity *identity, int64_t now_ns)
{
    return identity->ctime_ns > now_ns - STET__RACY_NS;
}

static struct set *set_of(struct stet__hashes *hashes, const struct stet__identity *identity)
{
    return &hashes->sets[XXH3_64bits_withSeed(identity, sizeof *identity, hashes->seed) % SETS];
}

bool stet__hashes_find(struct stet__hashes *hashes, const struct stet__identity *identity,
                       struct stet__digest *out)
{
    bool found = false;
    pthread_mutex_lock(&hashes->lock);
    const struct set *set = set_of(hashes, identity);
    for (size_t i = 0; i < WAYS && !found; i++) {
        found = set->way[i].identity.inode && stet__identity_equal(&set->way[i].identity, identity);
        if (found)
            *out = set->way[i].digest;
    }
    pthread_mutex_unlock(&hashes->lock);
    return found;
}

void stet__hashes_remember(struct stet__hashes *hashes, const struct stet__identity *identity,
                           const struct stet__digest *digest, int64_t now_ns)
{
    struct stet__digest known;
    if (stet__identity_racy(identity, now_ns) || stet__hashes_find(hashes, identity, &known))
        return;
    pthread_mutex_lock(&hashes->lock);
    struct set *set = set_of(hashes, identity);
    set->way[set->next] = (struct remembered){*identity, *digest};
    set->next = (set->next + 1) % WAYS;
    pthread_mutex_unlock(&hashes->lock);
}

static bool is_cancelled(struct stet__hashes *hashes, const struct job *job)
{
    pthread_mutex_lock(&hashes->lock);
    bool cancelled = job->cancelled || hashes->stopping;
    pthread_mutex_unlock(&hashes->lock);
    return cancelled;
}

/* Feeds the file to `context`; false if it fails, ends early or is no longer wanted. */
static bool digest_file(const struct job *job, uint64_t size, EVP_MD_CTX *context)
{
    char *octets = malloc(READ_BYTES);
    uint64_t offset = 0;
    while (octets && offset < size && !is_cancelled(job->hashes, job)) {
        ssize_t n = pread(job->fd, octets, READ_BYTES, (off_t)offset);
        if (n <= 0 || !EVP_DigestUpdate(context, octets, (size_t)n))
            break;
        offset += (uint64_t)n;
    }
    free(octets);
    return octets && offset == size;
}

static bool identity_of_fd(int fd, struct stet__identity *out)
{
    struct stat stat;
    if (fstat(fd, &stat) != 0)
        return false;
    stet__identity_of(&stat, out);
    return true;
}

/* Hashes the file and remembers the result. True if it is remembered now. */
static bool work(struct job *job)
{
    struct stet__identity before, after;
    struct stet__digest digest;
    unsigned char full[EVP_MAX_MD_SIZE];
    int64_t now_ns = stet__hash_clock_ns();
    if (!identity_of_fd(job->fd, &before))
        return false;
    if (stet__hashes_find(job->hashes, &before, &digest))
        return true;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
                digest_file(job, before.size, context) && EVP_DigestFinal_ex(context, full, NULL);
    EVP_MD_CTX_free(context);
    if (!good || !identity_of_fd(job->fd, &after) || !stet__identity_equal(&before, &after))
        return false;
    memcpy(digest.octets, full, sizeof(digest.octets));
    stet__hashes_remember(job->hashes, &before, &digest, now_ns);
    return stet__hashes_find(job->hashes, &before, &digest);
}

static void free_job(struct job *job)
{
    close(job->fd);
    free(job);
}

/* On the loop's thread. */
static void deliver(void *arg)
{
    struct job *job = arg;
    pthread_mutex_lock(&job->hashes->lock);
    stet__list_remove(&job->node);
    pthread_mutex_unlock(&job->hashes->lock);
    job->asker.done(job->asker.arg, job->remembered, stet_span_of(job->label, job->label_len));
    free_job(job);
}

/* Takes the first job; waits for one. NULL if it is time to end. */
static struct job *next_job(struct stet__hashes *hashes)
{
    pthread_mutex_lock(&hashes->lock);
    while (stet__list_empty(&hashes->queue) && !hashes->stopping)
        pthread_cond_wait(&hashes->work, &hashes->lock);
    struct job *job = NULL;
    if (!hashes->stopping) {
        job = stet__list_entry(hashes->queue.next, struct job, node);
        stet__list_remove(&job->node);
        hashes->queued--;
        hashes->running = job;
    }
    pthread_mutex_unlock(&hashes->lock);
    return job;
}

/* Posted under the lock, so that stet__hashes_forget either sees it as posted or has cancelled it. */
static void finish_job(struct stet__hashes *hashes, struct job *job)
{
    pthread_mutex_lock(&hashes->lock);
    hashes->running = NULL;
    bool posted = false;
    if (!job->cancelled) {
        stet__list_append(&hashes->posted, &job->node);
        posted = stet__loop_post(job->asker.loop, deliver, job) == 0;
        if (!posted)
            stet__list_remove(&job->node);
    }
    pthread_mutex_unlock(&hashes->lock);
    if (!posted)
        free_job(job);
}

static void *run(void *arg)
{
    struct stet__hashes *hashes = arg;
    /* Signals are for the threads that wait for them. */
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    /* Answers come first: on Linux the nice value is the thread's own. */
    setpriority(PRIO_PROCESS, (id_t)syscall(SYS_gettid), 10);
    struct job *job;
    while ((job = next_job(hashes)) != NULL) {
        job->remembered = work(job);
        finish_job(hashes, job);
    }
    return NULL;
}

struct stet__hashes *stet__hashes_new(void)
{
    struct stet__hashes *hashes = calloc(1, sizeof *hashes);
    if (!hashes)
        return NULL;
    stet__list_init(&hashes->queue);
    stet__list_init(&hashes->posted);
    hashes->sets = calloc(SETS, sizeof *hashes->sets);
    if (!hashes->sets || getrandom(&hashes->seed, sizeof hashes->seed, 0) != (ssize_t)sizeof hashes->seed)
        goto fail;
    pthread_mutex_init(&hashes->lock, NULL);
    pthread_cond_init(&hashes->work, NULL);
    int status = pthread_create(&hashes->thread, NULL, run, hashes);
    if (status == 0)
        return hashes;
    pthread_cond_destroy(&hashes->work);
    pthread_mutex_destroy(&hashes->lock);
    errno = status;
fail:
    free(hashes->sets);
    free(hashes);
    return NULL;
}

/* Frees the jobs of `list` that are `loop`'s, or all if it is NULL; returns how many. */
static size_t free_jobs(struct stet__list *list, const struct stet__loop *loop)
{
    size_t count = 0;
    for (struct stet__list *node = list->next, *next; node != list; node = next) {
        next = node->next;
        struct job *job = stet__list_entry(node, struct job, node);
        if (loop && job->asker.loop != loop)
            continue;
        stet__list_remove(node);
        free_job(job);
        count++;
    }
    return count;
}

void stet__hashes_free(struct stet__hashes *hashes)
{
    if (!hashes)
        return;
    pthread_mutex_lock(&hashes->lock);
    hashes->stopping = true;
    if (hashes->running)
        hashes->running->cancelled = true;
    pthread_cond_signal(&hashes->work);
    pthread_mutex_unlock(&hashes->lock);
    pthread_join(hashes->thread, NULL);
    free_jobs(&hashes->queue, NULL);
    free_jobs(&hashes->posted, NULL);
    pthread_cond_destroy(&hashes->work);
    pthread_mutex_destroy(&hashes->lock);
    free(hashes->sets);
    free(hashes);
}

bool stet__hashes_ask(struct stet__hashes *hashes, int fd, struct stet_span label,
                      const struct stet__hash_asker *asker)
{
    struct job *job = malloc(sizeof *job + label.len);
    if (!job)
        return false;
    *job = (struct job){.hashes = hashes, .asker = *asker, .label_len = label.len};
    memcpy(job->label, label.ptr, label.len);
    stet__list_init(&job->node);
    job->fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (job->fd < 0) {
        free(job);
        return false;
    }
    pthread_mutex_lock(&hashes->lock);
    bool taken = hashes->queued < QUEUE_MAX;
    if (taken) {
        stet__list_append(&hashes->queue, &job->node);
        hashes->queued++;
        pthread_cond_signal(&hashes->work);
    }
    pthread_mutex_unlock(&hashes->lock);
    if (!taken)
        free_job(job);
    return taken;
}

void stet__hashes_forget(struct stet__hashes *hashes, struct stet__loop *loop)
{
    pthread_mutex_lock(&hashes->lock);
    hashes->queued -= free_jobs(&hashes->queue, loop);
    free_jobs(&hashes->posted, loop);
    if (hashes->running && hashes->running->asker.loop == loop)
        hashes->running->cancelled = true;
    pthread_mutex_unlock(&hashes->lock);
}
