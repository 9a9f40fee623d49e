/*
 * definition.h -- what a server says of a tool, as one document that can be kept and compared: name, title,
 * description, schemas, annotations. Two tools with equal documents are the same to whoever calls them.
 */
#pragma once
#include "value/schema_change.h"
#include "wire/mcp.h"

const ctn_json *ctn_mcp_definition(ctn_arena *arena, const ctn_mcp_tool *tool);
/* What has become of a tool. A description, and what annotations say of its effects, are meaning; a title is nothing
 * that anybody rests on. null: it is not listed. What is no object could not be kept. */
void ctn_mcp_definition_changes(ctn_changes *changes, const ctn_json *from, const ctn_json *to);
