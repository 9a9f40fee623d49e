/* config_schema.c -- catena.yaml for editors: what its tables of keys cannot say; see chain/editor_schema.h. */
#include "host/config_schema.h"
#include "chain/editor_schema.h"
#include "host/config_auth.h"
#include "host/config_egress.h"
#include "host/config_hooks.h"
#include "host/config_http.h"
#include "host/config_oidc.h"
#include "host/config_models.h"
#include "host/config_node.h"
#include "host/config_servers.h"
#include "host/config_telemetry.h"
#include "host/config_tenants.h"
#include "host/config_where.h"

/* clang-format off */
static const ctn_key_shape SHAPES[] = {
    {"auth", "token", "{\"$ref\":\"#/$defs/secret\"}"},
    {"auth", "clientSecret", "{\"$ref\":\"#/$defs/secret\"}"},
    {"auth", "privateKey", "{\"$ref\":\"#/$defs/secret\"}"},
    {"configuration", "servers", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/server\"}}"},
    {"configuration", "secrets", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/secret\"}}"},
    {"http", "oidc", "{\"type\":\"array\",\"items\":{\"$ref\":\"#/$defs/oidc\"}}"},
    {"http", "tokens", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/token\"}}"},
    {"configuration", "hooks", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/hook\"}}"},
    {"hook", "secret", "{\"$ref\":\"#/$defs/secret\"}"},
    {"hook", "id", "{\"$ref\":\"#/$defs/hookId\"}"},
    {"hook", "input", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\",\"pattern\":\"^(/.*)?$\"}}"},
    {"http", "tls", "{\"$ref\":\"#/$defs/tls\"}"},
    {"configuration", "tenants", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/tenant\"}}"},
    {"configuration", "models", "{\"type\":\"object\",\"additionalProperties\":{\"$ref\":\"#/$defs/model\"}}"},
    {"model", "key", "{\"$ref\":\"#/$defs/secret\"}"},
    {"model", "price", "{\"$ref\":\"#/$defs/price\"}"},
    {"model", "headers", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}"},
    {"price", "input", "{\"type\":\"number\",\"minimum\":0}"},
    {"price", "output", "{\"type\":\"number\",\"minimum\":0}"},
    {"price", "cachedInput", "{\"type\":\"number\",\"minimum\":0}"},
    {"otlp", "headers", "{\"type\":\"object\",\"additionalProperties\":{\"type\":\"string\"}}"},
    {"oidc", "roleNames", "{\"type\":\"object\",\"additionalProperties\":{\"enum\":[\"viewer\",\"operator\",\"author\",\"admin\"]}}"},
    {"node", "labels", "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"retention", "completed", "{\"type\":\"string\",\"pattern\":\"^([0-9]+[smhd]|forever)$\"}"},
    {"retention", "failed", "{\"type\":\"string\",\"pattern\":\"^([0-9]+[smhd]|forever)$\"}"},
    {"sealing", NULL, "{\"required\":[\"key\"]}"},
    {"sealing", "key", "{\"$ref\":\"#/$defs/secret\"}"},
    {"server", NULL, "{\"anyOf\":[{\"required\":[\"command\"]},{\"required\":[\"url\"]},{\"required\":[\"urls\"]}]}"},
    {"server", "auth", "{\"$ref\":\"#/$defs/auth\"}"},
    {"server", "args", "{\"type\":\"array\",\"items\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"server", "env", "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"server", "headers", "{\"type\":\"object\",\"additionalProperties\":{\"type\":[\"string\",\"number\",\"boolean\"]}}"},
    {"server", "effects", "{\"type\":\"object\",\"additionalProperties\":{\"enum\":[\"none\",\"read\",\"idempotent\",\"write\"]}}"},
};
/* clang-format on */

const ctn_json *ctn_config_schema(ctn_arena *arena)
{
    const ctn_key_table *tables[32];
    size_t count = 0;
    for (size_t i = 0; i < ctn_config_table_count; i++)
        tables[count++] = &ctn_config_tables[i];
    tables[count++] = &ctn_config_server_table;
    tables[count++] = &ctn_config_auth_table;
    tables[count++] = &ctn_config_http_table;
    tables[count++] = &ctn_config_tls_table;
    tables[count++] = &ctn_config_hook_table;
    tables[count++] = &ctn_config_hook_id_table;
    tables[count++] = &ctn_config_token_table;
    tables[count++] = &ctn_config_oidc_table;
    tables[count++] = &ctn_config_model_table;
    tables[count++] = &ctn_config_price_table;
    tables[count++] = &ctn_config_telemetry_table;
    tables[count++] = &ctn_config_otlp_table;
    tables[count++] = &ctn_config_log_table;
    tables[count++] = &ctn_config_egress_table;
    tables[count++] = &ctn_config_where_table;
    tables[count++] = &ctn_config_tenant_table;
    tables[count++] = &ctn_config_node_table;
    ctn_editor_schema schema = {.title = "Catena's configuration, catena.yaml",
                                .root = "{\"anyOf\":[{\"type\":\"null\"},{\"$ref\":\"#/$defs/configuration\"}]}",
                                .tables = tables,
                                .table_count = count,
                                .shapes = SHAPES,
                                .shape_count = sizeof SHAPES / sizeof *SHAPES};
    return ctn_editor_schema_make(arena, &schema);
}
