/* SPDX-License-Identifier: MIT */
/*
 * spec: what the runner hands to the subjects, and the table of subjects.
 *
 * A subject is a function of libstet seen as text: it takes octets and writes what came out, line by line.
 * The runner compares those lines with the ones in the file, and runs the subject again on the same octets
 * cut and placed in other ways.
 */
#ifndef STET_TEST_SPEC_SPEC_H
#define STET_TEST_SPEC_SPEC_H

#include <stdio.h>

#include <stet/stet.h>

#include "guard.h"

#define SPEC_FIELDS_MAX 2048

/* What cases of a section have in common. */
struct spec_setting {
    struct stet_representation selected;
    int64_t now;
    struct stet_http1_limits limits;
    size_t trailer_limit;
};

/* One run of a subject. */
struct spec_run {
    const struct spec_setting *setting;
    struct stet_span detail; /* what follows the subject's name in the fence */
    struct stet_span input;
    struct guard *guard; /* for placing copies */
    size_t feed;         /* octets per feeding; 0: all at once */
    size_t cut;          /* chunked only: feed this much first; 0: no cut */
    bool bare_fields;    /* the input is field lines alone */
    bool at_start;       /* place values behind an unreadable page instead of before one */
    FILE *out;
    bool bad; /* the file asks for something that is not there */
};

/* What a subject works on. */
enum spec_input {
    SPEC_INPUT_ROW,      /* one value */
    SPEC_INPUT_REQUEST,  /* octets of a request */
    SPEC_INPUT_RESPONSE, /* octets of a response */
    SPEC_INPUT_CHUNKED,  /* octets in the chunked coding */
    SPEC_INPUT_FIELDS,   /* field lines; a request will do too */
    SPEC_INPUT_CACHE,    /* what is stored, what is asked and answered: world.h */
    SPEC_INPUT_EXCHANGE, /* one or two exchanges as a linter sees them: subject_lint.c */
};

struct spec_subject {
    const char *name;
    enum spec_input input;
    bool partial; /* expected lines may leave lines of the outcome away, but for the first one */
    void (*run)(struct spec_run *run);
};

/* Tables of the subject files, each ended by a row without a name. */
extern const struct spec_subject spec_http1_subjects[];
extern const struct spec_subject spec_condition_subjects[];
extern const struct spec_subject spec_value_subjects[];
extern const struct spec_subject spec_field_subjects[];
extern const struct spec_subject spec_decide_subjects[];
extern const struct spec_subject spec_sf_subjects[];
extern const struct spec_subject spec_select_subjects[];
extern const struct spec_subject spec_forward_subjects[];
extern const struct spec_subject spec_cache_subjects[];
extern const struct spec_subject spec_coding_subjects[];
extern const struct spec_subject spec_explain_subjects[];
extern const struct spec_subject spec_lint_subjects[];

/* Parses the request of a run as the run says (feed, guard). `room` has SPEC_FIELDS_MAX elements. */
int spec_request(struct spec_run *run, struct stet_field *room, struct stet_http1_request *out);

/*
 * The field lines of a run, be its input a request or bare field lines. Every value stands in memory of its
 * own against an unreadable page until the next call. False, with the reason written as the outcome, if they
 * do not parse.
 */
bool spec_fields(struct spec_run *run, struct stet_request *out);

/* Writes "error NAME HTTP-STATUS", or "more". */
void spec_error(struct spec_run *run, int status);

/* One expectation of one input. */
struct spec_case {
    const struct spec_subject *subject;
    const struct spec_setting *setting;
    const char *file;
    unsigned line;
    struct stet_span title;
    struct stet_span detail;
    struct stet_span label; /* a table's row; may be empty */
    struct stet_span input; /* octets */
    bool bare_fields;
    struct stet_span expected; /* lines that each end in LF */
};

/* Prints a TAP line for each case; counts. */
struct spec_tally {
    unsigned run;
    unsigned failed;
    unsigned long outcomes; /* how often a subject was run */
    struct guard guard;
};

void spec_case_run(struct spec_tally *tally, const struct spec_case *c);

/* A failure that is no case: a file that asks for what the runner does not know. */
void spec_complain(struct spec_tally *tally, const char *file, unsigned line, const char *what);

#endif
