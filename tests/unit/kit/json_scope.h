/* json_scope.h -- a scope whose names are the members of a JSON object, for tests of the language. */
#pragma once
#include "value/scope.h"

/* 2026-11-22T10:00:00.000Z */
#define JSON_SCOPE_NOW_MS 1795341600000LL

/* Parses `json` (a bug in the test when that fails). "." leads to the whole value. */
ctn_scope json_scope(ctn_arena *arena, const char *json);
