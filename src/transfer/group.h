/* SPDX-License-Identifier: MIT */
/*
 * group: what the files of transfer share about a group of transfers and one of them.
 *
 *     begin -> WAITING -- turn comes --> RUNNING -- libcurl, time, stop --> done, and back to the pool
 *
 * Invariants:
 *  1. A transfer has a handle if and only if it is RUNNING or DOOMED.
 *  2. libcurl does not let itself be called from its callbacks (`calling` is set meanwhile), so what is begun
 *     there waits for the end of the round, and what is stopped there is DOOMED: `done` has been said, and
 * the handle is taken back at the end of the round.
 *  3. `silent_first` is ordered by `active_ms`: whoever hears something goes to its end, so only its first is
 *     ever looked at. A transfer is in it once it has a connection (connect_ms is over before).
 */
#ifndef STET_TRANSFER_GROUP_H
#define STET_TRANSFER_GROUP_H

#include "base/arena.h"
#include "base/list.h"
#include "transfer/answer.h"
#include "transfer/handle.h"
#include "transfer/sockets.h"
#include "transfer/transfer.h"

enum stet__transfer_state {
    STET__TRANSFER_IDLE,
    STET__TRANSFER_WAITING,
    STET__TRANSFER_RUNNING,
    STET__TRANSFER_DOOMED,
};

struct stet__transfer {
    struct stet__list link; /* in one of the group's lists */
    struct stet__transfers *group;
    enum stet__transfer_state state;
    const struct stet__transfer_events *events;
    void *owner;
    struct stet__handle *handle;
    int64_t active_ms;

    /* What is asked: copies in the arena, but for the content. */
    struct stet__arena arena;
    char *uri;
    const char *method_name;
    enum stet_method method;
    bool secure;
    struct stet_span host; /* and its port: whom per_host_max is about */
    unsigned port;
    struct curl_slist *fields;
    struct curl_slist address; /* data is NULL if there is none */
    bool fresh, keep_credentials;
    bool has_content, from_fd;
    int fd;
    off_t fd_begin; /* where it stood; -1: it cannot be wound back */
    struct stet_span content;
    uint64_t content_length, content_at;

    /* What came. */
    struct stet__answer answer;
    uint64_t content_octets;
    int failure;     /* ours, which libcurl knows as "the callback failed"; STET_OK: none */
    bool asked;      /* the request was sent, or is about to be */
    bool again;      /* libcurl wanted to ask once more after the answer */
    char words[160]; /* for `cause` */
};

struct stet__transfers {
    struct stet__transfer_settings settings;
    unsigned running_max;
    int64_t silence_ms;
    CURLM *multi;
    CURLSH *share; /* TLS sessions */
    struct stet__sockets sockets;
    struct stet__list waiting, connecting, silent_first, doomed;
    struct stet__list idle; /* the pool */
    struct stet__handle *handles;
    struct curl_slist *resolve;
    unsigned running;
    size_t count; /* waiting and running */
    bool calling; /* within libcurl */
    struct stet__answer_reader reader;
};

/* Copies `request` into `transfer`. False: see stet__transfer_begin. */
bool stet__request_copy(struct stet__transfer *transfer, const struct stet__transfer_request *request);

/* A new handle with all that does not change; NULL if there is no memory. */
struct stet__handle *stet__handle_new(struct stet__transfers *group);
void stet__handle_free(struct stet__handle *handle);

/* Makes `handle` ask what `transfer` asks. False if libcurl does not take it. */
bool stet__handle_attach(struct stet__handle *handle, struct stet__transfer *transfer);

/* The transfer has heard something, or was heard. */
void stet__transfer_alive(struct stet__transfer *transfer);

/* What is known at the end; `code` is libcurl's. */
void stet__result_make(struct stet__transfer *transfer, CURLcode code, struct stet__transfer_result *out);

/* The result of a transfer that libcurl has not ended. */
void stet__result_make_stopped(struct stet__transfer *transfer, int status,
                               struct stet__transfer_result *out);

#endif
