/*
 * reveal.h -- --reveal: sensitive values as they are, for one command; each use stands in the store's audit log.
 */
#pragma once
#include "cli/cli.h"
#include "host/keyring.h"
#include "host/workspace.h"

typedef struct ctn_reveal {
    ctn_config_keyring *keyring; /* NULL: not asked for */
} ctn_reveal;

/* With --reveal: the keys are there, and that they are used on this execution is written down first. CTN_EXIT_OK also
 * without it. */
int ctn_reveal_begin(ctn_cli *cli, const ctn_workspace *ws, const ctn_execution_row *row, ctn_reveal *ret);
void ctn_reveal_end(ctn_reveal *reveal);
/* As ctn_execution_load; revealed, with the row's input, outputs and error as they are, in the arena. */
int ctn_reveal_load(const ctn_reveal *reveal, ctn_store *store, ctn_arena *arena, ctn_execution_row *row,
                    ctn_execution **ret_execution, ctn_err *err);
