/* SPDX-License-Identifier: MIT */
/*
 * access_log: one line per answer, written by a thread of its own.
 *
 * A worker copies a record into its own ring and goes on; the writer formats and writes in batches. If a ring
 * is full the record is dropped and counted, and the count is logged as soon as there is room ("log: 17
 * records dropped", in JSON {"dropped":17}): a slow disk never slows an answer. Texts are cut at 8192 octets.
 */
#ifndef STET_NET_ACCESS_LOG_H
#define STET_NET_ACCESS_LOG_H

#include <sys/socket.h>

#include <stet/reason.h>
#include <stet/span.h>

enum stet__log_format { STET__LOG_COMMON, STET__LOG_COMBINED, STET__LOG_JSON };

/* What is known of one answer. Spans are copied by stet__access_log_add. */
struct stet__log_record {
    int64_t when;         /* Unix seconds */
    uint32_t duration_us; /* from the request's head to the last octet of the answer; 0 within one wake-up */
    uint16_t status;
    bool aborted;        /* the answer was cut off */
    uint64_t body_bytes; /* octets of content sent */
    const char *reason;  /* name of a reason or status row; static storage */
    uint8_t peer[16];    /* IPv6, or IPv4 mapped into it; zero for a Unix socket */
    struct stet_span method, target, referer, user_agent;
    struct stet_span cache; /* the own member of Cache-Status; absent: there is none */
    unsigned major, minor;  /* of the version of HTTP */
};

struct stet__access_log;

/* `path` "-" is standard output. NULL on failure with errno set. `rings` is the number of workers. */
struct stet__access_log *stet__access_log_open(const char *path, enum stet__log_format format,
                                               unsigned rings);

/* Adds to ring `ring`, by its worker only. */
void stet__access_log_add(struct stet__access_log *log, unsigned ring, const struct stet__log_record *record);

/* A copy on the heap, with its spans, to be freed with free; NULL if there is no memory. */
struct stet__log_record *stet__log_record_copy(const struct stet__log_record *record);

/* Has the writer close and open its file again, after what is queued: for log rotation (SIGHUP). */
void stet__access_log_reopen(struct stet__access_log *log);

/* Writes what is queued, then ends. */
void stet__access_log_close(struct stet__access_log *log);

#endif
