/* SPDX-License-Identifier: MIT */
/*
 * disk: opening, closing, figures.
 */
#include "store/disk.h"

#include "store/disk_inside.h"

static int open_all(struct stet__disk *disk, const char **cause)
{
    int code = stet__disk_folder_open(disk, cause);
    if (code != STET_OK)
        return code;
    if ((code = stet__disk_index_open(disk, cause)) != STET_OK)
        return code;
    disk->pending = stet__disk_pending_new();
    if (disk->pending)
        return STET_OK;
    *cause = "there is no memory for the cache";
    return STET_E_STORE_MEMORY;
}

static void close_all(struct stet__disk *disk)
{
    stet__disk_pending_free(disk);
    stet__disk_index_close(disk);
    stet__disk_folder_close(disk);
    free(disk);
}

static bool has_doomed(struct stet__disk *disk)
{
    MDB_stat stat = {.ms_entries = 0};
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return false;
    (void)mdb_stat(txn, disk->tables[STET__DISK_DOOMED], &stat);
    stet__disk_read_end(disk);
    return stat.ms_entries > 0;
}

static void settle_object_max(struct stet__disk *disk)
{
    struct stet__disk_settings *settings = &disk->settings;
    if (settings->object_max == 0)
        settings->object_max = settings->octets_max / 8;
    else if (settings->object_max > settings->octets_max)
        settings->object_max = settings->octets_max;
}

int stet__disk_open(const struct stet__disk_settings *settings, struct stet__disk **out, const char **cause)
{
    struct stet__disk *disk = calloc(1, sizeof *disk);
    *cause = NULL;
    if (!disk) {
        *cause = "there is no memory for the cache";
        return STET_E_STORE_MEMORY;
    }
    disk->settings = *settings;
    disk->lock = disk->writer = -1;
    int code = open_all(disk, cause);
    if (code != STET_OK) {
        close_all(disk);
        return code;
    }
    settle_object_max(disk);
    disk->settings.folder = NULL; /* the caller's */
    disk->boot = stet__disk_boot();
    disk->next = stet__disk_random() >> 1; /* never given twice, whoever else gives ids */
    (void)stet__disk_sweep(disk, *cause != NULL);
    disk->doomed = has_doomed(disk);
    *out = disk;
    return STET_OK;
}

void stet__disk_close(struct stet__disk *disk)
{
    if (!disk)
        return;
    stet__disk_flush(disk);
    /* What that one doomed. */
    for (int i = 0; i < 64 && disk->doomed && !disk->broken; i++)
        stet__disk_flush(disk);
    close_all(disk);
}

static uint64_t saved(MDB_txn *txn, const struct stet__disk *disk)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t octets = 0;
    if (mdb_cursor_open(txn, disk->tables[STET__DISK_BODIES], &cursor) != 0)
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0) {
        struct stet__disk_content content;
        if (stet__disk_content_check(value, &content))
            octets += (content.refs - 1) * content.octets;
    }
    mdb_cursor_close(cursor);
    return octets;
}

static uint64_t count_uris(MDB_txn *txn, const struct stet__disk *disk)
{
    struct stet__disk_key last = {.len = 0};
    MDB_cursor *cursor;
    MDB_val key, value;
    uint64_t uris = 0;
    if (mdb_cursor_open(txn, disk->tables[STET__DISK_ENTRIES], &cursor) != 0)
        return 0;
    while (mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == 0 && key.mv_size <= sizeof last.octets) {
        if (key.mv_size != last.len || memcmp(key.mv_data, last.octets, STET__DISK_KEY_URI(&last)) != 0)
            uris++;
        memcpy(last.octets, key.mv_data, key.mv_size);
        last.len = key.mv_size;
    }
    mdb_cursor_close(cursor);
    return uris;
}

void stet__disk_stats(struct stet__disk *disk, struct stet__disk_stats *out)
{
    struct stet__disk_totals totals = {.entries = 0};
    MDB_val key = stet__disk_val("totals", 6), value;
    *out = (struct stet__disk_stats){.octets_max = disk->settings.octets_max};
    stet__disk_flush(disk);
    MDB_txn *txn = stet__disk_read_begin(disk);
    if (!txn)
        return;
    if (mdb_get(txn, disk->tables[STET__DISK_META], &key, &value) == 0 && value.mv_size == sizeof totals)
        memcpy(&totals, value.mv_data, sizeof totals);
    out->entries = totals.entries;
    out->bodies = totals.bodies;
    out->parts = totals.parts;
    out->outputs = totals.outputs;
    out->body_octets = totals.body_octets + totals.part_octets;
    out->index_octets = stet__disk_index_octets(txn, disk);
    out->octets = out->body_octets + out->index_octets;
    out->uris = count_uris(txn, disk);
    out->saved_octets = saved(txn, disk);
    out->hits = totals.events[STET__DISK_HIT];
    out->validated = totals.events[STET__DISK_VALIDATED];
    out->misses = totals.events[STET__DISK_MISS];
    out->stored = totals.stored;
    out->evicted = totals.evicted;
    out->not_sent = totals.not_sent;
    stet__disk_read_end(disk);
}
