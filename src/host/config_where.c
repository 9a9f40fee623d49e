/*
 * config_where.c -- see config_where.h.
 */
#include "host/config_where.h"
#include <stdlib.h>

typedef struct where_keys {
    const ctn_json *env, *file;
} where_keys;

static const ctn_key KEYS[] = {
    {"env", CTN_KEY_NAME, offsetof(where_keys, env), "A variable of the environment.", .is_choice = true},
    {"file", CTN_KEY_NAME, offsetof(where_keys, file), "A file.", .is_choice = true},
};

const ctn_key_table ctn_config_where_table = {"secret", KEYS, sizeof KEYS / sizeof *KEYS, NULL};

bool ctn_config_where_take(ctn_reader *r, const ctn_json *value, const char *what, ctn_str folder, const ctn_json *env,
                           const ctn_json *file, ctn_config_secret *ret)
{
    if (!env == !file) {
        ctn_reader_fault(r, value, "type", "%s has one of env and file", what);
        return false;
    }
    ret->env = ctn_json_text(env);
    ret->file = file ? ctn_path_join(r->arena, folder, ctn_json_text(file)) : (ctn_str){0};
    return true;
}

bool ctn_config_where_read(ctn_reader *r, const ctn_json *value, const char *what, ctn_str folder,
                           ctn_config_secret *ret)
{
    where_keys k = {0};
    if (!ctn_json_is(value, CTN_JSON_OBJECT)) {
        ctn_reader_fault(r, value, "type",
                         "%s says where it is found: {env: NAME} or {file: PATH}; it never stands in this file itself",
                         what);
        return false;
    }
    size_t faults = r->fault_count;
    ctn_keys_read(r, value, what, KEYS, sizeof KEYS / sizeof *KEYS, &k);
    return r->fault_count == faults && ctn_config_where_take(r, value, what, folder, k.env, k.file, ret);
}

int ctn_config_where_text(const ctn_config_secret *s, ctn_arena *arena, ctn_str *ret_text, ctn_err *err)
{
    if (s->env.len) {
        const char *value = getenv(ctn_arena_str(arena, s->env).ptr);
        if (!value || !*value)
            return ctn_fail(err, CTN_E_NOT_FOUND, "the variable %.*s is not set", CTN_STR_ARG(s->env));
        *ret_text = ctn_arena_str(arena, ctn_str_from(value));
        return CTN_OK;
    }
    ctn_str text;
    int rc = ctn_file_read(arena, s->file, &text, err);
    if (rc)
        return rc;
    *ret_text = ctn_str_trim(text);
    if (!ret_text->len || memchr(ret_text->ptr, '\0', ret_text->len))
        return ctn_fail(err, CTN_E_INVALID, "%.*s holds no text", CTN_STR_ARG(s->file));
    return CTN_OK;
}
