/* SPDX-License-Identifier: MIT */
/*
 * get_set: how those options of `stet get` are read that are more than a number or a text. Each is the `set`
 * of its row (option.h): NULL, or what is wrong.
 */
#ifndef STET_CLI_GET_SET_H
#define STET_CLI_GET_SET_H

const char *stet__get_set_output(void *options, const char *argument);
const char *stet__get_set_remote_name(void *options, const char *argument);
const char *stet__get_set_write_out(void *options, const char *argument);
const char *stet__get_set_header(void *options, const char *argument);
const char *stet__get_set_data(void *options, const char *argument);
const char *stet__get_set_data_raw(void *options, const char *argument);
const char *stet__get_set_data_binary(void *options, const char *argument);
const char *stet__get_set_refresh(void *options, const char *argument);
const char *stet__get_set_reload(void *options, const char *argument);
const char *stet__get_set_offline(void *options, const char *argument);
const char *stet__get_set_max_stale(void *options, const char *argument);
const char *stet__get_set_http1(void *options, const char *argument);
const char *stet__get_set_http2(void *options, const char *argument);
const char *stet__get_set_http2_only(void *options, const char *argument);
const char *stet__get_set_resolve(void *options, const char *argument);
const char *stet__get_set_continue_at(void *options, const char *argument);
const char *stet__get_set_connect_timeout(void *options, const char *argument);
const char *stet__get_set_idle_timeout(void *options, const char *argument);
const char *stet__get_set_max_time(void *options, const char *argument);

#endif
