/*
 * execution_budget.c -- what an execution may use up, and what happens when it is used up.
 *
 * A call begins only when what it may use is left. Of a call whose driver can say the most that it may use (a prompt:
 * tokens and money), so much is reserved: it stands in the entry of its start, which is on disk before the call goes
 * out, and is given back at its end for what it did use. If the engine dies under it, what was reserved counts as used.
 * So tokens and money of such calls are never exceeded, whatever happens, as long as the peer keeps to what it said.
 *
 * Of any other call, the greediest of this execution so far is the measure, beside what the calls in flight may use in
 * the same way. What it did use is in the entry of its end (`used`). So `calls` and `wallMs` are never exceeded; bytes,
 * and what tools tell of tokens and money, are known only when the peer has answered, and are exceeded by at most what
 * one call takes more than any before it.
 *
 * A call that finds no room only because of what is reserved for others waits for these. A limit that is reached parks
 * the execution until a person grants it once more or ends it, or ends it at once.
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

/* text = text + more, or text - more, as decimals. */
static void change_money(char *text, size_t bytes, ctn_str more, bool is_less)
{
    ctn_decimal a, b;
    decimal_of(&a, ctn_str_from(text));
    decimal_of(&b, more);
    ctn_arena *arena = ctn_arena_new(256);
    if ((is_less ? ctn_decimal_subtract : ctn_decimal_add)(&a, &a, &b) == CTN_FAILURE_NONE) {
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

/* spent + reserved + greediest * (in flight without a reserve) + what this one may take > limit * granted */
static bool money_is_short(const ctn_execution *x, const ctn_used *most)
{
    const budget_state *s = &x->budget;
    bool is_known = most && most->money.len;
    ctn_decimal sum, more, limit, times, granted;
    decimal_of(&sum, ctn_str_from(s->money));
    decimal_of(&more, ctn_str_from(s->money_most));
    decimal_of(&limit, x->plan->budget.money);
    char number[32];
    snprintf(number, sizeof number, "%u", s->in_flight - s->reserved_count + (is_known ? 0 : 1));
    decimal_of(&times, ctn_str_from(number));
    snprintf(number, sizeof number, "%u", s->grants + 1);
    decimal_of(&granted, ctn_str_from(number));
    bool is_beyond = ctn_decimal_multiply(&more, &more, &times) || ctn_decimal_add(&sum, &sum, &more);
    ctn_decimal_done(&more);
    decimal_of(&more, ctn_str_from(s->money_reserved));
    is_beyond = is_beyond || ctn_decimal_add(&sum, &sum, &more);
    ctn_decimal_done(&more);
    decimal_of(&more, is_known ? most->money : (ctn_str){0});
    is_beyond = is_beyond || ctn_decimal_add(&sum, &sum, &more) || ctn_decimal_multiply(&limit, &limit, &granted);
    int order = is_beyond ? 1 : ctn_decimal_compare(&sum, &limit);
    bool is_guess = !is_known && compare_money(ctn_str_from(s->money_most), CTN_STR("0")) == 0;
    ctn_decimal_done(&sum);
    ctn_decimal_done(&more);
    ctn_decimal_done(&limit);
    ctn_decimal_done(&times);
    ctn_decimal_done(&granted);
    return order > 0 || (order == 0 && is_guess);
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
    ctn_str most;         /* what this call may take; empty: nobody can say */
    const char *note;
} shortage;

/* By the greediest call so far, or anything at all, for each of so many. */
static int64_t guessed(int64_t most, uint32_t calls)
{
    return (most ? most : 1) * (int64_t) calls;
}

static int64_t tokens_needed(const budget_state *s, const ctn_used *most)
{
    uint32_t others = s->in_flight - s->reserved_count;
    if (most && most->tokens)
        return s->tokens_reserved + guessed(s->tokens_most, others) + most->tokens;
    return s->tokens_reserved + guessed(s->tokens_most, others + 1);
}

static ctn_str number(ctn_arena *arena, int64_t value)
{
    return ctn_arena_printf(arena, "%lld", (long long) value);
}

static bool find_shortage(const judge *j, const ctn_used *most, shortage *ret_shortage)
{
    const ctn_execution *x = j->x;
    const ctn_budget *b = &x->plan->budget;
    const budget_state *s = &x->budget;
    enum { TOKENS = 3 };
    const struct {
        const char *name;
        int64_t limit, spent, needed;
    } counted[] = {
        {"calls", b->calls, s->calls, 1},
        {"wallMs", b->wall_ms, wall_ms(x, j->now_ms), 1},
        {"bytes", b->bytes, s->bytes, guessed(s->bytes_most, s->in_flight + 1)},
        {"tokens", b->tokens, s->tokens, tokens_needed(s, most)},
    };
    for (size_t i = 0; i < sizeof counted / sizeof *counted; i++) {
        int64_t limit = counted[i].limit * ((int64_t) s->grants + 1);
        if (!limit || counted[i].spent + counted[i].needed <= limit)
            continue;
        bool is_known = i == TOKENS && most && most->tokens;
        *ret_shortage = (shortage){.of = counted[i].name,
                                   .limit = number(j->scratch, limit),
                                   .spent = number(j->scratch, counted[i].spent),
                                   .most = is_known ? number(j->scratch, most->tokens) : (ctn_str){0},
                                   .note = ""};
        return true;
    }
    if (!b->money.len || !money_is_short(x, most))
        return false;
    *ret_shortage = (shortage){.of = "money",
                               .limit = b->money,
                               .spent = ctn_arena_str(j->scratch, ctn_str_from(s->money[0] ? s->money : "0")),
                               .most = most ? most->money : (ctn_str){0},
                               .note = s->grants ? ", granted more than once" : ""};
    return true;
}

/* Those under way that reserved nothing can give nothing back. What is judged without them must be what a replay
 * judges, which has not seen them begin; so only if there are none. */
bool ctn_x_budget_may_be_given_back(const judge *j, const ctn_used *most)
{
    const budget_state *s = &j->x->budget;
    shortage lack;
    if (!s->reserved_count || s->in_flight != s->reserved_count || !find_shortage(j, most, &lack))
        return false;
    ctn_execution without = *j->x;
    without.budget.in_flight = without.budget.reserved_count = 0;
    without.budget.tokens_reserved = 0;
    without.budget.money_reserved[0] = '\0';
    judge alone = *j;
    alone.x = &without;
    return !find_shortage(&alone, most, &lack);
}

bool ctn_x_budget_is_short(const judge *j, const ctn_used *most, ctn_entry *ret_entry)
{
    shortage lack;
    ctn_arena *scratch = j->scratch;
    if (!find_shortage(j, most, &lack))
        return false;
    ctn_str message =
        lack.most.len
            ? ctn_arena_printf(scratch,
                               "the budget of %s has no room for the next call, which may take up to %.*s: %.*s of "
                               "%.*s used%s",
                               lack.of, CTN_STR_ARG(lack.most), CTN_STR_ARG(lack.spent), CTN_STR_ARG(lack.limit),
                               lack.note)
            : ctn_arena_printf(scratch, "the budget of %s is used up: %.*s of %.*s%s", lack.of, CTN_STR_ARG(lack.spent),
                               CTN_STR_ARG(lack.limit), lack.note);
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

static const ctn_json *used_of(const judge *j, const ctn_used *used, int64_t bytes)
{
    ctn_json_builder u = ctn_json_object(j->scratch);
    if (bytes >= 0)
        ctn_json_put_int(&u, "bytes", bytes);
    if (used && used->tokens > 0)
        ctn_json_put_int(&u, "tokens", used->tokens);
    if (used && used->money.len)
        ctn_json_put(&u, CTN_STR("money"), ctn_json_number(j->scratch, used->money));
    return ctn_json_finish(&u);
}

void ctn_x_budget_reserve(const judge *j, const ctn_used *most, ctn_json_builder *b)
{
    ctn_json_put(b, CTN_STR("reserved"), used_of(j, most, -1));
    ctn_json_put_bool(b, "kept", true); /* it is on disk before the call goes out */
}

void ctn_x_budget_put(const judge *j, const ctn_used *used, size_t bytes, ctn_json_builder *b)
{
    bool is_set = ctn_x_budget_is_set(j->x);
    if (is_set || (used && (used->tokens > 0 || used->money.len)))
        ctn_json_put(b, CTN_STR("used"), used_of(j, used, is_set ? (int64_t) bytes : -1));
}

void ctn_x_budget_begin(ctn_execution *x, call_state *c, const ctn_json *reserved)
{
    budget_state *s = &x->budget;
    s->calls++;
    s->in_flight++;
    c->reserved = reserved;
    if (!reserved)
        return;
    s->reserved_count++;
    s->tokens_reserved += ctn_json_int_or(reserved, "tokens", 0);
    change_money(s->money_reserved, sizeof s->money_reserved, ctn_json_text(ctn_json_member_of(reserved, "money")),
                 false);
}

static void leave(ctn_execution *x, call_state *c)
{
    budget_state *s = &x->budget;
    if (s->in_flight)
        s->in_flight--;
    if (!c->reserved)
        return;
    s->reserved_count--;
    s->tokens_reserved -= ctn_json_int_or(c->reserved, "tokens", 0);
    change_money(s->money_reserved, sizeof s->money_reserved, ctn_json_text(ctn_json_member_of(c->reserved, "money")),
                 true);
    c->reserved = NULL;
}

static void settle(int64_t *spent, int64_t *most, int64_t used)
{
    if (used <= 0 || __builtin_add_overflow(*spent, used, spent))
        return;
    if (used > *most)
        *most = used;
}

static void add_used(budget_state *s, const ctn_json *used)
{
    settle(&s->bytes, &s->bytes_most, ctn_json_int_or(used, "bytes", 0));
    settle(&s->tokens, &s->tokens_most, ctn_json_int_or(used, "tokens", 0));
    ctn_str money = ctn_json_text(ctn_json_member_of(used, "money"));
    if (!ctn_json_is(ctn_json_member_of(used, "money"), CTN_JSON_NUMBER))
        return;
    change_money(s->money, sizeof s->money, money, false);
    if (compare_money(money, ctn_str_from(s->money_most)) > 0 && money.len < sizeof s->money_most) {
        memcpy(s->money_most, money.ptr, money.len);
        s->money_most[money.len] = '\0';
    }
}

void ctn_x_budget_settle(ctn_execution *x, call_state *c, const ctn_json *used)
{
    if (c->phase == CALL_RUNNING)
        leave(x, c);
    else if (c->phase == CALL_IDLE || c->phase == CALL_FAILED)
        x->budget.calls++; /* its start is in no journal */
    add_used(&x->budget, used);
}

void ctn_x_budget_lose(ctn_execution *x, call_state *c)
{
    const ctn_json *reserved = c->reserved;
    leave(x, c);
    add_used(&x->budget, reserved);
}

ctn_budget_view ctn_execution_budget(const ctn_execution *x, int64_t now_ms)
{
    const budget_state *s = &x->budget;
    int64_t at_ms = x->has_ended ? x->end.at_ms : now_ms;
    return (ctn_budget_view){
        .calls = s->calls,
        .wall_ms = x->is_started ? wall_ms(x, at_ms) : 0,
        .bytes = s->bytes,
        .used = {.tokens = s->tokens, .money = ctn_str_from(s->money)},
        .reserved_tokens = s->tokens_reserved,
        .reserved_money = s->reserved_count ? ctn_str_from(s->money_reserved) : (ctn_str){0},
        .grants = s->grants,
    };
}
