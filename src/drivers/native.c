/*
 * native.c -- see native.h.
 *
 * What must hold: every begin tells done exactly once, before it returns. A function may begin nothing itself (it has
 * no way to), but done may lead to the next begin: each call in progress has an arena of its own.
 */
#include "drivers/native.h"
#include <assert.h>
#include <stdlib.h>
#include "base/memory.h"

typedef struct entry {
    ctn_native_fn *fn;
    void *ctx;
    ctn_effect effect;
} entry;

struct ctn_native_driver {
    ctn_call_sink sink;
    ctn_arena *names_arena;
    ctn_str *names; /* parallel to entries */
    entry *entries;
    size_t count;
    ctn_arena *idle; /* kept from the last call; NULL: in use */
};

static ctn_native_result noop(void *ctx, const ctn_native_call *call, ctn_arena *arena)
{
    (void) ctx, (void) arena;
    return (ctn_native_result){.value = call->args};
}

ctn_native_driver *ctn_native_driver_new(ctn_call_sink sink)
{
    ctn_native_driver *driver = ctn_malloc(sizeof *driver);
    *driver = (ctn_native_driver){.sink = sink, .names_arena = ctn_arena_new(256), .idle = ctn_arena_new(4096)};
    int rc = ctn_native_register(driver, CTN_STR("noop"), CTN_EFFECT_NONE, noop, NULL, NULL);
    assert(rc == CTN_OK);
    return driver;
}

void ctn_native_driver_free(ctn_native_driver *driver)
{
    if (!driver)
        return;
    ctn_arena_free(driver->names_arena);
    ctn_arena_free(driver->idle);
    free(driver->names);
    free(driver->entries);
    free(driver);
}

static const entry *find(const ctn_native_driver *driver, ctn_str name)
{
    for (size_t i = 0; i < driver->count; i++)
        if (ctn_str_equal(driver->names[i], name))
            return &driver->entries[i];
    return NULL;
}

int ctn_native_register(ctn_native_driver *driver, ctn_str name, ctn_effect effect, ctn_native_fn *fn, void *ctx,
                        ctn_err *err)
{
    assert(fn);
    if (name.len == 0)
        return ctn_fail(err, CTN_E_INVALID, "a native function needs a name");
    if (find(driver, name))
        return ctn_fail(err, CTN_E_EXISTS, "there is a native function \"%.*s\" already", CTN_STR_ARG(name));
    driver->names = ctn_realloc_array(driver->names, driver->count + 1, sizeof *driver->names);
    driver->entries = ctn_realloc_array(driver->entries, driver->count + 1, sizeof *driver->entries);
    driver->names[driver->count] = ctn_arena_str(driver->names_arena, name);
    driver->entries[driver->count++] = (entry){.fn = fn, .ctx = ctx, .effect = effect};
    return CTN_OK;
}

static void tell_unknown(ctn_native_driver *driver, const ctn_call_request *request, ctn_arena *arena)
{
    ctn_str name = request->target;
    ctn_str near = ctn_str_nearest(name, driver->names, driver->count);
    ctn_call_result result = {.failure = CTN_FAILURE_PROTOCOL_ERROR};
    result.message = near.len ? ctn_arena_printf(arena, "there is no native function \"%.*s\"; did you mean \"%.*s\"?",
                                                 CTN_STR_ARG(name), CTN_STR_ARG(near))
                              : ctn_arena_printf(arena, "there is no native function \"%.*s\"", CTN_STR_ARG(name));
    driver->sink.done(driver->sink.ctx, request->token, &result);
}

static void call(ctn_native_driver *driver, const entry *e, const ctn_call_request *request, ctn_arena *arena)
{
    ctn_native_call native = {.name = request->target,
                              .args = request->args,
                              .idempotency_key = request->idempotency_key,
                              .execution_id = request->execution_id,
                              .step = request->step,
                              .attempt = request->attempt};
    ctn_native_result answer = e->fn(e->ctx, &native, arena);
    /* It ran, in this process and to its end: nothing of it can come later. */
    ctn_call_result result = {.failure = answer.failure, .was_sent = true, .peer_is_dead = true};
    ctn_json empty = {.kind = CTN_JSON_OBJECT};
    if (answer.failure)
        result.message = answer.message.len ? answer.message : CTN_STR("the native function failed without a word");
    else
        result.value = answer.value ? answer.value : &empty;
    driver->sink.done(driver->sink.ctx, request->token, &result);
}

static void begin(void *ctx, const ctn_call_request *request)
{
    ctn_native_driver *driver = ctx;
    ctn_arena *arena = driver->idle ? driver->idle : ctn_arena_new(4096);
    driver->idle = NULL;
    const entry *e = find(driver, request->target);
    if (e)
        call(driver, e, request, arena);
    else
        tell_unknown(driver, request, arena);
    if (driver->idle) {
        ctn_arena_free(arena);
    } else {
        ctn_arena_reset(arena);
        driver->idle = arena;
    }
}

static void cancel(void *ctx, uint64_t token)
{
    (void) ctx, (void) token; /* it was answered before begin returned */
}

static ctn_effect effect_of(void *ctx, ctn_str target, const char **ret_from)
{
    const entry *e = find(ctx, target);
    bool is_said = e && e->effect != CTN_EFFECT_UNKNOWN;
    if (ret_from)
        *ret_from = is_said ? "registration" : NULL;
    return is_said ? e->effect : CTN_EFFECT_UNKNOWN;
}

static bool may_still_arrive(void *ctx, uint64_t token, ctn_str target)
{
    (void) ctx, (void) token, (void) target;
    return false;
}

ctn_driver ctn_native_driver_interface(ctn_native_driver *driver)
{
    return (ctn_driver){.kind = "native",
                        .ctx = driver,
                        .begin = begin,
                        .cancel = cancel,
                        .effect = effect_of,
                        .may_still_arrive = may_still_arrive};
}
