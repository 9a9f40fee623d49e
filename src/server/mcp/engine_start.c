/*
 * engine_start.c -- a chain that is called: started under labels that say who called it, or joined where an equal call
 * has started it already.
 *
 * Two ways lead to an execution that is there. The caller's own key (_meta dev.catena/idempotency-key, or an argument
 * of execute_chain) becomes the store's, kept apart by caller, so it holds forever and for concurrent calls, too. And a
 * chain may say attachMs: then equal arguments of the same caller lead to an execution that is no older and has not
 * failed. Whoever joins waits for the end like the first.
 */
#include "fleet/request.h"
#include "server/mcp/engine_internal.h"
#include "store/seal.h"
#include <inttypes.h>

#define KEY_BYTES_MAX 400
#define LOOKED_AT_MAX 1000 /* executions, for an equal one */

/* Of the chain and what it is given: equal calls have equal ones. It stands in the clear among the labels, and outlives
 * a shred: where something may be sensitive it is keyed, or else a short value could be guessed from it. */
static int digest_of(ctn_engine_backend *b, const ctn_chain_start *start, bool may_be_sensitive, ctn_arena *arena,
                     ctn_str *ret_digest, ctn_err *err)
{
    int rc = CTN_OK;
    ctn_seal *seal = may_be_sensitive ? ctn_host_seal(b->host) : NULL;
    ctn_buf text;
    ctn_buf_init(&text, (size_t) 64 << 20);
    ctn_buf_append(&text, start->chain->id);
    ctn_buf_append_char(&text, '\0');
    ctn_json_write_canonical(&text, start->input);
    ctn_digest_text digest = ctn_digest_to_text(ctn_hash(ctn_buf_str(&text)));
    if (!may_be_sensitive)
        *ret_digest = ctn_arena_printf(arena, "%.32s", digest.text);
    else if (seal)
        rc = ctn_seal_digest(seal, ctn_host_store(b->host), ctn_buf_str(&text), arena, ret_digest, err);
    else /* the engine refuses it, with what is to be done */
        *ret_digest = (ctn_str){0};
    if (text.data)
        explicit_bzero(text.data, text.len);
    ctn_buf_done(&text);
    return rc;
}

static const ctn_json *labels_of(ctn_mcp_exchange *x, const ctn_chain_start *start, ctn_str digest, ctn_arena *arena)
{
    ctn_json_builder b = ctn_json_object(arena);
    ctn_rng rng = ctn_rng_system();
    ctn_json_put_all(&b, start->labels);
    ctn_json_put_str(&b, CTN_MCP_LABEL_PRINCIPAL, ctn_mcp_exchange_caller(x)->principal);
    ctn_json_put_str(&b, CTN_MCP_LABEL_TASK,
                     ctn_arena_printf(arena, "%016" PRIx64 "%016" PRIx64, ctn_rng_next(&rng), ctn_rng_next(&rng)));
    if (digest.len)
        ctn_json_put_str(&b, CTN_MCP_LABEL_ARGUMENTS, digest);
    return ctn_json_finish(&b);
}

/* ---- an equal call ---- */

typedef struct looking {
    ctn_arena *arena;
    ctn_str principal, digest;
    int64_t since_ms;
    size_t seen;
    bool is_found;
    ctn_execution_id id;
} looking;

static int look_at(void *ctx, const ctn_execution_row *row)
{
    looking *l = ctx;
    ctn_arena_mark mark = ctn_arena_save(l->arena);
    if (row->created_at_ms < l->since_ms || ++l->seen > LOOKED_AT_MAX)
        return 1;
    bool has_failed = ctn_status_is_final(row->status) && row->status != CTN_STATUS_COMPLETED;
    const ctn_json *labels = has_failed ? NULL : ctn_engine_parsed(l->arena, row->labels);
    l->is_found = labels && ctn_str_equal(ctn_json_str_or(labels, CTN_MCP_LABEL_ARGUMENTS, (ctn_str){0}), l->digest) &&
                  ctn_str_equal(ctn_json_str_or(labels, CTN_MCP_LABEL_PRINCIPAL, (ctn_str){0}), l->principal);
    l->id = row->id;
    ctn_arena_restore(l->arena, mark);
    return l->is_found;
}

static bool join_equal(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_chain_start *start, ctn_str digest,
                       ctn_follow *f)
{
    looking l = {.arena = ctn_mcp_exchange_arena(x),
                 .principal = ctn_mcp_exchange_caller(x)->principal,
                 .digest = digest,
                 .since_ms = ctn_loop_now_ms(b->loop) - start->attach_ms};
    ctn_execution_filter filter = {.chain_id = start->chain->id};
    if (ctn_follow_join(f, digest))
        return true;
    (void) ctn_store_execution_list(ctn_host_store(b->host), &filter, look_at, &l, NULL);
    if (l.is_found)
        ctn_follow_execution(f, l.id, NULL);
    return l.is_found;
}

/* ---- starting ---- */

/* What the command would have to be given is of no use here. */
static ctn_str without_option(ctn_err *err)
{
    ctn_str text = ctn_str_from(err->message);
    size_t at = ctn_str_find(text, CTN_STR(": add -i "));
    return at == SIZE_MAX ? text : (ctn_str){text.ptr, at};
}

static int plan_of(ctn_engine_backend *b, const ctn_chain_start *start, ctn_str principal, const ctn_plan **ret_plan,
                   int64_t *ret_version, ctn_err *err)
{
    ctn_shelf *shelf = ctn_host_shelf(b->host);
    if (start->chain->problem.len)
        return ctn_fail(err, CTN_E_INVALID, "%.*s", CTN_STR_ARG(start->chain->problem));
    if (!shelf)
        return ctn_fail(err, CTN_E_CLOSED, "catena is ending; call again when it is back");
    return ctn_shelf_find(shelf, start->chain->id, principal, ret_plan, ret_version, err);
}

void ctn_engine_start_chain(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_chain_start *start,
                            const ctn_follow_how *how)
{
    ctn_arena *arena = ctn_mcp_exchange_arena(x);
    ctn_str principal = ctn_mcp_exchange_caller(x)->principal;
    const ctn_json *accepted = NULL;
    const ctn_plan *plan = NULL;
    int64_t version = 0;
    ctn_err err = {0};
    if (!ctn_engine_demand_start(b, x, start->chain->id, start->labels))
        return;
    if (start->idempotency_key.len > KEY_BYTES_MAX) {
        ctn_engine_refuse(x, NULL, "The idempotency key is longer than %d bytes. Use a shorter one.", KEY_BYTES_MAX);
        return;
    }
    if (plan_of(b, start, principal, &plan, &version, &err)) {
        ctn_engine_refuse(x, NULL, "The chain %.*s cannot run: %.*s", CTN_STR_ARG(start->chain->id),
                          CTN_STR_ARG(ctn_engine_sentence(arena, ctn_str_from(err.message))));
        return;
    }
    if (ctn_plan_accept_input(plan, arena, start->input, &accepted, &err)) {
        ctn_engine_refuse(x, NULL,
                          "Nothing was started: %.*s What it takes is in its inputSchema: call get_chain with "
                          "{\"chain\": \"%.*s\"}.",
                          CTN_STR_ARG(ctn_engine_sentence(arena, without_option(&err))), CTN_STR_ARG(start->chain->id));
        return;
    }
    ctn_str digest;
    if (digest_of(b, start, plan->may_be_sensitive, arena, &digest, &err)) {
        ctn_engine_refuse(x, NULL, "The chain %.*s cannot run: %s", CTN_STR_ARG(start->chain->id), err.message);
        return;
    }
    ctn_follow *f = ctn_follow_new(b, x, how);
    if (start->attach_ms && digest.len && !start->idempotency_key.len && join_equal(b, x, start, digest, f))
        return;
    ctn_request q = {.op = CTN_REQUEST_START,
                     .known_plan = plan,
                     .known_version = version,
                     .input = start->input,
                     .labels = labels_of(x, start, digest, arena),
                     .is_queued = start->is_queued,
                     .by.traceparent = ctn_mcp_exchange_ask_of(x)->traceparent};
    if (start->idempotency_key.len)
        q.idempotency_key = ctn_arena_printf(arena, "mcp:%zu:%.*s:%.*s", principal.len, CTN_STR_ARG(principal),
                                             CTN_STR_ARG(start->idempotency_key));
    ctn_follow_file(f, &q, digest);
}

/* ---- the tool of a chain ---- */

/* The task of a tool that can be nothing else is for those who know tasks. Older clients have no word for that: they
 * wait, and get an answer for now. */
static bool lacks_tasks(ctn_mcp_exchange *x, ctn_mcp_task task)
{
    const ctn_mcp_caller *caller = ctn_mcp_exchange_caller(x);
    if (task != CTN_MCP_TASK_REQUIRED || caller->can_tasks || !caller->is_modern)
        return false;
    ctn_mcp_exchange_needs_tasks(x);
    return true;
}

void ctn_engine_call_chain(ctn_engine_backend *b, ctn_mcp_exchange *x, const ctn_offered_chain *chain)
{
    const ctn_mcp_ask *ask = ctn_mcp_exchange_ask_of(x);
    const ctn_chain_mcp *mcp = &chain->plan->mcp;
    ctn_str questions = ctn_json_str_or(ask->meta, "dev.catena/questions", (ctn_str){0});
    ctn_execution_id id;
    ctn_follow_how how = {.is_chain = true,
                          .content = mcp->content,
                          .wait_ms = mcp->wait_ms,
                          .task = mcp->task,
                          .returns_questions = ctn_str_is(questions, "return"),
                          .cancels_when_gone = mcp->cancels_on_disconnect};
    if (lacks_tasks(x, mcp->task))
        return;
    if (ask->state && ctn_id_parse(ctn_json_str_or(ask->state, "execution", (ctn_str){0}), &id, NULL) == CTN_OK) {
        ctn_follow_execution(ctn_follow_new(b, x, &how), id, ask->answers);
        return;
    }
    ctn_chain_start start = {
        .chain = chain, .input = ask->arguments, .idempotency_key = ask->idempotency_key, .attach_ms = mcp->attach_ms};
    ctn_engine_start_chain(b, x, &start, &how);
}
