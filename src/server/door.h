/*
 * door.h -- who may come in: by which name he calls us, which web page sent him, whose token he has.
 *
 * A web page that somebody visits can make his browser call 127.0.0.1, and a name that the page's owner gives out can
 * be made to lead there (DNS rebinding). So on loopback, and wherever `hosts` is said, a request must name us by a name
 * that we have, and where an Origin is told it must be one of ours or one that is configured.
 *
 * Tokens are where the configuration says, and are read again when they may have changed, so that a token can be
 * replaced, or taken away, under a running server. They are compared in constant time. Without tokens nobody is asked
 * for one; it is the caller's to listen on loopback only then.
 *
 * Each holder, and all without a token together, may come so often: `rate` a second, twice as often after a pause.
 *
 * Ownership  The configuration is borrowed.
 */
#pragma once
#include "base/arena.h"
#include "host/config.h"
#include "server/web.h"

typedef struct ctn_door ctn_door;

typedef enum ctn_door_verdict {
    CTN_DOOR_OPEN,
    CTN_DOOR_UNKNOWN, /* 401: no token, or none of ours */
    CTN_DOOR_OFTEN,   /* 429: one of ours, too often */
} ctn_door_verdict;

/* address: what is listened on, "127.0.0.1:8642". */
ctn_door *ctn_door_new(const ctn_config_http *config, ctn_str address, bool is_loopback);
void ctn_door_free(ctn_door *door); /* NULL is fine */

/* Is this request for us, and from a page that may send it? NULL, or why not. */
const char *ctn_door_foreign(const ctn_door *door, const ctn_web_header *headers, size_t count);
/* Who it is, unless it is UNKNOWN: the holder of the token, or "anonymous" where there are no tokens. */
ctn_door_verdict ctn_door_who(ctn_door *door, const ctn_web_header *headers, size_t count, int64_t now_ms,
                              ctn_str *ret_principal);
