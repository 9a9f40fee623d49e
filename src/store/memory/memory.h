/*
 * memory.h -- memory:NAME, a store that lives as long as somebody has it open: for tests, simulations and chains that
 * need not survive.
 */
#pragma once
#include "store/backend.h"

extern const ctn_backend ctn_memory_backend;
