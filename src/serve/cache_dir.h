/* SPDX-License-Identifier: MIT */
/*
 * cache_dir: coded copies on the disk, so that they need not be made again after a restart.
 *
 * A file is named after what it is: the tag of its base, coding and level ("hT_5N2Kgbdv3IsTr6d3WbQ-br-11").
 * It appears under that name by one rename when it is complete, so processes that share the folder never see
 * a part of one, and of two that make the same the later wins, which is as good. Nothing is believed: what is
 * read is decoded and compared by its digest (octets.c). So nothing needs to be synced to the disk either.
 *
 * The folder is the user's own, and nobody else can read or write it.
 */
#ifndef STET_SERVE_CACHE_DIR_H
#define STET_SERVE_CACHE_DIR_H

#include "serve/octets.h"

/* Opens the folder `path`; makes it if it is not there, and removes what has not been used for 30 days. A
 * descriptor, or -1 with errno set: EPERM if it is not private to `user`. */
int stet__cache_dir_open_folder(const char *path, unsigned user);

/* The file of what is wanted, for reading; -1 if there is none. `folder` may be -1. */
int stet__cache_dir_open(int folder, const struct stet__octets_order *order);

/* Puts a copy there, if that can be done. `folder` may be -1. */
void stet__cache_dir_put(int folder, const struct stet__octets_order *order, const struct stet__whole *whole);

#endif
