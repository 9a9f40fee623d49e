/*
 * work_internal.h -- what work.c and the files of single kinds share: keys whose values are only checked while a file
 * is read, for who needs them has the object. Internal to work*.c.
 */
#pragma once
#include "chain/work.h"

typedef union ctn_checked {
    const ctn_json *node;
    ctn_chain_template template;
    ctn_chain_tree tree;
    int64_t number;
    double fraction;
    int word;
    ctn_said said;
} ctn_checked;
#define CHECKED(key, type, ...) CTN_KEY(key, type, ctn_checked, node, __VA_ARGS__)

#define CTN_COMMAND_KEY_COUNT    18
#define CTN_EXIT_CODES_KEY_COUNT 2
extern const ctn_key ctn_command_keys[CTN_COMMAND_KEY_COUNT];
extern const ctn_key ctn_exit_codes_keys[CTN_EXIT_CODES_KEY_COUNT];
