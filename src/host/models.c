/*
 * models.c -- see models.h.
 */
#include "host/models.h"
#include "host/config_models.h"
#include "host/config_where.h"

#define ANTHROPIC_VERSION "2023-06-01"

static int check_call(const ctn_config *config, ctn_arena *arena, const ctn_plan *plan, ctn_str step,
                      const ctn_plan_call *call, ctn_err *err)
{
    if (call->kind != CTN_WORK_PROMPT)
        return CTN_OK;
    const ctn_config_model *m = ctn_config_model_of(config, call->target);
    if (!m && config->file.len == 0)
        return ctn_fail(
            err, CTN_E_NOT_FOUND,
            "step %.*s asks the model \"%.*s\", and there is no catena.yaml here or above that says where it "
            "is (--config FILE names one)",
            CTN_STR_ARG(step), CTN_STR_ARG(call->target));
    if (!m)
        return ctn_fail(err, CTN_E_NOT_FOUND,
                        "step %.*s asks the model \"%.*s\", which `models` of %.*s does not have; %.*s",
                        CTN_STR_ARG(step), CTN_STR_ARG(call->target), CTN_STR_ARG(config->file),
                        CTN_STR_ARG(ctn_config_suggest_model(config, arena, call->target)));
    if (plan->budget.money.len && !m->driver.price.input.len)
        return ctn_fail(err, CTN_E_INVALID,
                        "the chain has a budget of money, and nobody knows what the model \"%.*s\" of step %.*s costs: "
                        "write `price: {input: ..., output: ...}` into its entry in %.*s",
                        CTN_STR_ARG(call->target), CTN_STR_ARG(step), CTN_STR_ARG(config->file));
    return CTN_OK;
}

static int check_set(const ctn_config *config, ctn_arena *arena, const ctn_plan *plan, ctn_str step,
                     const ctn_plan_set *set, ctn_err *err)
{
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && set && i < set->call_count; i++)
        rc = check_call(config, arena, plan, step, &set->calls[i], err);
    return rc;
}

int ctn_models_check(const ctn_config *config, ctn_arena *arena, const ctn_plan *plan, ctn_err *err)
{
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < plan->step_count; i++) {
        const ctn_plan_step *step = &plan->steps[i];
        rc = check_set(config, arena, plan, step->name, step->set, err);
        if (rc == CTN_OK)
            rc = check_set(config, arena, plan, step->name, step->undo, err);
        for (uint32_t k = 0; rc == CTN_OK && k < step->fallback_count; k++)
            rc = check_set(config, arena, plan, step->name, step->fallbacks[k].set, err);
    }
    return rc;
}

/* In the way of the server: a bearer's, or Anthropic's own. */
static ctn_http_header key_header(ctn_arena *arena, ctn_chat_api api, ctn_str key)
{
    if (api == CTN_CHAT_ANTHROPIC)
        return (ctn_http_header){CTN_STR("x-api-key"), key, true};
    return (ctn_http_header){CTN_STR("Authorization"), ctn_arena_printf(arena, "Bearer %.*s", CTN_STR_ARG(key)), true};
}

int ctn_model_headers(const ctn_config *config, const ctn_prompt_model *model, ctn_arena *arena,
                      const ctn_http_header **ret_headers, size_t *ret_count, ctn_str *ret_key, ctn_err *err)
{
    const ctn_config_model *m = ctn_config_model_of(config, model->name);
    ctn_http_header *headers = CTN_NEW_ARRAY(arena, ctn_http_header, m->header_count + 2);
    size_t count = 0;
    ctn_str key = {0};
    int rc = m->has_key ? ctn_config_where_text(&m->key, arena, &key, err) : CTN_OK;
    if (rc == CTN_OK && ctn_str_find_control(key) != SIZE_MAX)
        rc = ctn_fail(err, CTN_E_INVALID, "it has a line break or another control character in it");
    if (rc)
        return ctn_wrap(err, rc, "its key");
    if (key.len)
        headers[count++] = key_header(arena, model->api, key);
    if (model->api == CTN_CHAT_ANTHROPIC)
        headers[count++] = (ctn_http_header){.name = CTN_STR("anthropic-version"), .value = CTN_STR(ANTHROPIC_VERSION)};
    for (size_t i = 0; i < m->header_count; i++)
        headers[count++] = m->headers[i];
    *ret_headers = headers;
    *ret_count = count;
    *ret_key = key;
    return CTN_OK;
}
