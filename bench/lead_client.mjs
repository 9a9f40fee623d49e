// lead_client -- the two sides of W11: the leads of a folder through the chain mobile-lead-processing, and through a plain
// script that makes the same calls to the same tool server, one after the other.
//
//     node lead_client.mjs chain CATENA CONFIG LEADS one|all   starts `catena serve`; the leads one at a time, or all at once
//     node lead_client.mjs plain LEADS COMMAND [ARGUMENT...]   starts the tool server; the leads in turn
//
// Prints figures, `name value`. No package is needed.
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const [side, ...rest] = process.argv.slice(2);
const now = () => Number(process.hrtime.bigint()) / 1e6;
const say = (name, value) => console.log(name, +value.toFixed(1));
const pause = ms => new Promise(done => setTimeout(done, ms));
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

// The chain's steps, in its order; how far the lead came.
async function work(tools, raw_lead, number) {
    const started_at = new Date().toISOString(), key = step => ({ key: `plain/${number}/${step}` });
    const read = await tools.call('extract_lead', { raw_lead, started_at });
    if (!read.is_lead) return 'spam';
    const { client_info: client, trip_requirements: trip, budget_info: budget, language } = read;
    const saved = await tools.call('save_lead',
        { ...key('save'), execution: `plain-${number}`, text: raw_lead, language, client, requirements: trip, budget, status: 'new' });
    if (!saved.is_new) return 'repeat';
    const { lead_id, client_id } = saved;
    const valid = await tools.call('validate_requirements',
        { requirements: trip, client, budget, language, must_know: ['destinations', 'origin', 'travellers'], started_at });
    if (valid.must_ask) {
        const letter = await tools.call('write_question', { client, questions: valid.questions, language, round: 'first' });
        await tools.call('deliver_message', {
            ...key('ask'), client_id, lead_id, channel: letter.channel, language, subject: letter.subject, message: letter.message
        });
        await tools.call('update_lead', { lead_id, status: 'asked' });
        return 'asked';
    }
    if (!valid.can_be_searched) {
        await tools.call('update_lead', { lead_id, status: 'lost' });
        return 'lost';
    }
    const flights = await tools.call('search_flights', { requirements: valid.search_request });
    const hotels = await tools.call('search_hotels', { requirements: valid.search_request });
    const requirements = valid.complete_requirements;
    const priced = await tools.call('price_tiers', { requirements, flights, hotels, budget, language, started_at });
    const { version } = await tools.call('next_version', { client_id, lead_id, kind: 'proposal-html' });
    const proposal = await tools.call('write_proposal',
        { client, requirements, pricing_tiers: priced.pricing_tiers, lead_id, version, language, started_at });
    for (const [kind, content_type] of [['proposal-html', 'text/html'], ['proposal-text', 'text/plain']]) {
        await tools.call('save_document', { // the chain fills in a template here; a script would somehow do so too
            ...key(kind), client_id, lead_id, kind, version, content_type, body: JSON.stringify(proposal)
        });
    }
    await tools.call('update_lead', { lead_id, status: 'proposed', requirements, budget });
    return 'proposed';
}

async function plain(folder, command, ...args) {
    const tools = await connect(command, args);
    const spans = [], began = now();
    let proposed = 0;
    for (const [number, lead] of leadsOf(folder).entries()) {
        const at = now();
        proposed += await work(tools, lead, number) === 'proposed';
        spans.push(now() - at);
    }
    say('plain/leads', spans.length);
    say('plain/proposed', proposed);
    say('plain/all_ms', now() - began);
    say('plain/one_p50_ms', median(spans));
    say('plain/per_lead_ms', (now() - began) / spans.length);
    tools.end();
}

// ---- the chain ----

async function chain(catena, config, folder, how) {
    const leads = leadsOf(folder);
    const service = spawn(catena, ['serve', '--config', config, '--listen', '127.0.0.1:0'], { stdio: ['ignore', 'ignore', 'pipe'] });
    process.on('exit', () => service.kill('SIGTERM')); // however this ends
    const url = await new Promise((found, lost) => {
        service.on('exit', () => lost(new Error('catena serve ended')));
        createInterface({ input: service.stderr }).on('line', line => {
            const at = line.match(/http:\/\/127\.0\.0\.1:\d+/);
            if (at) found(at[0]);
        });
    });
    const look = async id => (await fetch(`${url}/v1/executions/${id}`)).json();
    // A lead is done when its execution ends, or when its client was asked and is waited for.
    const isDone = async execution => {
        const asking = execution.steps?.find(step => step.status === 'waiting' && step.childExecutionId);
        if (asking) return (await look(asking.childExecutionId)).status === 'waiting';
        return !['queued', 'running', 'waiting'].includes(execution.status);
    };
    const every_ms = how === 'all' ? 200 : 25; // to look at an execution takes the server milliseconds
    let proposed = 0;
    const run = async lead => {
        const at = now();
        const answer = await fetch(`${url}/v1/executions`, {
            method: 'POST',
            headers: { 'Content-Type': 'application/json' },
            body: JSON.stringify({ chain: 'mobile-lead-processing', input: { raw_lead: lead } })
        });
        let execution = await answer.json();
        for (const { executionId } = execution; !await isDone(execution); execution = await look(executionId)) await pause(every_ms);
        if (execution.status !== 'completed' && execution.status !== 'waiting') throw new Error(JSON.stringify(execution));
        proposed += execution.outputs?.lead_status === 'proposed';
        return now() - at;
    };
    await run('Your invoice is attached.'); // the tool server is started by its first call
    const began = now(), spans = [];
    if (how === 'all') spans.push(...await Promise.all(leads.map(run)));
    else for (const lead of leads) spans.push(await run(lead));
    const span = now() - began;
    say('chain/proposed', proposed);
    if (how === 'all') {
        say('chain/all_ms', span);
        say('chain/per_lead_ms', span / leads.length);
        say('chain/each_of_all_p50_ms', median(spans));
    } else {
        say('chain/one_p50_ms', median(spans));
    }
    service.removeAllListeners('exit');
}

await { plain, chain }[side](...rest);
process.exit(0);
