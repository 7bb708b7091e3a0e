/* SPDX-License-Identifier: MIT */
/*
 * task: a job under way. job.c has its life, and calls the other files in this order:
 *
 *              +------------------------------------------------------------------+
 *              v                                                                  |
 *   LOOK --> decide --+-- SERVE ---------------> stored.c: answer -----+--------> redirect.c
 *    ^                |                              ^                 |
 *    |                +-- somebody asks already      |                 v
 *    |                |       WAIT                   |                END
 *    |                +-- request.c: ask             |                 ^
 *    |                       ASKING                  |                 |
 *    |                          | receive.c          |                 |
 *    |                          v                    |                 |
 *    +-- cut off -----------  CONCLUDE --------------+-----------------+
 *
 * A step is a function that returns the next one; nothing calls back into an earlier one, so a long chain of
 * redirects or retries needs no stack.
 *
 * Invariants: `body` is there only while content comes in that is to be stored. What the sink has got is the
 * first flow.raw octets of one version of one representation: flow.h. Only a task that is ASKING leads
 * others.
 */
#ifndef STET_GET_TASK_H
#define STET_GET_TASK_H

#include <stet/uri.h>

#include "base/list.h"
#include "get/delta.h"
#include "get/flow.h"
#include "get/get.h"

enum stet__step {
    STET__STEP_LOOK,
    STET__STEP_ASK,
    STET__STEP_WAIT,   /* until the task in `leader` has its answer */
    STET__STEP_ASKING, /* until the transfer has ended */
    STET__STEP_CONCLUDE,
    STET__STEP_END,
};

/* What is done with content that comes in. */
enum stet__intake {
    STET__INTAKE_NONE,    /* not known yet */
    STET__INTAKE_DISCARD, /* read for the sake of the connection, if it is not too long */
    STET__INTAKE_PASS,    /* to the sink, and into the body if there is one */
};

/* A hop: one URI, from the look into the store to its answer. In `hop_arena`. */
struct stet__hop {
    struct stet_request request; /* as core sees it: without the conditions that are made here */
    bool own;                    /* it has the user's own conditions or range: the answer goes as it comes */
    bool uncached;               /* it asks for more than its key says, or nothing is to be stored */
    uint64_t asker;              /* whose credentials go with it, and on which way: asker.c */
    struct stet__disk_entry *entries;
    const struct stet_stored **stored; /* those of the entries */
    struct stet_cache_question question;
    struct stet_cache_decision decision;
    struct stet_validation validation;
    int64_t now;

    /* the answer of the origin */
    bool answered;
    enum stet_body_kind framing;
    struct stet_response response;
    struct stet_times times;
    struct stet_stored next;
    struct stet_receipt receipt;
    bool redirects;                      /* it is a redirect that is followed */
    uint64_t offset;                     /* of the content that comes next, within the representation */
    bool extends;                        /* a 206 that goes on with the stored part `chosen` */
    struct stet_combination combination; /* of the two */
    struct stet_stored combined;
};

struct stet__visited {
    const struct stet__visited *before;
    struct stet_span key, method;
};

struct stet__task {
    struct stet__list node; /* in get->idle or get->ready, or in none */
    struct stet__get *get;
    enum stet__step step;
    struct stet__get_job job;
    struct stet__get_result result;
    bool background; /* the sink has ended; a stored response is validated */
    bool looked;     /* into the store for this URI: what was there before is known */
    bool waited;
    struct stet__task *leader; /* while WAITing */

    struct stet__arena arena; /* of the job */
    struct stet__arena hop_arena;
    struct stet_uri first; /* the job's own */
    struct stet_span key;  /* the normal form of this hop's URI, terminated */
    struct stet_uri uri;   /* of key */
    struct stet_span fragment;
    struct stet_span method;             /* of this hop */
    bool has_content;                    /* the job's content goes with it */
    const struct stet__visited *visited; /* the hops before, that just before first */

    struct stet__hop hop;
    char tags[4096]; /* If-None-Match; what does not fit is left out */

    bool unconditional; /* ask for the whole */
    unsigned mended;    /* answers that were of no use and made it ask again */
    unsigned resumes;
    uint64_t reached; /* octets that the last part had that was gone on with */
    struct stet__transfer *transfer;
    enum stet__intake intake;
    struct stet__disk_body *body;
    uint64_t discarded;
    int failure; /* found while content came: STET_OK, or why the job fails */
    struct stet__flow flow;
    bool plain; /* a delta was of no use: none is asked for any more */
    struct stet__delta delta;
    bool had_digest; /* of what was stored before */
    unsigned char old_digest[STET__DISK_DIGEST_BYTES];
};

#define STET__MENDS_MAX 2

struct stet__get {
    struct stet__get_settings settings;
    struct stet__transfers *transfers;
    struct stet__disk *disk; /* NULL: nothing is stored */
    struct stet__list idle, ready;
    struct stet__task *tasks;
    size_t task_count;
    size_t busy; /* tasks that are neither idle nor ready */
    bool stopping;
    struct stet__disk_entry *found; /* room for what the store finds */
    struct stet__delta_known known[STET__DELTA_KNOWN];
    size_t known_next;
    uint64_t delta_octets; /* memory that deltas have reserved */
    char octets[65536];    /* content that is read from the store */
};

/* The one clock, in Unix seconds. */
int64_t stet__now(void);

/* ---- get.c ---- */

/* Something happened that the task waited for. */
void stet__task_wake(struct stet__task *task);

/* Whoever waits for this task looks into the store now. */
void stet__task_release(struct stet__task *task);

/* Who asks for the same right now, so that this task may wait for the answer; or NULL. */
struct stet__task *stet__task_leader(const struct stet__task *task);

/* ---- job.c ---- */

void stet__task_begin(struct stet__task *task, const struct stet__get_job *job);

/* Goes on until the task has to wait; true: it has ended. */
bool stet__task_run(struct stet__task *task);

/* The job fails for a reason of status.def, in its words, or those of the transfer. */
enum stet__step stet__task_fail(struct stet__task *task, int status);

/* What is stored is not what it should be: all of it is asked for, once. Fails the next time. */
enum stet__step stet__task_mend(struct stet__task *task);

/* ---- answer.c: what the sink and the result are told ---- */

/* Of the answer in `stored`, from `entry` if that is not NULL. STET_OK, or what stet__flow_open says. */
int stet__answer_open(struct stet__task *task, const struct stet_stored *stored,
                      const struct stet__disk_entry *entry, enum stet__get_source source);

/* A redirect, before it is followed. False if there is no memory. */
bool stet__answer_redirect(struct stet__task *task, const struct stet_stored *stored,
                           const struct stet__disk_entry *entry, enum stet__get_source source);

/* ---- request.c ---- */

/* The request of this hop as core sees it. False if there is no memory. */
bool stet__request_make(struct stet__task *task);

/* Our Accept-Encoding: told by where it stands from one of the user's. */
extern const struct stet_span stet__request_codings;

/* Asks the origin, with what core says. */
enum stet__step stet__request_send(struct stet__task *task);

/* ---- asker.c ---- */

/* A number for the credentials that go with hop->request and for the way that it takes; 0: none, and the
 * usual one. False if there is no memory.
 */
bool stet__asker_find(const struct stet__task *task, uint64_t *out);

/* Whether who has this number may have what is stored in `entry`. */
bool stet__asker_may(uint64_t asker, const struct stet__disk_entry *entry);

/* ---- fields.c ---- */

/* A copy with its octets. False if there is no memory. */
bool stet__fields_copy(struct stet__arena *arena, const struct stet_fields *from, struct stet_fields *to);

/* Appends to fields that stand in `room`. */
static inline void stet__fields_add(struct stet_fields *fields, struct stet_field *room,
                                    struct stet_field field)
{
    room[fields->count++] = field;
    fields->present |= UINT64_C(1) << field.id;
}

/* A copy with a zero octet behind it; absent if there is no memory. */
struct stet_span stet__terminated(struct stet__arena *arena, struct stet_span text);

/* ---- receive.c ---- */

extern const struct stet__transfer_events stet__receive_events;
enum stet__step stet__receive_conclude(struct stet__task *task);

/* ---- invalidate.c ---- */

/* What the answer to an unsafe request makes suspect: RFC 9111 section 4.4, RFC 9875. */
void stet__invalidate(struct stet__task *task);

/* ---- commit.c: what is written to the store ---- */

/* Begins the body of an answer that is to be stored. Without a body it is not. */
void stet__commit_begin(struct stet__task *task);

/* Makes hop->combined of the stored part and the 206 that goes on with it, and begins its body. False if
 * there is no memory. */
bool stet__commit_begin_combined(struct stet__task *task);

/* The answer has come whole. Its entry, in hop_arena; false if it was not kept. */
bool stet__commit_end(struct stet__task *task, struct stet__disk_entry *out);

/* What came so far is kept, if somebody can go on with it. */
void stet__commit_cut(struct stet__task *task);

/* What came is damaged: nothing of it is kept. */
void stet__commit_drop(struct stet__task *task);

/* What a 304, or the 200 to a HEAD, says of what is stored. */
void stet__commit_freshen(struct stet__task *task);
void stet__commit_invalidated(struct stet__task *task);

/* ---- stored.c ---- */

/* Answers from entry i. */
enum stet__step stet__stored_answer(struct stet__task *task, size_t i, enum stet__get_source source);

/* The octets of an open body go to the sink, if they are wanted. It is closed. STET_OK or a failure. */
int stet__stored_feed(struct stet__task *task, int fd, bool wanted);

/* ---- verify.c: RFC 9530 ---- */

enum stet__digest_verdict {
    STET__DIGEST_UNTOLD, /* nothing that can be compared */
    STET__DIGEST_AGREES,
    STET__DIGEST_DIFFERS,
};

/* What Repr-Digest and Content-Digest of a complete 200 say about content with this SHA-256. */
enum stet__digest_verdict stet__digest_judge(const struct stet_fields *fields, const unsigned char *digest);

/* Whether the octets have the digest. */
bool stet__digest_verify(int fd, const unsigned char *digest);

/* ---- redirect.c ---- */

/* Whether the answer is a redirect that this job follows. */
bool stet__redirect_followed(const struct stet__task *task, const struct stet_response *response);

/* On to where it leads. */
enum stet__step stet__redirect_follow(struct stet__task *task, const struct stet_response *response);

#endif
