/* SPDX-License-Identifier: MIT */
/*
 * invalidate: what the answer to an unsafe request makes suspect. RFC 9111 section 4.4, RFC 9875.
 *
 * The store knows no groups: they are few, and what names them is asked seldom, so all entries are looked at.
 */
#include <stet/invalidation.h>

#include "get/task.h"

#define URI_ROOM 9000
#define IDS_MAX 256 /* entries that one look gathers; there is another as long as it is full */

struct group {
    struct stet__disk *disk;
    struct stet_uri origin;
    struct stet_span name;
    uint64_t ids[IDS_MAX];
    size_t count;
};

static bool is_member(const struct stet__disk_entry *entry, struct stet_span name)
{
    struct stet_group_list list;
    struct stet_span group;
    char room[STET_GROUP_OCTETS_MAX];
    stet_group_list_begin(&list, &entry->stored.response.fields, STET_GROUPS);
    while (stet_group_list_next(&list, room, &group) == STET_OK)
        if (stet_span_equal(group, name))
            return true;
    return false;
}

static bool visit(void *owner, const struct stet__disk_entry *entry)
{
    struct group *group = owner;
    struct stet_uri uri;
    bool meant = !entry->invalidated && stet_uri_parse(entry->uri, &uri) == STET_OK &&
                 stet_uri_same_origin(&uri, &group->origin) && is_member(entry, group->name);
    if (meant)
        group->ids[group->count++] = entry->id;
    return group->count < IDS_MAX;
}

static void invalidate_group(struct stet__task *task, struct stet_span name)
{
    struct group group = {.disk = task->get->disk, .origin = task->uri, .name = name};
    do {
        group.count = 0;
        if (stet__disk_each(group.disk, &task->get->settings.policy, visit, &group) != STET_OK)
            return;
        for (size_t i = 0; i < group.count; i++)
            (void)stet__disk_invalidate_entry(group.disk, group.ids[i]);
    } while (group.count == IDS_MAX);
}

void stet__invalidate(struct stet__task *task)
{
    struct stet__disk *disk = task->get->disk;
    struct stet_invalidation invalidation;
    char uri[URI_ROOM];
    size_t len;
    int status;
    if (!disk || stet_method_safe(task->hop.request.method) ||
        !stet_invalidation_begin(&invalidation, task->hop.request.method, &task->hop.response, &task->uri))
        return;
    while ((status = stet_invalidation_next(&invalidation, uri, sizeof uri, &len)) != STET_END)
        if (status == STET_OK)
            (void)stet__disk_invalidate(disk, stet_span_of(uri, len));
    struct stet_group_list list;
    struct stet_span group;
    char room[STET_GROUP_OCTETS_MAX];
    stet_group_list_begin(&list, &task->hop.response.fields, STET_GROUPS_INVALIDATED);
    while (stet_group_list_next(&list, room, &group) == STET_OK)
        invalidate_group(task, group);
}
