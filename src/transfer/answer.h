/* SPDX-License-Identifier: MIT */
/*
 * answer: the head of an answer out of the lines that libcurl hands over, one at a time. They are put
 * together as they came and read by stet_http1_response_parse; transfer.h says what is put right on the way.
 */
#ifndef STET_TRANSFER_ANSWER_H
#define STET_TRANSFER_ANSWER_H

#include <stet/http1.h>

#include "base/arena.h"
#include "base/buffer.h"

#define STET__ANSWER_FIELDS_MAX 1024

struct stet__answer {
    struct stet__buffer octets; /* of the head so far; interim ones are dropped when they are complete */
    uint64_t head_octets;       /* that came, of all heads */
    bool beyond_1;              /* the connection may speak a version beyond HTTP/1.1; the caller says so */
    unsigned major, minor;      /* of the last status line */
    bool final;                 /* `response` is that of the final head */
    struct stet_http1_response response;
};

/* What a group reads all its heads with. */
struct stet__answer_reader {
    struct stet_http1_limits limits;
    struct stet_field room[STET__ANSWER_FIELDS_MAX];
};

/* Forgets the answer, keeps the memory. */
void stet__answer_clear(struct stet__answer *answer);

/*
 * Takes a line. STET_MORE: the head goes on. STET_OK: it is complete; `answer->response` is it, interim or
 * final (`answer->final`), and borrows from `answer->octets`, `arena` and, if it is interim,
 * `reader->room` until the next line. Otherwise what is wrong with it. Lines behind a final head, which are
 * trailers, are STET_END.
 */
int stet__answer_take(struct stet__answer *answer, struct stet__answer_reader *reader, struct stet_span line,
                      enum stet_method method, struct stet__arena *arena);

#endif
