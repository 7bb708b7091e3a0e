/* SPDX-License-Identifier: MIT */
#include "sweep.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#endif

#define HANG_S 120
#define PROBLEMS_MAX 10
#define LOOKS 20 /* for leaks, in a sweep; each takes as long as many a play */

static unsigned long plays, plays_a_look = 1;

static bool look_for_leaks(void)
{
#if defined(__SANITIZE_ADDRESS__)
    return __lsan_do_recoverable_leak_check() != 0;
#else
    return false;
#endif
}

bool leaks(void)
{
    return ++plays % plays_a_look == 0 && look_for_leaks();
}

static int connect_to(const char *socket_path)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    struct timeval patience = {.tv_sec = 20};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0)
        return -1;
    memcpy(at.sun_path, socket_path, strlen(socket_path) + 1);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    if (connect(fd, (struct sockaddr *)&at, sizeof(at)) == 0)
        return fd;
    close(fd);
    return -1;
}

ssize_t ask(const char *socket_path, struct stet_span request, char *answer)
{
    size_t len = 0;
    ssize_t n = 0;
    int fd = connect_to(socket_path);
    if (fd < 0)
        return 0;
    while (request.len > 0 && (n = send(fd, request.ptr, request.len, MSG_NOSIGNAL)) > 0)
        request = stet_span_skip(request, (size_t)n);
    while (len < ANSWER_MAX && (n = recv(fd, answer + len, ANSWER_MAX - len, 0)) > 0)
        len += (size_t)n;
    bool hangs = n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK);
    close(fd);
    return hangs ? -1 : (ssize_t)len;
}

unsigned status_of(const char *answer, ssize_t len)
{
    if (len < 12 || memcmp(answer, "HTTP/1.1 ", 9) != 0)
        return 0;
    return (unsigned)((answer[9] - '0') * 100 + (answer[10] - '0') * 10 + (answer[11] - '0'));
}

static unsigned tests, failures;

static void report(const char *name, unsigned long calls, unsigned problems)
{
    failures += problems > 0;
    printf("%s %u - %s (%lu allocations)\n", problems == 0 ? "ok" : "not ok", ++tests, name, calls);
    fflush(stdout);
}

static void sweep_once(sweep_play *play, const char *name, bool all_after, unsigned long last)
{
    unsigned problems = 0;
    for (unsigned long i = 1; i <= last && problems < PROBLEMS_MAX; i++) {
        unsigned long calls;
        alarm(HANG_S);
        const char *problem = play(i, all_after, &calls);
        problems += problem != NULL;
        if (problem)
            printf("# allocation %lu: %s\n", i, problem);
    }
    if (problems == 0 && look_for_leaks()) {
        printf("# a leak in one of the last plays\n");
        problems++;
    }
    report(name, last, problems);
}

int sweep(sweep_play *play)
{
    unsigned long calls = 0;
    alarm(HANG_S);
    const char *problem = play(0, false, &calls);
    if (!problem && calls == 0)
        problem = "the failing allocator is not in use";
    if (problem)
        printf("# %s\n", problem);
    report("nothing fails", calls, problem != NULL);
    if (!problem) {
        plays_a_look = 1 + calls / LOOKS;
        sweep_once(play, "one allocation fails", false, calls);
        sweep_once(play, "all allocations fail from one on", true, calls);
    }
    printf("1..%u\n", tests);
    return failures > 0;
}
