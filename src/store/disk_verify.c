/* SPDX-License-Identifier: MIT */
/*
 * disk_verify: whether the invariants of disk_inside.h hold, and mending.
 *
 * What the tables say of one another is looked at in one write transaction, so that nobody changes anything
 * meanwhile. Each fault is put right as it is found; without `mend` the transaction ends without a change.
 * The entries are what counts: all else is made to agree with them, and an entry goes only if it cannot be
 * read, or its content is not there. Digests are looked at before that, body by body and without a lock,
 * because it takes long; what is found wrong is looked at again under the lock.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <unistd.h>

#include "store/disk_inside.h"

struct verify {
    struct stet__disk *disk;
    stet__disk_teller *tell;
    void *owner;
    bool mend;
    uint64_t told; /* faults: the transaction may run more than once */
    struct stet__disk_findings found;
    unsigned char (*digests)[STET__DISK_DIGEST_BYTES]; /* of complete entries */
    size_t count, room;
    unsigned char (*wrong)[STET__DISK_DIGEST_BYTES]; /* bodies that do not have their digest */
    size_t wrong_count, wrong_room;
    struct stet__disk_totals sums;
    uint64_t dropped; /* entries taken away, whose references are missed where they were counted */
};

static void fault(struct verify *verify, const char *what, struct stet_span which)
{
    char text[512];
    if (++verify->found.faults <= verify->told)
        return;
    verify->told = verify->found.faults;
    snprintf(text, sizeof text, "%s: %.*s", what, (int)(which.len > 400 ? 400 : which.len), which.ptr);
    verify->tell(verify->owner, text);
}

static void fault_of_body(struct verify *verify, const char *what, MDB_val digest)
{
    char name[STET__DISK_NAME_BYTES] = "?";
    if (digest.mv_size == STET__DISK_DIGEST_BYTES)
        stet__disk_digest_name(digest.mv_data, name);
    fault(verify, what, stet_span_of(name, strlen(name)));
}

static int add_digest(unsigned char (**at)[STET__DISK_DIGEST_BYTES], size_t *count, size_t *room,
                      const unsigned char *digest)
{
    if (*count == *room) {
        void *more = reallocarray(*at, *room * 2 + 256, sizeof **at);
        if (!more)
            return ENOMEM;
        *at = more;
        *room = *room * 2 + 256;
    }
    memcpy((*at)[(*count)++], digest, sizeof **at);
    return 0;
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, STET__DISK_DIGEST_BYTES);
}

/* Calls for each row of a table; the callee may delete the row. */
typedef int each_row(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor, MDB_val key,
                     MDB_val value);

static int each(struct verify *verify, struct stet__disk_change *change, enum stet__disk_table table,
                each_row *call)
{
    MDB_cursor *cursor;
    MDB_val key, value;
    int code = mdb_cursor_open(change->txn, verify->disk->tables[table], &cursor);
    if (code != 0)
        return code;
    while (code == 0 && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0)
        code = call(verify, change, cursor, key, value);
    mdb_cursor_close(cursor);
    return code == MDB_NOTFOUND ? 0 : code;
}

static int del(struct stet__disk_change *change, enum stet__disk_table table, MDB_val key)
{
    int code = mdb_del(change->txn, change->disk->tables[table], &key, NULL);
    return code == MDB_NOTFOUND ? 0 : code;
}

/* --- entries --- */

static const char *wrong_file(const struct stet__disk *disk, const unsigned char *digest, uint64_t octets)
{
    char name[STET__DISK_NAME_BYTES];
    struct stat state;
    stet__disk_digest_name(digest, name);
    if (fstatat(disk->bodies, name, &state, AT_SYMLINK_NOFOLLOW) != 0)
        return "the content is missing";
    if (!S_ISREG(state.st_mode) || (uint64_t)state.st_size != octets)
        return "the content has another length than it was stored with";
    return NULL;
}

/* NULL if the content is there. */
static const char *wrong_content(struct verify *verify, MDB_txn *txn, const struct stet__disk_record *record)
{
    struct stet__disk_content content;
    if (stet__disk_content_get(txn, verify->disk, record->digest, &content, NULL) != 0)
        return "the content has no record that can be read";
    if (content.octets != record->octets)
        return "the content has another length than the entry says";
    const char *wrong = content.small ? NULL : wrong_file(verify->disk, record->digest, content.octets);
    if (!wrong && verify->wrong_count > 0 &&
        bsearch(record->digest, verify->wrong, verify->wrong_count, sizeof *verify->wrong, compare))
        return "the content is not what was stored";
    return wrong;
}

static const char *wrong_part(struct verify *verify, MDB_txn *txn, const struct stet__disk_record *record)
{
    char name[STET__DISK_NAME_BYTES];
    unsigned char part[8];
    struct stat state;
    stet__disk_part_name(record->part, name);
    stet__disk_big_endian(record->part, part);
    MDB_val key = stet__disk_val(part, sizeof part), value;
    if (fstatat(verify->disk->parts, name, &state, AT_SYMLINK_NOFOLLOW) != 0)
        return "the part is missing";
    if (mdb_get(txn, verify->disk->tables[STET__DISK_PARTS], &key, &value) != 0 || value.mv_size != 8 ||
        stet__disk_from_big_endian(value.mv_data) != record->id)
        return "the part has no record";
    return NULL;
}

static const char *wrong_entry(struct verify *verify, MDB_txn *txn, MDB_val key, MDB_val value,
                               const struct stet__disk_record *record)
{
    struct stet__disk_key expected;
    stet__disk_key_make(stet__disk_record_uri(value, record), record->id, &expected);
    if (expected.len != key.mv_size || memcmp(expected.octets, key.mv_data, expected.len) != 0)
        return "the entry stands in another's place";
    return record->part ? wrong_part(verify, txn, record) : wrong_content(verify, txn, record);
}

/* Invariant 1 from the side of the entry. */
static int check_use(struct verify *verify, struct stet__disk_change *change, MDB_val key,
                     const struct stet__disk_record *record, struct stet_span uri)
{
    struct stet__disk_order_key order;
    int64_t used_at;
    MDB_val stored, nothing;
    int code = stet__disk_ids_get(change->txn, verify->disk, record->id, &used_at, &stored);
    if (code == 0 && stored.mv_size == key.mv_size && memcmp(stored.mv_data, key.mv_data, key.mv_size) == 0) {
        MDB_val place = stet__disk_order_key(&order, used_at, record->id);
        if (mdb_get(change->txn, verify->disk->tables[STET__DISK_ORDER], &place, &nothing) == 0)
            return 0;
    }
    fault(verify, "the order of use does not know the entry", uri);
    return stet__disk_use_put(change, record->id, record->response, key, 0);
}

static int take_away(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor, MDB_val key,
                     const struct stet__disk_record *record)
{
    struct stet__disk_order_key order;
    unsigned char id[8], part[8];
    int64_t used_at;
    MDB_val stored;
    uint64_t number = stet__disk_key_id(key);
    struct stet__disk_key copy = {.len = key.mv_size < sizeof copy.octets ? key.mv_size : sizeof copy.octets};
    memcpy(copy.octets, key.mv_data, copy.len); /* which lasts until the next change */
    verify->dropped += !record || record->part == 0;
    int code = mdb_cursor_del(cursor, 0);
    if (code == 0)
        code = stet__disk_dictionary_drop(change, stet__disk_val(copy.octets, copy.len));
    if (code == 0 && stet__disk_ids_get(change->txn, change->disk, number, &used_at, &stored) == 0)
        code = del(change, STET__DISK_ORDER, stet__disk_order_key(&order, used_at, number));
    stet__disk_big_endian(number, id);
    if (code == 0)
        code = del(change, STET__DISK_IDS, stet__disk_val(id, sizeof id));
    if (code != 0 || !record || record->part == 0)
        return code;
    stet__disk_big_endian(record->part, part);
    return del(change, STET__DISK_PARTS, stet__disk_val(part, sizeof part));
}

static int check_entry(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor,
                       MDB_val key, MDB_val value)
{
    struct stet__disk_record record;
    verify->found.entries++;
    if (!stet__disk_record_check(value, &record) || record.id != stet__disk_key_id(key)) {
        fault(verify, "the record of an entry cannot be read",
              stet_span_of(key.mv_data, strnlen(key.mv_data, key.mv_size)));
        return take_away(verify, change, cursor, key, NULL);
    }
    struct stet_span uri = stet__disk_record_uri(value, &record);
    const char *wrong = wrong_entry(verify, change->txn, key, value, &record);
    if (wrong) {
        fault(verify, wrong, uri);
        return take_away(verify, change, cursor, key, &record);
    }
    verify->sums.entries++;
    if (record.part) {
        verify->sums.parts++;
        verify->sums.part_octets += record.charge;
    } else if (add_digest(&verify->digests, &verify->count, &verify->room, record.digest) != 0) {
        return ENOMEM;
    }
    return check_use(verify, change, key, &record, uri);
}

/* --- what should agree with the entries --- */

static int check_id(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor, MDB_val key,
                    MDB_val value)
{
    uint64_t id = stet__disk_key_id(key);
    int64_t used_at;
    MDB_val stored, entry;
    if (key.mv_size == 8 && stet__disk_ids_get(change->txn, verify->disk, id, &used_at, &stored) == 0 &&
        stet__disk_key_id(stored) == id &&
        mdb_get(change->txn, verify->disk->tables[STET__DISK_ENTRIES], &stored, &entry) == 0)
        return 0;
    fault(verify, "there is a number without its entry", STET_SPAN("ids"));
    return mdb_cursor_del(cursor, 0);
}

static int check_order(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor,
                       MDB_val key, MDB_val value)
{
    struct stet__disk_order_key order;
    uint64_t id = stet__disk_key_id(key);
    int64_t used_at;
    MDB_val stored;
    if (key.mv_size == sizeof order.octets &&
        stet__disk_ids_get(change->txn, verify->disk, id, &used_at, &stored) == 0) {
        (void)stet__disk_order_key(&order, used_at, id);
        if (memcmp(order.octets, key.mv_data, key.mv_size) == 0)
            return 0;
    }
    fault(verify, "the order of use has what is not there", STET_SPAN("order"));
    return mdb_cursor_del(cursor, 0);
}

static int check_part_row(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor,
                          MDB_val key, MDB_val value)
{
    struct stet__disk_record record;
    int64_t used_at;
    MDB_val stored, entry;
    if (key.mv_size == 8 && value.mv_size == 8 &&
        stet__disk_ids_get(change->txn, verify->disk, stet__disk_key_id(value), &used_at, &stored) == 0 &&
        mdb_get(change->txn, verify->disk->tables[STET__DISK_ENTRIES], &stored, &entry) == 0 &&
        stet__disk_record_check(entry, &record) && record.part == stet__disk_key_id(key))
        return 0;
    fault(verify, "there is a part without its entry", STET_SPAN("parts"));
    return mdb_cursor_del(cursor, 0);
}

static int check_dictionary(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor,
                            MDB_val key, MDB_val value)
{
    if (stet__disk_dictionary_agrees(change->txn, verify->disk, key, value))
        return 0;
    fault(verify, "there is a dictionary without its entry", STET_SPAN("dictionaries"));
    return mdb_cursor_del(cursor, 0);
}

/* Invariant 2. */
static uint32_t refs_of(const struct verify *verify, const unsigned char *digest)
{
    size_t low = 0, high = verify->count;
    uint32_t refs = 0;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare(verify->digests[middle], digest) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    while (low < verify->count && compare(verify->digests[low], digest) == 0)
        low++, refs++;
    return refs;
}

static int doom(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor, MDB_val key)
{
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    MDB_val copy = stet__disk_val(digest, sizeof digest), nothing = {0, NULL};
    bool good = key.mv_size == sizeof digest;
    if (good)
        memcpy(digest, key.mv_data, sizeof digest);
    int code = mdb_cursor_del(cursor, 0);
    if (code != 0 || !good)
        return code;
    verify->disk->doomed = verify->disk->doomed || verify->mend;
    return mdb_put(change->txn, verify->disk->tables[STET__DISK_DOOMED], &copy, &nothing, 0);
}

static int check_content(struct verify *verify, struct stet__disk_change *change, MDB_cursor *cursor,
                         MDB_val key, MDB_val value)
{
    struct stet__disk_content content;
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    bool good = key.mv_size == sizeof digest && stet__disk_content_check(value, &content);
    uint32_t refs = good ? refs_of(verify, key.mv_data) : 0;
    if (!good)
        fault_of_body(verify, "the record of a content cannot be read", key);
    else if (refs < content.refs && content.refs - refs <= verify->dropped)
        verify->dropped -= content.refs - refs;
    else if (refs != content.refs)
        fault_of_body(verify, refs == 0 ? "nothing refers to a content" : "a content is counted wrongly",
                      key);
    if (refs == 0)
        return doom(verify, change, cursor, key);
    verify->found.bodies++;
    verify->sums.bodies++;
    verify->sums.body_octets += content.charge;
    if (refs == content.refs)
        return 0;
    content.refs = refs;
    memcpy(digest, key.mv_data, sizeof digest);
    return stet__disk_content_put(change, digest, &content,
                                  stet_span_skip(stet_span_of(value.mv_data, value.mv_size), sizeof content));
}

static int check_totals(struct verify *verify, struct stet__disk_change *change)
{
    struct stet__disk_totals *totals = &change->totals;
    const struct stet__disk_totals *sums = &verify->sums;
    MDB_stat outputs;
    int code = mdb_stat(change->txn, verify->disk->tables[STET__DISK_OUTPUTS], &outputs);
    if (code != 0)
        return code;
    if (totals->entries != sums->entries || totals->bodies != sums->bodies || totals->parts != sums->parts ||
        totals->outputs != outputs.ms_entries || totals->body_octets != sums->body_octets ||
        totals->part_octets != sums->part_octets) {
        /* What was taken away above has changed the sums already. */
        if (verify->found.faults == 0)
            fault(verify, "the sums are not right", STET_SPAN("totals"));
        totals->entries = sums->entries, totals->bodies = sums->bodies, totals->parts = sums->parts;
        totals->outputs = outputs.ms_entries;
        totals->body_octets = sums->body_octets, totals->part_octets = sums->part_octets;
    }
    return 0;
}

static int check_tables(struct stet__disk_change *change, void *owner)
{
    struct verify *verify = owner;
    verify->found.faults = verify->found.entries = verify->found.bodies = 0;
    verify->sums = (struct stet__disk_totals){.entries = 0};
    verify->count = 0;
    verify->dropped = 0;
    int code = each(verify, change, STET__DISK_ENTRIES, check_entry);
    if (code == 0)
        code = each(verify, change, STET__DISK_IDS, check_id);
    if (code == 0)
        code = each(verify, change, STET__DISK_ORDER, check_order);
    if (code == 0)
        code = each(verify, change, STET__DISK_PARTS, check_part_row);
    if (code == 0)
        code = each(verify, change, STET__DISK_DICTIONARIES, check_dictionary);
    if (code == 0 && verify->count > 0)
        qsort(verify->digests, verify->count, sizeof *verify->digests, compare);
    if (code == 0)
        code = each(verify, change, STET__DISK_BODIES, check_content);
    if (code == 0)
        code = check_totals(verify, change);
    change->discard = !verify->mend || verify->found.faults == 0;
    return code;
}

/* --- digests --- */

/* The first body behind `digest`; false if there is none. */
static bool next_content(struct stet__disk *disk, unsigned char *digest, bool *first,
                         struct stet__disk_content *content, char small[STET__DISK_SMALL])
{
    MDB_cursor *cursor;
    MDB_val key = stet__disk_val(digest, STET__DISK_DIGEST_BYTES), value;
    MDB_txn *txn = stet__disk_read_begin(disk);
    bool found = false;
    if (!txn)
        return false;
    if (mdb_cursor_open(txn, disk->tables[STET__DISK_BODIES], &cursor) == 0) {
        int code = mdb_cursor_get(cursor, &key, &value, *first ? MDB_FIRST : MDB_SET_RANGE);
        if (code == 0 && !*first && key.mv_size == STET__DISK_DIGEST_BYTES &&
            memcmp(key.mv_data, digest, key.mv_size) == 0)
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        while (code == 0 &&
               (key.mv_size != STET__DISK_DIGEST_BYTES || !stet__disk_content_check(value, content)))
            code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
        found = code == 0;
        if (found)
            memcpy(digest, key.mv_data, STET__DISK_DIGEST_BYTES);
        if (found && content->small)
            memcpy(small, (const char *)value.mv_data + sizeof *content,
                   content->octets < STET__DISK_SMALL ? content->octets : STET__DISK_SMALL);
        mdb_cursor_close(cursor);
    }
    stet__disk_read_end(disk);
    *first = false;
    return found;
}

/* Whether the octets are those of the digest; ENOMEM if nobody can tell. */
static int compare_digest(struct stet__disk *disk, const unsigned char *digest,
                          const struct stet__disk_content *content, const char *small, bool *same)
{
    unsigned char found[STET__DISK_DIGEST_BYTES];
    char name[STET__DISK_NAME_BYTES];
    bool hashed = false;
    errno = 0;
    *same = true;
    if (content->small) {
        if (content->octets <= STET__DISK_SMALL)
            hashed = EVP_Digest(small, content->octets, found, NULL, EVP_sha256(), NULL) == 1;
    } else {
        stet__disk_digest_name(digest, name);
        int fd = openat(disk->bodies, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
            return 0; /* gone meanwhile, or missing: the tables tell */
        hashed = stet__disk_file_hash(fd, found);
        close(fd);
    }
    *same = hashed && memcmp(found, digest, sizeof found) == 0;
    return !hashed && errno == ENOMEM ? ENOMEM : 0;
}

/* Bodies whose octets are not theirs, in the order of digests. */
static int check_digests(struct verify *verify)
{
    unsigned char digest[STET__DISK_DIGEST_BYTES];
    char small[STET__DISK_SMALL];
    struct stet__disk_content content;
    bool first = true, same;
    int code = 0;
    while (code == 0 && next_content(verify->disk, digest, &first, &content, small)) {
        verify->found.octets += content.octets;
        code = compare_digest(verify->disk, digest, &content, small, &same);
        if (code == 0 && !same)
            code = add_digest(&verify->wrong, &verify->wrong_count, &verify->wrong_room, digest);
    }
    return code;
}

int stet__disk_verify(struct stet__disk *disk, bool mend, stet__disk_teller *tell, void *owner,
                      struct stet__disk_findings *out)
{
    struct verify verify = {.disk = disk, .mend = mend, .tell = tell, .owner = owner};
    stet__disk_flush(disk);
    for (int i = 0; i < 64 && disk->doomed && !disk->broken; i++)
        stet__disk_flush(disk);
    uint64_t leftovers = stet__disk_sweep(disk, true);
    int code = check_digests(&verify);
    if (code == 0)
        code = stet__disk_write(disk, check_tables, &verify);
    free(verify.digests);
    free(verify.wrong);
    if (code != 0)
        return code == ENOMEM ? STET_E_STORE_MEMORY : STET_E_STORE_INDEX;
    *out = verify.found;
    out->leftovers = leftovers;
    return STET_OK;
}
