/*
 * http_call.h -- what an `http` of an instruction set may say beyond the type of each key (work.c has the table), and
 * how each of its members is taken when it is rendered.
 *
 * Read here and by the driver (drivers/web) with the same words: `success` is a list of statuses, 200, or classes,
 * "2xx"; `next` is an expression, or an object of expressions by the name of a member of the query, over what an answer
 * said (CTN_HTTP_CALL_ROOTS); `items` is one too.
 */
#pragma once
#include "chain/keys.h"

/* What `next` and `items` can read. */
#define CTN_HTTP_CALL_ROOTS "body, headers, links, status and page"
bool ctn_http_call_is_root(ctn_str name);
/* Does the list name this status? NULL: every 2xx. */
bool ctn_http_call_is_success(const ctn_json *success, int status);
/* A header that a chain may send: a word, and none of those that belong to the connection or to the message. *ret_why:
 * a sentence without its subject. */
bool ctn_http_call_may_send_header(ctn_str name, const char **ret_why);
/* url is a URL, next, items and success stand as they are, the rest are templates. */
ctn_tree_way_fn ctn_http_call_way;
/* Who is called, as breakers know him and people are told: "crm.example.com:8443" of the url's text; of one that begins
 * with a secret its name, "{secret.CRM}". Points into the text. */
ctn_str ctn_http_call_host(ctn_str url);

/* ---- for the table of keys ---- */
void ctn_http_call_read_url(ctn_reader *reader, const ctn_json *value, void *target);
void ctn_http_call_read_headers(ctn_reader *reader, const ctn_json *value, void *target);
void ctn_http_call_read_success(ctn_reader *reader, const ctn_json *value, void *target);
void ctn_http_call_read_next(ctn_reader *reader, const ctn_json *value, void *target);
void ctn_http_call_read_items(ctn_reader *reader, const ctn_json *value, void *target);
void ctn_http_call_read_idempotency(ctn_reader *reader, const ctn_json *value, void *target);
/* What does not go together. */
void ctn_http_call_check(ctn_reader *reader, const ctn_json *detail);
