// sdk_client -- what bench_calls does, with the official TypeScript SDK's client: W7's other side.
//
//     node sdk_client.mjs PEERS KEY ERA IN_FLIGHT WARM_S SPAN_S (--server PROGRAM | --url URL)
//
// PEERS: the folder whose node_modules has @modelcontextprotocol/client. ERA: a revision to speak, or `legacy`. Results are
// validated against the tool's output schema, as catena does it; tools/list is asked first, so that the client knows it.
import events from 'node:events';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const [peers, key, era, inFlight, warm, span, way, target] = process.argv.slice(2);
const require = createRequire(peers + '/');
const load = name => import(pathToFileURL(require.resolve(name)));
const { Client, StreamableHTTPClientTransport } = await load('@modelcontextprotocol/client');
const { StdioClientTransport } = await load('@modelcontextprotocol/client/stdio');

events.defaultMaxListeners = 0; // it hangs a listener on one signal for each call; the warnings are not to be measured
const client = new Client({ name: 'bench', version: '1' },
    { versionNegotiation: { mode: era === 'legacy' ? 'legacy' : { pin: era } } });
await client.connect(way === '--url' ? new StreamableHTTPClientTransport(new URL(target)) : new StdioClientTransport({ command: target }));
await client.listTools();

const pad = '0'.repeat(150);
let token = 0, calls = 0, over = false;
async function keepCalling() {
    while (!over) {
        const chain = ++token;
        const result = await client.callTool({ name: 'next', arguments: { chain, previous: { chain, step: 2, total: 3, pad } } });
        const state = result.structuredContent?.state;
        if (result.isError || state?.chain !== chain || state.step !== 3) throw new Error('a call has the answer of another');
        calls++;
    }
}
const everyone = Array.from({ length: +inFlight }, keepCalling);
const wait = s => new Promise(done => setTimeout(done, s * 1000));
await Promise.race([wait(+warm), Promise.all(everyone)]);
const began = { calls, at: process.hrtime.bigint(), cpu: process.cpuUsage() };
await Promise.race([wait(+span), Promise.all(everyone)]);
const cpu = process.cpuUsage(began.cpu), made = calls - began.calls;
const cpuUs = cpu.user + cpu.system, spanUs = Number(process.hrtime.bigint() - began.at) / 1000;
over = true;
console.log(`${key}/calls_per_s ${(made * 1e6 / spanUs).toFixed(1)}`);
console.log(`${key}/cpu_us_per_call ${(cpuUs / made).toFixed(2)}`);
console.log(`${key}/calls_per_core_s ${(made * 1e6 / cpuUs).toFixed(1)}`);
console.log(`${key}/rss_mib ${(process.resourceUsage().maxRSS / 1024).toFixed(1)}`);
process.exit(0); // what is in flight is not waited for
