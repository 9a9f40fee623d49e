/*
 * transform.h -- the driver of kind "transform": a jq program that makes one value of the call's arguments.
 *
 * jq runs in children (transform/worker.h), never here: a program can loop, fill its memory or crash. A few workers are
 * kept and reused, one job at a time each; jobs wait in turn for one. A worker has an empty environment, no files, no
 * modules, a bounded memory; at its deadline a job's worker is killed, and the next job gets a new one.
 *
 * What can come of a call, besides its value:
 *   invalid_input     a number that jq cannot hold exactly, by its path; arguments over 16 MiB or 120 levels
 *   protocol_error    the program does not compile
 *   tool_error        the program raised an error: its message, at most 300 bytes of it
 *   invalid_output    no result, or several
 *   timeout           it did not end in time
 *   limit             its memory was full, or its result is too large or too deep
 *   transport         the worker died for another reason; nothing is sent twice by this driver
 *   unavailable       no worker could be started
 *
 * Threads    The loop's.
 */
#pragma once
#include "engine/driver.h"
#include "loop/spawn.h"

#define CTN_TRANSFORM_WORKERS_MAX 16

typedef struct ctn_transform_options {
    ctn_loop *loop;
    ctn_spawner *spawner;
    ctn_call_sink sink;
    /* A program whose main passes its last argument to ctn_transform_worker_main; it is added behind these.
     * NULL-terminated, copied. */
    const char *const *argv;
    unsigned workers_max; /* 0: one for each processor, at most 4 */
    unsigned memory_mib;  /* of one worker; 0: 512 */
    int64_t idle_ms;      /* after so long without a job the workers end; 0: 30 s */
} ctn_transform_options;

typedef struct ctn_transform_driver ctn_transform_driver;
ctn_transform_driver *ctn_transform_driver_new(const ctn_transform_options *options);
/* Kills the workers; nothing is told any more. NULL is fine. */
void ctn_transform_driver_free(ctn_transform_driver *driver);
ctn_driver ctn_transform_driver_interface(ctn_transform_driver *driver);

/* Whether a program is good jq. code CTN_OK, CTN_E_INVALID (jq's sentence), or why it could not be asked. Told later,
 * or before this returns when no worker can be started. */
typedef void ctn_transform_compiled_fn(void *ctx, int code, const char *why);
void ctn_transform_compile(ctn_transform_driver *driver, ctn_str program, ctn_transform_compiled_fn *told, void *ctx);

typedef struct ctn_transform_state {
    size_t workers, busy, waiting;
    uint64_t starts; /* of workers, ever */
} ctn_transform_state;
ctn_transform_state ctn_transform_state_of(const ctn_transform_driver *driver);
/* The process of a worker that has a job; 0: none has. For tests. */
int ctn_transform_busy_pid(const ctn_transform_driver *driver);
