/*
 * schemas.h -- the shapes that several tools take or give, as JSON Schema texts to be put together. Only data.
 *
 * Input schemas say what a tool reads and leave the door open for more, so that a chain may hand over whole objects.
 * Output schemas say what the next step of a chain may rely on.
 */
#pragma once

#define STRING       "{\"type\":\"string\"}"
#define TEXT_OR_NULL "{\"type\":[\"string\",\"null\"]}"
#define INT_OR_NULL  "{\"type\":[\"integer\",\"null\"]}"
#define INTEGER      "{\"type\":\"integer\"}"
#define BOOLEAN      "{\"type\":\"boolean\"}"
#define STRINGS      "{\"type\":\"array\",\"items\":{\"type\":\"string\"}}"
#define MONEY        "{\"type\":\"string\",\"pattern\":\"^-?[0-9]+\\\\.[0-9]{2}$\"}"
#define WHEN         "{\"type\":[\"string\",\"integer\"],\"description\":\"RFC 3339 text or milliseconds since 1970\"}"

#define CLIENT                                                                                                         \
    "{\"type\":\"object\",\"properties\":{\"name\":" TEXT_OR_NULL ",\"email\":" TEXT_OR_NULL                           \
    ",\"phone\":" TEXT_OR_NULL "}}"
#define BUDGET                                                                                                         \
    "{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":[\"number\",\"string\",\"null\"]},"                     \
    "\"currency\":" TEXT_OR_NULL ",\"per\":{\"enum\":[\"total\",\"person\",\"night\",null]}}}"
#define TRIP                                                                                                           \
    "{\"type\":\"object\",\"properties\":{\"origin\":" TEXT_OR_NULL ",\"destinations\":" STRINGS ","                   \
    "\"start_date\":" TEXT_OR_NULL ",\"end_date\":" TEXT_OR_NULL ",\"nights\":" INT_OR_NULL ",\"month\":" TEXT_OR_NULL \
    ",\"adults\":" INT_OR_NULL ",\"children\":" INT_OR_NULL ",\"trip_type\":" TEXT_OR_NULL ",\"interests\":" STRINGS   \
    "}}"
#define COMPLETE                                                                                                       \
    "{\"type\":\"object\",\"required\":[\"summary\",\"origin\",\"destinations\",\"start_date\",\"end_date\","          \
    "\"nights\","                                                                                                      \
    "\"adults\",\"children\",\"currency\",\"is_searchable\",\"assumptions\",\"questions\"],\"properties\":{"           \
    "\"summary\":" STRING ",\"origin\":" STRING ",\"destinations\":" STRINGS ",\"start_date\":" STRING                 \
    ",\"end_date\":" STRING ",\"nights\":" INTEGER ",\"adults\":" INTEGER ",\"children\":" INTEGER                     \
    ",\"rooms\":" INTEGER ",\"trip_type\":" STRING ",\"interests\":" STRINGS ",\"currency\":" STRING                   \
    ",\"is_searchable\":" BOOLEAN ",\"assumptions\":" STRINGS ",\"questions\":" STRINGS "}}"
#define SEARCH_INPUT                                                                                                   \
    "{\"type\":\"object\",\"required\":[\"requirements\"],\"properties\":{\"requirements\":" TRIP                      \
    ",\"budget\":" BUDGET ",\"started_at\":" WHEN "}}"
#define FLIGHTS                                                                                                        \
    "{\"type\":\"object\",\"required\":[\"source\",\"currency\",\"offers\",\"cheapest\"],\"properties\":{"             \
    "\"source\":{\"enum\":[\"sandbox\",\"duffel\"]},\"currency\":" STRING                                              \
    ",\"offers\":{\"type\":\"array\",\"items\":{"                                                                      \
    "\"type\":\"object\",\"required\":[\"offer_id\",\"per_person\",\"total\",\"expires_at\",\"legs\"],\"properties\":" \
    "{\"offer_"                                                                                                        \
    "id\":" STRING ",\"per_person\":" MONEY ",\"total\":" MONEY ",\"expires_at\":" STRING                              \
    ",\"legs\":{\"type\":\"array\"}}}},"                                                                               \
    "\"cheapest\":{\"type\":\"object\",\"required\":[\"total\"],\"properties\":{\"total\":" MONEY                      \
    "}},\"note\":" STRING "}}"
#define HOTELS                                                                                                         \
    "{\"type\":\"object\",\"required\":[\"source\",\"currency\",\"stays\",\"cheapest\"],\"properties\":{"              \
    "\"source\":{\"enum\":[\"sandbox\",\"duffel\"]},\"currency\":" STRING ",\"stays\":{\"type\":\"array\",\"items\":{" \
    "\"type\":\"object\",\"required\":[\"place\",\"nights\",\"hotels\"],\"properties\":{\"place\":" STRING             \
    ",\"nights\":" INTEGER ",\"hotels\":{\"type\":\"array\"}}}},"                                                      \
    "\"cheapest\":{\"type\":\"object\",\"required\":[\"total\"],\"properties\":{\"total\":" MONEY                      \
    "}},\"note\":" STRING "}}"
