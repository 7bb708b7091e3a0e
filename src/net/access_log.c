/* SPDX-License-Identifier: MIT */
/*
 * Each ring has one writer (its worker) and one reader (the log's thread), so two counters and no lock will
 * do:
 *
 *   octets  [ free | record | record | skipped to the end ]     `read` <= `written` <= `read` + RING_BYTES
 *
 * A record is the struct, then its texts. It is never split: what does not fit before the end of the ring
 * begins at its start, and a size of 0 says so.
 *
 * The thread sleeps when there is nothing, and is woken by the first record; after work it naps for a moment
 * instead, so that under load a worker makes no system call at all to log.
 */
#include "net/access_log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/assert.h"
#include "net/access_log_line.h"

#define RING_BYTES (256u * 1024)
#define ALIGNMENT 16u
#define TEXT_MAX 8192u /* of one text in a record; the rest of it is left out */
#define OUT_BYTES 131072u
#define OUT_FULL 32768u /* written from here on: a line always fits behind it */
#define NAP_MS 20

struct entry {
    uint32_t size; /* with this struct and the texts; 0: go on at the start of the ring */
    struct stet__log_record record;
};

struct ring {
    _Alignas(64) _Atomic uint64_t written;
    _Atomic uint64_t dropped;
    _Alignas(64) _Atomic uint64_t read;
    _Alignas(ALIGNMENT) char octets[RING_BYTES];
};

enum { AWAKE, NAPPING, SLEEPING };

struct stet__access_log {
    enum stet__log_format format;
    char *path; /* NULL: standard output */
    int fd;
    int wake_fd;
    _Atomic int state;
    atomic_bool reopen, ending;
    pthread_t thread;
    struct stet__buffer out;
    uint64_t lines; /* in `out` */
    uint64_t lost;  /* that could not be written */
    unsigned ring_count;
    struct ring *rings;
};

static void wake(struct stet__access_log *log)
{
    uint64_t one = 1;
    ssize_t n = write(log->wake_fd, &one, sizeof one);
    stet__assert(n == sizeof one || errno == EAGAIN);
}

static size_t round_up(size_t n)
{
    return (n + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
}

static struct stet_span cut(struct stet_span text)
{
    return stet_span_of(text.ptr, text.len < TEXT_MAX ? text.len : TEXT_MAX);
}

static size_t texts_len(const struct stet__log_record *record)
{
    return record->method.len + record->target.len + record->referer.len + record->user_agent.len +
           record->cache.len;
}

static char *copy_text(struct stet_span *text, char *to)
{
    if (!text->ptr)
        return to;
    if (text->len > 0)
        memcpy(to, text->ptr, text->len);
    text->ptr = to;
    return to + text->len;
}

/* Moves the texts of `record` to `to`. */
static void copy_texts(struct stet__log_record *record, char *to)
{
    to = copy_text(&record->method, to);
    to = copy_text(&record->target, to);
    to = copy_text(&record->referer, to);
    to = copy_text(&record->user_agent, to);
    (void)copy_text(&record->cache, to);
}

struct stet__log_record *stet__log_record_copy(const struct stet__log_record *record)
{
    struct stet__log_record *copy = malloc(sizeof *copy + texts_len(record));
    if (!copy)
        return NULL;
    *copy = *record;
    copy_texts(copy, (char *)(copy + 1));
    return copy;
}

/* Where `size` octets can go, or NULL; `*written` is what the counter will be before them. */
static struct entry *find_room(struct ring *ring, size_t size, uint64_t *written)
{
    uint64_t at = atomic_load_explicit(&ring->written, memory_order_relaxed);
    uint64_t used = at - atomic_load_explicit(&ring->read, memory_order_acquire);
    size_t offset = (size_t)(at % RING_BYTES), skipped = 0;
    if (size > RING_BYTES - offset)
        skipped = RING_BYTES - offset;
    if (used + skipped + size > RING_BYTES)
        return NULL;
    if (skipped > 0)
        memset(ring->octets + offset, 0, sizeof(uint32_t));
    *written = at + skipped;
    return (struct entry *)(void *)(ring->octets + (offset + skipped) % RING_BYTES);
}

static void wake_if_needed(struct stet__access_log *log, const struct ring *ring, uint64_t written)
{
    int state = atomic_load(&log->state);
    if (state == AWAKE)
        return;
    bool full = written - atomic_load_explicit(&ring->read, memory_order_relaxed) > RING_BYTES / 2;
    if ((state == SLEEPING || full) && atomic_compare_exchange_strong(&log->state, &state, AWAKE))
        wake(log);
}

void stet__access_log_add(struct stet__access_log *log, unsigned number,
                          const struct stet__log_record *record)
{
    stet__assert(number < log->ring_count);
    struct ring *ring = &log->rings[number];
    struct stet__log_record copy = *record;
    copy.method = cut(copy.method);
    copy.target = cut(copy.target);
    copy.referer = cut(copy.referer);
    copy.user_agent = cut(copy.user_agent);
    copy.cache = cut(copy.cache);
    size_t size = round_up(sizeof(struct entry) + texts_len(&copy));
    uint64_t written;
    struct entry *entry = find_room(ring, size, &written);
    if (!entry) {
        atomic_fetch_add_explicit(&ring->dropped, 1, memory_order_relaxed);
        return;
    }
    entry->size = (uint32_t)size;
    entry->record = copy;
    copy_texts(&entry->record, (char *)(entry + 1));
    /* Sequentially consistent, as is the load of the state: either the thread sees the record before it
     * sleeps, or this sees that it does. */
    atomic_store(&ring->written, written + size);
    wake_if_needed(log, ring, written + size);
}

/* Writes what is gathered. A disk that is full loses lines, and they are counted. */
static void write_out(struct stet__access_log *log)
{
    struct stet_span rest = stet__buffer_span(&log->out);
    while (rest.len > 0) {
        ssize_t n = write(log->fd, rest.ptr, rest.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            log->lost += log->lines;
            break;
        }
        rest = stet_span_skip(rest, (size_t)n);
    }
    stet__buffer_clear(&log->out);
    log->lines = 0;
}

static void put_record(struct stet__access_log *log, const struct stet__log_record *record)
{
    size_t before = log->out.len;
    stet__log_line(log->format, record, &log->out);
    if (log->out.failed) { /* longer than any line should be: four texts of octets that are all escaped */
        log->out.failed = false;
        log->out.len = before;
        log->lost++;
    }
    log->lines++;
    if (log->out.len > OUT_FULL)
        write_out(log);
}

/* True if there was something. */
static bool drain_ring(struct stet__access_log *log, struct ring *ring)
{
    uint64_t at = atomic_load_explicit(&ring->read, memory_order_relaxed);
    uint64_t end = atomic_load_explicit(&ring->written, memory_order_acquire);
    bool any = at != end;
    while (at != end) {
        const struct entry *entry = (const void *)(ring->octets + at % RING_BYTES);
        if (entry->size == 0) {
            at += RING_BYTES - at % RING_BYTES;
            continue;
        }
        put_record(log, &entry->record);
        at += entry->size;
        atomic_store_explicit(&ring->read, at, memory_order_release);
    }
    return any;
}

static bool drain(struct stet__access_log *log)
{
    bool any = false;
    uint64_t dropped = log->lost;
    log->lost = 0;
    for (unsigned i = 0; i < log->ring_count; i++) {
        any |= drain_ring(log, &log->rings[i]);
        dropped += atomic_exchange_explicit(&log->rings[i].dropped, 0, memory_order_relaxed);
    }
    if (dropped > 0) {
        stet__log_dropped_line(log->format, dropped, &log->out);
        any = true;
    }
    write_out(log);
    return any;
}

static bool pending(struct stet__access_log *log)
{
    for (unsigned i = 0; i < log->ring_count; i++)
        if (atomic_load(&log->rings[i].written) != atomic_load(&log->rings[i].read))
            return true;
    return atomic_load(&log->reopen) || atomic_load(&log->ending);
}

static void rest(struct stet__access_log *log, bool nap)
{
    struct pollfd poll_fd = {.fd = log->wake_fd, .events = POLLIN};
    uint64_t count;
    atomic_store(&log->state, nap ? NAPPING : SLEEPING);
    if (nap || !pending(log))
        (void)poll(&poll_fd, 1, nap ? NAP_MS : -1);
    atomic_store(&log->state, AWAKE);
    (void)!read(log->wake_fd, &count, sizeof count);
}

static int open_file(const char *path)
{
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0640);
}

/* If the new file cannot be had the old one is kept: lines in the wrong file are better than none. */
static void reopen_file(struct stet__access_log *log)
{
    int fd = log->path ? open_file(log->path) : -1;
    if (fd < 0)
        return;
    close(log->fd);
    log->fd = fd;
}

static void *run(void *arg)
{
    struct stet__access_log *log = arg;
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, NULL);
    for (;;) {
        bool ending = atomic_load(&log->ending), reopen = atomic_exchange(&log->reopen, false);
        bool any = drain(log);
        if (reopen)
            reopen_file(log);
        if (ending)
            return NULL;
        rest(log, any);
    }
}

static void free_log(struct stet__access_log *log)
{
    if (log->fd >= 0 && log->path)
        close(log->fd);
    if (log->wake_fd >= 0)
        close(log->wake_fd);
    stet__buffer_release(&log->out);
    free(log->rings);
    free(log->path);
    free(log);
}

struct stet__access_log *stet__access_log_open(const char *path, enum stet__log_format format, unsigned rings)
{
    bool to_file = strcmp(path, "-") != 0;
    struct stet__access_log *log = calloc(1, sizeof *log);
    if (!log)
        return NULL;
    log->format = format;
    log->fd = log->wake_fd = -1;
    log->ring_count = rings;
    stet__buffer_init(&log->out, OUT_BYTES);
    log->rings = aligned_alloc(64, rings * sizeof *log->rings);
    log->path = to_file ? strdup(path) : NULL;
    int status = ENOMEM;
    if (!log->rings || (to_file && !log->path) || !stet__buffer_reserve(&log->out, OUT_BYTES))
        goto fail;
    memset(log->rings, 0, rings * sizeof *log->rings);
    log->fd = to_file ? open_file(path) : STDOUT_FILENO;
    log->wake_fd = log->fd < 0 ? -1 : eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    status = errno;
    if (log->wake_fd < 0)
        goto fail;
    status = pthread_create(&log->thread, NULL, run, log);
    if (status == 0)
        return log;
fail:
    free_log(log);
    errno = status;
    return NULL;
}

void stet__access_log_reopen(struct stet__access_log *log)
{
    atomic_store(&log->reopen, true);
    wake(log);
}

void stet__access_log_close(struct stet__access_log *log)
{
    atomic_store(&log->ending, true);
    wake(log);
    pthread_join(log->thread, NULL);
    free_log(log);
}
