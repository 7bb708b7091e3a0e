/* SPDX-License-Identifier: MIT */
/*
 * report_json: what the two writers of JSON share (report_json.c, report_sarif.c).
 */
#ifndef STET_CHECK_REPORT_JSON_H
#define STET_CHECK_REPORT_JSON_H

#include <stet/span.h>

#include <jansson.h>

#include "base/buffer.h"

/* A string of any octets; null if it is absent. NULL if there is no memory. */
json_t *stet__check_json_text(struct stet_span text);
json_t *stet__check_json_string(const char *text); /* with a terminator, or NULL */

/* Appends `json` and a line feed, and gives `json` up. False: there is no room, or it is NULL. */
bool stet__check_json_write(json_t *json, struct stet__buffer *out);

#endif
