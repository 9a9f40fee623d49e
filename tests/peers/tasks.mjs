/*
 * tasks.mjs -- the official client of the tasks extension against catena: URL. A tool that is a task is called and
 * settled, and one that asks on the way is answered in the task. A line for each; exit 1 and the error otherwise.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { createTaskSessionFromClient, resultFromTaskOutcome } from '@modelcontextprotocol/ext-tasks/client';

const url = process.argv[2];
const version = '2026-07-28';
const client = new Client({ name: 'tasks', version: '1' }, { versionNegotiation: { mode: { pin: version } } });

/* The SDK has no words for tasks: their requests are sent by hand. */
let ids = 1000;
async function rawDispatch(request, options) {
    const name = request.params?.name ?? request.params?.taskId;
    const response = await fetch(url, {
        method: 'POST',
        signal: options?.signal,
        headers: {
            'content-type': 'application/json',
            accept: 'application/json, text/event-stream',
            'mcp-protocol-version': version,
            'mcp-method': request.method,
            ...(name ? { 'mcp-name': name } : {}),
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: ++ids, ...request }),
    });
    const text = await response.text();
    const data = text.startsWith('{') ? text : text.split('\n').filter((l) => l.startsWith('data:')).at(-1).slice(5);
    const message = JSON.parse(data);
    return message.error ? { kind: 'error', error: message.error } : { kind: 'result', result: message.result };
}

try {
    await client.connect(new StreamableHTTPClientTransport(new URL(url)));
    const session = createTaskSessionFromClient(client, {
        endpointId: 'catena',
        rawDispatch,
        v2RequestFraming: {
            protocolVersion: version,
            clientInfo: { name: 'tasks', version: '1' },
            clientCapabilities: { elicitation: { form: {} } },
        },
        onInputRequest: async () => ({ action: 'accept', content: { name: 'Ann' } }),
    });
    const slow = await session.callTool('slow', {});
    const settled = await slow.settle();
    console.log(`slow: ${JSON.stringify(resultFromTaskOutcome(settled.outcome).content)}`);
    const asks = await (await session.callTool('task-that-asks', {})).settle();
    console.log(`asks: ${JSON.stringify(resultFromTaskOutcome(asks.outcome).content)}`);
    await session.close();
    await client.close();
} catch (error) {
    console.error(error);
    process.exit(1);
}
