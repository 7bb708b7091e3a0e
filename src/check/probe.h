/* SPDX-License-Identifier: MIT */
/*
 * probe: the requests of lint_probe.def, made from what a plain GET said.
 */
#ifndef STET_CHECK_PROBE_H
#define STET_CHECK_PROBE_H

#include "check/check.h"
#include "check/taken.h"

enum { STET__PROBE_FIELDS_MAX = 3 };

struct stet__probe {
    enum stet_lint_probe_kind kind;
    const char *variant; /* NULL if there is one only */
    const char *method;
    const char *accept_encoding;
    const char *address; /* ask there; NULL */
    struct stet__probe_field {
        const char *name;
        const char *value; /* in the arena, or static */
    } fields[STET__PROBE_FIELDS_MAX];
    unsigned field_count;
};

/* How many requests a kind takes. */
unsigned stet__probe_count(enum stet_lint_probe_kind kind);

/*
 * Makes number `number` (from 0) of `kind`, from what `base` says. Only those kinds that add fields to the
 * request; for the others the caller fills in more. False if there is nothing to ask: no tag, no date, no
 * length, or no memory.
 */
bool stet__probe_make(struct stet__arena *arena, enum stet_lint_probe_kind kind, unsigned number,
                      const struct stet_lint_exchange *base, struct stet__probe *out);

/* Writes the head of the request for `uri`, with the fields that the user wants unless the probe has its own.
 * False if it is too long, or `uri` is none. */
bool stet__probe_write(const struct stet__check_settings *settings, const char *uri,
                       const struct stet__probe *probe, struct stet__buffer *out);

#endif
