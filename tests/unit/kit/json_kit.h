/* json_kit.h -- JSON out of a test's text: a value, and a scope whose names are the members of one. */
#pragma once
#include "value/scope.h"

/* 2026-11-22T10:00:00.000Z */
#define JSON_SCOPE_NOW_MS 1795341600000LL

/* Fails the test when the text is no JSON. */
const ctn_json *json_of(ctn_arena *arena, ctn_str text);

/* "." leads to the whole value. */
ctn_scope json_scope(ctn_arena *arena, const char *json);
