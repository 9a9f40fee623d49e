/*
 * memory.h -- memory:NAME, a store that lives as long as somebody has it open: for tests, simulations and chains that
 * need not survive.
 *
 * memory:NAME?shards=N (1 to 1,024) makes one that several nodes share (store/fleet.h), with so many shards.
 */
#pragma once
#include "store/backend.h"

extern const ctn_backend ctn_memory_backend;

/* By which clock leases of this store run, for all its handles; the system's unless somebody says otherwise. Asked
 * under the store's mutex: it must not call the store. A store for one process has no leases, and does not mind. */
void ctn_memory_clock(ctn_store *st, const ctn_clock *clock);
