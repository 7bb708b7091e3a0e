/* SPDX-License-Identifier: MIT */
/*
 * What a wake-up costs: one epoll_wait and two reads of the coarse clocks, which are no system calls. The
 * coarse wall clock is also the one that the kernel takes a file's mtime from, so "now" is never before a
 * change that was just seen. The seconds come from a timer descriptor rather than from a time-out of
 * epoll_wait, which would have the kernel arm and disarm a timer in each wake-up.
 *
 * An event carries the address of its watch; bit 0, which an address has not, marks an early one, so that
 * finding those touches no watch.
 */
#include "net/loop.h"

#include <errno.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/assert.h"

#define EVENTS_MAX 256
#define EARLY 1u

struct post {
    struct post *next;
    void (*run)(void *arg);
    void *arg;
};

struct stet__loop {
    int epoll_fd;
    bool running;
    /* Of this wake-up; data.ptr is NULL once one is run or its watch removed. */
    struct epoll_event events[EVENTS_MAX];
    int event_count;
    int64_t now_s;
    int64_t monotonic_ms;
    int64_t skipped_s; /* stet__loop_skip */
    char date_line[STET__DATE_LINE_LEN + 2];
    struct stet__list ticks;
    struct stet__list *next_tick; /* to be run in this second */
    struct stet__list soon;
    struct stet__watch timer;
    struct stet__watch poster;
    pthread_mutex_t lock; /* of `posts` */
    struct post *posts;
    struct post **posts_end;
};

static void read_clock(struct stet__loop *loop)
{
    struct timespec wall, monotonic;
    clock_gettime(CLOCK_REALTIME_COARSE, &wall);
    clock_gettime(CLOCK_MONOTONIC_COARSE, &monotonic);
    loop->monotonic_ms = ((int64_t)monotonic.tv_sec + loop->skipped_s) * 1000 + monotonic.tv_nsec / 1000000;
    if (loop->now_s == wall.tv_sec + loop->skipped_s)
        return;
    loop->now_s = wall.tv_sec + loop->skipped_s;
    memcpy(loop->date_line, "Date: ", 6);
    stet_date_format(loop->now_s, loop->date_line + 6);
    memcpy(loop->date_line + 6 + STET_DATE_LEN, "\r\n\r\n", 4);
}

static void run_ticks(struct stet__loop *loop)
{
    for (struct stet__list *node = loop->ticks.next; node != &loop->ticks; node = loop->next_tick) {
        struct stet__tick *tick = stet__list_entry(node, struct stet__tick, node);
        loop->next_tick = node->next;
        tick->run(tick);
    }
    loop->next_tick = &loop->ticks;
}

static void second_passed(struct stet__watch *watch, uint32_t events)
{
    struct stet__loop *loop = stet__list_entry(watch, struct stet__loop, timer);
    uint64_t expirations;
    if (read(watch->fd, &expirations, sizeof expirations) < 0)
        return;
    run_ticks(loop);
}

void stet__loop_skip(struct stet__loop *loop, int64_t seconds)
{
    loop->skipped_s += seconds;
    read_clock(loop);
    run_ticks(loop);
}

static struct post *take_posts(struct stet__loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    struct post *posts = loop->posts;
    loop->posts = NULL;
    loop->posts_end = &loop->posts;
    pthread_mutex_unlock(&loop->lock);
    return posts;
}

static void run_posts(struct stet__watch *watch, uint32_t events)
{
    struct stet__loop *loop = stet__list_entry(watch, struct stet__loop, poster);
    uint64_t count;
    if (read(watch->fd, &count, sizeof count) < 0)
        return;
    struct post *post = take_posts(loop);
    while (post) {
        struct post *next = post->next;
        post->run(post->arg);
        free(post);
        post = next;
    }
}

static int add_own(struct stet__loop *loop, struct stet__watch *watch,
                   void (*ready)(struct stet__watch *, uint32_t))
{
    watch->ready = ready;
    watch->early = false;
    return watch->fd < 0 ? -errno : stet__loop_add(loop, watch, EPOLLIN);
}

struct stet__loop *stet__loop_new(void)
{
    struct itimerspec second = {.it_interval.tv_sec = 1, .it_value.tv_sec = 1};
    struct stet__loop *loop = calloc(1, sizeof *loop);
    if (!loop)
        return NULL;
    stet__list_init(&loop->ticks);
    loop->next_tick = &loop->ticks;
    stet__list_init(&loop->soon);
    loop->posts_end = &loop->posts;
    loop->now_s = STET_NO_DATE;
    pthread_mutex_init(&loop->lock, NULL);
    loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    loop->timer.fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
    loop->poster.fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (loop->epoll_fd < 0 || add_own(loop, &loop->timer, second_passed) < 0 ||
        add_own(loop, &loop->poster, run_posts) < 0 ||
        timerfd_settime(loop->timer.fd, 0, &second, NULL) < 0) {
        int cause = errno;
        stet__loop_free(loop);
        errno = cause;
        return NULL;
    }
    read_clock(loop);
    return loop;
}

static void close_if_open(int fd)
{
    if (fd >= 0)
        close(fd);
}

void stet__loop_free(struct stet__loop *loop)
{
    struct post *post = take_posts(loop);
    while (post) {
        struct post *next = post->next;
        free(post);
        post = next;
    }
    close_if_open(loop->poster.fd);
    close_if_open(loop->timer.fd);
    close_if_open(loop->epoll_fd);
    pthread_mutex_destroy(&loop->lock);
    free(loop);
}

/* What an event of `watch` carries. */
static void *tag(struct stet__watch *watch)
{
    return (char *)watch + (watch->early ? EARLY : 0);
}

static bool is_early(const void *tagged)
{
    return ((uintptr_t)tagged & EARLY) != 0;
}

static struct stet__watch *untag(void *tagged)
{
    return (void *)((char *)tagged - (is_early(tagged) ? EARLY : 0));
}

static int control(struct stet__loop *loop, int operation, struct stet__watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = tag(watch)};
    return epoll_ctl(loop->epoll_fd, operation, watch->fd, &event) < 0 ? -errno : 0;
}

int stet__loop_add(struct stet__loop *loop, struct stet__watch *watch, uint32_t events)
{
    return control(loop, EPOLL_CTL_ADD, watch, events);
}

int stet__loop_change(struct stet__loop *loop, struct stet__watch *watch, uint32_t events)
{
    return control(loop, EPOLL_CTL_MOD, watch, events);
}

void stet__loop_remove(struct stet__loop *loop, struct stet__watch *watch)
{
    void *tagged = tag(watch);
    (void)control(loop, EPOLL_CTL_DEL, watch, 0);
    for (int i = 0; i < loop->event_count; i++)
        if (loop->events[i].data.ptr == tagged)
            loop->events[i].data.ptr = NULL;
}

void stet__loop_add_tick(struct stet__loop *loop, struct stet__tick *tick)
{
    stet__list_append(&loop->ticks, &tick->node);
}

void stet__loop_remove_tick(struct stet__loop *loop, struct stet__tick *tick)
{
    if (loop->next_tick == &tick->node)
        loop->next_tick = tick->node.next;
    stet__list_remove(&tick->node);
}

static void run_watch(struct epoll_event *event)
{
    struct stet__watch *watch = untag(event->data.ptr);
    event->data.ptr = NULL;
    watch->ready(watch, event->events);
}

static void run_events(struct stet__loop *loop)
{
    for (int i = 0; i < loop->event_count; i++)
        if (is_early(loop->events[i].data.ptr))
            run_watch(&loop->events[i]);
    for (int i = 0; i < loop->event_count; i++)
        if (loop->events[i].data.ptr)
            run_watch(&loop->events[i]);
    loop->event_count = 0;
}

void stet__loop_soon(struct stet__loop *loop, struct stet__soon *soon)
{
    if (stet__list_empty(&soon->node))
        stet__list_append(&loop->soon, &soon->node);
}

void stet__loop_not_soon(struct stet__soon *soon)
{
    stet__list_remove(&soon->node);
}

/* Those that are in the list now: a mark goes in behind them. */
static void run_soon(struct stet__loop *loop)
{
    struct stet__list mark;
    stet__list_init(&mark);
    stet__list_append(&loop->soon, &mark);
    while (loop->soon.next != &mark) {
        struct stet__soon *soon = stet__list_entry(loop->soon.next, struct stet__soon, node);
        stet__list_remove(&soon->node);
        soon->run(soon);
    }
    stet__list_remove(&mark);
}

void stet__loop_run(struct stet__loop *loop)
{
    loop->running = true;
    while (loop->running) {
        int wait_ms = stet__list_empty(&loop->soon) ? -1 : 0;
        int count = epoll_wait(loop->epoll_fd, loop->events, EVENTS_MAX, wait_ms);
        stet__assert(count >= 0 || errno == EINTR);
        loop->event_count = count > 0 ? count : 0;
        read_clock(loop);
        run_events(loop);
        if (!stet__list_empty(&loop->soon))
            run_soon(loop);
    }
}

void stet__loop_stop(struct stet__loop *loop)
{
    loop->running = false;
}

int stet__loop_post(struct stet__loop *loop, void (*run)(void *arg), void *arg)
{
    struct post *post = malloc(sizeof *post);
    if (!post)
        return -ENOMEM;
    *post = (struct post){NULL, run, arg};
    pthread_mutex_lock(&loop->lock);
    *loop->posts_end = post;
    loop->posts_end = &post->next;
    /* Within the lock: once it is open the post may be run, and the loop be gone. */
    uint64_t one = 1;
    ssize_t written = write(loop->poster.fd, &one, sizeof one);
    stet__assert(written == sizeof one || errno == EAGAIN);
    pthread_mutex_unlock(&loop->lock);
    return 0;
}

int64_t stet__loop_now_s(const struct stet__loop *loop)
{
    return loop->now_s;
}

int64_t stet__loop_monotonic_ms(const struct stet__loop *loop)
{
    return loop->monotonic_ms;
}

const char *stet__loop_date_line(const struct stet__loop *loop)
{
    return loop->date_line;
}
