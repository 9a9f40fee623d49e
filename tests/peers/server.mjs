/*
 * server.mjs -- a server on the official SDK that speaks the newest revision and the older ones: `stdio`, or a port.
 *
 *     echo {message}     says it, and which era was spoken
 *     ask                asks who it is (input_required), and says so
 *     count {to}         tells progress
 *     region {region}    an argument that is repeated in a header, which the SDK enforces
 */
import { createServer } from 'node:http';
import { acceptedContent, createMcpHandler, inputRequired, McpServer } from '@modelcontextprotocol/server';
import { serveStdio } from '@modelcontextprotocol/server/stdio';
import { toNodeHandler } from '@modelcontextprotocol/node';
import * as z from 'zod/v4';

const text = (said) => ({ content: [{ type: 'text', text: said }] });
const build = (context) => {
    const server = new McpServer({ name: 'peer', version: '1' }, { capabilities: { tools: { listChanged: true } } });
    server.registerTool('echo', { inputSchema: z.object({ message: z.string() }), annotations: { readOnlyHint: true } },
        async ({ message }) => text(`${message} ${context.era}`));
    server.registerTool('ask', { inputSchema: z.object({}) }, async (_, call) => {
        const who = acceptedContent(call.mcpReq.inputResponses, 'who');
        if (who) return text(`it is ${who.name}`);
        const requestedSchema = { type: 'object', properties: { name: { type: 'string' } }, required: ['name'] };
        return inputRequired({ requestState: 'st-1', inputRequests: { who: inputRequired.elicit({ message: 'Name?', requestedSchema }) } });
    });
    server.registerTool('count', { inputSchema: z.object({ to: z.number() }) }, async ({ to }, call) => {
        for (let i = 1; i <= to; i++) {
            const progressToken = call.mcpReq._meta?.progressToken;
            if (progressToken !== undefined)
                await call.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: i, total: to } });
            await new Promise((done) => setTimeout(done, 100));
        }
        return text(`counted to ${to}`);
    });
    server.registerTool('region', { inputSchema: z.object({ region: z.string().meta({ 'x-mcp-header': 'Region' }) }) },
        async ({ region }) => text(`to ${region}`));
    return server;
};

if (process.argv[2] === 'stdio') serveStdio(build);
else {
    const handle = toNodeHandler(createMcpHandler(build));
    createServer((request, response) => handle(request, response)).listen(+process.argv[2], '127.0.0.1');
}
