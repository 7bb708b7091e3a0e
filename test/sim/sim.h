/* SPDX-License-Identifier: MIT */
/*
 * sim: random traffic through core and store, with a virtual clock, beside an oracle.
 *
 *   traffic.c --request--> cache.c (core + store, as a proxy drives them) --> origin.c (resources that
 * change) |  each step is told
 *                             v
 *                          oracle*.c: may it? must it? written from the RFC with plain lists; of the
 * project's code it uses the dates and the structs of messages alone
 *
 * A request is one operation. Everything comes from one seed, so an operation that went wrong happens again.
 */
#ifndef STET_TEST_SIM_SIM_H
#define STET_TEST_SIM_SIM_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <stet/message.h>

#define SIM_LINES 20
#define SIM_CONTENT_MAX 96
#define SIM_RESOURCES 40u
#define SIM_ORIGIN "http://sim"

/* ---- a head, in plain arrays ---- */

struct sim_line {
    char name[28];
    char value[132];
};

struct sim_head {
    char method[8];  /* of a request */
    unsigned status; /* of a response */
    unsigned count;
    struct sim_line lines[SIM_LINES];
};

__attribute__((format(printf, 3, 4))) void sim_put(struct sim_head *head, const char *name,
                                                   const char *format, ...);
/* The value of the first line with this name, in any case, or NULL. */
const char *sim_get(const struct sim_head *head, const char *name);
void sim_drop(struct sim_head *head, const char *name);

/* The lines as core reads them; they borrow from the head. */
struct sim_view {
    struct stet_field at[2 * SIM_LINES];
    struct stet_fields fields;
};

void sim_view(const struct sim_head *head, struct sim_view *out);

/* ---- chance ---- */

struct sim_random {
    uint64_t state;
};

unsigned sim_below(struct sim_random *random, unsigned n);
bool sim_chance(struct sim_random *random, unsigned percent);

/* ---- what the origin has ---- */

/* Which octets: of a resource, in a version, for a variant, for a user. */
struct sim_version {
    unsigned resource, version;
    unsigned language, encoding, color; /* classes of the request fields; 0 where Vary does not name them */
    unsigned user;                      /* 0: nobody's */
    bool weak;                          /* two versions in a row have one weak tag */
};

size_t sim_content(const struct sim_version *version, char out[SIM_CONTENT_MAX]);

struct sim_resource {
    unsigned version;
    int64_t changed;
    unsigned validators; /* enum sim_validators */
    unsigned caching;    /* a row of the table in origin.c */
    unsigned vary;
    unsigned status;
    unsigned group;
    bool ranges, personal, search, cookie;
};

struct sim_origin {
    struct sim_random *random;
    struct sim_resource resources[SIM_RESOURCES];
    unsigned exchanges;
    int64_t down_until;    /* nobody answers */
    int64_t failing_until; /* 503 */
};

struct sim_answer {
    bool none; /* no answer came */
    struct sim_head head;
    struct sim_version version;
    bool of_version; /* the content is that of `version`; else it is a message of its own */
    bool unfounded;  /* a 304 that nothing justifies */
    char body[SIM_CONTENT_MAX];
    size_t len;
};

void sim_origin_begin(struct sim_origin *origin, struct sim_random *random, int64_t now);
void sim_origin_change(struct sim_origin *origin, int64_t now);
void sim_origin_answer(struct sim_origin *origin, const struct sim_head *request, unsigned resource,
                       int64_t now, struct sim_answer *out);

/* What a request for the resource gets now. */
struct sim_version sim_origin_version(const struct sim_origin *origin, const struct sim_head *request,
                                      unsigned resource);

/* The classes of field values that mean the same; 0: absent. They are the traffic's, see traffic.c. */
unsigned sim_language(const struct sim_head *request);
unsigned sim_encoding(const struct sim_head *request);
unsigned sim_color(const struct sim_head *request);
unsigned sim_user(const struct sim_head *request);

/* ---- traffic ---- */

struct sim_request {
    struct sim_head head;
    unsigned resource;
    char uri[40];
};

/* Tags and dates that clients have seen, to ask with. */
struct sim_seen {
    char etag[SIM_RESOURCES][32];
    char date[SIM_RESOURCES][32];
};

void sim_traffic(struct sim_random *random, const struct sim_seen *seen, int64_t now,
                 struct sim_request *out);

/* ---- what a client got ---- */

struct sim_response {
    unsigned status;
    bool stored; /* out of the store; `id` counts then */
    unsigned id;
    int64_t age;          /* if stored */
    struct sim_head head; /* the fields that were stored, or came */
    char body[SIM_CONTENT_MAX];
    size_t len;
    uint64_t from; /* of a 206 */
};

#endif
