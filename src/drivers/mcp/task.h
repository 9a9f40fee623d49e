/*
 * task.h -- calls that are not over with their first answer: a server that asks in the middle of one, and one that
 * went on by itself as a task, whose handle is kept by the engine and asked for its result until there is one.
 *
 * A flight that is a task is, between two questions, in its peer's list `tasks`; to ask, it goes through `waiting` and
 * `sent` like any call. What goes wrong with a question is nothing that the task did: it is asked again, later and
 * later, and only after several in a row its fate is unknown. The call's timeoutMs stands still, its idleTimeoutMs
 * counts from the last change that the server told of.
 *
 * Continuations  {state?}                          a call that was asked for something: requestState, exactly
 *                {task, answered?, legacy?}        a task: its id, the keys that were answered, of 2025-11-25
 */
#pragma once
#include "drivers/mcp/internal.h"

bool ctn_mcp_flight_task_is(const ctn_json *continuation); /* of a task */
/* A new flight of a continuation that is a task: it goes on as that. `f` is in no list yet. */
void ctn_mcp_flight_task_resume(ctn_mcp_flight *f, const ctn_json *continuation, const ctn_json *answers);
void ctn_mcp_flight_task_free(ctn_mcp_task *task); /* NULL is fine */

/* The first answer of a call: told to the engine as asks, or kept as a task. */
void ctn_mcp_flight_task_asks(ctn_mcp_flight *f, const ctn_mcp_call_result *result, ctn_arena *scratch);
void ctn_mcp_flight_task_begin(ctn_mcp_flight *f, const ctn_mcp_task_told *told, ctn_arena *scratch);

/* Of a flight that is one: it waits and its peer is UP; it was answered; its time has come. */
void ctn_mcp_flight_task_send(ctn_mcp_flight *f);
void ctn_mcp_flight_task_answered(ctn_mcp_flight *f, const ctn_rpc_message *m, ctn_arena *scratch);
void ctn_mcp_flight_task_due(ctn_mcp_flight *f, int64_t now_ms);
/* Something went wrong with asking for it: it is asked again later. False: that was the last time. */
bool ctn_mcp_flight_task_holds(ctn_mcp_flight *f, const ctn_call_result *result);
/* Nobody wants it any more: its server is told, if it can be. Takes the flight. */
void ctn_mcp_flight_task_cancel(ctn_mcp_flight *f);
/* The same for one that no flight stands for. */
void ctn_mcp_flight_task_abandon(ctn_mcp_driver *driver, ctn_mcp_server *server, const ctn_json *continuation);
