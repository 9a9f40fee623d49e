/*
 * config_telemetry.h -- `telemetry` and `log` of a configuration: who is told how it goes, and in which form.
 */
#pragma once
#include "host/config.h"

extern const ctn_key_table ctn_config_telemetry_table, ctn_config_otlp_table, ctn_config_log_table;

/* telemetry, log: the values of the keys; NULL: not said. Faults become findings of the reader. */
void ctn_config_telemetry_read(ctn_reader *r, const ctn_json *telemetry, const ctn_json *log, ctn_config *config);
