/*
 * door.h -- who may knock: by which name he calls us, which web page sent him, how often he comes.
 *
 * A web page that somebody visits can make his browser call 127.0.0.1, and a name that the page's owner gives out can
 * be made to lead there (DNS rebinding). So on loopback, and wherever `hosts` is said, a request must name us by a name
 * that we have, and where an Origin is told it must be one of ours or one that is configured.
 *
 * Each caller may come so often: `rate` a second, twice as often after a pause.
 *
 * Ownership  The configuration is borrowed.
 */
#pragma once
#include "base/arena.h"
#include "host/config.h"
#include "server/web.h"

typedef struct ctn_door ctn_door;

/* address: what is listened on, "127.0.0.1:8642". */
ctn_door *ctn_door_new(const ctn_config_http *config, ctn_str address, bool is_loopback);
void ctn_door_free(ctn_door *door); /* NULL is fine */

/* Is this request for us, and from a page that may send it? NULL, or why not. */
const char *ctn_door_foreign(const ctn_door *door, const ctn_web_header *headers, size_t count);
/* May somebody of this name come now? Counts it. Names of thousands are told apart, of more perhaps not. */
bool ctn_door_may_come(ctn_door *door, ctn_str name, int64_t now_ms);
