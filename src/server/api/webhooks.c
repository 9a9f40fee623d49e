/*
 * webhooks.c -- the operations of webhooks (server/webhooks.h) and their dead letters: openapi/webhooks.yaml.
 */
#include "host/config_egress.h"
#include "host/told.h"
#include "server/api/execution.h"

static const ctn_web_header NONE;

static const ctn_json *kinds_told(ctn_arena *arena, uint64_t kinds)
{
    ctn_json_builder b = ctn_json_array(arena);
    for (int kind = 0; kind < CTN_ENTRY_KIND_COUNT; kind++)
        if (kinds >> kind & 1)
            ctn_json_push(&b, ctn_json_string(arena, ctn_str_from(ctn_entry_kind_name((ctn_entry_kind) kind))));
    return ctn_json_finish(&b);
}

static ctn_json_builder told(ctn_arena *arena, const ctn_webhook *w)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_str(&b, "name", w->name);
    ctn_json_put_str(&b, "url", w->url);
    if (w->chain.len)
        ctn_json_put_str(&b, "chain", w->chain);
    if (w->tenant.len)
        ctn_json_put_str(&b, "tenant", w->tenant);
    if (w->kinds)
        ctn_json_put(&b, CTN_STR("kinds"), kinds_told(arena, w->kinds));
    ctn_json_put_bool(&b, "active", !w->stopped.len);
    if (w->stopped.len)
        ctn_json_put_str(&b, "stopped", w->stopped);
    ctn_json_put_int(&b, "position", w->position);
    ctn_json_put_int(&b, "waiting", (int64_t) w->waiting);
    ctn_json_put_int(&b, "failures", w->failures);
    if (w->last_failure.len)
        ctn_json_put_str(&b, "lastFailure", w->last_failure);
    ctn_json_put_str(&b, "createdBy", w->created_by);
    ctn_json_put_time(&b, "createdAt", w->created_at_ms);
    return b;
}

static ctn_str name_of(const ctn_api_call *call)
{
    return ctn_api_text(call->given, "name");
}

static void tell(ctn_api_call *call)
{
    ctn_webhook w;
    ctn_err err = {0};
    if (ctn_webhooks_get(call->api->webhooks, call->arena, name_of(call), &w, &err)) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_json_builder b = told(call->arena, &w);
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

/* It was done: that is written down. False: answered. */
static bool audit(ctn_api_call *call, const char *action, ctn_str name, const ctn_json *detail)
{
    ctn_err err = {0};
    if (ctn_access_audit(call->access, call->caller, action, name, detail, &err) == CTN_OK)
        return true;
    ctn_api_fail(call, &err);
    return false;
}

static void list_webhooks(ctn_api_call *call)
{
    size_t count;
    ctn_webhook *list = ctn_webhooks_list(call->api->webhooks, call->arena, &count);
    ctn_json_builder b = ctn_json_object(call->arena), items = ctn_json_array(call->arena);
    for (size_t i = 0; i < count; i++) {
        ctn_json_builder one = told(call->arena, &list[i]);
        ctn_json_push(&items, ctn_json_finish(&one));
    }
    ctn_json_put(&b, CTN_STR("webhooks"), ctn_json_finish(&items));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

static void add_webhook(ctn_api_call *call)
{
    ctn_err err = {0};
    ctn_str secret = {0};
    ctn_json_builder detail = ctn_json_object(call->arena);
    ctn_webhook w = {.name = ctn_api_text(call->body, "name"),
                     .url = ctn_api_text(call->body, "url"),
                     .chain = ctn_api_text(call->body, "chain"),
                     .tenant = ctn_api_text(call->body, "tenant"),
                     .kinds = ctn_api_kinds(ctn_json_member_of(call->body, "kinds")),
                     .created_by = call->caller->name,
                     .created_at_ms = ctn_loop_now_ms(ctn_host_loop(call->host))};
    int rc = ctn_webhooks_add(call->api->webhooks, &w, ctn_api_text(call->body, "secret"), call->arena, &secret, &err);
    if (rc == CTN_E_INVALID || rc == CTN_E_DENIED) {
        ctn_api_problem(call, 422, CTN_STR("/url"), "%s", err.message);
        return;
    }
    if (rc) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_json_put_str(&detail, "url", w.url);
    if (!audit(call, "webhooks.add", w.name, ctn_json_finish(&detail)))
        return;
    (void) ctn_webhooks_get(call->api->webhooks, call->arena, w.name, &w, NULL);
    ctn_json_builder b = told(call->arena, &w);
    ctn_json_put_str(&b, "secret", secret);
    ctn_api_answer(call, 201, ctn_json_finish(&b));
}

static void get_webhook(ctn_api_call *call)
{
    tell(call);
}

static void remove_webhook(ctn_api_call *call)
{
    ctn_err err = {0};
    if (ctn_webhooks_remove(call->api->webhooks, name_of(call), &err))
        ctn_api_fail(call, &err);
    else if (audit(call, "webhooks.remove", name_of(call), NULL))
        ctn_api_answer_with(call, 204, NONE, NULL);
}

static void resume_webhook(ctn_api_call *call)
{
    ctn_err err = {0};
    if (ctn_webhooks_resume(call->api->webhooks, name_of(call), &err))
        ctn_api_fail(call, &err);
    else if (audit(call, "webhooks.resume", name_of(call), NULL))
        tell(call);
}

/* ---- dead letters ---- */

typedef struct listing {
    ctn_api_call *call;
    ctn_json_builder items;
} listing;

static int tell_letter(void *ctx, const ctn_dead_letter *letter)
{
    listing *l = ctx;
    ctn_arena *arena = l->call->arena;
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_int(&b, "position", letter->position);
    ctn_json_put_str(&b, "executionId", ctn_str_from(ctn_id_to_text(letter->execution).text));
    ctn_json_put_str(&b, "kind", letter->kind);
    ctn_json_put_int(&b, "attempts", letter->attempts);
    ctn_json_put_str(&b, "why", letter->why);
    ctn_json_put_time(&b, "diedAt", letter->died_at_ms);
    ctn_json_push(&l->items, ctn_json_copy(arena, ctn_json_finish(&b)));
    return 0;
}

static void list_dead_letters(ctn_api_call *call)
{
    ctn_err err = {0};
    ctn_webhook w;
    listing l = {call, ctn_json_array(call->arena)};
    ctn_json_builder b = ctn_json_object(call->arena);
    size_t limit = (size_t) ctn_json_int_or(call->given, "limit", 50);
    int rc = ctn_webhooks_get(call->api->webhooks, call->arena, name_of(call), &w, &err);
    if (rc == CTN_OK)
        rc = ctn_store_dead_letter_list(ctn_host_store(call->host), name_of(call),
                                        ctn_json_int_or(call->given, "after", 0), limit, tell_letter, &l, &err);
    if (rc) {
        ctn_api_fail(call, &err);
        return;
    }
    ctn_json_put(&b, CTN_STR("deadLetters"), ctn_json_finish(&l.items));
    ctn_api_answer(call, 200, ctn_json_finish(&b));
}

static void drop_dead_letter(ctn_api_call *call)
{
    ctn_err err = {0};
    ctn_webhook w;
    int64_t position = ctn_json_int_or(call->given, "position", 0);
    int rc = ctn_webhooks_get(call->api->webhooks, call->arena, name_of(call), &w, &err);
    if (rc == CTN_OK)
        rc = ctn_store_dead_letter_remove(ctn_host_store(call->host), name_of(call), position, &err);
    if (rc == CTN_E_NOT_FOUND && !err.message[0])
        (void) ctn_fail(&err, rc, "there is no dead letter %lld", (long long) position);
    if (rc)
        ctn_api_fail(call, &err);
    else if (audit(call, "webhooks.drop", name_of(call), NULL))
        ctn_api_answer_with(call, 204, NONE, NULL);
}

static void deliver_dead_letter(ctn_api_call *call)
{
    ctn_err err = {0};
    if (ctn_webhooks_deliver_again(call->api->webhooks, name_of(call), ctn_json_int_or(call->given, "position", 0),
                                   &err))
        ctn_api_fail(call, &err);
    else if (audit(call, "webhooks.deliver", name_of(call), NULL))
        ctn_api_answer_with(call, 202, NONE, NULL);
}

const ctn_api_operation ctn_api_webhooks[] = {
    {"listWebhooks", list_webhooks},
    {"addWebhook", add_webhook},
    {"getWebhook", get_webhook},
    {"removeWebhook", remove_webhook},
    {"resumeWebhook", resume_webhook},
    {"listDeadLetters", list_dead_letters},
    {"dropDeadLetter", drop_dead_letter},
    {"deliverDeadLetter", deliver_dead_letter},
    {NULL, NULL},
};

/* ---- life ---- */

static int64_t its_node(void *member)
{
    return ctn_member_incarnation(member);
}

static int64_t its_changes(void *member)
{
    return ctn_member_changes(member);
}

int ctn_api_webhooks_open(ctn_api *api, ctn_err *err)
{
    ctn_member *member = ctn_host_member(api->host);
    ctn_webhooks_options options = {.loop = ctn_host_loop(api->host),
                                    .store = ctn_host_store(api->host),
                                    .feed = api->feed,
                                    .seal = ctn_host_seal(api->host),
                                    .log = ctn_host_log(api->host, "webhooks"),
                                    .policy = ctn_config_egress_policy,
                                    .policy_ctx = ctn_host_workspace(api->host)->config,
                                    .node = member ? its_node : NULL,
                                    .changes = its_changes,
                                    .fleet_ctx = member};
    return ctn_webhooks_open(&options, &api->webhooks, err);
}
