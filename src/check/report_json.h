/* SPDX-License-Identifier: MIT */
/*
 * report_json: what the two writers of JSON share (report_json.c, report_sarif.c).
 */
#ifndef STET_CHECK_REPORT_JSON_H
#define STET_CHECK_REPORT_JSON_H

#include "base/buffer.h"
#include "base/json.h"

json_t *stet__check_json_string(const char *text); /* with a terminator, or NULL */

/* Appends `json` and a line feed, and gives `json` up. False: there is no room, or it is NULL. */
bool stet__check_json_write(json_t *json, struct stet__buffer *out);

#endif
