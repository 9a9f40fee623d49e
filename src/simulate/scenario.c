/*
 * scenario.c -- see scenario.h. Rates of random worlds differ from world to world, and each kind of fault is absent
 * from many of them: what happens only when nothing else does is seen too.
 */
#include "simulate/scenario.h"

const char *ctn_fate_words(ctn_fate fate)
{
    static const char *const words[CTN_FATE_COUNT] = {
        [CTN_FATE_FINE] = "answers",
        [CTN_FATE_DIES_BEFORE_SEND] = "the engine dies before it is sent",
        [CTN_FATE_DIES_AFTER_SEND] = "the engine dies after it is sent, before the tool has done anything",
        [CTN_FATE_DIES_AFTER_EFFECT] = "the engine dies after the tool has done its work, before the answer",
        [CTN_FATE_DIES_BEFORE_RECORD] = "the engine dies before the answer is recorded",
        [CTN_FATE_DIES_AFTER_RECORD] = "the engine dies after the answer is recorded",
        [CTN_FATE_REFUSED] = "the tool cannot be reached (unavailable)",
        [CTN_FATE_BROKEN] = "the connection breaks before it is sent (transport)",
        [CTN_FATE_RATE_LIMITED] = "the tool has had enough for now (rate_limited)",
        [CTN_FATE_LOST] = "the connection breaks after it is sent; the tool has done nothing",
        [CTN_FATE_LOST_DONE] = "the answer is lost; the tool does its work",
        [CTN_FATE_SLOW] = "no answer in time; the tool has done nothing",
        [CTN_FATE_SLOW_DONE] = "no answer in time; the tool does its work",
        [CTN_FATE_DUPLICATE] = "answers twice",
        [CTN_FATE_MALFORMED] = "does its work and answers with something else",
        [CTN_FATE_FAILED] = "fails for good (tool_error)",
        [CTN_FATE_FAILED_ONCE] = "does its work and says that it failed (tool_error)",
    };
    return words[fate];
}

bool ctn_fate_is_death(ctn_fate fate)
{
    return fate >= CTN_FATE_DIES_BEFORE_SEND && fate <= CTN_FATE_DIES_AFTER_RECORD;
}

ctn_scenario ctn_scenario_plain(uint64_t seed, int variant)
{
    return (ctn_scenario){
        .seed = seed,
        .is_planned = true,
        .variant = variant,
        .plans = {{.call = CTN_SCENARIO_NONE}, {.call = CTN_SCENARIO_NONE}},
        .commit = CTN_SCENARIO_NONE,
        .reply = CTN_REPLY_YES,
        .storm_at = CTN_SCENARIO_NONE,
    };
}

ctn_scenario ctn_scenario_random(uint64_t seed, int call_count)
{
    static const int faults[] = {0, 5, 15, 30}, deaths[] = {0, 0, 3, 8}, commits[] = {0, 0, 5, 20};
    uint64_t state = seed * UINT64_C(0x9E3779B97F4A7C15) + 7;
    ctn_rng chance = ctn_rng_seeded(&state);
    ctn_scenario s = ctn_scenario_plain(seed, CTN_SCENARIO_NONE);
    uint64_t calls = (uint64_t) (call_count > 0 ? call_count : 1);
    s.is_planned = false;
    s.reply = CTN_REPLY_BY_CHANCE;
    s.is_beyond = ctn_rng_next(&chance) % 10 == 0;
    s.fault_percent = faults[ctn_rng_next(&chance) % 4];
    s.die_percent = deaths[ctn_rng_next(&chance) % 4];
    s.commit_fails_percent = commits[ctn_rng_next(&chance) % 4];
    s.jump_percent = ctn_rng_next(&chance) % 8 == 0 ? 5 : 0;
    if (ctn_rng_next(&chance) % 3 == 0) {
        s.plans[0].call = (int) (ctn_rng_next(&chance) % calls);
        s.plans[0].fate = CTN_FATE_FAILED;
    }
    if (ctn_rng_next(&chance) % 16 == 0)
        s.storm_at = (int) (ctn_rng_next(&chance) % calls);
    if (ctn_rng_next(&chance) % 16 == 0)
        s.cancel_at_ms = 1 + (int64_t) (ctn_rng_next(&chance) % 200);
    return s;
}

ctn_str ctn_scenario_to_str(ctn_arena *arena, const ctn_scenario *s)
{
    if (!s->is_planned)
        return ctn_arena_printf(arena,
                                "by chance: %d %% of calls at fault, %d %% of commits under a dying engine, %d %% "
                                "failing%s%s",
                                s->fault_percent, s->die_percent, s->commit_fails_percent,
                                s->plans[0].call >= 0 ? ", one tool failing for good" : "",
                                s->is_beyond ? "; it may go beyond the fault model" : "");
    ctn_str text =
        s->variant > 0 ? ctn_arena_printf(arena, "planned, answers no. %d", s->variant + 1) : CTN_STR("planned");
    const char *joint = ": ";
    for (int i = 0; i < CTN_SCENARIO_PLANS; i++)
        if (s->plans[i].call >= 0) {
            text = ctn_arena_printf(arena, "%.*s%scall %d: %s", CTN_STR_ARG(text), joint, s->plans[i].call + 1,
                                    ctn_fate_words(s->plans[i].fate));
            joint = "; ";
        }
    if (s->commit >= 0) {
        text = ctn_arena_printf(arena, "%.*s%scommit %d: %s", CTN_STR_ARG(text), joint, s->commit + 1,
                                s->commit_fate.dies_before  ? "the engine dies before it"
                                : s->commit_fate.dies_after ? "the engine dies after it"
                                : s->commit_fate.is_written ? "it looks failed and is on disk"
                                                            : "it fails");
        joint = "; ";
    }
    if (s->reply == CTN_REPLY_NO || s->reply == CTN_REPLY_NEVER)
        text = ctn_arena_printf(arena, "%.*s%s%s", CTN_STR_ARG(text), joint,
                                s->reply == CTN_REPLY_NO ? "people say no" : "people never answer");
    return joint[0] == ':' ? ctn_arena_printf(arena, "%.*s: nothing goes wrong", CTN_STR_ARG(text)) : text;
}
