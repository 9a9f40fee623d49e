/*
 * secrets.c -- see secrets.h.
 */
#include "host/secrets.h"
#include "base/percent.h"
#include "host/config_where.h"
#include "host/words.h"
#include "value/secret.h"
#include <stdlib.h>

#define MARK "{secret."

static const ctn_config_secret *named(const ctn_config *config, ctn_str name)
{
    for (size_t i = 0; i < config->secret_count; i++)
        if (ctn_str_equal(config->secrets[i].name, name))
            return &config->secrets[i];
    return NULL;
}

int ctn_secrets_check(void *ctx, ctn_arena *arena, ctn_str name, ctn_err *err)
{
    const ctn_config *config = ctx;
    if (named(config, name))
        return CTN_OK;
    ctn_str *names = CTN_NEW_ARRAY(arena, ctn_str, config->secret_count);
    for (size_t i = 0; i < config->secret_count; i++)
        names[i] = config->secrets[i].name;
    return ctn_fail(err, CTN_E_NOT_FOUND, "`secrets` names no %.*s; %.*s", CTN_STR_ARG(name),
                    CTN_STR_ARG(ctn_words_suggest(arena, name, names, config->secret_count)));
}

int ctn_secrets_check_plan(const ctn_config *config, ctn_arena *arena, const ctn_plan *plan, ctn_err *err)
{
    for (size_t i = 0; i < ctn_json_count(plan->secrets); i++) {
        int rc = ctn_secrets_check((void *) config, arena, ctn_json_text(&plan->secrets->members[i].key), err);
        if (rc)
            return rc;
    }
    return CTN_OK;
}

static int read_secret(const ctn_config *config, ctn_arena *arena, ctn_str name, ctn_str *ret_text, ctn_err *err)
{
    int rc = ctn_secrets_check((void *) config, arena, name, err);
    if (rc)
        return rc;
    rc = ctn_config_where_text(named(config, name), arena, ret_text, err);
    return rc ? ctn_wrap(err, rc, "the secret %.*s is not there", CTN_STR_ARG(name)) : CTN_OK;
}

/* What has been read is known from here on, the old text of a secret that has changed too. */
static void know(ctn_secrets *known, ctn_arena *arena, ctn_str name, ctn_str text)
{
    for (size_t i = 0; i < known->count; i++)
        if (ctn_str_equal(known->items[i].name, name) && ctn_str_equal(known->items[i].text, text))
            return;
    known->items = ctn_arena_room(arena, known->items, known->count, &known->capacity, sizeof *known->items);
    known->items[known->count++] = (struct ctn_secret){ctn_arena_str(arena, name), ctn_arena_str(arena, text)};
}

/* The same, and as others may say it back: in a URL, in a text of JSON. */
static void know_as_sent(ctn_secrets *known, ctn_arena *arena, ctn_str name, ctn_str text)
{
    ctn_buf quoted;
    ctn_buf_init(&quoted, SIZE_MAX / 2);
    ctn_json_write_string(&quoted, text);
    ctn_str encoded = ctn_percent_encode(arena, text), escaped = {quoted.data + 1, quoted.len - 2};
    if (!ctn_str_equal(escaped, text))
        know(known, arena, name, escaped);
    if (!ctn_str_equal(encoded, text))
        know(known, arena, name, encoded);
    know(known, arena, name, text);
    ctn_buf_done(&quoted);
}

/* The text with every {secret.NAME} in it filled in, each read now. */
static int fill(const ctn_config *config, ctn_arena *arena, ctn_str text, ctn_secrets *known, ctn_arena *known_arena,
                ctn_str *ret_text, ctn_err *err)
{
    int rc = CTN_OK;
    ctn_buf out;
    ctn_buf_init(&out, 1 << 20);
    while (rc == CTN_OK && text.len) {
        size_t at = ctn_str_find(text, CTN_STR(MARK));
        ctn_buf_append(&out, (ctn_str){text.ptr, at == SIZE_MAX ? text.len : at});
        if (at == SIZE_MAX)
            break;
        text = ctn_str_from_offset(text, at + sizeof MARK - 1);
        size_t end = ctn_str_find(text, CTN_STR("}"));
        ctn_str name = {text.ptr, end == SIZE_MAX ? text.len : end}, value = {0};
        rc = read_secret(config, arena, name, &value, err);
        if (rc == CTN_OK) {
            know(known, known_arena, name, value);
            ctn_buf_append(&out, value);
        }
        text = end == SIZE_MAX ? (ctn_str){0} : ctn_str_from_offset(text, end + 1);
    }
    if (rc == CTN_OK)
        *ret_text = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return rc;
}

void ctn_secrets_fill(const ctn_config *config, ctn_arena *arena, ctn_mcp_server_config *server, ctn_secrets *known)
{
    size_t count = 0;
    bool any = false;
    while (server->env && server->env[count])
        any = strstr(server->env[count++], MARK) || any;
    if (!any)
        return;
    const char **env = CTN_NEW_ARRAY(arena, const char *, count + 1);
    for (size_t i = 0; i < count; i++) {
        ctn_err err = {0};
        ctn_str text;
        if (fill(config, arena, ctn_str_from(server->env[i]), known, arena, &text, &err)) {
            server->unusable = ctn_arena_str(arena, ctn_str_from(err.message)).ptr;
            return;
        }
        env[i] = text.ptr;
    }
    server->env = env;
}

int ctn_secrets_headers(const ctn_config *config, const ctn_mcp_server_config *server, ctn_secrets *known,
                        ctn_arena *known_arena, ctn_arena *arena, const ctn_mcp_header **ret_headers, ctn_err *err)
{
    ctn_mcp_header *headers = CTN_NEW_ARRAY(arena, ctn_mcp_header, server->header_count);
    for (size_t i = 0; i < server->header_count; i++) {
        headers[i].name = ctn_arena_str(arena, server->headers[i].name);
        int rc = fill(config, arena, server->headers[i].value, known, known_arena, &headers[i].value, err);
        if (!rc && ctn_str_find_control(headers[i].value) != SIZE_MAX)
            rc = ctn_fail(err, CTN_E_INVALID,
                          "the value of the header %.*s has a line break or another control character in it",
                          CTN_STR_ARG(headers[i].name));
        if (rc)
            return rc;
    }
    *ret_headers = headers;
    return CTN_OK;
}

/* ---- what calls are given ---- */

typedef struct filling {
    const ctn_config *config;
    ctn_secrets *known;
    ctn_arena *known_arena;
    bool is_url;
    ctn_failure failure;
    ctn_err *err;
} filling;

static void put_secret(filling *f, ctn_arena *arena, ctn_str name, bool is_encoded, ctn_buf *out)
{
    ctn_str text = {0};
    ctn_err err = {0};
    if (f->failure)
        return;
    if (ctn_secrets_check((void *) f->config, arena, name, &err))
        f->failure = ctn_failure_tell(f->err, CTN_FAILURE_DENIED, "%s", err.message);
    else if (read_secret(f->config, arena, name, &text, &err)) /* where it lies is nothing for journals */
        f->failure =
            ctn_failure_tell(f->err, CTN_FAILURE_UNAVAILABLE, "the secret %.*s cannot be read now", CTN_STR_ARG(name));
    if (f->failure)
        return;
    know_as_sent(f->known, f->known_arena, name, text);
    if (is_encoded)
        ctn_percent_append(out, text);
    else
        ctn_buf_append(out, text);
}

static ctn_str fill_text(void *ctx, ctn_arena *arena, ctn_str text)
{
    filling *f = ctx;
    size_t bytes = 0, at;
    ctn_str name = {0};
    if (ctn_secret_find(text, &bytes, &name) == SIZE_MAX)
        return text;
    ctn_buf out;
    ctn_buf_init(&out, SIZE_MAX / 2);
    while ((at = ctn_secret_find(text, &bytes, &name)) != SIZE_MAX) {
        ctn_buf_append(&out, (ctn_str){text.ptr, at});
        put_secret(f, arena, name, f->is_url && out.len > 0, &out);
        text = ctn_str_from_offset(text, at + bytes);
    }
    ctn_buf_append(&out, text);
    ctn_str filled = ctn_arena_str(arena, ctn_buf_str(&out));
    ctn_buf_done(&out);
    return filled;
}

ctn_failure ctn_secrets_fill_args(const ctn_config *config, ctn_work_kind kind, ctn_secrets *known,
                                  ctn_arena *known_arena, ctn_arena *arena, const ctn_json *args,
                                  const ctn_json **ret_args, ctn_err *err)
{
    filling f = {.config = config, .known = known, .known_arena = known_arena, .err = err};
    if (kind != CTN_WORK_HTTP) {
        *ret_args = ctn_json_change_texts(arena, args, false, fill_text, &f);
        return f.failure;
    }
    ctn_json_builder b = ctn_json_object(arena);
    for (size_t i = 0; i < ctn_json_count(args); i++) {
        ctn_str key = ctn_json_text(&args->members[i].key);
        f.is_url = ctn_str_is(key, "url");
        ctn_json_put(&b, key, ctn_json_change_texts(arena, &args->members[i].value, false, fill_text, &f));
    }
    *ret_args = ctn_json_finish(&b);
    return f.failure;
}

/* ---- what comes back ---- */

void ctn_secrets_learn(ctn_secrets *known, ctn_arena *known_arena, ctn_str name, ctn_str text)
{
    enum { OF_ONE_NAME = 4 };
    size_t count = 0, first = 0;
    for (size_t i = known->count; i > 0; i--)
        if (ctn_str_equal(known->items[i - 1].name, name)) {
            if (ctn_str_equal(known->items[i - 1].text, text))
                return;
            count++;
            first = i - 1;
        }
    if (count >= OF_ONE_NAME) { /* the oldest is forgotten */
        known->count--;
        memmove(&known->items[first], &known->items[first + 1], (known->count - first) * sizeof *known->items);
    }
    know(known, known_arena, name, text);
}

ctn_str ctn_secrets_hide(const ctn_secrets *known, ctn_arena *arena, ctn_str text)
{
    for (size_t i = 0; i < known->count; i++) {
        const struct ctn_secret *s = &known->items[i];
        size_t at = s->text.len < CTN_SECRET_BYTES_MIN ? SIZE_MAX : ctn_str_find(text, s->text);
        if (at == SIZE_MAX)
            continue;
        ctn_buf out;
        ctn_buf_init(&out, SIZE_MAX / 2);
        for (; at != SIZE_MAX; at = ctn_str_find(text, s->text)) {
            ctn_buf_append(&out, (ctn_str){text.ptr, at});
            ctn_buf_printf(&out, "(secret %.*s)", CTN_STR_ARG(s->name));
            text = ctn_str_from_offset(text, at + s->text.len);
        }
        ctn_buf_append(&out, text);
        text = ctn_arena_str(arena, ctn_buf_str(&out));
        ctn_buf_done(&out);
    }
    return text;
}

static ctn_str hide_text(void *ctx, ctn_arena *arena, ctn_str text)
{
    return ctn_secrets_hide(ctx, arena, text);
}

const ctn_json *ctn_secrets_hide_json(const ctn_secrets *known, ctn_arena *arena, const ctn_json *value)
{
    return ctn_json_change_texts(arena, value, true, hide_text, (void *) known);
}
