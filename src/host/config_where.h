/*
 * config_where.h -- {env: NAME} or {file: PATH}: where a secret of the configuration is found; it never stands in it.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_where_table;

/* `what` names it in sentences: "a token". folder: of relative paths. False after a fault. ret->name is left alone. */
bool ctn_config_where_read(ctn_reader *r, const ctn_json *value, const char *what, ctn_str folder,
                           ctn_config_secret *ret);
/* The same of an object that has more keys: `env` and `file` are what was read of it, `value` is the object. */
bool ctn_config_where_take(ctn_reader *r, const ctn_json *value, const char *what, ctn_str folder, const ctn_json *env,
                           const ctn_json *file, ctn_config_secret *ret);
/* Its text, read now; white space around what a file holds is dropped. CTN_E_NOT_FOUND, CTN_E_INVALID: it is not there,
 * or holds no text; the sentence says where it was looked for. */
int ctn_config_where_text(const ctn_config_secret *where, ctn_arena *arena, ctn_str *ret_text, ctn_err *err);
