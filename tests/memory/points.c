#include "points.h"

#include <stdio.h>

#include "fail.h"

#if defined(__SANITIZE_ADDRESS__)
#define STRIDE_AFTER 200 /* each point up to here, then every so many: it is ten times slower */
#define STRIDE       13
#else
#define STRIDE_AFTER 4000
#define STRIDE       7
#endif
#define POINTS_MAX 200000

static long try_mode(const operation *op, bool for_good)
{
    long tried = 0;
    for (long n = 1; n < POINTS_MAX; n += op->every ? op->every : n < STRIDE_AFTER ? 1 : STRIDE) {
        ctn_err err = {0};
        long live = fail_live();
        ctn_arena *arena = ctn_arena_new(256);
        fail_arm(n, for_good);
        int rc = op->run(op->ctx, arena, &err);
        bool has_failed = fail_disarm();
        ctn_arena_free(arena);
        if (!has_failed) {
            if (rc)
                fail_msg("%s: with all its memory it fails: %s", op->name, err.message);
            return tried;
        }
        tried++;
        if (rc == CTN_OK && for_good)
            fail_msg("%s: without memory from allocation %ld on, and all was well?", op->name, n);
        if (rc && rc != CTN_E_NOMEM)
            fail_msg("%s, allocation %ld: %s: %s", op->name, n, ctn_err_name(rc), err.message);
        if (rc && err.message[0] == '\0')
            fail_msg("%s, allocation %ld: no sentence", op->name, n);
        if (!op->keeps && fail_live() != live)
            fail_msg("%s, allocation %ld%s: %ld blocks leaked", op->name, n, for_good ? " and on" : "",
                     fail_live() - live);
        if (op->check)
            op->check(op->ctx);
    }
    fail_msg("%s: no end of allocations", op->name);
    return 0;
}

void try_all(const operation *op)
{
    ctn_err err = {0};
    ctn_arena *arena = ctn_arena_new(256);
    if (op->run(op->ctx, arena, &err)) /* what is made once stays */
        fail_msg("%s: %s", op->name, err.message);
    ctn_arena_free(arena);
    long once = try_mode(op, false), for_good = try_mode(op, true);
    print_message("%s: %ld points alone, %ld with all after them%s\n", op->name, once, for_good,
                  op->every ? ", a sample" : "");
    assert_true(once > 0 && for_good > 0);
}
