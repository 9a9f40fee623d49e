/*
 * client.mjs -- the official SDK's client against catena: auto, legacy or modern; a URL, or a command with its arguments.
 *
 * Does what a client does (tools, a call, a question that it answers, a prompt, resources, completion) and prints a line for
 * each, so that whoever runs it can compare. Exit 1 and the error when something fails.
 */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { StdioClientTransport } from '@modelcontextprotocol/client/stdio';

const [mode, target, ...args] = process.argv.slice(2);
const versionNegotiation = { mode: mode === 'modern' ? { pin: '2026-07-28' } : mode };
const client = new Client({ name: 'sdk', version: '1' }, { capabilities: { elicitation: { form: {} } }, versionNegotiation });
const transport = target.startsWith('http')
    ? new StreamableHTTPClientTransport(new URL(target))
    : new StdioClientTransport({ command: target, args, stderr: 'inherit', env: process.env });

client.setRequestHandler('elicitation/create', async (request) => {
    console.log(`asked: ${request.params.message.split('\n')[0]}`);
    return { action: 'accept', content: { name: 'Ann' } };
});
try {
    await client.connect(transport);
    console.log(`version: ${client.getNegotiatedProtocolVersion?.() ?? client.getProtocolVersion?.() ?? '?'}`);
    const { tools } = await client.listTools();
    console.log(`tools: ${tools.some((t) => t.name === 'list_chains')} ${tools.some((t) => t.name === 'hello')}`);
    const hello = await client.callTool({ name: 'hello', arguments: { name: 'Bob' } });
    console.log(`hello: ${JSON.stringify(hello.content)} ${JSON.stringify(hello.structuredContent)}`);
    const asked = await client.callTool({ name: 'ask', arguments: {} });
    console.log(`ask: ${asked.content[0].text}`);
    const wrong = await client.callTool({ name: 'hello', arguments: { nam: 'Bob' } });
    console.log(`wrong: ${wrong.isError}`);
    const prompt = await client.getPrompt({ name: 'greeting', arguments: { name: 'Cy' } });
    console.log(`prompt: ${prompt.messages[0].content.text}`);
    const { resources } = await client.listResources();
    console.log(`resources: ${resources.some((r) => r.uri === 'catena://chains/hello')}`);
    const { resourceTemplates } = await client.listResourceTemplates();
    console.log(`templates: ${resourceTemplates.some((r) => r.uriTemplate === 'greeting://{name}')}`);
    const read = await client.readResource({ uri: 'greeting://Di' });
    console.log(`read: ${read.contents[0].text}`);
    const chain = await client.readResource({ uri: 'catena://chains/hello' });
    console.log(`chain: ${JSON.parse(chain.contents[0].text).chain.id} ${chain.contents.length}`);
    const { completion } = await client.complete({
        ref: { type: 'ref/resource', uri: 'catena://chains/{id}' }, argument: { name: 'id', value: 'hel' } });
    console.log(`complete: ${completion.values.join()}`);
    await client.close();
} catch (error) {
    console.error(error);
    process.exit(1);
}
