/*
 * engine_content.h -- a chain's output in MCP's own form: the content blocks of a tool, the messages of a prompt, the
 * contents of a resource. Pure.
 *
 * An author may write the protocol's objects, or less: a text stands for one block, message or content of text, a
 * single object for a list of one. What comes out satisfies the protocol's schema whatever went in: an object that is
 * none of its kind (no data, bad Base64, an unknown type) is told as JSON text, and members that are wrong in it are
 * left out.
 *
 * Ownership  In the arena; parts of the value are borrowed. value NULL is null.
 */
#pragma once
#include "base/json.h"

/* A list of text, image, audio, resource and resource_link blocks. */
const ctn_json *ctn_content_blocks(ctn_arena *arena, const ctn_json *value);
/* A list of {role, content}, where content is one block. Without a role it is the user who speaks. */
const ctn_json *ctn_content_messages(ctn_arena *arena, const ctn_json *value);
/* A list of {uri, mimeType?, text | blob}; uri and mime_type (empty: not said) are of those that say none. */
const ctn_json *ctn_content_contents(ctn_arena *arena, const ctn_json *value, ctn_str uri, ctn_str mime_type);
