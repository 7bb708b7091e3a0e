/* SPDX-License-Identifier: MIT */
/*
 * The treap's random numbers keep it flat whatever the order of keys; nobody outside sees or chooses them.
 *
 * A walk over a group stands in its list as a member without object, so that it survives whatever leaves
 * while the lock is free; several walks may stand in one list. A group goes with its last member, a walk
 * being one.
 */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "store/index.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/assert.h"
#include "store/object.h"

#define BUCKETS_MIN 64u
#define ALLOCATION_OVERHEAD 8u

struct stet__index_member {
    struct stet__list link;
    struct stet__object *object; /* NULL: a walk */
    struct stet__index_group *group;
};

struct stet__index_group {
    struct stet__index_group *next;
    uint64_t hash;
    struct stet__list members;
    size_t len;
    char name[];
};

static void *allocate(struct stet__index *index, size_t n)
{
    void *at = calloc(1, n);
    if (at)
        atomic_fetch_add_explicit(index->used, malloc_usable_size(at) + ALLOCATION_OVERHEAD,
                                  memory_order_relaxed);
    return at;
}

static void give_back(struct stet__index *index, void *at)
{
    if (at)
        atomic_fetch_sub_explicit(index->used, malloc_usable_size(at) + ALLOCATION_OVERHEAD,
                                  memory_order_relaxed);
    free(at);
}

void stet__index_init(struct stet__index *index, const void *secret, size_t secret_len, atomic_size_t *used)
{
    *index = (struct stet__index){.secret = secret, .secret_len = secret_len, .used = used};
    pthread_mutex_init(&index->lock, NULL);
    index->random = XXH3_64bits_withSecret(&index, sizeof(index), secret, secret_len) | 1;
}

void stet__index_release(struct stet__index *index)
{
    stet__assert(!index->root && index->group_count == 0);
    give_back(index, index->groups);
    pthread_mutex_destroy(&index->lock);
}

static struct stet__object *object_of(const struct stet__index_node *node)
{
    size_t offset = offsetof(struct stet__object, place) + offsetof(struct stet__place, index);
    return (struct stet__object *)(void *)((char *)(uintptr_t)node - offset);
}

static int compare(struct stet_span a, struct stet_span b)
{
    size_t n = a.len < b.len ? a.len : b.len;
    int order = n > 0 ? memcmp(a.ptr, b.ptr, n) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* Whether (key, order) stands before `node`. */
static bool before(struct stet_span key, uint64_t order, const struct stet__index_node *node)
{
    int keys = compare(key, object_of(node)->key);
    return keys < 0 || (keys == 0 && order < node->order);
}

/* The link that leads to `node`. */
static struct stet__index_node **link_to(struct stet__index *index, struct stet__index_node *node)
{
    struct stet__index_node *parent = node->parent;
    if (!parent)
        return &index->root;
    return parent->left == node ? &parent->left : &parent->right;
}

/* Lifts `node` above its parent. */
static void lift(struct stet__index *index, struct stet__index_node *node)
{
    struct stet__index_node *parent = node->parent, **link = link_to(index, parent);
    bool is_left = parent->left == node;
    struct stet__index_node *inner = is_left ? node->right : node->left;
    if (is_left)
        parent->left = inner, node->right = parent;
    else
        parent->right = inner, node->left = parent;
    if (inner)
        inner->parent = parent;
    node->parent = parent->parent;
    parent->parent = node;
    *link = node;
}

static void insert_key(struct stet__index *index, struct stet__object *object)
{
    struct stet__index_node *node = &object->place.index, **link = &index->root;
    index->random ^= index->random << 13;
    index->random ^= index->random >> 7;
    index->random ^= index->random << 17;
    node->priority = index->random;
    node->order = ++index->order;
    node->left = node->right = node->parent = NULL;
    while (*link) {
        node->parent = *link;
        link = before(object->key, node->order, *link) ? &(*link)->left : &(*link)->right;
    }
    *link = node;
    while (node->parent && node->parent->priority < node->priority)
        lift(index, node);
}

static void remove_key(struct stet__index *index, struct stet__index_node *node)
{
    while (node->left && node->right)
        lift(index, node->left->priority > node->right->priority ? node->left : node->right);
    struct stet__index_node *child = node->left ? node->left : node->right;
    *link_to(index, node) = child;
    if (child)
        child->parent = node->parent;
}

static uint64_t hash_of(const struct stet__index *index, struct stet_span name)
{
    return XXH3_64bits_withSecret(name.ptr, name.len, index->secret, index->secret_len);
}

static struct stet__index_group *find_group(const struct stet__index *index, uint64_t hash,
                                            struct stet_span name)
{
    struct stet__index_group *group = index->groups ? index->groups[hash & index->group_mask] : NULL;
    while (group && (group->hash != hash || !stet_span_equal(stet_span_of(group->name, group->len), name)))
        group = group->next;
    return group;
}

/* More buckets if there is memory for them; without, chains are longer. False if there are none at all. */
static bool grow_groups(struct stet__index *index)
{
    if (index->groups && index->group_count <= index->group_mask)
        return true;
    size_t mask = index->groups ? index->group_mask * 2 + 1 : BUCKETS_MIN - 1;
    struct stet__index_group **buckets = allocate(index, (mask + 1) * sizeof(struct stet__index_group *));
    if (!buckets)
        return index->groups != NULL;
    for (size_t i = 0; index->groups && i <= index->group_mask; i++)
        for (struct stet__index_group *group = index->groups[i], *next; group; group = next) {
            next = group->next;
            group->next = buckets[group->hash & mask];
            buckets[group->hash & mask] = group;
        }
    give_back(index, index->groups);
    index->groups = buckets;
    index->group_mask = mask;
    return true;
}

static struct stet__index_group *make_group(struct stet__index *index, struct stet_span name)
{
    uint64_t hash = hash_of(index, name);
    struct stet__index_group *group = find_group(index, hash, name);
    if (group || !grow_groups(index))
        return group;
    group = allocate(index, sizeof *group + name.len);
    if (!group)
        return NULL;
    group->hash = hash;
    group->len = name.len;
    if (name.len > 0)
        memcpy(group->name, name.ptr, name.len);
    stet__list_init(&group->members);
    group->next = index->groups[hash & index->group_mask];
    index->groups[hash & index->group_mask] = group;
    index->group_count++;
    return group;
}

static void drop_if_empty(struct stet__index *index, struct stet__index_group *group)
{
    if (!stet__list_empty(&group->members))
        return;
    struct stet__index_group **link = &index->groups[group->hash & index->group_mask];
    while (*link != group)
        link = &(*link)->next;
    *link = group->next;
    index->group_count--;
    give_back(index, group);
}

static void leave_groups(struct stet__index *index, struct stet__object *object)
{
    struct stet__index_member *members = object->place.index.members;
    for (size_t i = 0; members && i < object->group_count; i++) {
        if (!members[i].group)
            continue;
        stet__list_remove(&members[i].link);
        drop_if_empty(index, members[i].group);
    }
    give_back(index, members);
    object->place.index.members = NULL;
}

static bool enter_groups(struct stet__index *index, struct stet__object *object)
{
    if (object->group_count == 0)
        return true;
    struct stet__index_member *members = allocate(index, object->group_count * sizeof *members);
    if (!members)
        return false;
    object->place.index.members = members;
    for (size_t i = 0; i < object->group_count; i++) {
        struct stet__index_group *group = make_group(index, object->groups[i]);
        if (!group) {
            leave_groups(index, object);
            return false;
        }
        members[i].object = object;
        members[i].group = group;
        stet__list_append(&group->members, &members[i].link);
    }
    return true;
}

bool stet__index_enter(struct stet__index *index, struct stet__object *object)
{
    bool entered = true;
    pthread_mutex_lock(&index->lock);
    if (object->place.index.state == STET__INDEX_OUT) {
        entered = enter_groups(index, object);
        if (entered) {
            insert_key(index, object);
            object->place.index.state = STET__INDEX_IN;
        }
    }
    pthread_mutex_unlock(&index->lock);
    return entered;
}

void stet__index_leave(struct stet__index *index, struct stet__object *object)
{
    pthread_mutex_lock(&index->lock);
    if (object->place.index.state == STET__INDEX_IN) {
        remove_key(index, &object->place.index);
        leave_groups(index, object);
    }
    object->place.index.state = STET__INDEX_GONE;
    pthread_mutex_unlock(&index->lock);
}

/* The first that does not stand before (key, order). */
static struct stet__index_node *lower_bound(const struct stet__index *index, struct stet_span key,
                                            uint64_t order)
{
    struct stet__index_node *found = NULL, *node = index->root;
    while (node) {
        int keys = compare(object_of(node)->key, key);
        bool not_before = keys > 0 || (keys == 0 && node->order >= order);
        found = not_before ? node : found;
        node = not_before ? node->left : node->right;
    }
    return found;
}

static struct stet__index_node *successor(struct stet__index_node *node)
{
    if (node->right) {
        for (node = node->right; node->left;)
            node = node->left;
        return node;
    }
    while (node->parent && node->parent->right == node)
        node = node->parent;
    return node->parent;
}

size_t stet__index_prefix(struct stet__index *index, struct stet_span prefix, struct stet__index_walk *walk,
                          struct stet__object **out, size_t room)
{
    size_t count = 0;
    struct stet__object *last = walk->last;
    pthread_mutex_lock(&index->lock);
    struct stet__index_node *node = lower_bound(index, last ? last->key : prefix, last ? walk->order + 1 : 0);
    while (node && count < room && stet_span_starts(object_of(node)->key, prefix)) {
        walk->order = node->order;
        out[count++] = stet__object_acquire(object_of(node));
        node = successor(node);
    }
    walk->last = count > 0 ? stet__object_acquire(out[count - 1]) : NULL;
    pthread_mutex_unlock(&index->lock);
    stet__object_release(last);
    return count;
}

/* Puts the walk behind the next member that is none, which is returned with a reference; NULL at the end. */
static struct stet__object *step(struct stet__index_member *walk, struct stet__list *members)
{
    struct stet__list *node = walk->link.next;
    while (node != members && !stet__list_entry(node, struct stet__index_member, link)->object)
        node = node->next;
    stet__list_remove(&walk->link);
    if (node == members)
        return NULL;
    stet__list_append(node->next, &walk->link);
    return stet__object_acquire(stet__list_entry(node, struct stet__index_member, link)->object);
}

void stet__index_group(struct stet__index *index, struct stet_span name,
                       void (*visit)(void *arg, struct stet__object *object), void *arg)
{
    struct stet__index_member walk = {.object = NULL};
    pthread_mutex_lock(&index->lock);
    struct stet__index_group *group = find_group(index, hash_of(index, name), name);
    if (group)
        stet__list_append(group->members.next, &walk.link);
    while (group) {
        struct stet__object *object = step(&walk, &group->members);
        if (!object) {
            drop_if_empty(index, group);
            break;
        }
        pthread_mutex_unlock(&index->lock);
        visit(arg, object);
        stet__object_release(object);
        pthread_mutex_lock(&index->lock);
    }
    pthread_mutex_unlock(&index->lock);
}
