/*
 * crm.h -- what the agency knows of its clients: one SQLite file, made at first use, shared by several processes.
 *
 *     clients        client_id C-000001, name, language, timezone; made_by_lead; erased_at, erased_for
 *     contacts       client_id, kind email|phone, value as it was written, key: normalised, UNIQUE (crm_contact.h)
 *     leads          lead_id L-000001, client_id, execution, source, channel, text, language; client, requirements
 *                    and budget as JSON; repeat_of, asked_in,
 *                    status new asked proposed accepted booked lost spam.
 *                    Spam has no client and keeps no text: it is a line to be counted
 *     trips          trip_id T-000001, client_id, lead_id, dates, total,
 *                    status planned held booked cancelled done
 *     messages       message_id M-000001, client_id, direction, channel, subject, body, status, key UNIQUE, driver
 *     activities     activity_id A-000001, client_id, kind, what
 *     documents      document_id D-000001, client_id, lead_id, kind, version, content_type, body
 *     executions     client_id, execution: which runs of chains dealt with a client
 *     answers        tool, key -> the answer that a call with this key got, and a digest of its arguments
 *     client_search  full text over names, contacts and places
 *
 * Section `crm` of agency.yaml: {repeat_days: 14}, for how long the same text of the same client counts as a repeat.
 *
 * Promises
 *   1. A change is one transaction, on disk when the call returns (WAL, synchronous=FULL): commit before
 *      effect. A process that dies in between leaves all of it or nothing; several changes are one between
 *      travel_crm_begin and travel_crm_end.
 *   2. One contact key belongs to one client, whoever comes at the same time from however many processes.
 *   3. The same key has one outcome for ever (travel_crm_once, messages by key); with other arguments it is refused.
 *   4. An id is never used twice. An erased client's id stays, and nothing is ever written to it again.
 *   5. Nothing personal stands in an error: sentences name ids, tables and the file.
 *
 * Ownership  open gives the file to the caller, close takes it. What is given back lives in the caller's arena; what is
 *            passed in is copied.
 * Times      *_at_ms is milliseconds since 1970; 0 is "never" or "not known". In the file: RFC 3339, UTC.
 * Errors     CTN_E_BUSY       another process writes for longer than 5 s; nothing happened
 *            CTN_E_IO         disk; whether a commit happened is not known: ask again by the same key
 *            CTN_E_NEWER      the file was written by a newer catena-travel; nothing was touched
 *            CTN_E_NOT_FOUND  no such row
 *            CTN_E_EXISTS     the key was used for something else
 *            CTN_E_STATE      the row is not in a state that allows this, or its client was erased
 *            After any of them nothing of the call is in the file, and the handle is good for the next call.
 * Threads    A handle belongs to the thread that opened it.
 */
#pragma once

#include "base/arena.h"
#include "base/err.h"
#include "base/json.h"

typedef struct travel_crm travel_crm;

/* The file at `path`, made or migrated to this version's tables; `is_reading`: a file that is not there is
 * CTN_E_NOT_FOUND and is not made. */
int travel_crm_open(const char *path, bool is_reading, travel_crm **ret_crm, ctn_err *err);
void travel_crm_close(travel_crm *crm); /* NULL is fine */

/* ---- one change ---- */

/* Begins a change; inside another one it is a part of it. Each begin that gives CTN_OK is met by one end, which commits
 * if `rc` is CTN_OK and forgets this part otherwise; it gives `rc`, or what went wrong while committing. Functions
 * below that write do this themselves: callers need it only to make one change of several. */
int travel_crm_begin(travel_crm *crm, ctn_err *err);
int travel_crm_end(travel_crm *crm, int rc, ctn_err *err);

/* A tool's call with an idempotency key: `work` runs once in a change, and its answer is kept in the same change. The
 * same key again gives the kept answer and runs nothing; with other arguments it is CTN_E_EXISTS. An empty key: it just
 * runs. The answer must hold ids, states and times, and nothing personal: erasing a client leaves it. */
typedef struct travel_once {
    const char *tool; /* keys of different tools have nothing to do with each other */
    ctn_str key;
    ctn_str call_key; /* that came with the call, if not the same; the engine's begin with the execution, which is noted
                       * with the client that the answer or the arguments name */
    const ctn_json *arguments; /* its member `key` does not count */
    int64_t now_ms;
    int (*work)(void *ctx, ctn_arena *arena, const ctn_json **ret_answer, ctn_err *err);
    void *ctx;
} travel_once;
int travel_crm_once(travel_crm *crm, ctn_arena *arena, const travel_once *once, const ctn_json **ret_answer,
                    bool *ret_is_repeated, ctn_err *err);

/* ---- clients ---- */

typedef struct travel_client {
    ctn_str client_id, name, language, timezone; /* empty: not known */
    ctn_str email, phone;                        /* the first of each, as it was written */
    int64_t stopped_at_ms;                       /* since then wants no messages; 0: may be written to */
    int64_t created_at_ms, erased_at_ms;         /* erased: everything else but the id is empty */
} travel_client;

/* CTN_E_NOT_FOUND: no such client. An erased one is given, with erased_at_ms. */
int travel_crm_client(travel_crm *crm, ctn_arena *arena, ctn_str client_id, travel_client *ret_client, ctn_err *err);
/* By e-mail, else by phone; both are normalised first. */
int travel_crm_client_by_contact(travel_crm *crm, ctn_arena *arena, ctn_str email, ctn_str phone,
                                 travel_client *ret_client, ctn_err *err);
/* What is not empty replaces what is there; a contact is added (and is nobody's key if another client has it). */
int travel_crm_client_update(travel_crm *crm, ctn_arena *arena, const travel_client *client, ctn_err *err);
/* From now on the client is not written to; 0: may be again. */
int travel_crm_client_stop(travel_crm *crm, ctn_str client_id, int64_t stopped_at_ms, ctn_err *err);
/* Notes that a run of a chain dealt with the client, so that erasing the client finds it. */
int travel_crm_note_execution(travel_crm *crm, ctn_str client_id, ctn_str execution, ctn_err *err);

typedef struct travel_history {
    travel_client client;
    int64_t days_since_contact; /* since the later of the two below, or the last lead; -1: never */
    int64_t last_incoming_at_ms, last_outgoing_at_ms; /* messages; a lead is incoming */
    int64_t sent_7d, sent_30d;                        /* messages that went out, or may have */
    int64_t leads, trips;
    ctn_str lead_id, lead_status; /* of the last lead */
    const ctn_json *channels;     /* ["email", "phone"], by which the client can be reached */
} travel_history;
/* When there last was contact that was no follow-up: what came from the client, and what was done for him (enquiries,
 * documents, trips, activities); 0: never. Follow-ups (activities of that kind) since then. */
int travel_crm_last_contact(travel_crm *crm, ctn_str client_id, int64_t *ret_at_ms, int64_t *ret_followups,
                            ctn_err *err);
int travel_crm_client_history(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t now_ms,
                              travel_history *ret_history, ctn_err *err);

/* ---- leads ---- */

typedef struct travel_lead_record {
    ctn_str source, channel;                        /* where it came from, and how */
    ctn_str execution, text, language, status;      /* status empty: new */
    ctn_str name, email, phone, timezone;           /* of the client */
    const ctn_json *client, *requirements, *budget; /* kept as they came; NULL: {} */
    int64_t received_at_ms, now_ms;
    int64_t repeat_ms; /* the same text within this span is a repeat */
} travel_lead_record;

typedef struct travel_lead_saved {
    ctn_str client_id, lead_id;
    bool is_known_client, is_repeat;
    ctn_str earlier_lead_id, earlier_execution; /* of a repeat */
} travel_lead_saved;

/* Finds the client by its contacts or makes one, and adds the lead. A lead without any contact is a repeat only of one
 * with the same words and the same name that has none either; it joins nobody else. */
int travel_crm_lead_save(travel_crm *crm, ctn_arena *arena, const travel_lead_record *lead,
                         travel_lead_saved *ret_saved, ctn_err *err);
/* The undo: removes the lead (without lead_id: the one that the key made, without key: those that the execution made),
 * and each client that such a lead made and to which nothing else refers. Nothing there to remove is no error; a key
 * that nobody has used yet is never good for a lead any more, should its call still arrive. */
typedef struct travel_discard {
    ctn_str lead_id, execution;
    const char *tool; /* the key's, as in travel_once */
    ctn_str key;
    int64_t now_ms;
} travel_discard;
int travel_crm_lead_discard(travel_crm *crm, ctn_arena *arena, const travel_discard *discard, int64_t *ret_leads,
                            int64_t *ret_clients, ctn_err *err);
/* The lead that an execution made; CTN_E_NOT_FOUND: none. */
int travel_crm_lead_of_execution(travel_crm *crm, ctn_arena *arena, ctn_str execution, ctn_str *ret_lead_id,
                                 ctn_err *err);
/* Empty or NULL: stays as it is. asked_in: the execution in which the client is asked for something. */
int travel_crm_lead_update(travel_crm *crm, ctn_arena *arena, ctn_str lead_id, ctn_str status, ctn_str asked_in,
                           const ctn_json *requirements, const ctn_json *budget, int64_t now_ms, ctn_err *err);
/* {lead_id, client_id, status, language, text, client, requirements, budget, received_at, ...} */
int travel_crm_lead(travel_crm *crm, ctn_arena *arena, ctn_str lead_id, const ctn_json **ret_lead, ctn_err *err);
bool travel_crm_lead_status_is_known(ctn_str status);
/* A client with everything that belongs to it; for people. 0: there is no such client. */
int travel_crm_client_delete(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t *ret_deleted, ctn_err *err);

/* ---- messages ---- */

/*      plan --> planned --sending--> sending --sent--> sent
 *                  |                    |----failed--> failed --sending--> sending
 *                  `--erase--> cancelled
 * `sending` is committed before anything leaves this machine: who finds it there after a death knows that the message
 * may have gone out, and asks its driver instead of sending again. `failed`: it surely did not go out. */
typedef struct travel_message {
    ctn_str message_id;         /* the CRM's */
    ctn_str client_id, lead_id; /* may be empty */
    ctn_str direction;          /* in, out */
    ctn_str channel, language, subject, body;
    ctn_str status, key;                           /* key empty: none */
    ctn_str driver, reference;                     /* who took it, and what he calls it */
    ctn_str execution;                             /* noted with the client */
    int64_t created_at_ms, send_at_ms, sent_at_ms; /* of an incoming one sent_at is when it came */
} travel_message;

/* Adds a message that is to go out. The same key again: the row as it is now, whatever its status; CTN_E_EXISTS if
 * client, channel, subject or body differ. */
int travel_crm_message_plan(travel_crm *crm, ctn_arena *arena, const travel_message *message,
                            travel_message *ret_message, ctn_err *err);
/* planned or failed -> sending. CTN_E_STATE: it is not in either, so somebody else sends it, or has: read it again. */
int travel_crm_message_sending(travel_crm *crm, ctn_str message_id, ctn_str driver, ctn_err *err);
/* sending -> sent, sending -> failed; the same again changes nothing. */
int travel_crm_message_sent(travel_crm *crm, ctn_str message_id, ctn_str reference, int64_t sent_at_ms, ctn_err *err);
int travel_crm_message_failed(travel_crm *crm, ctn_str message_id, ctn_err *err);
int travel_crm_message_by_key(travel_crm *crm, ctn_arena *arena, ctn_str key, travel_message *ret_message,
                              ctn_err *err);
int travel_crm_message(travel_crm *crm, ctn_arena *arena, ctn_str message_id, travel_message *ret_message,
                       ctn_err *err);
/* Adds a message that came in (status received), at sent_at_ms. */
int travel_crm_message_received(travel_crm *crm, ctn_arena *arena, const travel_message *message,
                                ctn_str *ret_message_id, ctn_err *err);
/* The first message or lead that came from the client after `since_ms`; CTN_E_NOT_FOUND: none. A lead has direction
 * "in", channel "lead" and its text as body. */
int travel_crm_first_incoming(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t since_ms,
                              travel_message *ret_message, ctn_err *err);

/* ---- activity ---- */

/* Something that was done for or with the client: a call, a visit, a proposal approved. */
int travel_crm_activity_record(travel_crm *crm, ctn_arena *arena, ctn_str client_id, ctn_str lead_id, ctn_str kind,
                               ctn_str what, int64_t at_ms, ctn_str *ret_activity_id, ctn_err *err);

/* ---- trips ---- */

typedef struct travel_trip_record {
    ctn_str trip_id;   /* empty: a new one */
    ctn_str execution; /* that made it */
    ctn_str client_id, lead_id, status, summary, destination, start_date, end_date, booking_id;
    ctn_str total, currency; /* "1234.50", "GBP" */
    const ctn_json *details; /* NULL: {} */
    int64_t now_ms;
} travel_trip_record;
/* A new trip, or the one that is named with what is not empty replaced. `cancelled` without a trip_id is an undo that
 * does not know what was done: the trips that the execution made for the client, which may be none (empty id). */
int travel_crm_trip_save(travel_crm *crm, ctn_arena *arena, const travel_trip_record *trip, ctn_str *ret_trip_id,
                         ctn_err *err);
bool travel_crm_trip_status_is_known(ctn_str status);

/* ---- watched prices ---- */

typedef struct travel_watch {
    ctn_str watch_id, client_id, lead_id;  /* lead_id may be empty */
    const ctn_json *requirements, *budget; /* of the search; NULL: {} */
    ctn_str start_date;                    /* of the trip: from that day on it is watched no more */
    ctn_str currency;                      /* empty: no price was seen yet; the cents are 0 then */
    int64_t told_cents, best_cents;
} travel_watch;

int travel_crm_watch_open(travel_crm *crm, ctn_arena *arena, const travel_watch *watch, int64_t now_ms,
                          ctn_str *ret_watch_id, ctn_err *err);
/* Those that are open on that day ("2027-04-20"), by id, `limit` at most; ret_watches is in the arena. */
int travel_crm_watches(travel_crm *crm, ctn_arena *arena, ctn_str today, size_t limit, travel_watch **ret_watches,
                       size_t *ret_count, ctn_err *err);
/* A price that was seen. *ret_before: what the client last heard; 0: this is the first price, or the first in this
 * currency, and counts as heard. It is a drop if it is at least `drop_cents` below that. CTN_E_NOT_FOUND, CTN_E_STATE:
 * the watch is closed. */
int travel_crm_watch_price(travel_crm *crm, ctn_arena *arena, ctn_str watch_id, int64_t cents, ctn_str currency,
                           int64_t drop_cents, int64_t *ret_before, bool *ret_is_drop, ctn_err *err);
/* The client was told this price: it is what he last heard, unless he heard a lower one. Again: the same. */
int travel_crm_watch_told(travel_crm *crm, ctn_str watch_id, int64_t cents, ctn_err *err);
/* What is closed stays closed. CTN_E_NOT_FOUND. */
int travel_crm_watch_close(travel_crm *crm, ctn_str watch_id, ctn_err *err);

/* ---- documents ---- */

/* Versions of a kind of document are counted by lead (by client when there is no lead), from 1. */
typedef struct travel_document {
    ctn_str document_id, client_id, lead_id, kind, content_type, title;
    ctn_str body;    /* bytes */
    int64_t version; /* save: 0 is the next one; get: 0 is the last one */
    int64_t created_at_ms;
} travel_document;

enum { TRAVEL_DOCUMENT_BYTES_MAX = 16 * 1024 * 1024 };

/* CTN_E_EXISTS: that version is there with another body; with the same body it is given back. */
int travel_crm_document_save(travel_crm *crm, ctn_arena *arena, const travel_document *document, ctn_str execution,
                             travel_document *ret_document, ctn_err *err);
int travel_crm_document_next_version(travel_crm *crm, ctn_str client_id, ctn_str lead_id, ctn_str kind,
                                     int64_t *ret_version, ctn_err *err);
/* By document_id, else by lead_id (or client_id) and kind. */
int travel_crm_document(travel_crm *crm, ctn_arena *arena, const travel_document *which, travel_document *ret_document,
                        ctn_err *err);

/* ---- search, export, erasure ---- */

/* Clients by name (accents and case do not count, the beginning of a word suffices), e-mail, part of a phone number,
 * place, or their id; the newest first: [{client_id, name, email, phone, language, leads, last_lead_at,
 * last_lead_status}]. `after`: the client_id that the page before ended with; *ret_next is empty behind the last page.
 * CTN_E_INVALID: the question has no word. */
int travel_crm_search(travel_crm *crm, ctn_arena *arena, ctn_str query, int64_t limit, ctn_str after,
                      const ctn_json **ret_clients, ctn_str *ret_next, ctn_err *err);
/* A page of all clients in the order of their ids (with `client_id`: that one), each with its contacts, leads, trips,
 * messages, activities and documents (without the documents' bodies). A page ends early when it gets long. */
int travel_crm_export(travel_crm *crm, ctn_arena *arena, ctn_str client_id, int64_t limit, ctn_str after,
                      const ctn_json **ret_clients, ctn_str *ret_next, ctn_err *err);
/* The same page as a table, one line a client (RFC 4180; a cell that a spreadsheet would take for a formula begins with
 * an apostrophe). The first page has the names of the columns. */
ctn_str travel_crm_export_csv(ctn_arena *arena, const ctn_json *clients, bool is_first_page);

/* Forgets a client: name, contacts, texts, messages, documents, activities, the index, and every byte of them in the
 * file and its log. What stays names nobody: the client's id, when and why it was erased, its leads' and messages'
 * states and times, its trips' totals. Tells which executions dealt with the client. Again: *ret_was_erased, and the
 * same list. `reason` is a word: it stays. CTN_E_BUSY: it is forgotten, but another process reads, so that bytes may
 * still be in the file's log: ask again. */
int travel_crm_erase(travel_crm *crm, ctn_arena *arena, ctn_str client_id, ctn_str reason, int64_t now_ms,
                     bool *ret_was_erased, const ctn_json **ret_executions, ctn_err *err);
/* The client's messages that this driver took, or may have taken; for who removes them elsewhere. Their keys, channels
 * and times are there after an erasure too. */
int travel_crm_messages_of_driver(travel_crm *crm, ctn_arena *arena, ctn_str client_id, const char *driver,
                                  travel_message **ret_messages, size_t *ret_count, ctn_err *err);
