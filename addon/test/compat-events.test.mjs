// milt/compat: the events, what their functions get, and their answers.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Filter } from './compat.mjs';
import { COMMAND, FAMILY, Mta } from './mta.mjs';

// Functions that note their arguments.
const NOTING = `Object.fromEntries(['connect', 'unknown', 'helo', 'mailfrom',
	'rcptto', 'data', 'header', 'eoh', 'segment', 'eom', 'abort', 'close'].map(
	(name) => [name, (env, ...args) => {
		note(name, ...args);
		env.done(SMFIS_CONTINUE);
	}]))`;
const noting = (more = '') => `({ ...${NOTING}, ${more} })`;

const bytes = (text, encoding) =>
	({ type: 'Buffer', data: [...Buffer.from(text, encoding)] });

test('every event of a session, in order, with its arguments', async (t) => {
	const filter = await Filter.start(t, { handlers: noting(`
		negotiate(env, ...args) {
			note('negotiate', ...args);
			env.done(SMFIS_ALL_OPTS);
		}`) });
	const mta = await filter.mta();

	await mta.helo('client.test');
	await mta.unknown('XYZZY 1 2');
	await mta.mail(['<a@b>', 'SIZE=100', 'BODY=8BITMIME']);
	await mta.rcpt(['<c@d>']);
	mta.abort();
	await mta.mail(['<>']);
	await mta.rcpt(['<c@d>', 'NOTIFY=NEVER']);
	await mta.rcpt(['<e@f>']);
	await mta.data();
	await mta.header('Subject', 'one\n two');
	await mta.eoh();
	await mta.body('Hello.\r\n');
	await mta.body(Buffer.from([0, 255, 13, 10]));
	assert.equal((await mta.eom()).command, 'c');
	mta.quit();
	await filter.untilNoted('close');
	assert.deepEqual(filter.notes, [
		['ready'],
		['negotiate', 511, 2097151, 0, 0],
		['connect', 'mx.test', '192.0.2.1', 25, 'inet'],
		['helo', 'client.test'],
		['unknown', 'XYZZY 1 2'],
		['mailfrom', '<a@b>', ['SIZE=100', 'BODY=8BITMIME']],
		['rcptto', '<c@d>', []],
		['abort'],
		['mailfrom', '<>', []],
		['rcptto', '<c@d>', ['NOTIFY=NEVER']],
		['rcptto', '<e@f>', []],
		['data'],
		['header', 'Subject', 'one\n two', bytes('one\n two'),
			bytes('Subject')],
		['eoh'],
		['segment', bytes('Hello.\r\n'), 8],
		['segment', { type: 'Buffer', data: [0, 255, 13, 10] }, 4],
		['eom'],
		['close'],
	]);
});

test('clients of every address family', async (t) => {
	const filter = await Filter.start(t, { handlers: noting() });
	const clients = [
		['a.test', FAMILY.INET, 4567, '192.0.2.77'],
		['b.test', FAMILY.INET6, 25, '2001:db8::1'],
		['b.test', FAMILY.INET6, 25, 'IPv6:2001:db8::2'],
		['localhost', FAMILY.UNIX, 0, '/var/run/x'],
		['[192.0.2.1]', FAMILY.UNKNOWN],
	];

	for (const client of clients)
		(await filter.mta({ client })).quit();
	await filter.untilNoted('close', clients.length);
	assert.deepEqual(filter.noted('connect'), [
		['a.test', '192.0.2.77', 4567, 'inet'],
		['b.test', '2001:db8::1', 25, 'inet6'],
		['b.test', '2001:db8::2', 25, 'inet6'],
		['localhost', '/var/run/x', 0, 'unix'],
		['[192.0.2.1]', '', 0, 'unknown'],
	]);
});

test('header fields of any bytes', async (t) => {
	const filter = await Filter.start(t, { handlers: noting() });
	const value = Buffer.from([0xe4, 0x20, 0xff, 0x41]);
	const answer = await Mta.session(filter.where,
		{ message: { headers: [['X-Ä', value]] } });

	await filter.synced();
	assert.equal(answer.command, 'c');
	assert.deepEqual(filter.noted('header'), [
		['X-Ä', '\ufffd \ufffdA', bytes(value), bytes('X-Ä')],
	]);
});

test('the longest chunk and many of them', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		segment(env, chunk, length) {
			env.local.bytes = (env.local.bytes ?? 0) + chunk.length;
			env.done(chunk.length === length ? SMFIS_CONTINUE : SMFIS_REJECT);
		},
		eom(env) { note('bytes', env.local.bytes); env.done(SMFIS_CONTINUE); },
	}` });
	const chunk = Buffer.alloc(65535, 'x');
	const answer = await Mta.session(filter.where,
		{ message: { body: Array(40).fill(chunk) } });

	await filter.synced();
	assert.equal(answer.command, 'c');
	assert.deepEqual(filter.noted('bytes'), [[40 * 65535]]);
});

test('answers come later, from every kind of asynchronous code', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		connect(env) { process.nextTick(() => env.done(SMFIS_CONTINUE)); },
		helo(env) { setImmediate(() => env.done(SMFIS_CONTINUE)); },
		mailfrom(env) { setTimeout(() => env.done(SMFIS_CONTINUE), 20); },
		rcptto(env) { Promise.resolve().then(() => env.done(SMFIS_CONTINUE)); },
		async data(env) { await later(5); env.done(SMFIS_CONTINUE); },
		async eoh() { await later(5); return SMFIS_CONTINUE; },
		segment() {
			return { then: (f) => setTimeout(() => f(SMFIS_CONTINUE), 5) };
		},
		eom(env) {
			require('node:fs').stat('/', () => env.done(SMFIS_REJECT));
		},
	}`.replace('require(', 'process.mainModule.require(') });
	const answer = await Mta.session(filter.where);

	await filter.synced();
	assert.deepEqual([answer.event, answer.command], ['eom', 'r']);
	assert.deepEqual(filter.noted('error'), []);
});

test('what a function returns counts only if it is a promise', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		helo(env) { setTimeout(() => env.done(SMFIS_CONTINUE), 5); return 1; },
		mailfrom: (env) => env.done(SMFIS_CONTINUE) && SMFIS_REJECT,
		async rcptto(env) { env.done(SMFIS_CONTINUE); return SMFIS_REJECT; },
		async data(env) { setTimeout(() => env.done(SMFIS_CONTINUE), 5); },
	}` });

	assert.equal((await Mta.session(filter.where)).event, 'eom');
	await filter.synced();
	assert.deepEqual(filter.noted('error'), []);
});

test('local lives from negotiate to close, through several messages', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		negotiate(env) {
			env.local.seen = 0;
			note('json', JSON.stringify(env));
			env.done(SMFIS_ALL_OPTS);
		},
		eom(env) { env.local.seen++; env.done(SMFIS_CONTINUE); },
		close(env) {
			note('close', JSON.stringify(env), Object.keys(env),
				env.constructor.name);
			env.local = null;
			env.done(SMFIS_CONTINUE);
		},
	}` });
	const one = await filter.mta(), two = await filter.mta();

	for (const mta of [one, two, one])
		await mta.message();
	one.quit();
	await filter.untilNoted('close', 1);
	two.quit();
	await filter.untilNoted('close', 2);
	assert.deepEqual(filter.noted('json')[0], ['{"local":{"seen":0}}']);
	assert.deepEqual(filter.noted('close'), [
		['{"local":{"seen":2}}', ['local'], 'Envelope'],
		['{"local":{"seen":1}}', ['local'], 'Envelope'],
	]);
});

test('envelopes cannot be made', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		connect(env) {
			try { new env.constructor(); } catch (e) { note('error', e.name); }
			env.done(SMFIS_CONTINUE);
		},
	}` });

	(await filter.mta()).quit();
	await filter.synced();
	assert.deepEqual(filter.noted('error'), [['TypeError']]);
});

// What each event takes, as one letter of the protocol or a RangeError.
const LETTER = { 0: 'c', 1: 'r', 2: 'd', 3: 'a', 4: 't', 8: 's' };
const TAKES = {
	connect: [0, 1, 3, 4], helo: [0, 1, 3, 4], mail: [0, 1, 2, 3, 4],
	rcpt: [0, 1, 2, 3, 4], data: [0, 1, 2, 3, 4], header: [0, 1, 2, 3, 4, 8],
	eoh: [0, 1, 2, 3, 4], body: [0, 1, 2, 3, 4, 8], eom: [0, 1, 2, 3, 4],
	unknown: [0, 1, 4],
};
const FUNCTION = { mail: 'mailfrom', rcpt: 'rcptto', body: 'segment' };

test('each answer at each event: given, or refused by done()', async (t) => {
	// The answer is in what the client says to helo.
	const filter = await Filter.start(t, { handlers: `(() => {
		const all = {};
		for (const name of ['connect', 'helo', 'mailfrom', 'rcptto', 'data',
			'header', 'eoh', 'segment', 'eom', 'unknown'])
			all[name] = (env, ...args) => {
				const wanted = name === 'connect'
					? args[0].split(' ') : env.local.wanted;
				env.local.wanted = wanted;
				if (wanted[0] !== name)
					return void env.done(SMFIS_CONTINUE);
				try {
					env.done(Number(wanted[1]));
				} catch (e) {
					note(name, wanted[1], e.name, e.message);
					env.done(SMFIS_CONTINUE);
				}
			};
		return all;
	})()` });

	for (const [event, takes] of Object.entries(TAKES)) {
		const name = FUNCTION[event] ?? event;

		for (const code of [-1, 0, 1, 2, 3, 4, 7, 8, 10, 99, 1.5]) {
			const mta = await Mta.open(filter.where);
			await mta.negotiate();
			let answer = await mta.connect(`${name} ${code}`);

			if (event === 'unknown')
				answer = await mta.unknown('X');
			else if (event === 'helo')
				answer = await mta.helo('x');
			else if (event !== 'connect')
				answer = await mta.message();
			mta.destroy();
			assert.equal(answer.command,
				takes.includes(code) && code !== 8 ? LETTER[code] : 'c',
				`${event} ${code}`);
		}
		await filter.synced();
		const refused = new Set(filter.noted(name).filter(
			([, kind]) => kind === 'RangeError').map(([code]) => Number(code)));
		assert.deepEqual([...refused], [-1, 0, 1, 2, 3, 4, 7, 8, 10, 99, 1.5]
			.filter((code) => !takes.includes(code)));
	}
	assert.match(filter.noted('connect')[1][2],
		/^SMFIS_DISCARD is no answer to connect$/);
});

test('SKIP ends what it was said to, where the MTA knows it', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		segment(env) { note('segment'); env.done(SMFIS_SKIP); },
	}` });
	const message = { body: ['a\r\n', 'b\r\n'] };

	await Mta.session(filter.where, { message });
	await filter.synced();
	assert.equal(filter.noted('segment').length, 1);
	await Mta.session(filter.where,
		{ message, offer: { protocol: 0x1fffff & ~0x400 } });
	await filter.synced();
	assert.equal(filter.noted('segment').length, 3);
});

test('negotiate: actions and steps as wanted, and no replies', async (t) => {
	const filter = await Filter.start(t, { handlers: noting(`
		negotiate(env, actions, steps) {
			note('lists', env.setsymlist(SMFIM_CONNECT, 'j {client_addr}'),
				env.setsymlist(SMFIM_CONNECT, 'j'),
				env.setsymlist(99, 'j'), env.setsymlist(0, 'a\\0b'));
			note('result', env.negotiate(SMFIF_ADDHDRS | SMFIF_SETSYMLIST,
				SMFIP_NOHELO | SMFIP_NR_HDR | SMFIP_NR_CONN, 0, 0));
			env.done(SMFIS_CONTINUE);
		},
		header(env) {
			try { env.done(SMFIS_REJECT); } catch (e) { note('refused', e.message); }
			env.done(SMFIS_NOREPLY);
		},
		eom(env) {
			note('eom', env.addheader('A', 'b'), env.delrcpt('<b@server.test>'));
			env.done(SMFIS_CONTINUE);
		}`) });
	const mta = await filter.mta();

	assert.equal(mta.actions, 0x101);
	assert.equal(mta.protocol, 0x1082);
	assert.deepEqual(mta.lists, { 0: 'j {client_addr}' });
	await mta.helo('x');
	const answer = await mta.message();
	await filter.synced();
	assert.deepEqual(answer.edits, [{ kind: 'h', name: 'A', value: 'b' }]);
	assert.deepEqual(filter.noted('lists'), [[0, -1, -1, -1]]);
	assert.deepEqual(filter.noted('eom'), [[0, -1]]);
	assert.equal(filter.noted('helo').length, 0);
	assert.deepEqual(filter.noted('refused')[0],
		['SMFIS_REJECT is no answer to header, for which no reply was negotiated']);
});

test('negotiate: what the MTA does not offer is refused', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		negotiate(env) {
			for (const words of [[512, 0, 0, 0], [0, 0x40000000, 0, 0],
				[2, 0, 0, 0], [0, 0, 0], [0, '0', 0, 0]])
				try { env.negotiate(...words); } catch (e) {
					note('error', e.name, e.message);
				}
			env.negotiate(1, 0, 0, 0);
			env.done(SMFIS_CONTINUE);
		},
	}` });
	const mta = await filter.mta({ offer: { actions: 1 } });

	await filter.synced();
	assert.equal(mta.actions, 1);
	assert.deepEqual(filter.noted('error'), [
		['RangeError', 'the MTA does not offer the actions 0x200'],
		['RangeError', 'the MTA does not offer the steps 0x40000000'],
		['RangeError', 'the MTA does not offer the actions 0x2'],
		['TypeError', 'negotiate takes four numbers'],
		['TypeError', 'an argument is not a number'],
	]);
});

test('negotiate: REJECT ends the connection', async (t) => {
	const filter = await Filter.start(t,
		{ handlers: '{ negotiate: (env) => env.done(SMFIS_REJECT) }' });
	const mta = await Mta.open(filter.where);

	await assert.rejects(mta.negotiate(), /closed by the filter/);
});

test('MTAs of older versions', async (t) => {
	const filter = await Filter.start(t, { handlers: noting(`
		eom(env) {
			note('eom', env.addheader('A', 'b'), env.quarantine('x'));
			env.done(SMFIS_CONTINUE);
		}`) });
	const answer = await Mta.session(filter.where,
		{ offer: { version: 2, actions: 0x3f, protocol: 0x7f } });

	await filter.synced();
	assert.equal(answer.command, 'c');
	assert.deepEqual(filter.noted('eom'), [[0, 0]]);
	assert.deepEqual(filter.noted('mailfrom'), [['<a@client.test>', []]]);
});

test('events in no order', async (t) => {
	const filter = await Filter.start(t, { handlers: noting() });
	const random = (() => {
		let x = 1;
		return (n) => (x = x * 48271 % 2147483647) % n;
	})();
	const letters = Object.values(COMMAND).filter((c) => c !== 'O');

	for (let i = 0; i < 200; i++) {
		const mta = await filter.mta();

		// libmilter itself reads beyond an unknown command without a NUL.
		for (let n = 0; n < 10; n++)
			mta.put(letters[random(letters.length)],
				Buffer.from(Array.from({ length: random(20) },
					() => random(256))), Buffer.alloc(1));
		await mta.closes(random(3));
		mta.destroy();
	}
	assert.equal((await Mta.session(filter.where)).command, 'c');
});

test('macros: set, empty, unset, late, and gone', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		connect(env) {
			note('connect', env.getsymval('j'), env.getsymval('{daemon_name}'));
			env.done(SMFIS_CONTINUE);
			note('after', env.getsymval('j'));
		},
		async mailfrom(env) {
			await later(5);
			note('mail', env.getsymval('i'), env.getsymval('{i}'),
				env.getsymval('{empty}'), env.getsymval('{none}'),
				env.getsymval('j'), env.getsymval(7), env.getsymval('i\\0'),
				env.getsymval('{utf8}'));
			env.done(SMFIS_CONTINUE);
		},
		abort(env) { note('abort', env.getsymval('j')); env.done(0); },
	}` });
	const mta = await Mta.open(filter.where);

	await mta.negotiate();
	mta.macros('C', { j: 'mx.server.test', '{daemon_name}': 'smtpd' });
	await mta.connect('x');
	mta.macros('M', { i: '4ABC', '{empty}': '', '{utf8}': 'ä' });
	await mta.mail(['<a@b>']);
	mta.abort();
	await filter.untilNoted('abort');
	assert.deepEqual(filter.noted('connect'), [['mx.server.test', 'smtpd']]);
	assert.deepEqual(filter.noted('after'), [['']]);
	assert.deepEqual(filter.noted('mail'),
		[['4ABC', '4ABC', '', '', 'mx.server.test', '', '', 'ä']]);
	assert.deepEqual(filter.noted('abort'), [['']]);
});

test('macros, ten thousand times', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		connect(env) {
			let right = 0;
			for (let i = 0; i < 10000; i++)
				right += env.getsymval('j') === 'mx.server.test';
			note('right', right);
			env.done(SMFIS_CONTINUE);
		},
	}` });
	const mta = await Mta.open(filter.where);

	await mta.negotiate();
	mta.macros('C', { j: 'mx.server.test' });
	await mta.connect('x');
	await filter.synced();
	assert.deepEqual(filter.noted('right'), [[10000]]);
});
