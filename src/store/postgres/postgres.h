/*
 * postgres.h -- postgres://..., a store that many nodes share (fleet.h); url.h says what its URL may say.
 */
#pragma once
#include "store/backend.h"

extern const ctn_backend ctn_postgres_backend;
