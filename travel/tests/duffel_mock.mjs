/*
 * duffel_mock.mjs -- Duffel's API as its public types (npm: @duffel/api 4.30) and pages describe it, as far as the
 * adapter uses it, on a port that the system picks: printed as the first line. When its standard input ends it prints its
 * ledger as the second line, {orders, stays, intents}, and exits.
 *
 * Strict: a member that the types do not have, one that they want and is not there, or one of another type is 422, as
 * theirs would be; so are a wrong token (401) and a wrong Duffel-Version (400). Lists give two entries a page.
 *
 *     node duffel_mock.mjs '[{"method": "POST", "path": "/air/orders", "what": "lose_after", "times": 1}]'
 *
 * What goes wrong: 429, 500_before, 500_after, lose_before, lose_after (the connection breaks), refuse.
 */
import http from 'node:http';

const TOKEN = 'duffel_test_secret_of_the_agency';
const PAGE = 2;
const state = { offers: {}, orders: [], cancellations: {}, results: {}, rates: {}, quotes: {}, stays: [], intents: {} };
const faults = JSON.parse(process.argv[2] ?? '[]');
let serial = 0;
const id = prefix => `${prefix}_0000A${String(++serial).padStart(6, '0')}`;
const later = ms => new Date(Date.now() + ms).toISOString();

class Refusal extends Error {
    constructor(status, code, message) {
        super(message);
        Object.assign(this, { status, code });
    }
}
const refuse = (status, code, message) => { throw new Refusal(status, code, message); };

/* ---- types ---- */

/* 'string', 'number', 'string?' (may be left out), [item], {member: type} */
function fits(value, type, path) {
    if (typeof type === 'function')
        return type(value, path);
    if (Array.isArray(type)) {
        if (!Array.isArray(value))
            refuse(422, 'invalid_type', `${path} must be a list`);
        value.forEach((item, i) => fits(item, type[0], `${path}[${i}]`));
    } else if (typeof type === 'object') {
        if (value === null || typeof value !== 'object' || Array.isArray(value))
            refuse(422, 'invalid_type', `${path} must be an object`);
        for (const key of Object.keys(value))
            if (!(key in type))
                refuse(422, 'unknown_field', `${path}.${key} is not known`);
        for (const [key, inner] of Object.entries(type)) {
            const isOptional = typeof inner === 'string' && inner.endsWith('?') || inner.optional;
            if (value[key] === undefined && !isOptional)
                refuse(422, 'validation_required', `${path}.${key} can't be blank`);
            if (value[key] !== undefined)
                fits(value[key], typeof inner === 'string' ? inner.replace('?', '') : inner, `${path}.${key}`);
        }
    } else if (typeof value !== type) {
        refuse(422, 'invalid_type', `${path} must be a ${type}`);
    }
}
const optional = type => Object.assign((v, p) => fits(v, type, p), { optional: true });
const like = (pattern, what) => (v, p) => {
    if (typeof v !== 'string' || !pattern.test(v))
        refuse(422, 'invalid_format', `${p} must be ${what}`);
};
const oneOf = (...values) => (v, p) => values.includes(v) || refuse(422, 'invalid_value', `${p} must be one of ${values}`);
const DATE = like(/^\d{4}-\d\d-\d\d$/, 'a date');
const IATA = like(/^[A-Z]{3}$/, 'an IATA code');
const MONEY = like(/^\d+\.\d\d$/, 'an amount');
const METADATA = optional((v, p) => {
    for (const [key, value] of Object.entries(v))
        if (!/^[\w-]{1,40}$/.test(key) || typeof value !== 'string' || value.length > 500)
            refuse(422, 'invalid_metadata', `${p}.${key}`);
});
const PHONE = like(/^\+\d{7,15}$/, 'a phone number in E.164');
const PERSON = (v, p) => {
    fits(v, { type: optional(oneOf('adult')), age: 'number?', given_name: 'string?', family_name: 'string?' }, p);
    if ((v.type === undefined) === (v.age === undefined))
        refuse(422, 'invalid_passenger', `${p} has either a type or an age`);
};
const GUEST = (v, p) => fits(v, v.type === 'child' ? { type: oneOf('child'), age: 'number' } : { type: oneOf('adult'), age: 'number?' }, p);
const PASSENGER = {
    id: 'string', title: oneOf('mr', 'ms', 'mrs', 'miss', 'dr'), given_name: 'string', family_name: 'string',
    gender: oneOf('m', 'f'), born_on: DATE, email: like(/@/, 'an address'), phone_number: PHONE,
    identity_documents: optional([{ type: 'string', unique_identifier: 'string', issuing_country_code: 'string', expires_on: DATE }]),
};

/* ---- flights ---- */

function offer(slices, passengers, fare, amount, mustPay) {
    const made = {
        id: id('off'), live_mode: false, total_amount: amount, total_currency: 'GBP', base_amount: amount, base_currency: 'GBP',
        tax_amount: null, tax_currency: null, created_at: later(0), expires_at: later(1800000), partial: false,
        owner: { id: 'arl_1', name: 'Duffel Airways', iata_code: 'ZZ' },
        passengers: passengers.map(p => ({ id: id('pas'), type: p.type ?? null, age: p.age ?? null })),
        payment_requirements: {
            requires_instant_payment: mustPay,
            payment_required_by: mustPay ? null : later(86400000),
            price_guarantee_expires_at: mustPay ? null : later(43200000),
        },
        conditions: { change_before_departure: { allowed: fare !== 'Basic', penalty_amount: null, penalty_currency: null }, refund_before_departure: null },
    };
    made.slices = slices.map(s => ({
        id: id('sli'), duration: 'PT02H26M', fare_brand_name: fare,
        origin: { type: 'airport', iata_code: s.origin, name: s.origin, city_name: s.origin },
        destination: { type: 'airport', iata_code: s.destination, name: s.destination, city_name: s.destination },
        segments: [{
            id: id('seg'), departing_at: `${s.departure_date}T09:30:00`, arriving_at: `${s.departure_date}T11:56:00`,
            marketing_carrier: { name: 'Duffel Airways', iata_code: 'ZZ' }, marketing_carrier_flight_number: '4321',
            origin: { iata_code: s.origin, city_name: s.origin }, destination: { iata_code: s.destination, city_name: s.destination },
            passengers: made.passengers.map(p => ({ passenger_id: p.id, cabin_class: 'economy', baggages: [{ type: 'carry_on', quantity: 1 }] })),
        }],
    }));
    return state.offers[made.id] = made;
}

function searchFlights(data) {
    fits(data, {
        slices: [{ origin: IATA, destination: IATA, departure_date: DATE }], passengers: [PERSON],
        cabin_class: optional(oneOf('first', 'business', 'premium_economy', 'economy')), max_connections: 'number?',
    }, 'data');
    return {
        id: id('orq'), live_mode: false, created_at: later(0),
        offers: [offer(data.slices, data.passengers, 'Basic', '180.50', false), offer(data.slices, data.passengers, 'Flex', '240.00', false),
            offer(data.slices, data.passengers, 'Now', '120.00', true)],
    };
}

function createOrder(data) {
    fits(data, {
        type: oneOf('instant', 'hold', 'pay_later'), selected_offers: ['string'], passengers: [PASSENGER], metadata: METADATA,
        payments: optional([{ type: 'string', amount: MONEY, currency: 'string' }]),
    }, 'data');
    const from = state.offers[data.selected_offers[0]] ?? refuse(422, 'offer_no_longer_available', 'The offer is no longer available');
    if (data.type === 'hold' && (data.payments || from.payment_requirements.requires_instant_payment))
        refuse(422, 'invalid_order_type', 'This offer cannot be held');
    if (JSON.stringify(data.passengers.map(p => p.id)) !== JSON.stringify(from.passengers.map(p => p.id)))
        refuse(422, 'invalid_passenger', 'The passengers are not those of the offer');
    const order = {
        id: id('ord'), booking_reference: 'RZPNX' + (serial % 10), type: data.type, live_mode: false, metadata: data.metadata ?? {},
        total_amount: from.total_amount, total_currency: from.total_currency, created_at: later(0), cancelled_at: null,
        available_actions: ['cancel'], passengers: data.passengers.map(({ id }) => ({ id })),
        payment_status: {
            awaiting_payment: true, paid_at: null, payment_required_by: from.payment_requirements.payment_required_by,
            price_guarantee_expires_at: from.payment_requirements.price_guarantee_expires_at,
        },
    };
    state.orders.push(order);
    return order;
}
const orderOf = key => state.orders.find(o => o.id === key) ?? refuse(404, 'not_found', 'The order does not exist');

function pay(data) {
    fits(data, { order_id: 'string', payment: { type: oneOf('balance', 'arc_bsp_cash'), amount: MONEY, currency: 'string?' } }, 'data');
    const order = orderOf(data.order_id);
    if (order.cancelled_at)
        refuse(422, 'already_cancelled', 'The order was cancelled');
    if (!order.payment_status.awaiting_payment)
        refuse(422, 'already_paid', 'The order was paid before');
    if (data.payment.amount !== order.total_amount || data.payment.currency !== order.total_currency)
        refuse(422, 'payment_amount_does_not_match_order_amount', 'The amount is not that of the order');
    Object.assign(order.payment_status, { awaiting_payment: false, paid_at: later(0), payment_required_by: null });
    return { id: id('pay'), ...data.payment, created_at: later(0) };
}

function cancelOrder(data) {
    fits(data, { order_id: 'string' }, 'data');
    const order = orderOf(data.order_id);
    if (order.cancelled_at)
        refuse(422, 'already_cancelled', 'The order was cancelled');
    const made = { id: id('ore'), order_id: order.id, confirmed_at: null, created_at: later(0), expires_at: later(600000), live_mode: false,
        refund_amount: order.payment_status.awaiting_payment ? '0.00' : order.total_amount, refund_currency: order.total_currency,
        refund_to: order.payment_status.awaiting_payment ? 'awaiting_payment' : 'balance', airline_credits: [] };
    return state.cancellations[made.id] = made;
}

function confirmCancellation(key) {
    const made = state.cancellations[key] ?? refuse(404, 'not_found', 'The order cancellation does not exist');
    made.confirmed_at = orderOf(made.order_id).cancelled_at = later(0);
    return made;
}

/* ---- stays ---- */

function searchStays(data) {
    fits(data, {
        location: { radius: 'number', geographic_coordinates: { latitude: 'number', longitude: 'number' } },
        check_in_date: DATE, check_out_date: DATE, rooms: 'number', guests: [GUEST],
    }, 'data');
    const results = [3, 4, 5].map(stars => {
        const rate = { id: id('rat'), total_amount: `${stars * 100}.00`, total_currency: 'GBP', board_type: 'breakfast', expires_at: later(1800000),
            available_payment_methods: stars === 5 ? ['card', 'balance'] : ['balance'], payment_type: 'pay_now' };
        state.rates[rate.id] = { rate, data };
        const result = { id: id('srr'), check_in_date: data.check_in_date, check_out_date: data.check_out_date, rooms: data.rooms,
            cheapest_rate_total_amount: rate.total_amount, cheapest_rate_currency: 'GBP', expires_at: later(1800000),
            accommodation: { id: id('acc'), name: `Duffel Test Hotel ${stars}`, rating: stars, amenities: [{ type: 'wifi', description: 'Wi-Fi' }], rooms: [] } };
        state.results[result.id] = { ...result, accommodation: { ...result.accommodation, rooms: [{ name: 'Double', rates: [rate] }] } };
        return result;
    });
    return { results, created_at: later(0) };
}

function quote(data) {
    fits(data, { rate_id: 'string' }, 'data');
    const { rate, data: search } = state.rates[data.rate_id] ?? refuse(404, 'not_found', 'The rate does not exist');
    const made = { id: id('quo'), total_amount: rate.total_amount, total_currency: rate.total_currency, rooms: search.rooms,
        check_in_date: search.check_in_date, check_out_date: search.check_out_date, guests: search.guests };
    return state.quotes[made.id] = made;
}

function bookStay(data) {
    fits(data, {
        quote_id: 'string', guests: [{ given_name: 'string', family_name: 'string' }], email: like(/@/, 'an address'), phone_number: PHONE,
        metadata: METADATA, accommodation_special_requests: 'string?',
    }, 'data');
    const from = state.quotes[data.quote_id] ?? refuse(404, 'not_found', 'The quote does not exist');
    if (from.isBooked)
        refuse(422, 'quote_already_booked', 'The quote was booked before');
    from.isBooked = true;
    const stay = { id: id('bok'), reference: 'HTL' + serial, status: 'confirmed', confirmed_at: later(0), cancelled_at: null, metadata: data.metadata ?? null,
        email: data.email, phone_number: data.phone_number, guests: data.guests, rooms: from.rooms };
    state.stays.push(stay);
    return stay;
}

function cancelStay(key) {
    const stay = state.stays.find(s => s.id === key) ?? refuse(404, 'not_found', 'The booking does not exist');
    if (stay.status === 'cancelled')
        refuse(422, 'already_cancelled', 'The booking was cancelled');
    return Object.assign(stay, { status: 'cancelled', cancelled_at: later(0) });
}

/* ---- cards: pit_1 .. are what clients gave their cards for; one that ends in d is declined ---- */

const intentOf = key => /^pit_\w+$/.test(key)
    ? state.intents[key] ??= { id: key, amount: '150.00', currency: 'GBP', status: 'requires_confirmation', refunds: [], live_mode: false, charges: 0 }
    : refuse(404, 'not_found', 'The payment intent does not exist');

function confirmIntent(key) {
    const intent = intentOf(key);
    if (intent.status !== 'requires_confirmation')
        refuse(422, 'invalid_state', `The payment intent is ${intent.status}`);
    if (key.endsWith('d'))
        return Object.assign(intent, { status: 'requires_payment_method' });
    return Object.assign(intent, { status: 'succeeded', charges: intent.charges + 1, confirmed_at: later(0) });
}

function refund(data) {
    fits(data, { payment_intent_id: 'string', amount: MONEY, currency: 'string' }, 'data');
    const intent = intentOf(data.payment_intent_id);
    const cents = text => Math.round(Number(text) * 100);
    const given = intent.refunds.reduce((sum, r) => sum + cents(r.amount), 0);
    if (intent.status !== 'succeeded' || given + cents(data.amount) > cents(intent.amount))
        refuse(422, 'invalid_refund', 'More than was charged');
    const made = { id: id('ref'), ...data, status: 'succeeded', destination: 'original_form_of_payment', created_at: later(0) };
    intent.refunds.push(made);
    return made;
}

/* ---- HTTP ---- */

const ROUTES = [
    ['POST', /^\/air\/offer_requests$/, data => searchFlights(data)],
    ['GET', /^\/air\/offers\/(\w+)$/, (_, key) => state.offers[key] ?? refuse(404, 'not_found', 'The offer does not exist')],
    ['POST', /^\/air\/orders$/, data => createOrder(data)],
    ['GET', /^\/air\/orders$/, () => state.orders],
    ['GET', /^\/air\/orders\/(\w+)$/, (_, key) => orderOf(key)],
    ['POST', /^\/air\/payments$/, data => pay(data)],
    ['POST', /^\/air\/order_cancellations$/, data => cancelOrder(data)],
    ['POST', /^\/air\/order_cancellations\/(\w+)\/actions\/confirm$/, (_, key) => confirmCancellation(key)],
    ['POST', /^\/stays\/search$/, data => searchStays(data)],
    ['POST', /^\/stays\/search_results\/(\w+)\/actions\/fetch_all_rates$/, (_, key) => state.results[key] ?? refuse(404, 'not_found', 'Gone')],
    ['POST', /^\/stays\/quotes$/, data => quote(data)],
    ['POST', /^\/stays\/bookings$/, data => bookStay(data)],
    ['GET', /^\/stays\/bookings$/, () => state.stays],
    ['POST', /^\/stays\/bookings\/(\w+)\/actions\/cancel$/, (_, key) => cancelStay(key)],
    ['GET', /^\/payments\/payment_intents\/(\w+)$/, (_, key) => intentOf(key)],
    ['POST', /^\/payments\/payment_intents\/(\w+)\/actions\/confirm$/, (_, key) => confirmIntent(key)],
    ['POST', /^\/payments\/refunds$/, data => refund(data)],
];

function check(request, url) {
    if (request.headers.authorization !== `Bearer ${TOKEN}`)
        refuse(401, 'access_token_not_found', `The access token ${request.headers.authorization} was not found`);
    if (request.headers['duffel-version'] !== 'v2')
        refuse(400, 'unsupported_version', 'The Duffel-Version is not supported');
    if (request.headers.accept !== 'application/json')
        refuse(406, 'not_acceptable', 'Accept must be application/json');
    for (const key of url.searchParams.keys())
        if (!(request.method === 'GET' ? ['limit', 'after', 'before'] : ['return_offers', 'supplier_timeout']).includes(key))
            refuse(422, 'unknown_parameter', `${key} is not known`);
}

function answerOf(request, url, body) {
    for (const [method, pattern, run] of ROUTES) {
        const match = pattern.exec(url.pathname);
        if (!match || method !== request.method)
            continue;
        if (body && (request.headers['content-type'] !== 'application/json' || Object.keys(JSON.parse(body)).join() !== 'data'))
            refuse(400, 'bad_request', 'The body must be {"data": ...}');
        const data = run(body ? JSON.parse(body).data : undefined, match[1]);
        if (!Array.isArray(data))
            return { data };
        const from = Number(url.searchParams.get('after')?.slice(1) ?? 0);
        if (Number(url.searchParams.get('limit') ?? 50) > 200)
            refuse(422, 'invalid_limit', 'limit must be at most 200');
        return { data: data.slice(from, from + PAGE), meta: { limit: PAGE, before: null, after: from + PAGE < data.length ? `g${from + PAGE}` : null } };
    }
    return refuse(404, 'not_found', 'There is no such resource');
}

function send(response, status, value, headers = {}) {
    response.writeHead(status, { 'content-type': 'application/json', 'x-request-id': id('req'), ...headers });
    response.end(JSON.stringify(value));
}

function say(response, status, code, message, headers) {
    send(response, status, { errors: [{ type: 'error', title: code, code, message, documentation_url: 'https://duffel.com/docs' }],
        meta: { status, request_id: id('req') } }, headers);
}

function handle(request, response, body) {
    const url = new URL(request.url, 'http://mock');
    const fault = faults.find(f => f.times > 0 && url.pathname === f.path && request.method === f.method);
    if (fault)
        fault.times--;
    if (fault?.what === '429')
        return say(response, 429, 'rate_limit_exceeded', 'Too many requests', { 'retry-after': '1', 'ratelimit-limit': '60', 'ratelimit-remaining': '0', 'ratelimit-reset': new Date(Date.now() + 1000).toUTCString() });
    if (fault?.what === '500_before')
        return say(response, 500, 'internal_server_error', 'Something went wrong');
    if (fault?.what === 'lose_before')
        return request.socket.destroy();
    if (fault?.what === 'refuse')
        return say(response, 422, 'insufficient_balance', 'The balance is too low');
    let answer;
    try {
        check(request, url);
        answer = answerOf(request, url, body);
    } catch (e) {
        return e instanceof Refusal ? say(response, e.status, e.code, e.message) : say(response, 400, 'bad_request', String(e));
    }
    if (fault?.what === '500_after')
        return say(response, 500, 'internal_server_error', 'Something went wrong');
    if (fault?.what === 'lose_after')
        return request.socket.destroy();
    return send(response, request.method === 'POST' ? 201 : 200, answer);
}

const server = http.createServer((request, response) => {
    let body = '';
    request.on('data', chunk => { body += chunk; });
    request.on('end', () => handle(request, response, body));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
process.stdin.on('end', () => {
    console.log(JSON.stringify({ orders: state.orders, stays: state.stays, intents: Object.values(state.intents) }));
    process.exit(0);
}).resume();
