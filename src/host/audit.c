/*
 * audit.c -- see audit.h.
 */
#include "host/audit.h"
#include "base/clock.h"
#include <pwd.h>
#include <unistd.h>

ctn_str ctn_actor_name(ctn_arena *arena)
{
    const struct passwd *user = getpwuid(geteuid());
    if (user && user->pw_name[0])
        return ctn_arena_str(arena, ctn_str_from(user->pw_name));
    return ctn_arena_printf(arena, "uid %lu", (unsigned long) geteuid());
}

int ctn_audit(ctn_store *store, const char *action, ctn_str subject, const ctn_json *detail, ctn_err *err)
{
    ctn_clock clock = ctn_clock_system();
    ctn_arena *arena = ctn_arena_new(1024);
    ctn_audit_entry entry = {.at_ms = ctn_clock_now_ms(&clock),
                             .actor = ctn_actor_name(arena),
                             .action = ctn_str_from(action),
                             .subject = subject,
                             .detail = detail ? ctn_json_to_str(arena, detail) : (ctn_str){0}};
    int rc = ctn_store_audit(store, &entry, err);
    ctn_arena_free(arena);
    return rc;
}

int ctn_audit_opened(ctn_store *store, ctn_err *err)
{
    ctn_store_version raised;
    if (!ctn_store_was_migrated(store, &raised))
        return CTN_OK;
    ctn_arena *arena = ctn_arena_new(512);
    ctn_json_builder b = ctn_json_object(arena);
    ctn_json_put_int(&b, "from", raised.found);
    ctn_json_put_int(&b, "to", raised.newest);
    int rc = ctn_audit(store, "store.migrate", (ctn_str){0}, ctn_json_finish(&b), err);
    ctn_arena_free(arena);
    return rc;
}
