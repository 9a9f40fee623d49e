/*
 * faults.h -- what is to go wrong at the sandbox, where and how often: read from agency.yaml or the environment,
 * counted in the ledger, so that a server that dies of a fault does not die of it again.
 */
#pragma once

#include "agency.h"
#include "booking/books.h"

typedef enum sandbox_fault {
    FAULT_NONE,
    FAULT_ERROR_BEFORE,
    FAULT_ERROR_AFTER,
    FAULT_TIMEOUT_BEFORE,
    FAULT_TIMEOUT_AFTER,
    FAULT_HANG_BEFORE,
    FAULT_HANG_AFTER,
    FAULT_DIE_BEFORE,
    FAULT_DIE_AFTER,
    FAULT_REFUSE,
    FAULT_DEARER,
    FAULT_LAPSE,
} sandbox_fault;

#define SANDBOX_FAULTS_TABLE                                                                                           \
    "CREATE TABLE IF NOT EXISTS sandbox_faults(point TEXT PRIMARY KEY, happened INTEGER NOT NULL) STRICT;"

/* CTN_E_INVALID: a point or a fault that there is not, with the nearest one. */
int sandbox_faults_check(const travel_agency *agency, ctn_err *err);
/* What happens at this point now; it is counted (and committed) before it is told. */
int sandbox_fault_at(const travel_agency *agency, travel_books *b, const char *point, sandbox_fault *ret_fault,
                     ctn_err *err);
