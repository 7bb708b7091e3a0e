/* SPDX-License-Identifier: MIT */
/* Until the driver is there, a connection that begins with the preface is closed. */
#include "net/http2.h"

void stet__http2_begin(struct stet__connection *connection, struct stet__turn *turn)
{
    stet__turn_give(connection->worker, turn);
    stet__connection_close(connection);
}

void stet__http2_ready(struct stet__connection *connection, uint32_t events)
{
}

void stet__http2_passed(struct stet__connection *connection)
{
}

void stet__http2_stop(struct stet__connection *connection)
{
}

bool stet__http2_answering(const struct stet__connection *connection)
{
    return false;
}

void stet__http2_end(struct stet__connection *connection)
{
}

void stet__http2_worker_free(struct stet__http2_worker *shared)
{
}
