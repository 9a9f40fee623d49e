/*
 * tool_book.h -- what the configured servers say of their tools, for `check --tools`.
 *
 * Servers are started, asked and ended before anything is checked; what they said stays. Only those are asked whose
 * tools the checked chains and sets name. A server that cannot be reached makes no failure here: each of its tools
 * has the reason as its fault.
 */
#pragma once
#include "check/check.h"
#include "cli/workspace.h"

typedef struct ctn_tool_book ctn_tool_book;

/* sources: those that are checked; NULL: everything in the library. An exit code; everything was said. */
int ctn_tool_book_ask(ctn_cli *cli, const ctn_workspace *ws, const ctn_source *const *sources, size_t source_count,
                      ctn_tool_book **ret_book);
/* For ctn_check_options; ctx is the book. */
bool ctn_tool_book_tool(void *ctx, ctn_str target, ctn_check_tool *ret_tool);
/* The operator's word, then what a trusted server's annotations say. */
ctn_effect ctn_tool_book_effect(void *ctx, const char *kind, ctn_str target);
