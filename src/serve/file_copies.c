/* SPDX-License-Identifier: MIT */
/*
 * An order is a job of the thread in the background (coding/background.h). It borrows nothing of the entry,
 * which may go at any time: it has the descriptor or a copy of the octets. The two point to each other while
 * both live; both pointers are the loop's alone.
 */
#include "serve/file_copies.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "coding/background.h"
#include "net/error_page.h"
#include "net/head.h"
#include "serve/worker.h"

#define MEMORY_SHARE 8 /* a copy that needs more than this part of the memory is not kept */
#define ASK_AGAIN_S 1  /* when the queue was full */

struct stet__file_copy_order {
    struct stet__job job;
    struct stet__serve_worker *worker; /* the loop's thread only */
    struct stet__file_copies *copies;  /* the same; NULL: the entry is gone */
    struct stet__octets_order order;
    char *content; /* the base, or NULL: its descriptor is in order.from */
    struct stet__octets *result;
    size_t key_len;
    char key[];
};

static int post(void *to, void (*run)(void *arg), void *arg)
{
    return stet__loop_post(to, run, arg);
}

/* On any thread. */
static void free_order(struct stet__file_copy_order *order)
{
    if (order->result)
        stet__octets_release(order->order.table, order->result);
    if (order->order.from.fd >= 0)
        close(order->order.from.fd);
    if (order->order.sibling >= 0)
        close(order->order.sibling);
    free(order->content);
    free(order);
}

static struct stet__file_copy_order *order_of(struct stet__job *job)
{
    return (struct stet__file_copy_order *)(void *)job;
}

static void work(struct stet__job *job)
{
    struct stet__file_copy_order *order = order_of(job);
    order->result = stet__octets_get(&order->order, &job->stop);
}

static void drop(struct stet__job *job)
{
    free_order(order_of(job));
}

/* The file's entry now, if it has the same content: that of the order, or one made since. */
static struct stet__file_copies *still_wanted(struct stet__file_copy_order *order)
{
    if (order->copies)
        return order->copies;
    struct stet__entry *entry =
        stet__files_find(order->worker->files, stet_span_of(order->key, order->key_len));
    bool same = entry && entry->copies && stet_etag_present(entry->selected.etag) &&
                memcmp(&entry->digest, &order->order.base, sizeof entry->digest) == 0;
    return same ? entry->copies : NULL;
}

static void attach(struct stet__serve_worker *worker, struct stet__file_copies *copies,
                   struct stet__octets *octets)
{
    unsigned bit = stet_coding_bit(octets->coding);
    struct stet__entry *entry = copies->entry;
    struct stet__entry *copy = stet__representation_of_copy(entry, octets);
    if (!copy) {
        stet__octets_release(copies->octets, octets);
        copies->failed |= bit;
        return;
    }
    copies->at[octets->coding] = copy;
    copies->kept |= bit;
    stet__files_grow(worker->files, entry, (size_t)octets->whole.length, octets->whole.fd >= 0);
}

/* On the loop's thread. */
static void done(struct stet__job *job)
{
    struct stet__file_copy_order *order = order_of(job);
    enum stet_coding coding = order->order.coding;
    unsigned bit = stet_coding_bit(coding);
    if (order->copies) {
        order->copies->orders[coding] = NULL;
        order->copies->ordered &= ~bit;
    }
    struct stet__file_copies *copies = still_wanted(order);
    struct stet__octets *octets = order->result;
    if (copies && !octets && order->copies)
        copies->failed |= bit;
    if (copies && octets && !copies->at[coding]) {
        order->result = NULL; /* the copy's now */
        attach(order->worker, copies, octets);
    }
    free_order(order);
}

/* FILE.br, if it is there and not older than FILE; or -1. */
static int open_sibling(struct stet__serve_worker *worker, const struct stet__entry *entry,
                        enum stet_coding coding, struct stet__identity *identity)
{
    struct stet__path path;
    struct stet__opened file;
    struct stet_span name = entry->copies->siblings[coding].name;
    if (stet__path_set(entry->path, &path) != STET_REASON_OK)
        return -1;
    size_t folder_len = path.len - entry->watched.name.len;
    if (folder_len + name.len + 1 > sizeof path.text)
        return -1;
    memcpy(path.text + folder_len, name.ptr, name.len);
    path.text[folder_len + name.len] = '\0';
    if (stet__open_beneath(worker->root, stet__path_name(&path), &file) < 0)
        return -1;
    stet__identity_of(&file.stat, identity);
    if (S_ISREG(file.stat.st_mode) && identity->mtime_ns >= entry->identity.mtime_ns)
        return file.fd;
    close(file.fd);
    return -1;
}

/* The octets of the base, for another thread. */
static bool lend(struct stet__file_copy_order *order, const struct stet__entry *entry)
{
    size_t len = (size_t)entry->selected.length;
    order->order.from = (struct stet__part){.fd = -1, .length = len};
    if (!entry->content) {
        order->order.from.fd = fcntl(entry->fd, F_DUPFD_CLOEXEC, 3);
        return order->order.from.fd >= 0;
    }
    order->content = malloc(len);
    if (!order->content)
        return false;
    memcpy(order->content, entry->content, len);
    order->order.from = stet__part_memory(stet_span_of(order->content, len));
    return true;
}

static struct stet__file_copy_order *new_order(struct stet__serve_worker *worker, struct stet__entry *entry,
                                               enum stet_coding coding, int sibling)
{
    const struct stet__serve_configuration *configuration = worker->configuration;
    struct stet__file_copy_order *order = malloc(sizeof *order + entry->key.len);
    if (!order) {
        if (sibling >= 0)
            close(sibling);
        return NULL;
    }
    *order = (struct stet__file_copy_order){
        .job = {.work = work, .done = done, .drop = drop, .asker = {post, worker->loop}},
        .worker = worker,
        .copies = entry->copies,
        .order = {.table = entry->copies->octets,
                  .base = entry->digest,
                  .coding = coding,
                  .level = (int)configuration->coding.levels[coding],
                  .max_bytes = configuration->memory_bytes / MEMORY_SHARE,
                  .make_max_bytes = configuration->coding.policy.max_octets,
                  .sibling = sibling,
                  .cache = configuration->cache_folder},
        .key_len = entry->key.len};
    memcpy(order->key, entry->key.ptr, entry->key.len);
    if (lend(order, entry))
        return order;
    free_order(order);
    return NULL;
}

/* Asks for a copy. It may be there already, because another worker has it: then no thread is needed. */
static void ask_for(struct stet__serve_worker *worker, struct stet__entry *entry, enum stet_coding coding,
                    int64_t now)
{
    struct stet__file_copies *copies = entry->copies;
    unsigned bit = stet_coding_bit(coding);
    if ((copies->ordered | copies->failed) & bit || now < copies->not_before)
        return;
    struct stet__identity identity = {.inode = 0};
    int sibling = open_sibling(worker, entry, coding, &identity);
    struct stet__octets *octets =
        stet__octets_find(copies->octets, &entry->digest, coding, sibling >= 0 ? &identity : NULL);
    if (octets) {
        if (sibling >= 0)
            close(sibling);
        attach(worker, copies, octets);
        return;
    }
    struct stet__file_copy_order *order = new_order(worker, entry, coding, sibling);
    if (order)
        order->order.sibling_identity = identity;
    if (order && stet__background_ask(worker->shared->background, &order->job, false)) {
        copies->orders[coding] = order;
        copies->ordered |= bit;
        return;
    }
    copies->not_before = now + ASK_AGAIN_S;
    if (order)
        free_order(order);
}

/* Those of the copies that a request may get, now or later. */
static unsigned possible(const struct stet__serve_worker *worker, const struct stet__file_copies *copies)
{
    return stet_etag_present(copies->entry->selected.etag)
               ? worker->configuration->coding.made & ~copies->failed
               : 0;
}

/* The only line of that name, or NULL. */
static const struct stet_field *only_line(const struct stet_fields *fields, enum stet_field_id id)
{
    const struct stet_field *line = stet_fields_find(fields, id, 0);
    return line && !stet_fields_find(fields, id, (size_t)(line - fields->at) + 1) ? line : NULL;
}

static struct stet__accepted *unasked(struct stet__serve_worker *worker, const struct stet_fields *fields)
{
    if (!worker->unasked_read)
        stet_accept_encoding_read(fields, &worker->unasked.accept);
    worker->unasked_read = true;
    return &worker->unasked;
}

/* What is remembered of the request's Accept-Encoding; NULL if it is one that nothing is remembered of: not
 * one line of usual length. */
static struct stet__accepted *accepted_of(struct stet__serve_worker *worker, const struct stet_fields *fields)
{
    if (!stet_fields_have(fields, STET_FIELD_ACCEPT_ENCODING))
        return unasked(worker, fields);
    const struct stet_field *line = only_line(fields, STET_FIELD_ACCEPT_ENCODING);
    if (!line || line->value.len == 0 || line->value.len > STET__ACCEPTED_LEN)
        return NULL;
    for (size_t i = 0; i < STET__ACCEPTED_COUNT; i++) {
        struct stet__accepted *accepted = &worker->accepted[i];
        if (stet_span_equal(stet_span_of(accepted->value, accepted->len), line->value))
            return accepted;
    }
    struct stet__accepted *accepted = &worker->accepted[worker->accepted_next];
    worker->accepted_next = (worker->accepted_next + 1) % STET__ACCEPTED_COUNT;
    *accepted = (struct stet__accepted){.len = line->value.len};
    memcpy(accepted->value, line->value.ptr, line->value.len);
    stet_accept_encoding_read(fields, &accepted->accept);
    return accepted;
}

/* What is there in a coding that is accepted and has exactly the tag `value`, and that coding; or NULL. */
static struct stet__entry *held(struct stet__entry *entry, const struct stet__accepted *accepted,
                                struct stet_span value, enum stet_coding *out)
{
    for (enum stet_coding coding = 0; coding < STET_CODING_COUNT; coding++) {
        struct stet__entry *there = coding == STET_CODING_IDENTITY ? entry : entry->copies->at[coding];
        if (!there || !stet_span_equal(there->tag, value))
            continue;
        *out = coding;
        return stet_accept_encoding_quality(&accepted->accept, coding) > 0 ? there : NULL;
    }
    return NULL;
}

#define BIT(id) (UINT64_C(1) << (id))

/* Fields with which another coding may answer than that whose tag is in If-None-Match. */
#define TRANSFORMING (BIT(STET_FIELD_IF_RANGE) | BIT(STET_FIELD_RANGE) | BIT(STET_FIELD_CACHE_CONTROL))

/* What is judged before If-None-Match: RFC 9110 section 13.2.2, steps 1 and 2. */
#define OVERRULING (BIT(STET_FIELD_IF_MATCH) | BIT(STET_FIELD_IF_UNMODIFIED_SINCE))

/*
 * stet_coded_select, remembered. Where the request has no tags, no Range and no Cache-Control its result
 * hangs on Accept-Encoding and what is there alone. And if all that it has is the one tag of something that
 * is there, that is what is held. test/unit/file_copies.c compares.
 */
void stet__file_copies_choose(struct stet__serve_worker *worker, const struct stet_request *request,
                              struct stet__entry *entry, const struct stet_coded_offer *offer,
                              struct stet_coded_choice *choice)
{
    _Static_assert(STET_CODING_GZIP == 1 && STET_CODING_BR == 2 && STET_CODING_ZSTD == 3,
                   "a set of three bits");
    const struct stet_fields *fields = &request->fields;
    bool plain = (fields->present & (TRANSFORMING | BIT(STET_FIELD_IF_MATCH))) == 0;
    struct stet__accepted *accepted = plain && offer->kept != 0 ? accepted_of(worker, fields) : NULL;
    if (!accepted) {
        stet_coded_select(request, offer, choice);
        return;
    }
    if (stet_fields_have(fields, STET_FIELD_IF_NONE_MATCH)) {
        const struct stet_field *line = only_line(fields, STET_FIELD_IF_NONE_MATCH);
        struct stet__entry *there = line ? held(entry, accepted, line->value, &choice->coding) : NULL;
        if (!there) {
            stet_coded_select(request, offer, choice);
            return;
        }
        choice->reason = STET_REASON_CODING_HELD;
        choice->held = there->selected.etag;
        return;
    }
    size_t kept = offer->kept >> 1 & (STET__ACCEPTED_KEPT - 1);
    if (!accepted->known[kept]) {
        stet_coded_select(request, offer, &accepted->choice[kept]);
        accepted->known[kept] = true;
    }
    *choice = accepted->choice[kept];
}

struct stet__entry *stet__file_copies_current(struct stet__serve_worker *worker,
                                              const struct stet_request *request, struct stet__entry *entry)
{
    const struct stet_fields *fields = &request->fields;
    enum stet_coding coding;
    if ((fields->present & (TRANSFORMING | OVERRULING)) != 0 ||
        !stet_fields_have(fields, STET_FIELD_IF_NONE_MATCH))
        return NULL;
    const struct stet_field *line = only_line(fields, STET_FIELD_IF_NONE_MATCH);
    if (!line || entry->tag.len == 0)
        return NULL;
    if (!entry->copies)
        return stet_span_equal(entry->tag, line->value) ? entry : NULL;
    struct stet__accepted *accepted = accepted_of(worker, fields);
    return accepted ? held(entry, accepted, line->value, &coding) : NULL;
}

void stet__file_copies_select(struct stet__serve_worker *worker, struct stet__exchange *exchange,
                              struct stet__entry *entry, struct stet__shown *out)
{
    struct stet__file_copies *copies = entry->copies;
    const struct stet_request *request = &exchange->request->head;
    struct stet_coded_offer offer = {.base = entry->selected.etag,
                                     .own = STET_CODING_IDENTITY,
                                     .kept = possible(worker, copies),
                                     .rank = worker->configuration->coding.rank};
    struct stet_coded_choice choice;
    /* What would it be if all were there? Mostly that is there. */
    stet__file_copies_choose(worker, request, entry, &offer, &choice);
    unsigned bit = stet_coding_bit(choice.coding);
    /* Who holds a copy from before a restart, or another worker's, needs no octets to be told so. */
    bool told = choice.reason == STET_REASON_CODING_HELD &&
                stet_fields_have(&request->fields, STET_FIELD_IF_NONE_MATCH);
    if ((bit & offer.kept & ~copies->kept) != 0 && !told) {
        ask_for(worker, entry, choice.coding, exchange->now);
        offer.kept = copies->kept;
        stet__file_copies_choose(worker, request, entry, &offer, &choice);
        bit = stet_coding_bit(choice.coding);
    }
    struct stet__entry *shown = (bit & copies->kept) != 0 ? copies->at[choice.coding] : entry;
    out->entry = shown;
    out->held = choice.held;
    out->selected =
        stet_coded_selected(&entry->selected, &choice, shown->selected.etag, shown->selected.length);
    /* It has, or gets, representations with the same date and other octets (RFC 9110 section 8.8.2.2). */
    out->selected.last_modified_strong = false;
}

bool stet__file_copies_init(struct stet__serve_worker *worker, struct stet__entry *entry)
{
    static const struct {
        enum stet_coding coding;
        struct stet_span suffix;
    } suffixes[] = {
        {STET_CODING_BR, {".br", 3}}, {STET_CODING_ZSTD, {".zst", 4}}, {STET_CODING_GZIP, {".gz", 3}}};
    struct stet__file_copies *copies = calloc(1, sizeof *copies);
    if (!copies)
        return false;
    entry->copies = copies;
    copies->entry = entry;
    copies->octets = worker->shared->octets;
    for (size_t i = 0; i < STET_CODING_COUNT; i++)
        stet__list_init(&copies->siblings[i].node);
    struct stet_span name = stet__path_last(entry->path);
    for (size_t i = 0; i < sizeof suffixes / sizeof *suffixes; i++) {
        struct stet__watched *sibling = &copies->siblings[suffixes[i].coding];
        struct stet_span suffix = suffixes[i].suffix;
        char *text = stet__arena_alloc(&entry->arena, name.len + suffix.len);
        if (!text)
            return false;
        memcpy(text, name.ptr, name.len);
        memcpy(text + name.len, suffix.ptr, suffix.len);
        sibling->name = stet_span_of(text, name.len + suffix.len);
        sibling->owner = entry;
    }
    return true;
}

void stet__file_copies_watch(struct stet__file_copies *copies, struct stet__folder *folder)
{
    for (size_t i = 0; i < STET_CODING_COUNT; i++)
        if (copies->siblings[i].name.ptr)
            stet__folder_add(folder, &copies->siblings[i]);
}

void stet__file_copies_unwatch(struct stet__file_copies *copies)
{
    for (size_t i = 0; i < STET_CODING_COUNT; i++)
        stet__list_remove(&copies->siblings[i].node);
}

void stet__file_copies_cancel(struct stet__file_copies *copies)
{
    for (size_t i = 0; i < STET_CODING_COUNT; i++) {
        struct stet__file_copy_order *order = copies->orders[i];
        copies->orders[i] = NULL;
        if (order)
            stet__background_cancel(&order->job);
    }
    copies->ordered = 0;
}

void stet__file_copies_free(struct stet__file_copies *copies)
{
    if (!copies)
        return;
    stet__file_copies_unwatch(copies);
    for (size_t i = 0; i < STET_CODING_COUNT; i++) {
        if (copies->orders[i])
            copies->orders[i]->copies = NULL;
        if (copies->at[i])
            stet__entry_release(copies->at[i]);
    }
    free(copies);
}

/* As the client wrote it. */
static struct stet_span held_value(struct stet__arena *arena, struct stet_etag tag)
{
    size_t mark = tag.weak ? 2 : 0;
    char *text = stet__arena_alloc(arena, tag.opaque.len + 2 + mark);
    if (!text)
        return STET_SPAN_NONE;
    memcpy(text, "W/\"", 3);
    text[mark] = '"';
    memcpy(text + mark + 1, tag.opaque.ptr, tag.opaque.len);
    text[mark + 1 + tag.opaque.len] = '"';
    return stet_span_of(text, tag.opaque.len + 2 + mark);
}

static struct stet__head *held_head(struct stet__arena *arena, const struct stet__shown *shown)
{
    const struct stet__head *ready = shown->entry->not_modified.head;
    struct stet_span value = held_value(arena, shown->held);
    struct stet_field *room = stet__arena_alloc(arena, ready->fields.count * sizeof(struct stet_field));
    if (!value.ptr || !room)
        return NULL;
    struct stet_fields fields = {room, ready->fields.count, ready->fields.present};
    for (size_t i = 0; i < fields.count; i++) {
        room[i] = ready->fields.at[i];
        if (room[i].id == STET_FIELD_ETAG)
            room[i].value = value;
    }
    struct stet__head *head = stet__head_make(arena, 304, &fields);
    if (head)
        head->expires_after_s = ready->expires_after_s;
    return head;
}

void stet__file_copies_answer_held(struct stet__exchange *exchange, const struct stet__shown *shown,
                                   enum stet_reason reason)
{
    struct stet__reply reply = {.head = held_head(exchange->arena, shown), .reason = reason};
    if (!reply.head) {
        reply.head = &stet__error_no_memory;
        reply.reason = STET_REASON_OVERLOADED;
    }
    stet__exchange_answer(exchange, &reply);
}
