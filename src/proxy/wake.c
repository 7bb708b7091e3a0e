/* SPDX-License-Identifier: MIT */
#include "proxy/wake.h"

void stet__mailbox_init(struct stet__mailbox *mailbox, struct stet__loop *loop)
{
    pthread_mutex_init(&mailbox->lock, NULL);
    stet__list_init(&mailbox->wakes);
    mailbox->loop = loop;
    mailbox->posted = mailbox->closed = false;
}

/* One at a time: what runs may cancel or send others, and itself again. */
static struct stet__wake *take(struct stet__mailbox *mailbox)
{
    struct stet__wake *wake = NULL;
    pthread_mutex_lock(&mailbox->lock);
    if (!stet__list_empty(&mailbox->wakes)) {
        wake = stet__list_entry(mailbox->wakes.next, struct stet__wake, node);
        stet__list_remove(&wake->node);
    }
    pthread_mutex_unlock(&mailbox->lock);
    return wake;
}

void stet__mailbox_run(struct stet__mailbox *mailbox)
{
    struct stet__wake *wake;
    while ((wake = take(mailbox)) != NULL)
        wake->run(wake);
}

static void posted(void *arg)
{
    struct stet__mailbox *mailbox = arg;
    pthread_mutex_lock(&mailbox->lock);
    mailbox->posted = false;
    pthread_mutex_unlock(&mailbox->lock);
    stet__mailbox_run(mailbox);
}

void stet__mailbox_close(struct stet__mailbox *mailbox)
{
    pthread_mutex_lock(&mailbox->lock);
    mailbox->closed = true;
    pthread_mutex_unlock(&mailbox->lock);
}

void stet__wake_init(struct stet__wake *wake, struct stet__mailbox *mailbox,
                     void (*run)(struct stet__wake *wake))
{
    stet__list_init(&wake->node);
    wake->mailbox = mailbox;
    wake->run = run;
}

void stet__wake_send(struct stet__wake *wake)
{
    struct stet__mailbox *mailbox = wake->mailbox;
    pthread_mutex_lock(&mailbox->lock);
    if (!mailbox->closed && stet__list_empty(&wake->node)) {
        stet__list_append(&mailbox->wakes, &wake->node);
        /* Without memory for a post the next second runs it. */
        if (!mailbox->posted)
            mailbox->posted = stet__loop_post(mailbox->loop, posted, mailbox) == 0;
    }
    pthread_mutex_unlock(&mailbox->lock);
}

void stet__wake_cancel(struct stet__wake *wake)
{
    pthread_mutex_lock(&wake->mailbox->lock);
    stet__list_remove(&wake->node);
    pthread_mutex_unlock(&wake->mailbox->lock);
}
