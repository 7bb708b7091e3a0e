/* SPDX-License-Identifier: MIT */
/*
 * libstet: the decisions behind `304 Not Modified`, without I/O, allocation, clock or threads.
 *
 * Everything is a pure function of its arguments or works on a small state that the caller owns, so any
 * number of threads may use the library at once. See each header for its subject.
 */
#ifndef STET_STET_H
#define STET_STET_H

#include <stet/answer.h>
#include <stet/cache.h>
#include <stet/cache_control.h>
#include <stet/cache_status.h>
#include <stet/coded.h>
#include <stet/coded_tag.h>
#include <stet/coding.h>
#include <stet/date.h>
#include <stet/dictionary.h>
#include <stet/etag.h>
#include <stet/field.h>
#include <stet/forward.h>
#include <stet/freshness.h>
#include <stet/http1.h>
#include <stet/invalidation.h>
#include <stet/lint.h>
#include <stet/message.h>
#include <stet/no_vary_search.h>
#include <stet/not_modified.h>
#include <stet/partial.h>
#include <stet/precondition.h>
#include <stet/range.h>
#include <stet/reason.h>
#include <stet/sf.h>
#include <stet/span.h>
#include <stet/status.h>
#include <stet/stored.h>
#include <stet/trace.h>
#include <stet/update.h>
#include <stet/uri.h>
#include <stet/vary.h>

/* The version of the library in use, for instance "0.1.0". */
const char *stet_version(void);

#endif
