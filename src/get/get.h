/* SPDX-License-Identifier: MIT */
/*
 * get: the client with a private cache. A job is a URI to fetch; it is answered from what is stored, or by
 * the origin, or by both (a 304). What the answer is for is the sink's business: a file, standard output,
 * nothing.
 *
 * The life of a job reads top to bottom in job.c: look into the store, ask core (stet_cache_decide), ask the
 * origin with what core says (stet_cache_validation), give core the answer (stet_cache_receive), store or
 * freshen, answer the sink, and go on with the next URI if it is a redirect. All jobs run in one thread.
 *
 * A job for a URI that another job asks for right now waits for that one, once, and then looks into the
 * store (RFC 9111 section 4).
 *
 * Cookies and HTML are not its business; authentication is the transfer's. User-Agent and Accept are sent as
 * the job has them.
 */
#ifndef STET_GET_GET_H
#define STET_GET_GET_H

#include <stet/cache.h>

#include "store/disk.h"
#include "transfer/transfer.h"

enum stet__get_mode {
    STET__GET_NORMAL,  /* fresh: from the store; stale: validated */
    STET__GET_REFRESH, /* validated whatever its freshness, end to end: Cache-Control: max-age=0, as a
                          browser's reload. Not a fresh immutable one that came over TLS: RFC 8246 */
    STET__GET_RELOAD,  /* fetched anew, without conditions, and stored */
    STET__GET_OFFLINE, /* only-if-cached: nobody is asked; stale is allowed, unless the response forbids it.
                          If there is nothing the job fails with STET_E_GET_OFFLINE and code 504 */
};

struct stet__get_settings {
    enum stet__get_mode mode;
    int64_t
        max_stale_s; /* stale by so much is good enough (RFC 9111 section 5.2.1.2); -1: not, INT64_MAX: any */
    bool store;      /* false: nothing is read from the store or written to it */
    bool follow;     /* redirects */
    unsigned redirects_max;
    bool compressed;   /* ask for codings and decode; false: no Accept-Encoding, and octets go as they come */
    bool dictionaries; /* offer what is stored as dictionary (RFC 9842), if `compressed` */
    unsigned parallel; /* jobs at once; 1: one after the other, in order */
    unsigned retries;  /* of a transfer that was cut off within its content: resumed with Range and If-Range,
                          or anew */
    struct stet_cache_policy policy; /* shared is false */
    const struct stet__transfer_settings
        *transfer; /* of the transfers: who asks, and on which way (asker.c) */
};

/* How an answer came about; also the variable %{cache} of -w. */
enum stet__get_source {
    STET__GET_NONE,      /* no answer */
    STET__GET_STORE,     /* from the store; nobody was asked */
    STET__GET_VALIDATED, /* from the store, after a 304 */
    STET__GET_ORIGIN,    /* the origin's, all of it */
    STET__GET_COMBINED,  /* a part from the store, the rest from the origin */
    STET__GET_STALE,     /* from the store although stale, because the origin failed */
};

struct stet__get_answer {
    const char *uri;                      /* of the answer, after redirects */
    const struct stet_response *response; /* as the client sees it: with Age if it was stored; codings that
                                             are decoded are still in it */
    enum stet__get_source source;
    bool has_digest; /* of the content as stored; only if it comes complete from the store */
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    uint64_t length;       /* of the content that the sink gets, UINT64_MAX if it is not known */
    int64_t last_modified; /* STET_NO_DATE */
};

/* What became of a job. */
struct stet__get_result {
    /* STET_OK: an answer of some kind came and all of it went to the sink; else STET_E_GET_..., a failure of
     * a content coding (STET_E_CODED_...) or of the transfer */
    int status;
    const char *cause; /* of a failure, in words */
    unsigned code; /* status code of the answer; of a validation the stored one's, 200. 0 if there is none */
    unsigned origin_code; /* what the origin said last; 0 if nobody was asked */
    enum stet__get_source source;
    enum stet_reason reason;  /* core's, of the last decision */
    enum stet_reason storing; /* why it was stored, or not; STET_REASON_OK if it came from the store */
    bool stored;
    bool undecoded; /* it has a content coding that is not known here: the octets went as they came */
    bool damaged;   /* twice the content did not have the digest that the origin gave (RFC 9530): it went to
                       the sink as it came, and is not stored */
    bool changed; /* the content is another than what was stored before, or nothing was stored before. Decided
                     by content, not by tags */
    bool had;     /* something was stored before */
    unsigned redirects;
    unsigned resumed;         /* how often it went on after it had been cut off, in this run */
    uint64_t content_octets;  /* to the sink */
    uint64_t received_octets; /* content on the wire */
    uint64_t saved_octets;    /* content that did not have to be sent, as stored */
    int64_t age_s, ttl_s;     /* of an answer from the store */
    bool has_digest;          /* of the content as it is stored now, for who has written it to a file */
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    char etag[128];                        /* of the answer; cut to what fits, empty if there is none */
    struct stet__transfer_result transfer; /* the last; zero if nobody was asked */
};

enum stet__get_take {
    STET__GET_TAKE,
    STET__GET_SKIP, /* no data is wanted: head and end only. What may be stored is stored all the same */
    STET__GET_STOP, /* nothing more is wanted: the job fails with STET_E_GET_STOPPED */
};

struct stet__get_sink {
    enum stet__get_take (*begin)(void *owner, const struct stet__get_answer *answer);
    bool (*data)(void *owner,
                 struct stet_span octets); /* false: it cannot be taken; the job fails: STET_E_GET_SINK */
    /* What came so far was not the answer after all (a resume that brought another version): `begin` comes
     * once more. False: it cannot be undone; the job fails: STET_E_GET_SINK. */
    bool (*restart)(void *owner);
    /* A redirect that is followed, before the next URI is looked at; its content is nobody's. May be NULL. */
    void (*redirect)(void *owner, const struct stet__get_answer *answer);
    void (*progress)(void *owner, uint64_t received,
                     uint64_t expected /* UINT64_MAX: unknown */); /* may be NULL */
    void (*end)(void *owner,
                const struct stet__get_result *result); /* exactly once; begin may not have come */
    void *owner;
};

struct stet__get_job {
    const char *uri;           /* absolute, http or https; a fragment is allowed */
    const char *method;        /* "GET" */
    struct stet_fields fields; /* the user's own; a conditional field or Range of the user's makes the
                                  request the user's alone: it is passed through and its answer as it comes */
    struct stet_span content;  /* absent: none */
    struct stet__get_sink sink;
};

struct stet__get;

/* `disk` may be NULL if settings->store is false. All are borrowed. NULL if there is no memory. */
struct stet__get *stet__get_new(const struct stet__get_settings *settings, struct stet__transfers *transfers,
                                struct stet__disk *disk);
void stet__get_free(struct stet__get *get);

/* Asks for the next job when there is room for one; false: there is none. What `job` points to has to last
 * until its sink has ended. */
typedef bool stet__get_supply(void *owner, struct stet__get_job *job);

/* Runs all jobs. `*stop`, which a signal handler may set, ends it early: what is under way is cut off, parts
 * are kept. */
void stet__get_run(struct stet__get *get, stet__get_supply *supply, void *owner, const volatile int *stop);

#endif
