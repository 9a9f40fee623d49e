/*
 * crm.h -- the pack's own client records: one SQLite file, made at first use.
 *
 *     clients(client_id, key, execution_id, name, email, phone, created_at)
 *     sessions(session_id, client_id, client, requirements, created_at)
 *     outbox(scheduled_id, channel, send_time, client_id, subject, message, created_at)
 *
 * create is idempotent by its key: the same key gives the same record, whoever asks and however often. delete is
 * idempotent: what is gone stays gone. schedule writes a row each time. Ids are never used twice.
 *
 * Errors  CTN_E_IO, CTN_E_BUSY with a sentence that names the file.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"

typedef struct travel_crm travel_crm;

/* The file at `path`, made with its tables unless `is_reading` (then a missing file is CTN_E_NOT_FOUND). */
int travel_crm_open(const char *path, bool is_reading, travel_crm **ret_crm, ctn_err *err);
void travel_crm_close(travel_crm *crm); /* NULL is fine */

typedef struct travel_client {
    ctn_str name, email, phone;   /* empty: not known */
    ctn_str client, requirements; /* JSON text, kept as it came */
    ctn_str key, execution_id;    /* empty: none */
    ctn_str created_at;           /* RFC 3339 */
} travel_client;

int travel_crm_create(travel_crm *crm, ctn_arena *arena, const travel_client *client, ctn_str *ret_client_id,
                      ctn_str *ret_session_id, bool *ret_is_new, ctn_err *err);
/* By client id, or by the execution that made the records. */
int travel_crm_delete(travel_crm *crm, ctn_str client_id, ctn_str execution_id, int *ret_deleted, ctn_err *err);
/* CTN_E_NOT_FOUND: no such client. */
int travel_crm_find(travel_crm *crm, ctn_arena *arena, ctn_str client_id, ctn_str *ret_name, int *ret_sessions,
                    ctn_err *err);

typedef struct travel_message {
    ctn_str channel, send_time, client_id, subject, text, created_at;
} travel_message;

int travel_crm_schedule(travel_crm *crm, ctn_arena *arena, const travel_message *message, ctn_str *ret_scheduled_id,
                        ctn_err *err);
