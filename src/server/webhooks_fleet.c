/*
 * webhooks_fleet.c -- of several nodes, which one sends: see webhooks.h.
 *
 *     no place --- claimed, and granted ---> sends --- buried, and lives anew ---> no place
 *
 * The place comes back by itself when its node is buried or leaves. A node that has no webhook in memory asks for
 * nothing, so a fleet without webhooks costs the store nothing.
 */
#include "server/webhooks_state.h"
#include "store/fleet.h"

#define LOOK_MS  1000
#define CLAIM_MS 5000 /* while another has the place */

static bool is_fleet(const ctn_webhooks *all)
{
    return all->of.node != NULL;
}

static int claim(ctn_webhooks *all, int64_t node, int64_t wanted, int64_t *ret_granted, ctn_err *err)
{
    *ret_granted = 0;
    return ctn_store_places_claim(all->of.store, node, CTN_STR("webhooks"), 1, wanted, ret_granted, err);
}

static void tell(const ctn_webhooks *all, const char *what, const ctn_err *err)
{
    ctn_log_line(all->of.log, CTN_LOG_WARN, what, "why", err->message, NULL);
}

static void become_sender(ctn_webhooks *all, int64_t node)
{
    ctn_err err = {0};
    int64_t granted = 0;
    if (claim(all, node, 1, &granted, &err)) {
        tell(all, "who sends webhooks could not be asked", &err);
        return;
    }
    if (granted == 0)
        return;
    if (webhooks_read_again(all, &err)) { /* where the last sender was */
        tell(all, "webhooks could not be read", &err);
        return;
    }
    all->fleet.node = node;
    webhooks_begin_sending(all);
    ctn_log_line(all->of.log, CTN_LOG_INFO, "this node sends the webhooks", NULL);
}

static void look(void *ctx)
{
    ctn_webhooks *all = ctx;
    ctn_err err = {0};
    int64_t node = all->of.node(all->of.fleet_ctx), changes = all->of.changes(all->of.fleet_ctx);
    int64_t next_ms = LOOK_MS;
    if (all->is_sender && node != all->fleet.node)
        webhooks_end_sending(all);
    if (node && changes != all->fleet.changes) {
        if (webhooks_read_again(all, &err))
            tell(all, "webhooks could not be read", &err);
        else
            all->fleet.changes = changes;
    }
    if (node && all->first && !all->is_sender) {
        become_sender(all, node);
        next_ms = all->is_sender ? LOOK_MS : CLAIM_MS;
    }
    ctn_timer_set(all->fleet.look, ctn_loop_now_ms(all->of.loop) + next_ms);
}

int webhooks_refresh(ctn_webhooks *all, ctn_err *err)
{
    return is_fleet(all) ? webhooks_read_again(all, err) : CTN_OK;
}

void webhooks_fleet_open(ctn_webhooks *all)
{
    if (!is_fleet(all)) {
        webhooks_begin_sending(all);
        return;
    }
    all->fleet.look = ctn_timer_new(all->of.loop, look, all);
    all->fleet.changes = -1;
    ctn_timer_set(all->fleet.look, ctn_loop_now_ms(all->of.loop));
}

void webhooks_fleet_close(ctn_webhooks *all)
{
    int64_t granted;
    ctn_timer_free(all->fleet.look);
    if (is_fleet(all) && all->is_sender) /* the next one need not wait until we have left */
        (void) claim(all, all->fleet.node, 0, &granted, NULL);
}
