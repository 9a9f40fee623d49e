#!/bin/sh
# A tool server that answers each call with an error of the protocol: for the fixture protocol-error-job.
while read -r line; do
    id=$(printf '%s' "$line" | sed -nE 's/.*"id":("[^"]*"|[0-9]+).*/\1/p')
    case $line in
    *'"method":"initialize"'*)
        result='{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"rude","version":"1"}}'
        ;;
    *'"method":"tools/list"'*) result='{"tools":[{"name":"break","description":"Breaks.","inputSchema":{"type":"object"}}]}' ;;
    *'"method":"ping"'*) result='{}' ;;
    *)
        [ -z "$id" ] || echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"error\":{\"code\":-32603,\"message\":\"it broke\"}}"
        continue
        ;;
    esac
    echo "{\"jsonrpc\":\"2.0\",\"id\":$id,\"result\":$result}"
done
