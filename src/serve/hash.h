/* SPDX-License-Identifier: MIT */
/*
 * hash: the strong validator of a file is the SHA-256 of its octets, cut to 128 bits.
 *
 * One memory of hashes, keyed by what stat tells of a file, is shared by all workers; one thread hashes the
 * large files, so that no loop is ever blocked by one. A result comes back as a callback on the loop that
 * asked.
 *
 * What is remembered must not be wrong later: a file that changed while it was read is not remembered, nor is
 * one that changed less than two seconds before ("racily clean", as git calls it): it may change again
 * without a new time stamp, because time stamps are as coarse as a tick of the kernel, or as two seconds on
 * some file systems. Every change sets ctime, and nobody can set ctime back; so ctime is what is asked.
 */
#ifndef STET_SERVE_HASH_H
#define STET_SERVE_HASH_H

#include <stet/span.h>

#include "base/digest.h"
#include "net/loop.h"
#include "serve/open.h"

#define STET__RACY_NS INT64_C(2000000000)

struct stet__hashes;

/* NULL with errno set. The thread that hashes runs until free. */
struct stet__hashes *stet__hashes_new(void);

/* After every loop that asked has called stet__hashes_forget. */
void stet__hashes_free(struct stet__hashes *hashes);

bool stet__hashes_find(struct stet__hashes *hashes, const struct stet__identity *identity,
                       struct stet__digest *out);

/* `now_ns` is the time before the octets were read. Does nothing for a racily clean file. */
void stet__hashes_remember(struct stet__hashes *hashes, const struct stet__identity *identity,
                           const struct stet__digest *digest, int64_t now_ns);

/* Whether a file in this state could still change without a trace in its identity. */
bool stet__identity_racy(const struct stet__identity *identity, int64_t now_ns);

/* Wall clock, for the two above; not the loop's, which may be as old as a wake-up. */
int64_t stet__hash_clock_ns(void);

struct stet__hash_asker {
    struct stet__loop *loop;
    void (*done)(void *arg, bool remembered, struct stet_span label); /* on the loop's thread */
    void *arg;
};

/*
 * Has the file behind `fd` (duplicated) hashed in the background. `done` gets a copy of `label`; `remembered`
 * tells whether stet__hashes_find knows it now. False if that cannot be had: no memory or descriptor, or the
 * queue is full.
 */
bool stet__hashes_ask(struct stet__hashes *hashes, int fd, struct stet_span label,
                      const struct stet__hash_asker *asker);

/* Drops what `loop` asked for. On the loop's thread, once the loop runs nothing any more that was posted to
 * it. */
void stet__hashes_forget(struct stet__hashes *hashes, struct stet__loop *loop);

#endif
