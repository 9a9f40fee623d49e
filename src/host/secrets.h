/*
 * secrets.h -- what `secrets` of catena.yaml names: read when a server or a call needs it, put into its environment or
 * its arguments, and taken out of everything that comes back.
 *
 * A secret's text is never written: where a server or its tools say it (an error, progress, last words, a result), it
 * reads "(secret NAME)", also as it would stand in a URL or in a text of JSON. Texts of fewer than CTN_SECRET_BYTES_MIN
 * bytes are not looked for, for they would be found everywhere.
 *
 * Ownership  In the arena given.
 */
#pragma once
#include "base/json.h"
#include "chain/plan.h"
#include "host/config.h"

#define CTN_SECRET_BYTES_MIN 6

typedef struct ctn_secrets {
    struct ctn_secret {
        ctn_str name, text;
    } * items;
    size_t count, capacity;
} ctn_secrets;

/* The server's environment with every {secret.NAME} filled in, and what was read added to *known. A secret that cannot
 * be had: server->unusable says why. */
void ctn_secrets_fill(const ctn_config *config, ctn_arena *arena, ctn_mcp_server_config *server, ctn_secrets *known);
/* The headers of a server over HTTP, likewise, each secret read now: asked again when they were refused. What is known
 * lives in known_arena, the headers in arena. */
int ctn_secrets_headers(const ctn_config *config, const ctn_mcp_server_config *server, ctn_secrets *known,
                        ctn_arena *known_arena, ctn_arena *arena, const ctn_mcp_header **ret_headers, ctn_err *err);
/* What a call is given with the text of each secret in its place (value/secret.h), each read now; of a URL (the member
 * `url` of an http call) percent-encoded, but as it is where it is the beginning. denied: `secrets` names no such one;
 * unavailable: it cannot be read now; the sentences hold its name and nothing else of it. */
ctn_failure ctn_secrets_fill_args(const ctn_config *config, ctn_work_kind kind, ctn_secrets *known,
                                  ctn_arena *known_arena, ctn_arena *arena, const ctn_json *args,
                                  const ctn_json **ret_args, ctn_err *err);
/* CTN_E_NOT_FOUND: `secrets` does not name it; the sentence has the nearest. config: a ctn_config. */
int ctn_secrets_check(void *config, ctn_arena *arena, ctn_str name, ctn_err *err);
/* All that the plan names. */
int ctn_secrets_check_plan(const ctn_config *config, ctn_arena *arena, const ctn_plan *plan, ctn_err *err);
/* A secret that is not of `secrets` (a token), and is another one every hour: of one name the last few are known. */
void ctn_secrets_learn(ctn_secrets *known, ctn_arena *known_arena, ctn_str name, ctn_str text);
/* The text itself when none is in it. */
ctn_str ctn_secrets_hide(const ctn_secrets *known, ctn_arena *arena, ctn_str text);
const ctn_json *ctn_secrets_hide_json(const ctn_secrets *known, ctn_arena *arena, const ctn_json *value);
