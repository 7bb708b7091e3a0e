/* SPDX-License-Identifier: MIT */
/*
 * get_write_out: what became of one URL, as -w FORMAT and --json tell it. The variables are the rows of
 * get_variable.def.
 *
 *   %{name}         a variable                 %header{name}   a field of the answer, all its lines
 *   %{json}         all variables as JSON      %{header_json}  all fields as JSON
 *   %{stdout} %{stderr}  where what follows goes     %%  \n \r \t \\
 *
 * Pure but for writing to streams that are given.
 */
#ifndef STET_CLI_GET_WRITE_OUT_H
#define STET_CLI_GET_WRITE_OUT_H

#include "get/get.h"

/* Texts may be NULL: nothing. */
struct stet__get_facts {
    const char *url;           /* as it was given */
    const char *url_effective; /* after redirects */
    const char *method;
    const char *file;         /* that holds the content; NULL for standard output */
    const char *content_type; /* of the answer */
    const char *redirect;     /* where Location leads if it was not followed, absolute */
    const char *error;
    size_t number; /* from 0, of all URLs */
    size_t field_count;
    struct stet_fields fields; /* of the answer */
    bool file_kept;            /* the file had the content already and was not written */
    int exit_code;             /* of this URL alone */
    int64_t total_us;
    const struct stet__get_result *result;
};

/* "validated" and so on: %{cache}. */
const char *stet__get_source_name(enum stet__get_source source);

/* NULL, or what is wrong with a format, in static storage: an unknown variable, say. */
const char *stet__write_out_check(const char *format);

/* A format that has been checked. */
void stet__write_out(const char *format, const struct stet__get_facts *facts, FILE *out, FILE *err);

/* One line of JSON: all variables that have a value. False if there is no memory. */
bool stet__write_out_json(const struct stet__get_facts *facts, FILE *out);

#endif
