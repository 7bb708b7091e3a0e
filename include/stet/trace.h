/* SPDX-License-Identifier: MIT */
/*
 * trace: being told of each step of a decision, as `stet explain` is.
 *
 * A request, and a response that is read, may carry a trace (message.h: NULL in all other programs, which
 * costs a decision one test a step). Every decision about that message then tells each rule that it
 * considers, in the order in which it does: the same code that decides, so what is told cannot differ from
 * what is done. A rule that is not reached is not told, unless something that is there is disregarded because
 * of an earlier one: that is told as ignored (RFC 9110 section 13.2.2, RFC 9111 section 4.2.1).
 *
 *   stet_precondition_judge, stet_answer_decide      the trace of the request
 *   stet_storable_judge, all of cache.h              the same
 *   stet_freshness_read, stet_stored_read            that of the response
 *
 * One verdict has one reason. It is the reason of the last of its steps that decides.
 */
#ifndef STET_TRACE_H
#define STET_TRACE_H

#include <stet/etag.h>
#include <stet/message.h>
#include <stet/reason.h>

/* Of which message a rule looks at a field. */
enum stet_rule_source { STET_RULE_OF_NONE, STET_RULE_OF_REQUEST, STET_RULE_OF_RESPONSE };

/* The rules: X(symbol, name, clause, source, field, question) of rule.def. */
enum stet_rule {
#define X(symbol, name, clause, source, field, question) symbol,
#include <stet/rule.def>
#undef X
    STET_RULE_COUNT
};

struct stet_rule_row {
    const char *name;   /* stable, lower case with hyphens */
    const char *clause; /* for instance "RFC 9110 13.2.2" */
    enum stet_rule_source source;
    enum stet_field_id field; /* what it looks at: STET_FIELD_OTHER if that is no field */
    const char *question;     /* one English question that the outcome answers */
};

const struct stet_rule_row *stet_rule_row(enum stet_rule rule);

enum stet_outcome {
    STET_OUTCOME_ABSENT,  /* there is nothing to look at: go on with the next rule */
    STET_OUTCOME_IGNORED, /* there is, but it is to be disregarded */
    STET_OUTCOME_YES,
    STET_OUTCOME_NO,
    STET_OUTCOME_NUMBER, /* the rule computes seconds: `seconds` */
};

/* The name of an outcome, for instance "ignored". Static storage. */
const char *stet_outcome_name(enum stet_outcome outcome);

/* What was looked at, or what it was compared with. */
struct stet_looked {
    enum stet_looked_kind {
        STET_LOOKED_NONE,
        STET_LOOKED_TEXT,    /* `text`: of a field the value of its first line */
        STET_LOOKED_TAG,     /* `text` between the quotes, and `weak` */
        STET_LOOKED_DATE,    /* `number`: Unix seconds */
        STET_LOOKED_SECONDS, /* `number` */
        STET_LOOKED_COUNT,   /* `number`: of anything else */
    } kind;
    bool weak;
    struct stet_span text;
    int64_t number;
};

struct stet_step {
    enum stet_rule rule;
    enum stet_outcome outcome;
    bool decides; /* its reason is that of the verdict, unless a later step of the same decision decides */
    bool has_reason;
    enum stet_reason reason;  /* the row of reason.def that this outcome has */
    struct stet_looked input; /* borrows from what was decided about */
    struct stet_looked against;
    int64_t seconds;       /* of OUTCOME_NUMBER */
    size_t candidate;      /* which of the stored responses a rule of the variants is about; else 0 */
    struct stet_span name; /* of VARIANT_FIELD: the field that Vary names; else absent */
};

struct stet_trace {
    /* Spans of `step` are valid in the call. */
    void (*step)(const struct stet_trace *trace, const struct stet_step *step);
};

#endif
