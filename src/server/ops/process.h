/*
 * process.h -- what the system says of this process, under the names that Prometheus has for it.
 */
#pragma once
#include "server/ops/exposition.h"

void ctn_ops_write_process(ctn_expo *expo);
