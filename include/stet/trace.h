/* SPDX-License-Identifier: MIT */
/*
 * trace: being told of each step of a decision, as `stet explain` is.
 *
 * A request may carry a trace (message.h: `request.trace`, NULL in all other programs, which costs a decision
 * one test a step). Every decision about that request then tells each rule that it considers, in the order in
 * which it does: the same code that decides, so what is told cannot differ from what is done. RFC 9110
 * section 13.2.2, RFC 9111 sections 3 and 4.
 */
#ifndef STET_TRACE_H
#define STET_TRACE_H

#include <stet/reason.h>
#include <stet/span.h>

/* The rules: X(symbol, name, clause, question) of rule.def. */
enum stet_rule {
#define X(symbol, name, clause, question) symbol,
#include <stet/rule.def>
#undef X
    STET_RULE_COUNT
};

struct stet_rule_row {
    const char *name;     /* stable, lower case with hyphens */
    const char *clause;   /* for instance "RFC 9110 13.2.2" */
    const char *question; /* one English question that the outcome answers */
};

const struct stet_rule_row *stet_rule_row(enum stet_rule rule);

enum stet_outcome {
    STET_OUTCOME_ABSENT,  /* there is nothing to look at: go on with the next rule */
    STET_OUTCOME_IGNORED, /* there is, but it is to be disregarded */
    STET_OUTCOME_YES,
    STET_OUTCOME_NO,
    STET_OUTCOME_NUMBER, /* the rule computes: `number` */
};

/* The name of an outcome, for instance "ignored". Static storage. */
const char *stet_outcome_name(enum stet_outcome outcome);

struct stet_step {
    enum stet_rule rule;
    enum stet_outcome outcome;
    bool decides; /* no further rule of this decision is looked at */
    bool has_reason;
    enum stet_reason reason;  /* the row of reason.def that this outcome has */
    struct stet_span input;   /* what was looked at, for instance a field value; may be absent. Borrows from
                                 what was decided about */
    struct stet_span against; /* what it was compared with; may be absent */
    int64_t number;           /* with OUTCOME_NUMBER, and where a rule compares times: seconds */
};

struct stet_trace {
    void (*step)(const struct stet_trace *trace,
                 const struct stet_step *step); /* spans are valid in the call */
};

#endif
