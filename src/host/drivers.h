/*
 * drivers.h -- the ways of doing work that a host has: the configured tool servers, functions of this program, jq.
 *
 * Secrets are filled into the environments of the servers and into what calls are given, and taken out of all that
 * comes back: what calls report, and why a server is not there.
 *
 * Ownership  _new gives it, _free takes it (NULL is fine); all that _new is given is borrowed.
 */
#pragma once
#include "drivers/mcp/mcp.h"
#include "drivers/transform/transform.h"
#include "host/config.h"
#include "host/credentials.h"

typedef struct ctn_drivers ctn_drivers;

/* credentials NULL: no token that a person gave leave for is to be had. */
int ctn_drivers_new(const ctn_config *config, ctn_loop *loop, ctn_spawner *spawner, const ctn_log *log,
                    const ctn_credentials *credentials, ctn_drivers **ret_drivers, ctn_err *err);
/* Servers that still run are killed: ctn_mcp_driver_shutdown ends them in order. */
void ctn_drivers_free(ctn_drivers *drivers);

/* What the engine is given; valid as long as the drivers are. */
const ctn_driver *const *ctn_drivers_all(const ctn_drivers *drivers, size_t *ret_count);
ctn_mcp_driver *ctn_drivers_tools(const ctn_drivers *drivers);
ctn_transform_driver *ctn_drivers_transforms(const ctn_drivers *drivers);
/* For the engine: what a call is given, with the secrets that it names in their places. */
ctn_failure ctn_drivers_fill_secrets(void *drivers, ctn_work_kind kind, ctn_arena *arena, const ctn_json *args,
                                     const ctn_json **ret_args, ctn_err *err);
/* Where calls report from now on; before the first time, and when it is all zero, what they report is dropped. */
void ctn_drivers_report_to(ctn_drivers *drivers, ctn_call_sink sink);
/* As ctn_mcp_ready; `why` is never NULL, and gone after the call. */
void ctn_drivers_ready(ctn_drivers *drivers, ctn_str server, ctn_mcp_ready_fn *ready, void *ctx);
/* The same, when each instance of the server has been asked (ctn_mcp_ready_all). */
void ctn_drivers_ready_all(ctn_drivers *drivers, ctn_str server, ctn_mcp_ready_fn *ready, void *ctx);
