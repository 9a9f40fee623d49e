/*
 * execution_budget.c -- what an execution may use up, and what happens when it is used up.
 *
 * A call begins only when what it may use is left: one call, and as much of everything else as the greediest call of
 * this execution used so far, beside what the calls in flight may use in the same way. What it did use is in the entry
 * of its end (`used`). So `calls` and `wallMs` are never exceeded; bytes, tokens and money are known only when the peer
 * has answered, and are exceeded by at most what one call takes more than any before it.
 *
 * A limit that is reached parks the execution until a person grants it once more or ends it, or ends it at once.
 *
 * What is judged (is there enough left?) and what is folded (a call began, ended, was lost) is one reckoning, so both
 * stand here.
 */
#include "core/execution_fold.h"
#include "core/execution_judge.h"

#include "value/decimal.h"
#include <stdio.h>

static void decimal_of(ctn_decimal *d, ctn_str text)
{
    ctn_decimal_init(d);
    if (text.len)
        (void) ctn_decimal_parse(d, text);
}

/* text = text + more, as decimals. */
static void add_money(char *text, size_t bytes, ctn_str more)
{
    ctn_decimal a, b;
    decimal_of(&a, ctn_str_from(text));
    decimal_of(&b, more);
    ctn_arena *arena = ctn_arena_new(256);
    if (ctn_decimal_add(&a, &a, &b) == CTN_FAILURE_NONE) {
        ctn_str sum = ctn_decimal_to_str(arena, &a);
        if (sum.len < bytes) {
            memcpy(text, sum.ptr, sum.len);
            text[sum.len] = '\0';
        }
    }
    ctn_arena_free(arena);
    ctn_decimal_done(&a);
    ctn_decimal_done(&b);
}

static int compare_money(ctn_str left, ctn_str right)
{
    ctn_decimal a, b;
    decimal_of(&a, left);
    decimal_of(&b, right);
    int order = ctn_decimal_compare(&a, &b);
    ctn_decimal_done(&a);
    ctn_decimal_done(&b);
    return order;
}

/* spent + greediest * (in flight + 1) > limit * granted */
static bool money_is_short(const ctn_execution *x)
{
    const budget_state *s = &x->budget;
    ctn_decimal spent, more, limit, times, granted;
    decimal_of(&spent, ctn_str_from(s->money));
    decimal_of(&more, ctn_str_from(s->money_most));
    decimal_of(&limit, x->plan->budget.money);
    char number[32];
    snprintf(number, sizeof number, "%u", s->in_flight + 1);
    decimal_of(&times, ctn_str_from(number));
    snprintf(number, sizeof number, "%u", s->grants + 1);
    decimal_of(&granted, ctn_str_from(number));
    bool is_short =
        ctn_decimal_multiply(&more, &more, &times) || ctn_decimal_add(&spent, &spent, &more) ||
        ctn_decimal_multiply(&limit, &limit, &granted) || ctn_decimal_compare(&spent, &limit) > 0 ||
        (ctn_decimal_compare(&spent, &limit) == 0 && compare_money(ctn_str_from(s->money_most), CTN_STR("0")) == 0);
    ctn_decimal_done(&spent);
    ctn_decimal_done(&more);
    ctn_decimal_done(&limit);
    ctn_decimal_done(&times);
    ctn_decimal_done(&granted);
    return is_short;
}

bool ctn_x_budget_is_set(const ctn_execution *x)
{
    const ctn_budget *b = &x->plan->budget;
    return b->calls || b->wall_ms || b->bytes || b->tokens || b->money.len;
}

static int64_t wall_ms(const ctn_execution *x, int64_t now_ms)
{
    return now_ms - x->started_at_ms - x->pause.total_ms;
}

/* What there is too little of for one more call. */
typedef struct shortage {
    const char *of;
    ctn_str limit, spent; /* JSON numbers */
    const char *note;
} shortage;

/* By the greediest call so far, or anything at all, for it and for each that is in flight. */
static int64_t reserved(const budget_state *s, int64_t most)
{
    return (most ? most : 1) * ((int64_t) s->in_flight + 1);
}

static bool find_shortage(const judge *j, shortage *ret_shortage)
{
    const ctn_execution *x = j->x;
    const ctn_budget *b = &x->plan->budget;
    const budget_state *s = &x->budget;
    const struct {
        const char *name;
        int64_t limit, spent, needed;
    } counted[] = {
        {"calls", b->calls, s->calls, 1},
        {"wallMs", b->wall_ms, wall_ms(x, j->now_ms), 1},
        {"bytes", b->bytes, s->bytes, reserved(s, s->bytes_most)},
        {"tokens", b->tokens, s->tokens, reserved(s, s->tokens_most)},
    };
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        int64_t limit = counted[i].limit * ((int64_t) s->grants + 1);
        if (!limit || counted[i].spent + counted[i].needed <= limit)
            continue;
        *ret_shortage = (shortage){.of = counted[i].name,
                                   .limit = ctn_arena_printf(j->scratch, "%lld", (long long) limit),
                                   .spent = ctn_arena_printf(j->scratch, "%lld", (long long) counted[i].spent),
                                   .note = ""};
        return true;
    }
    if (!b->money.len || !money_is_short(x))
        return false;
    *ret_shortage = (shortage){.of = "money",
                               .limit = b->money,
                               .spent = ctn_arena_str(j->scratch, ctn_str_from(s->money[0] ? s->money : "0")),
                               .note = s->grants ? ", granted more than once" : ""};
    return true;
}

bool ctn_x_budget_is_short(const judge *j, ctn_entry *ret_entry)
{
    shortage lack;
    ctn_arena *scratch = j->scratch;
    if (!ctn_x_budget_is_set(j->x) || !find_shortage(j, &lack))
        return false;
    ctn_str message = ctn_arena_printf(scratch, "the budget of %s is used up: %.*s of %.*s%s", lack.of,
                                       CTN_STR_ARG(lack.spent), CTN_STR_ARG(lack.limit), lack.note);
    ctn_json_builder body = ctn_json_object(scratch);
    ctn_entry_kind kind = j->x->plan->budget.parks ? CTN_ENTRY_WAITING : CTN_ENTRY_CANCEL_REQUESTED;
    if (j->x->plan->budget.parks) {
        ctn_json_put_str(&body, "for", CTN_STR("budget"));
        ctn_json_put_str(&body, "what", ctn_str_from(lack.of));
        ctn_json_put(&body, CTN_STR("limit"), ctn_json_number(scratch, lack.limit));
        ctn_json_put(&body, CTN_STR("spent"), ctn_json_number(scratch, lack.spent));
    } else {
        ctn_json_put_str(&body, "code", CTN_STR("budget"));
    }
    ctn_json_put_str(&body, "message", message);
    *ret_entry = ctn_x_entry(j, kind, NULL, 0, &body);
    return true;
}

void ctn_x_budget_put(const judge *j, const ctn_used *used, size_t bytes, ctn_json_builder *b)
{
    if (!ctn_x_budget_is_set(j->x))
        return;
    ctn_json_builder u = ctn_json_object(j->scratch);
    ctn_json_put_int(&u, "bytes", (int64_t) bytes);
    if (used && used->tokens > 0)
        ctn_json_put_int(&u, "tokens", used->tokens);
    if (used && used->money.len)
        ctn_json_put(&u, CTN_STR("money"), ctn_json_number(j->scratch, used->money));
    ctn_json_put(b, CTN_STR("used"), ctn_json_finish(&u));
}

void ctn_x_budget_begin(ctn_execution *x)
{
    x->budget.calls++;
    x->budget.in_flight++;
}

static void settle(int64_t *spent, int64_t *most, int64_t used)
{
    if (used <= 0 || __builtin_add_overflow(*spent, used, spent))
        return;
    if (used > *most)
        *most = used;
}

void ctn_x_budget_settle(ctn_execution *x, const call_state *c, const ctn_json *used)
{
    budget_state *s = &x->budget;
    if (c->phase == CALL_RUNNING && s->in_flight)
        s->in_flight--;
    else if (c->phase == CALL_IDLE || c->phase == CALL_FAILED)
        s->calls++; /* its start is in no journal */
    settle(&s->bytes, &s->bytes_most, ctn_json_int_or(used, "bytes", 0));
    settle(&s->tokens, &s->tokens_most, ctn_json_int_or(used, "tokens", 0));
    const ctn_json *money = ctn_json_member_of(used, "money");
    if (!ctn_json_is(money, CTN_JSON_NUMBER))
        return;
    add_money(s->money, sizeof s->money, ctn_json_text(money));
    if (compare_money(ctn_json_text(money), ctn_str_from(s->money_most)) > 0 &&
        ctn_json_text(money).len < sizeof s->money_most) {
        memcpy(s->money_most, ctn_json_text(money).ptr, ctn_json_text(money).len);
        s->money_most[ctn_json_text(money).len] = '\0';
    }
}

void ctn_x_budget_forget(ctn_execution *x)
{
    if (x->budget.in_flight)
        x->budget.in_flight--;
}
