/* SPDX-License-Identifier: MIT */
/*
 * stored: answers from the store. The octets go through one buffer; what the sink has already is not handed
 * to it again (flow.h).
 */
#include <unistd.h>

#include "base/file.h"
#include "get/task.h"

int stet__stored_feed(struct stet__task *task, int fd, bool wanted)
{
    struct stet__get *get = task->get;
    uint64_t offset = task->flow.raw;
    int status = STET_OK;
    ssize_t len = 1;
    while (wanted && status == STET_OK && len > 0) {
        len = stet__read_at(fd, get->octets, sizeof get->octets, (off_t)offset);
        if (len > 0)
            status = stet__flow_feed(&task->flow, offset, stet_span_of(get->octets, (size_t)len));
        offset += len > 0 ? (uint64_t)len : 0;
    }
    close(fd);
    return len < 0 ? STET_E_CODED_READ : status;
}

/*
 * RFC 9530: what a 304 confirmed is handed out only if it has the digest that the origin gives: that of its
 * record first, and then its octets, in `*fd` from then on. What is served without a 304 has been compared
 * when it came.
 */
static bool is_sound(struct stet__task *task, const struct stet__disk_entry *entry,
                     enum stet__get_source source, int *fd)
{
    if (source != STET__GET_VALIDATED || !entry->has_digest)
        return true;
    enum stet__digest_verdict verdict = stet__digest_judge(&entry->stored.response.fields, entry->digest);
    if (verdict != STET__DIGEST_AGREES)
        return verdict == STET__DIGEST_UNTOLD;
    *fd = stet__disk_body(task->get->disk, entry);
    return *fd >= 0 && stet__digest_verify(*fd, entry->digest);
}

/* The octets. STET_MORE: they are gone. What is small stands in the index, and no file is opened for it. */
static int feed(struct stet__task *task, const struct stet__disk_entry *entry, int fd)
{
    struct stet__disk *disk = task->get->disk;
    struct stet_span small = STET_SPAN_NONE;
    if (fd < 0)
        small = stet__disk_body_small(disk, entry, &task->hop_arena);
    if (small.ptr)
        return stet__flow_feed(&task->flow, 0, small);
    if (fd < 0)
        fd = stet__disk_body(disk, entry);
    return fd < 0 ? STET_MORE : stet__stored_feed(task, fd, true);
}

/* To the sink, as far as there is one that wants it. Takes `fd`. */
static int serve(struct stet__task *task, const struct stet__disk_entry *entry, enum stet__get_source source,
                 int fd)
{
    bool content = task->hop.request.method != STET_METHOD_HEAD && entry->stored.method == STET_METHOD_GET;
    int status = stet__answer_open(task, &entry->stored, entry, source);
    if (status == STET_OK && content && task->flow.sink && !task->flow.skips)
        return feed(task, entry, fd);
    if (fd >= 0)
        close(fd);
    return status;
}

static void account(struct stet__task *task, const struct stet__disk_entry *entry,
                    enum stet__get_source source)
{
    struct stet__disk *disk = task->get->disk;
    bool content = task->hop.request.method != STET_METHOD_HEAD;
    stet__disk_touch(disk, entry, task->hop.now);
    task->result.stored = true;
    task->result.storing = STET_REASON_OK;
    task->result.changed = false;
    if (content)
        task->result.saved_octets += entry->octets;
    stet__disk_count(disk, source == STET__GET_VALIDATED ? STET__DISK_VALIDATED : STET__DISK_HIT,
                     content ? entry->octets : 0);
}

static enum stet__step redirect(struct stet__task *task, const struct stet__disk_entry *entry,
                                enum stet__get_source source)
{
    if (!stet__answer_redirect(task, &entry->stored, entry, source))
        return stet__task_fail(task, STET_E_GET_MEMORY);
    return stet__redirect_follow(task, &entry->stored.response);
}

enum stet__step stet__stored_answer(struct stet__task *task, size_t i, enum stet__get_source source)
{
    const struct stet__disk_entry *entry = &task->hop.entries[i];
    struct stet__disk *disk = task->get->disk;
    int fd = -1, status;
    if (!is_sound(task, entry, source, &fd)) {
        if (fd >= 0)
            close(fd);
        stet__disk_remove_entry(disk, entry->id);
        return stet__task_mend(task);
    }
    if (stet__redirect_followed(task, &entry->stored.response)) {
        if (fd >= 0)
            close(fd);
        account(task, entry, source);
        return redirect(task, entry, source);
    }
    status = serve(task, entry, source, fd);
    if (status == STET_MORE)
        return stet__task_mend(task);
    account(task, entry, source);
    if (status == STET_OK)
        status = stet__flow_close(&task->flow);
    if (status == STET_OK)
        return STET__STEP_END;
    if (status != STET_E_GET_SINK && status != STET_E_GET_STOPPED)
        stet__disk_remove_entry(disk, entry->id); /* it cannot be decoded: another try brings another one */
    return stet__task_fail(task, status);
}
