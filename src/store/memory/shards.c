/*
 * shards.c -- who holds which shard: taken, given back, and freed of the dead.
 */
#include "store/memory/fleet.h"
#include "base/plant.h"

void ctn_memory_node_end(memory_db *db, ctn_node_row *node, bool was_crash)
{
    memory_fleet *fleet = db->fleet;
    node->is_live = false;
    for (uint32_t i = 0; i < fleet->shard_count; i++)
        if (fleet->shards[i].holder == node->incarnation) {
            fleet->shards[i].holder = 0;
            fleet->shards[i].was_crash = was_crash && !CTN_PLANT(DEATH_KEPT_QUIET);
        }
    for (size_t i = fleet->claims.count; i-- > 0;) {
        memory_claim claim = ((memory_claim *) fleet->claims.rows)[i];
        if (claim.incarnation == node->incarnation)
            ctn_memory_table_remove(&fleet->claims, &claim);
    }
}

uint32_t ctn_memory_bury(memory_db *db, int64_t settle_ms)
{
    uint32_t buried = 0;
    int64_t now_ms = memory_now_ms(db);
    for (size_t i = 0; i < db->fleet->nodes.count; i++) {
        ctn_node_row *node = &memory_node_at(db->fleet, i)->row;
        if (!node->is_live || now_ms - node->expires_at_ms < (CTN_PLANT(BURIED_AT_ONCE) ? 0 : settle_ms))
            continue;
        ctn_memory_node_end(db, node, true);
        buried++;
    }
    return buried;
}

int ctn_memory_nodes_bury(ctn_store *st, int64_t settle_ms, uint32_t *ret_buried, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    *ret_buried = ctn_memory_bury(db, settle_ms);
    memory_unlock(db);
    return CTN_OK;
}

static ctn_shard_lease take(memory_db *db, uint32_t number, int64_t incarnation)
{
    memory_shard *shard = &db->fleet->shards[number];
    if (shard->holder != incarnation) {
        shard->holder = incarnation;
        shard->epoch += !CTN_PLANT(EPOCH_STAYS);
    }
    return (ctn_shard_lease){.shard = number, .epoch = shard->epoch, .was_crash = shard->was_crash};
}

int ctn_memory_shards_take(ctn_store *st, int64_t incarnation, const ctn_shard_set *among, uint32_t count,
                           ctn_shard_lease *ret_leases, uint32_t *ret_count, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    bool is_live = ctn_memory_node_live(db, incarnation) != NULL;
    uint32_t taken = 0;
    for (uint32_t i = 0; is_live && i < db->fleet->shard_count && taken < count; i++)
        if (db->fleet->shards[i].holder == 0 && (!among || ctn_shard_set_has(among, i)))
            ret_leases[taken++] = take(db, i, incarnation);
    if (is_live)
        *ret_count = taken;
    memory_unlock(db);
    return is_live ? CTN_OK : CTN_E_STALE;
}

int ctn_memory_shard_take(ctn_store *st, int64_t incarnation, uint32_t shard, ctn_shard_lease *ret, ctn_err *err)
{
    int rc = CTN_OK;
    memory_db *db = memory_lock(st);
    int64_t holder = db->fleet->shards[shard].holder;
    if (!ctn_memory_node_live(db, incarnation))
        rc = CTN_E_STALE;
    else if (holder && holder != incarnation)
        rc = ctn_store_fail_shard_held(shard, holder, err);
    else
        *ret = take(db, shard, incarnation);
    memory_unlock(db);
    return rc;
}

int ctn_memory_shards_release(ctn_store *st, int64_t incarnation, const ctn_shard_set *which, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    bool is_live = ctn_memory_node_live(db, incarnation) != NULL;
    for (uint32_t i = 0; is_live && i < db->fleet->shard_count; i++)
        if (ctn_shard_set_has(which, i) && db->fleet->shards[i].holder == incarnation) {
            db->fleet->shards[i].holder = 0;
            db->fleet->shards[i].was_crash = false;
        }
    memory_unlock(db);
    return is_live ? CTN_OK : CTN_E_STALE;
}

int ctn_memory_shard_holders(ctn_store *st, int64_t *ret_incarnations, ctn_err *err)
{
    (void) err;
    memory_db *db = memory_lock(st);
    for (uint32_t i = 0; i < db->fleet->shard_count; i++)
        ret_incarnations[i] = db->fleet->shards[i].holder;
    memory_unlock(db);
    return CTN_OK;
}
