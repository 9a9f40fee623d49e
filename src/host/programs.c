/*
 * programs.c -- see programs.h.
 *
 * One after the other, so that they come to lie in one worker, which is the one that then runs them.
 */
#include "host/programs.h"

typedef struct asking {
    ctn_err *err;
    int code;
    bool is_told;
} asking;

static void on_compiled(void *ctx, int code, const char *why)
{
    asking *a = ctx;
    a->is_told = true;
    a->code = code ? ctn_fail(a->err, code, "%s", why) : CTN_OK;
}

static bool is_told(void *ctx)
{
    return ((asking *) ctx)->is_told;
}

int ctn_program_compile(ctn_host *host, ctn_str program, ctn_err *err)
{
    ctn_drivers *drivers;
    int rc = ctn_host_drivers(host, &drivers, err);
    if (rc)
        return rc;
    asking a = {.err = err};
    ctn_transform_compile(ctn_drivers_transforms(drivers), program, on_compiled, &a);
    while (!a.is_told && ctn_host_run(host, is_told, &a))
        continue;
    return a.is_told ? a.code : ctn_fail(err, CTN_E_CLOSED, "interrupted while a program was compiled");
}

static int check_set(ctn_host *host, ctn_str step, const ctn_plan_set *set, ctn_err *err)
{
    for (uint32_t i = 0; set && i < set->call_count; i++) {
        if (set->calls[i].kind != CTN_WORK_TRANSFORM)
            continue;
        int rc = ctn_program_compile(host, set->calls[i].target, err);
        if (rc)
            return ctn_wrap(err, rc, "step %.*s: the 'transform' of the instruction set '%.*s'%s", CTN_STR_ARG(step),
                            CTN_STR_ARG(set->name), rc == CTN_E_INVALID ? " is no good jq" : "");
    }
    return CTN_OK;
}

int ctn_programs_check(ctn_host *host, const ctn_plan *plan, ctn_err *err)
{
    int rc = CTN_OK;
    for (uint32_t i = 0; rc == CTN_OK && i < plan->step_count; i++) {
        const ctn_plan_step *step = &plan->steps[i];
        rc = check_set(host, step->name, step->set, err);
        if (rc == CTN_OK)
            rc = check_set(host, step->name, step->undo, err);
        for (uint32_t k = 0; rc == CTN_OK && k < step->fallback_count; k++)
            rc = check_set(host, step->name, step->fallbacks[k].set, err);
    }
    return rc;
}
