/*
 * state.c -- requestState: what a backend wants back with the answers, handed out sealed, so that it can be neither
 * read, changed, nor used by another caller or for another request, and not for ever.
 */
#include "base/base64.h"
#include "base/box.h"
#include "base/hash.h"
#include "server/mcp/internal.h"

#define STATE_AGE_MS_MAX (INT64_C(30) * 24 * 3600 * 1000)

/* Who asked what: the retry has the same method, name and arguments. */
static ctn_str context_of(const ctn_mcp_exchange *x)
{
    ctn_json_builder asked = ctn_json_object(x->arena);
    ctn_json_put_str(&asked, "principal", x->caller.principal);
    ctn_json_put_str(&asked, "method", x->method);
    ctn_json_put_str(&asked, "name", x->ask.name);
    ctn_json_put(&asked, CTN_STR("arguments"), x->ask.arguments);
    ctn_buf text;
    ctn_buf_init(&text, SIZE_MAX);
    ctn_json_write_canonical(&text, ctn_json_finish(&asked));
    ctn_digest digest = ctn_hash(ctn_buf_str(&text));
    ctn_buf_done(&text);
    return ctn_arena_str(x->arena, (ctn_str){(const char *) digest.bytes, sizeof digest.bytes});
}

ctn_str ctn_mcp_state_seal(const ctn_mcp_exchange *x, const ctn_json *state)
{
    ctn_json_builder sealed = ctn_json_object(x->arena);
    ctn_json_put_int(&sealed, "untilMs", ctn_loop_now_ms(x->endpoint->of.loop) + STATE_AGE_MS_MAX);
    ctn_json_put(&sealed, CTN_STR("state"), state);
    ctn_str box = ctn_box_seal(x->arena, x->endpoint->of.state_key, context_of(x),
                               ctn_json_to_str(x->arena, ctn_json_finish(&sealed)));
    return ctn_base64_url(x->arena, box);
}

int ctn_mcp_state_open(const ctn_mcp_exchange *x, ctn_str sealed, const ctn_json **ret_state, ctn_err *err)
{
    ctn_str box, text;
    const ctn_json *value = NULL;
    if (!ctn_base64_url_read(x->arena, sealed, &box) ||
        !ctn_box_open(x->arena, x->endpoint->of.state_key, context_of(x), box, &text) ||
        ctn_json_parse(x->arena, text, NULL, &value, NULL))
        return ctn_fail(err, CTN_E_INVALID,
                        "requestState was altered, or belongs to another request: begin again without it");
    if (ctn_json_int_or(value, "untilMs", 0) < ctn_loop_now_ms(x->endpoint->of.loop))
        return ctn_fail(err, CTN_E_INVALID, "requestState is too old: begin again without it");
    *ret_state = ctn_json_member_of(value, "state");
    return CTN_OK;
}
