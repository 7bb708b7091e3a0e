/* SPDX-License-Identifier: MIT */
/*
 * http2_stream: what the files of the HTTP/2 driver share; http2.h says which does what.
 */
#ifndef STET_NET_HTTP2_STREAM_H
#define STET_NET_HTTP2_STREAM_H

#include <nghttp2/nghttp2.h>

#include "core/http2_request.h"
#include "net/error_page.h"
#include "net/http2.h"

/* What a client may do so often in a minute (http2_flood.c). */
struct stet__http2_budget {
    unsigned left;
    int64_t full_at_ms; /* when all of it was there last */
};

#define STET__HTTP2_REFUSED 32

struct stet__http2 {
    struct stet__connection *connection;
    struct stet__http2_worker *shared;
    nghttp2_session *session;
    struct stet__list streams;          /* that nghttp2 has */
    struct stet__list woken;            /* those of them that have something to do */
    struct stet__http2_stream *heading; /* whose field lines come; NULL: nobody reads them */
    struct stet__turn *turn;    /* while octets are being dealt with (`busy`); input and output of it */
    struct stet__output unsent; /* what the socket did not take */
    struct stet__soon soon;
    struct stet__http2_budget resets, controls;
    int32_t refused[STET__HTTP2_REFUSED]; /* streams that this side reset last, whose rest may still come */
    unsigned refused_at;
    int64_t sent_s; /* when the socket took something last */
    int64_t data_s; /* when content was sent last */
    bool looking;   /* a deadline for streams is set */
    bool calm;      /* the client was told that it asks for too much */
    bool stopping;  /* the notice of GOAWAY is sent, its PING not answered */
    bool stopped;   /* GOAWAY is sent */
};

/* The body of a request on its way to a sink. */
struct stet__http2_body {
    struct stet__sink sink;
    struct stet__buffer pending; /* what the sink did not take yet */
    uint64_t bytes;              /* so far */
    int status;                  /* what is wrong with it */
    bool asked;                  /* `sink` is set */
    bool told;                   /* the sink has its end, or nobody wants the rest */
    bool full;                   /* the sink did not take all */
    bool again;                  /* stet__exchange_read_on was called from within */
    bool begun;                  /* the client does not wait for 100 (Continue) */
    bool over;                   /* its end has come, or something is wrong with it */
};

/* The body of an answer. */
struct stet__http2_data {
    struct stet__body parts; /* before those of the source */
    struct stet__part part;  /* that the source gave last; length 0: none */
    uint64_t done;           /* octets of it */
    struct stet__source source;
    uint64_t left;  /* of the Content-Length; STET__LENGTH_UNKNOWN */
    uint64_t bytes; /* of content that went out */
    char *copied;   /* memory of nobody's, kept until it is sent */
    bool waiting;   /* the source has nothing now */
    bool again;     /* stet__exchange_write_on was called from within */
    bool asking;    /* `next` is being called */
    bool trailers;  /* the client takes them */
    bool failed;    /* it ends here, and the client must not take it for complete */
    bool complete;  /* the answer is whole */
};

struct stet__http2_stream {
    struct stet__list node;       /* of its connection; of the worker's `gone`; of unused ones */
    struct stet__list woken_node; /* of its connection's `woken`; points to itself: in no list */
    struct stet__http2 *http2;    /* NULL: the client is gone, or has reset the stream */
    struct stet__http2_worker *shared;
    int32_t id;
    bool asked;    /* the role has the exchange */
    bool answered; /* HEADERS of the final answer are submitted */
    bool refused;  /* `status` says why; the driver answers itself */
    bool malformed;
    bool given_up;            /* the client has reset it */
    bool ended_in, ended_out; /* END_STREAM came, went */

    struct stet__exchange exchange;
    struct stet_http1_request request;
    struct stet__http2_pseudo pseudo;
    struct stet__arena arena;
    struct stet_field *fields; /* the first is for Host */
    size_t field_count;        /* the others */
    size_t list_bytes;         /* RFC 9113 section 6.5.2 */
    int status;
    struct stet_fields trailers; /* of the request */
    struct stet_field *trailer_room;
    uint8_t peer[16];
    int64_t asked_ms;
    int64_t since_s; /* the last progress, for time-outs */

    struct stet__http2_body body;
    struct stet__http2_data data;
    uint16_t reply_status;
    const char *reason; /* for the access log, as the next */
    struct stet_span cache;
};

/* Memory for nghttp2 (http2_memory.c). */
#define STET__HTTP2_CLASSES 12

struct stet__http2_block;

struct stet__http2_memory {
    nghttp2_mem functions;
    struct stet__http2_block *kept[STET__HTTP2_CLASSES]; /* by size */
    size_t kept_bytes;
};

/* What the connections of a worker share. */
struct stet__http2_worker {
    struct stet__worker *worker;
    struct stet__http2_memory memory;
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *option;
    struct stet__list streams; /* unused ones */
    unsigned stream_count;
    struct stet__list gone; /* streams that a role has and no connection */
};

/* ---- http2.c ---- */

/* Has octets sent, and what is woken done, soon; nothing if that is being done already. */
void stet__http2_flush_soon(struct stet__http2 *http2);

/* Nothing is taken any more but what has come: the second step of RFC 9113 section 6.8. */
void stet__http2_go_away(struct stet__http2 *http2);

/* ---- http2_stream.c ---- */

/* NULL if there is no memory. */
struct stet__http2_stream *stet__http2_stream_open(struct stet__http2 *http2, int32_t id);

/* nghttp2 has closed it, or the connection is closed. */
void stet__http2_stream_close(struct stet__http2_stream *stream);

/* Into the pool: nobody has it any more. */
void stet__http2_stream_give(struct stet__http2_stream *stream);
void stet__http2_stream_free(struct stet__http2_stream *stream);

/* END_STREAM is sent. */
void stet__http2_stream_answered(struct stet__http2_stream *stream);

/* It has something to do: its body goes on, or its answer's source. */
void stet__http2_stream_wake(struct stet__http2_stream *stream);

/* Does that. */
void stet__http2_stream_work(struct stet__http2_stream *stream);

/* Seconds until its time is over, at most `most`; ends what is late. */
int64_t stet__http2_stream_due(struct stet__http2_stream *stream, int64_t now_s, int64_t most);

extern const struct stet__exchange_driver stet__http2_driver;

/* ---- http2_memory.c ---- */

/* `memory`, all zero, has functions for nghttp2; no other thread may use them. */
void stet__http2_memory_begin(struct stet__http2_memory *memory);

/* No block of it is in use any more. */
void stet__http2_memory_end(struct stet__http2_memory *memory);

/* ---- http2_head.c: callbacks ---- */

int stet__http2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user);
int stet__http2_on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                          size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags, void *user);
int stet__http2_on_invalid_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                                  size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
                                  void *user);

/* The head is complete: asks the role or refuses. */
void stet__http2_head_end(struct stet__http2_stream *stream);

/* ---- http2_answer.c ---- */

/* The role's answer. */
void stet__http2_answer(struct stet__http2_stream *stream, const struct stet__reply *reply);

/* A field line for nghttp2, which copies what `flags` do not say that it need not. */
nghttp2_nv stet__http2_line(const struct stet_field *field, uint8_t flags);

/* The driver's own answer. */
void stet__http2_refuse(struct stet__http2_stream *stream, const struct stet__refusal *refusal);

void stet__http2_interim(struct stet__http2_stream *stream, const struct stet__head *head);

/* ---- http2_data.c ---- */

/*
 * Takes over the body of `reply`, if the answer has `content`, and holds its owner; `*body` tells if there is
 * any. False if there is no memory, or the body is not what the head says.
 */
bool stet__http2_data_begin(struct stet__http2_stream *stream, const struct stet__reply *reply, bool content,
                            bool *body);

/* Callbacks. */
ssize_t stet__http2_data_supply(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length,
                                uint32_t *flags, nghttp2_data_source *source, void *user);
int stet__http2_data_send(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *frame_head,
                          size_t length, nghttp2_data_source *source, void *user);

/* The source is done with; then the rest is released. */
void stet__http2_data_end_source(struct stet__http2_stream *stream, bool sent);
void stet__http2_data_release(struct stet__http2_stream *stream);

/* ---- http2_body.c ---- */

void stet__http2_body_begin(struct stet__http2_stream *stream);
int stet__http2_on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t len,
                        void *user);

/* END_STREAM has come. */
void stet__http2_body_end(struct stet__http2_stream *stream);

/* Octets of it have to come, and are wanted. */
bool stet__http2_body_awaits(const struct stet__http2_stream *stream);
void stet__http2_body_late(struct stet__http2_stream *stream);
void stet__http2_body_deliver(struct stet__http2_stream *stream);

/* Nobody reads the rest. */
void stet__http2_body_leave(struct stet__http2_stream *stream);

/* A field line of the trailer section. */
void stet__http2_body_trailer(struct stet__http2_stream *stream, struct stet_span name,
                              struct stet_span value);

/* ---- http2_flood.c: callbacks and what they count ---- */

int stet__http2_on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user);
int stet__http2_on_unknown_frame(nghttp2_session *session, void **payload, const nghttp2_frame_hd *head,
                                 void *user);
int stet__http2_on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user);
void stet__http2_flood_begin(struct stet__http2 *http2);
void stet__http2_count_reset(struct stet__http2 *http2);

/* This side has reset a stream that the client had not ended. */
void stet__http2_note_refused(struct stet__http2 *http2, int32_t id);
void stet__http2_count_frame(struct stet__http2 *http2, const nghttp2_frame *frame);

#endif
