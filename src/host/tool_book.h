/*
 * tool_book.h -- what the configured servers say of their tools, for `check --tools`.
 *
 * Servers are started and asked before anything is checked; what they said stays when they have ended. Only those are
 * asked whose tools the checked chains and sets name. A server that cannot be reached makes no failure here: each of
 * its tools has the reason as its fault.
 */
#pragma once
#include "check/check.h"
#include "host/host.h"

typedef struct ctn_tool_book ctn_tool_book;

/* sources: those that are checked; NULL: everything in the library. The host's servers end with it. The book lives in
 * the arena of the host's workspace. CTN_E_CLOSED: a signal came. */
int ctn_tool_book_ask(ctn_host *host, const ctn_source *const *sources, size_t source_count, ctn_tool_book **ret_book,
                      ctn_err *err);
/* For ctn_check_options; ctx is the book. */
bool ctn_tool_book_tool(void *ctx, ctn_str target, ctn_check_tool *ret_tool);
/* The operator's word, then what a trusted server's annotations say. */
ctn_effect ctn_tool_book_effect(void *ctx, const char *kind, ctn_str target);
