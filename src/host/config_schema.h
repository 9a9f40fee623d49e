/*
 * config_schema.h -- catena.yaml as a JSON Schema, for editors (chain/editor_schema.h).
 */
#pragma once
#include "base/json.h"

const ctn_json *ctn_config_schema(ctn_arena *arena);
