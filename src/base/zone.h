/*
 * zone.h -- time zones: how far local clocks are from UTC, by the system's time zone database.
 *
 * Zones are read from the compiled files of the database (TZif, RFC 8536): the transitions of the past, and the rule
 * for all time to come. Reading is bounded, and a damaged file is an error, never a wrong hour.
 *
 * Ownership  _open and _parse give a zone, _close takes it (NULL is fine). Immutable once made.
 * Units      Seconds since the Unix epoch; local ones as if the local clock were UTC.
 */
#pragma once
#include "base/err.h"
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct ctn_zone ctn_zone;

/* "Europe/London"; empty and "UTC" need no database. CTN_E_NOT_FOUND: there is none of that name (or no database at
 * all, which the sentence says); CTN_E_CORRUPT. */
int ctn_zone_open(ctn_str name, ctn_zone **ret_zone, ctn_err *err);
int ctn_zone_parse(const void *bytes, size_t count, ctn_zone **ret_zone, ctn_err *err);
void ctn_zone_close(ctn_zone *zone);

int64_t ctn_zone_to_local_s(const ctn_zone *zone, int64_t at_s);
/* The point at which the local clock shows this. When it shows it twice (clocks go back), the first time; when it
 * never does (clocks go forward), the moment at which they went. */
int64_t ctn_zone_from_local_s(const ctn_zone *zone, int64_t local_s);
/* The next point after this one at which the clocks are changed; INT64_MAX: never again. */
int64_t ctn_zone_next_change_s(const ctn_zone *zone, int64_t after_s);
