/* SPDX-License-Identifier: MIT */
/*
 * output: what is to be sent on a connection: gathered octets first, then the parts of one body.
 *
 *   octets  [ sent already | head, small body, head, small body, ..., head ]
 *   body    [ memory ][ file ][ memory ] ...
 *
 * Octets and memory parts go out in one system call, large file parts with sendfile. Small ones, and the end
 * of a large one, are read into the octets: then the owner is asked whether the file is still what the head
 * says, and only then they are sent. A receiver that misses the end of a body knows that it is not complete
 * (RFC 9112 section 8).
 *
 * What this leaves out: octets that sendfile has queued are the file's own pages; a change in place between
 * sendfile and the departure of a page, while the end of the file stays as it is and is asked about before
 * that change, is not noticed. Preventing it would mean to copy every file.
 */
#ifndef STET_NET_OUTPUT_H
#define STET_NET_OUTPUT_H

#include "base/buffer.h"
#include "net/exchange.h"
#include "net/transport.h"

#define STET__OUTPUT_MAX 131072   /* octets that one output gathers */
#define STET__OUTPUT_FULL 65536   /* from here on it is to be sent before more is gathered */
#define STET__BODY_COPY_MAX 16384 /* bodies in memory up to here are copied behind their head */

struct stet__body {
    const struct stet__part *parts;
    size_t count;  /* 0: there is no body */
    size_t at;     /* the part to go on with */
    uint64_t done; /* octets of it that are dealt with */
    void *owner;
    void (*hold)(void *owner);
    void (*release)(void *owner);
    bool (*intact)(void *owner);
};

struct stet__output {
    struct stet__buffer octets;
    size_t sent; /* of octets */
    struct stet__body body;
    uint64_t body_bytes;     /* of `body`, as far as the system took them */
    struct stet__part *kept; /* the copy of the parts that keep or hold made */
};

enum stet__sent {
    STET__SENT_ALL,
    STET__SENT_SOME,   /* go on when the socket is writable */
    STET__SENT_GONE,   /* the receiver is gone */
    STET__SENT_SPOILT, /* the file is not what the head says: the connection has to be aborted */
};

void stet__output_init(struct stet__output *output);

static inline bool stet__output_empty(const struct stet__output *output)
{
    return output->octets.len == 0 && output->body.count == 0;
}

/* Sends what the other side takes, at most about a megabyte so that others have their turn. */
enum stet__sent stet__output_push(struct stet__output *output, struct stet__transport to);

/*
 * Moves what `from` has left behind what `to` holds, which has no body, and keeps it beyond the call: the
 * owner of the body is held; memory without one is copied. False if there is no memory; then nothing is held.
 */
bool stet__output_keep(struct stet__output *to, struct stet__output *from);

/*
 * Has the body that `output` was given kept beyond the call, in the same way. False if there is no memory;
 * then the body is gone.
 */
bool stet__output_hold(struct stet__output *output);

/* Forgets what is left and releases what was kept; the room for octets stays. */
void stet__output_clear(struct stet__output *output);

/* Forgets what is left, frees and releases what stet__output_keep kept. */
void stet__output_release(struct stet__output *output);

#endif
