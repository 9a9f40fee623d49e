// lead_client -- the two sides of W11: the leads of a folder through the chain mobile-lead-processing, all at once and one
// alone, and through a plain script that makes the same calls to the same tool server, one after the other.
//
//     node lead_client.mjs chain CATENA CONFIG LEADS [ALONE]   starts `catena serve`; ALONE leads one at a time, then all
//     node lead_client.mjs plain LEADS COMMAND [ARGUMENT...]   starts the tool server, all leads in turn
//
// Prints figures, `name value`. No package is needed.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [side, ...rest] = process.argv.slice(2);
const now = () => Number(process.hrtime.bigint()) / 1e6;
const say = (name, value) => console.log(name, +value.toFixed(1));
const median = list => list.toSorted((a, b) => a - b)[list.length >> 1];
const leadsOf = folder => readdirSync(folder).filter(name => /^\d+\.txt$/.test(name)).sort()
    .map(name => readFileSync(join(folder, name), 'utf8'));

// ---- the plain script ----

async function connect(command, args) {
    const server = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const waiting = new Map();
    let last = 0;
    createInterface({ input: server.stdout }).on('line', line => {
        const message = JSON.parse(line);
        waiting.get(message.id)?.(message);
        waiting.delete(message.id);
    });
    const send = message => server.stdin.write(JSON.stringify({ jsonrpc: '2.0', ...message }) + '\n');
    const ask = (method, params) => new Promise(done => {
        waiting.set(++last, done);
        send({ id: last, method, params });
    });
    await ask('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 'plain', version: '1' } });
    send({ method: 'notifications/initialized' });
    return {
        async call(name, args) {
            const answer = await ask('tools/call', { name, arguments: args });
            if (answer.error || answer.result.isError) throw new Error(`${name}: ${JSON.stringify(answer.error ?? answer.result)}`);
            return answer.result.structuredContent;
        },
        end() { server.stdin.end(); }
    };
}

async function work(tools, lead, number) {
    const started_at = new Date().toISOString();
    const read = await tools.call('extract_lead', { raw_lead: lead, started_at });
    const valid = await tools.call('validate_requirements',
        { requirements: read.trip_requirements, client: read.client_info, budget: read.budget_info, started_at });
    await tools.call('create_client_record', { client: read.client_info, requirements: read.trip_requirements, key: `plain-${number}` });
    const search = { requirements: valid.complete_requirements, budget: read.budget_info };
    const flights = await tools.call('search_flights', search);
    const hotels = await tools.call('search_hotels', search);
    const priced = await tools.call('price_tiers', { ...search, flights, hotels, started_at });
    if (!priced.pricing_tiers) throw new Error('a lead without prices');
}

async function plain(folder, command, ...args) {
    const tools = await connect(command, args);
    const spans = [], began = now();
    for (const [number, lead] of leadsOf(folder).entries()) {
        const at = now();
        await work(tools, lead, number);
        spans.push(now() - at);
    }
    say('plain/leads', spans.length);
    say('plain/all_ms', now() - began);
    say('plain/one_p50_ms', median(spans));
    say('plain/per_lead_ms', (now() - began) / spans.length);
    tools.end();
}

// ---- the chain ----

async function chain(catena, config, folder, alone = '5') {
    const leads = leadsOf(folder);
    const service = spawn(catena, ['serve', '--config', config, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    const url = await new Promise((found, lost) => {
        service.on('exit', () => lost(new Error('catena serve ended')));
        createInterface({ input: service.stderr }).on('line', line => {
            const at = line.match(/http:\/\/127\.0\.0\.1:\d+/);
            if (at) found(at[0]);
        });
    });
    const run = async lead => {
        const at = now();
        const answer = await fetch(`${url}/v1/executions?wait=60s`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ chain: 'mobile-lead-processing', input: { raw_lead: lead } })
        });
        const execution = await answer.json();
        if (execution.status !== 'completed') throw new Error(JSON.stringify(execution));
        return now() - at;
    };
    await run(leads[0]); // the tool server is started by its first call
    const one = [];
    for (const lead of leads.slice(1, 1 + Number(alone))) one.push(await run(lead));
    const began = now();
    const all = await Promise.all(leads.map(run));
    const span = now() - began;
    say('chain/leads', leads.length);
    if (one.length) say('chain/one_p50_ms', median(one));
    say('chain/all_ms', span);
    say('chain/per_lead_ms', span / leads.length);
    say('chain/each_of_all_p50_ms', median(all));
    service.removeAllListeners('exit');
    service.kill('SIGTERM');
}

await { plain, chain }[side](...rest);
process.exit(0);
