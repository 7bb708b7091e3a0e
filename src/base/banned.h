/* SPDX-License-Identifier: MIT */
/*
 * banned: functions that are compile errors. Included before everything else by the build (-include), so the
 * system headers come first, while their declarations can still be read.
 *
 * Unbounded or truncating string functions, functions with hidden state, and everything that depends on
 * locale or time zone (RFC 9110 section 5.6.7 dates are in core/date.c).
 */
#ifndef STET_BASE_BANNED_H
#define STET_BASE_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define STET__BANNED(name) stet__banned_##name##_see_src_base_banned_h

#undef strcpy
#define strcpy(...) STET__BANNED(strcpy)
#undef strcat
#define strcat(...) STET__BANNED(strcat)
#undef strncpy
#define strncpy(...) STET__BANNED(strncpy)
#undef strncat
#define strncat(...) STET__BANNED(strncat)
#undef sprintf
#define sprintf(...) STET__BANNED(sprintf)
#undef vsprintf
#define vsprintf(...) STET__BANNED(vsprintf)
#undef strtok
#define strtok(...) STET__BANNED(strtok)
#undef strcasecmp
#define strcasecmp(...) STET__BANNED(strcasecmp)
#undef strncasecmp
#define strncasecmp(...) STET__BANNED(strncasecmp)
#undef atoi
#define atoi(...) STET__BANNED(atoi)
#undef atol
#define atol(...) STET__BANNED(atol)
#undef strtod
#define strtod(...) STET__BANNED(strtod)
#undef gmtime
#define gmtime(...) STET__BANNED(gmtime)
#undef localtime
#define localtime(...) STET__BANNED(localtime)
#undef localtime_r
#define localtime_r(...) STET__BANNED(localtime_r)
#undef gmtime_r
#define gmtime_r(...) STET__BANNED(gmtime_r)
#undef mktime
#define mktime(...) STET__BANNED(mktime)
#undef strftime
#define strftime(...) STET__BANNED(strftime)
#undef strptime
#define strptime(...) STET__BANNED(strptime)
#undef ctime
#define ctime(...) STET__BANNED(ctime)
#undef asctime
#define asctime(...) STET__BANNED(asctime)
#undef setlocale
#define setlocale(...) STET__BANNED(setlocale)

#endif
