/*
 * verify.c -- what is judged the same way in every backend: definitions, executions, the audit log.
 */
#include "store/verify_state.h"

#include "chain/definition.h"
#include "store/backend.h"
#include <inttypes.h>
#include <stdio.h>

void ctn_verify_about(ctn_verifying *v, int64_t exec_no, ctn_execution_id id)
{
    v->about = (ctn_verify_finding){.has_execution = exec_no != 0, .exec_no = exec_no, .id = id};
}

static void found(ctn_verifying *v, const char *rule, uint64_t seq, ctn_str what)
{
    ctn_verify_finding finding = v->about;
    finding.rule = rule;
    finding.seq = seq;
    finding.what = what;
    v->report->findings++;
    v->options->on_finding(v->options->ctx, &finding);
}

void ctn_verify_tell(ctn_verifying *v, const char *rule, uint64_t seq, const char *format, ...)
{
    ctn_arena_mark mark = ctn_arena_save(v->scratch);
    va_list args;
    va_start(args, format);
    ctn_str what = ctn_arena_vprintf(v->scratch, format, args);
    va_end(args);
    found(v, rule, seq, what);
    ctn_arena_restore(v->scratch, mark);
}

/* One that was given up was ended by its row alone (quarantine.h). */
static bool was_given_up(const ctn_verifying *v)
{
    ctn_quarantine_row row;
    return v->st->ops->quarantine_get(v->st, v->scratch, v->about.exec_no, &row, NULL) == CTN_OK && row.given_up_at_ms;
}

static void on_fault(void *ctx, const ctn_proof_fault *fault)
{
    if (strcmp(fault->rule, "status") == 0 && was_given_up(ctx))
        return;
    found(ctx, fault->rule, fault->seq, fault->what);
}

/* Whether a definition is what its digest says is told once, when all of them are looked at. */
static int find_definition(void *ctx, ctn_arena *arena, const ctn_digest *digest, ctn_plan_definition *ret)
{
    ctn_verifying *v = ctx;
    ctn_definition d;
    int rc = v->st->ops->definition_get(v->st, arena, digest, &d, NULL);
    if (rc)
        return rc == CTN_E_NOT_FOUND ? rc : CTN_E_CORRUPT;
    ctn_digest hash = ctn_hash(d.body);
    if (memcmp(&hash, digest, sizeof hash) != 0)
        return CTN_E_CORRUPT;
    *ret = (ctn_plan_definition){.kind = d.kind, .name = d.name, .body = d.body, .digest = *digest};
    return CTN_OK;
}

void ctn_verify_definition(ctn_verifying *v, const ctn_digest *digest, ctn_str kind, ctn_str name, ctn_str body)
{
    ctn_digest hash = ctn_hash(body);
    ctn_arena_mark mark = ctn_arena_save(v->scratch);
    if (memcmp(&hash, digest, sizeof hash) != 0)
        ctn_verify_tell(v, "definition", 0, "the definition %s was altered: its content has another digest",
                        ctn_digest_to_text(*digest).text);
    else if (!ctn_definition_is(v->scratch, kind, name, body))
        ctn_verify_tell(v, "definition", 0, "the definition %s is not the %.*s %.*s that its row says it is",
                        ctn_digest_to_text(*digest).text, CTN_STR_ARG(kind), CTN_STR_ARG(name));
    ctn_arena_restore(v->scratch, mark);
    v->report->definitions++;
}

/* ---- executions ---- */

void ctn_verify_begin(ctn_verifying *v, int64_t exec_no, const ctn_proof_row *row)
{
    v->row = *row;
    v->key_state = KEY_UNASKED;
    ctn_verify_about(v, exec_no, row->id);
    ctn_prover_begin(v->prover, &v->row);
}

/* ---- sealed values ---- */

static bool has_key(ctn_verifying *v)
{
    ctn_err err = {0};
    if (v->key_state == KEY_UNASKED) {
        int rc = v->options->seal
                     ? ctn_seal_key_read(v->options->seal, v->st, v->about.exec_no, v->about.id, &v->key, &err)
                     : CTN_E_DENIED;
        v->key_state = rc ? KEY_NONE : KEY_HAD;
        if (rc == CTN_E_CORRUPT)
            ctn_verify_tell(v, "sealed", 0, "%s", err.message);
    }
    return v->key_state == KEY_HAD;
}

static void verify_sealed(ctn_verifying *v, const ctn_proof_record *raw)
{
    ctn_arena_mark mark = ctn_arena_save(v->scratch);
    ctn_record record = {.seq = (uint64_t) raw->seq, .body = raw->body, .sealed = raw->sealed};
    const ctn_json *list = NULL;
    ctn_revealed *items = NULL;
    size_t opened = 0, count = 0;
    ctn_err err = {0};
    if (ctn_json_parse(v->scratch, raw->sealed, NULL, &list, NULL) == CTN_OK) /* else the prover tells it */
        count = ctn_json_count(list);
    if (count && has_key(v)) {
        if (ctn_seal_reveal(&v->key, v->about.id, &record, v->scratch, &items, &opened, &err))
            ctn_verify_tell(v, "sealed", record.seq, "%s", err.message);
        for (size_t i = 0; i < opened; i++) {
            explicit_bzero((char *) items[i].json.ptr, items[i].json.len);
            v->report->sealed_opened++;
        }
    }
    v->report->sealed_unopened += (int64_t) (count - opened);
    ctn_arena_restore(v->scratch, mark);
}

void ctn_verify_record(ctn_verifying *v, const ctn_proof_record *record)
{
    ctn_prover_take(v->prover, record);
    if (record->sealed.len)
        verify_sealed(v, record);
    if (++v->report->entries % CTN_VERIFY_PIECE == 0 && v->options->on_progress)
        v->options->on_progress(v->options->ctx, v->report);
}

void ctn_verify_end(ctn_verifying *v)
{
    ctn_prover_end(v->prover);
    ctn_seal_key_wipe(&v->key);
    v->report->executions++;
    v->report->exec_no = v->about.exec_no;
    ctn_verify_about(v, 0, (ctn_execution_id){{0}});
}

/* ---- the audit log ---- */

static int judge_audit(void *ctx, const ctn_audit_entry *e)
{
    ctn_verifying *v = ctx;
    /* Another chain: of another node, or of another database (split/). */
    if (v->audit_n == 0 || e->n == 1 || !ctn_str_equal(e->node, v->audit_node)) {
        v->audit_last_total += v->audit_n;
        v->audit_node = ctn_arena_str(v->scratch, e->node);
        v->audit_n = 0;
        memset(v->audit_before, 0, sizeof v->audit_before);
        v->audit_before_count = 1;
    }
    if (e->n != v->audit_n + 1) {
        ctn_verify_tell(v, "audit", (uint64_t) v->audit_n + 1,
                        "of the audit log of \"%.*s\", entries before number %" PRId64 " are missing",
                        CTN_STR_ARG(e->node), e->n);
        v->audit_before_count = 0;
    }
    /* As with a journal: an altered entry and an altered hash are one finding each. */
    bool fits = v->audit_before_count == 0;
    ctn_digest expected = e->hash;
    for (uint32_t i = v->audit_before_count; i-- > 0 && !fits;) {
        expected = ctn_audit_hash(e, &v->audit_before[i]);
        fits = memcmp(&expected, &e->hash, sizeof expected) == 0;
    }
    if (!fits)
        ctn_verify_tell(v, "audit", (uint64_t) e->n, "entry %" PRId64 " of the audit log was altered", e->n);
    v->audit_n = e->n;
    v->audit_before[0] = e->hash;
    v->audit_before[1] = expected;
    v->audit_before_count = fits ? 1 : 2;
    v->report->audit_entries++;
    return 0;
}

static void verify_audit(ctn_verifying *v)
{
    ctn_err err = {0};
    int64_t count = 0;
    int rc = ctn_store_audit_list(v->st, judge_audit, v, &err);
    if (rc == CTN_OK)
        rc = ctn_store_audit_count(v->st, &count, &err);
    if (rc)
        ctn_verify_tell(v, "unreadable", 0, "the audit log: %s", err.message);
    else if (v->audit_last_total + v->audit_n < count)
        ctn_verify_tell(v, "audit", 0, "of the audit log the last entries are missing: %" PRId64 " of %" PRId64,
                        count - v->audit_last_total - v->audit_n, count);
}

int ctn_store_verify(ctn_store *st, const ctn_verify_options *options, ctn_verify_report *ret_report, ctn_err *err)
{
    ctn_verify_report report = {0};
    ctn_verifying v = {.st = st, .options = options, .report = &report};
    ctn_prover_options prover = {.definition = find_definition, .fault = on_fault, .ctx = &v};
    int rc = st->ops->exec_no_last(st, &report.exec_no_last, err);
    if (rc && rc != CTN_E_CORRUPT) /* what is damaged is found below */
        return rc;
    v.prover = ctn_prover_new(&prover);
    v.scratch = ctn_arena_new(16384);
    rc = st->ops->verify(st, &v, err);
    if (rc == CTN_OK)
        verify_audit(&v);
    ctn_prover_free(v.prover);
    ctn_arena_free(v.scratch);
    if (rc == CTN_OK)
        *ret_report = report;
    return rc;
}
