#include "left.h"
#include "engine/fold.h"

#include <stdio.h>

static int keep_number(void *ctx, const ctn_execution_row *row)
{
    *(int64_t *) ctx = row->exec_no;
    return 1;
}

const ctn_execution *left_newest(const world *w, const char *file, ctn_arena *arena, ctn_execution_row *ret_row)
{
    char url[600];
    ctn_store *store = NULL;
    ctn_err err = {0};
    ctn_execution *x = NULL;
    int64_t exec_no = 0;
    ctn_execution_filter filter = {.limit = 1};
    *ret_row = (ctn_execution_row){0};
    snprintf(url, sizeof url, "sqlite:%s/%s", w->folder, file);
    if (ctn_store_open(url, CTN_STORE_READ, &store, &err))
        return NULL;
    assert_int_equal(ctn_store_execution_list(store, &filter, keep_number, &exec_no, &err), CTN_OK);
    if (exec_no) {
        assert_int_equal(ctn_store_execution_by_no(store, arena, exec_no, ret_row, &err), CTN_OK);
        if (ctn_execution_load(store, arena, ret_row, &x, &err))
            fail_msg("%s", err.message);
        ctn_execution_unload(x); /* its plan's patterns are of no use here */
    }
    ctn_store_close(store);
    return x;
}
