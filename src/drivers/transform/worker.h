/*
 * worker.h -- the process that runs jq for the driver of kind "transform" (transform.h).
 *
 * It speaks JSON-RPC lines (wire/jsonrpc.h) on stdin and stdout, one request after the other, and ends with its stdin:
 *
 *     compile {program}                 -> {}                     or an error
 *     run     {program, cpuMs, input}   -> {value: ...}           or an error
 *
 * The code of an error is a ctn_jq_outcome. Before it reads anything it gives up what it could do harm with: memory is
 * limited, a job's processor time too (the process dies of SIGXCPU), no file can be opened, no core is written.
 */
#pragma once

#define CTN_TRANSFORM_WORKER_FLAG "--transform-worker" /* makes a catena one */
#define CTN_TRANSFORM_EXIT_MEMORY 3                    /* how a worker ends whose memory is full */

/* The whole process; memory_mib: how much it may have, as text. Returns the exit code. */
int ctn_transform_worker_main(const char *memory_mib);
