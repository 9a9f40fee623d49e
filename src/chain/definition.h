/*
 * definition.h -- chains, instruction sets and documents as the store keeps them: by content, each a JSON
 * text that says its own name.
 *
 *   chain             the chain's object, without instructionSets
 *   instruction_set   {"instructionSets": {NAME: {...}}}: a file of its own; instructions as text
 *   template          {"name": NAME, "text": "..."}
 *
 * The same content gives the same bytes whether it was YAML or JSON and in whatever order the keys of the language
 * stood. Where the order of members means something, or is the author's data, it is kept: calls, outputVariables,
 * outputs, arguments, result, schemas, values. Numbers keep their text.
 */
#pragma once
#include "chain/library.h"

ctn_str ctn_definition_of_chain(ctn_arena *arena, const ctn_chain *chain);
ctn_str ctn_definition_of_set(ctn_arena *arena, const ctn_instruction_set *set);
ctn_str ctn_definition_of_document(ctn_arena *arena, const ctn_document *document);
/* Does the body say that it is the chain, set or template of this kind and name? They stand beside what its digest
 * covers. */
bool ctn_definition_is(ctn_arena *scratch, ctn_str kind, ctn_str name, ctn_str body);
