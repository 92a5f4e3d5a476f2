// milt/compat: mistakes of the filter's functions, and ends of all kinds.
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import test from 'node:test';
import { Filter } from './compat.mjs';
import { Mta } from './mta.mjs';

test('done twice: the first answer counts, the second is reported', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		helo(env) {
			note('helo', env.done(SMFIS_CONTINUE), env.done(SMFIS_REJECT));
		},
		// The second comes while the next event waits for its answer.
		mailfrom(env) {
			env.done(SMFIS_CONTINUE);
			env.local.mailfrom = env;
		},
		rcptto(env) {
			note('rcptto', env.local.mailfrom.done(SMFIS_REJECT));
			setTimeout(() => env.done(SMFIS_CONTINUE), 20);
		},
		close(env) { env.done(0); note('close', env.done(0)); },
	}` });
	const mta = await filter.mta();

	assert.equal((await mta.helo('x')).command, 'c');
	assert.equal((await mta.message()).event, 'eom');
	mta.quit();
	await filter.untilNoted('close');
	assert.deepEqual(filter.noted('helo'), [[true, false]]);
	assert.deepEqual(filter.noted('rcptto'), [[false]]);
	assert.deepEqual(filter.noted('close'), [[false]]);
	assert.deepEqual(filter.noted('error'), ['helo', 'mailfrom', 'close'].map(
		(e) => [`${e}: done() was called twice; the first answer counts`]));
});

test('done never, and the envelope forgotten: put off at once', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		mailfrom() { setInterval(gc, 20); },
	}` });
	const answer = await Mta.session(filter.where);

	assert.deepEqual([answer.event, answer.command], ['mail', 't']);
	await filter.untilNoted('error');
	assert.deepEqual(filter.noted('error'), [['mailfrom: the function let go ' +
		'of its envelope and did not call done()']]);
});

// Each event that waits: `t` where it can be, from a filter that keeps still.
for (const verdict of ['TEMPFAIL', 'REJECT', 'CONTINUE', 'ACCEPT'])
	test(`done never: ${verdict} after the deadline`, async (t) => {
		const filter = await Filter.start(t, {
			setup: `milt.setdeadline(1000, 1100, SMFIS_${verdict});`,
			handlers: `Object.fromEntries(['connect', 'unknown', 'helo',
				'mailfrom', 'rcptto', 'data', 'header', 'eoh', 'segment',
				'eom'].map((name) => [name, (env, ...args) => {
					env.local.wanted ??= args[0];
					(globalThis.kept ??= []).push(env);
					if (env.local.wanted !== name)
						env.done(SMFIS_CONTINUE);
				}]))` });
		const letter = { TEMPFAIL: 't', REJECT: 'r', CONTINUE: 'c',
			ACCEPT: 'a' }[verdict];

		await Promise.all(['connect', 'unknown', 'helo', 'mailfrom', 'rcptto',
			'data', 'header', 'eoh', 'segment', 'eom'].map(async (name) => {
			const mta = await Mta.open(filter.where);
			await mta.negotiate();
			let answer = await mta.connect(name);

			if (name === 'unknown')
				answer = await mta.unknown('X');
			else if (name === 'helo')
				answer = await mta.helo('x');
			else if (name !== 'connect')
				answer = await mta.message();
			mta.destroy();
			assert.equal(answer.command,
				name === 'unknown' && verdict === 'ACCEPT' ? 'c' : letter,
				name);
		}));
		await filter.untilNoted('error', 10);
		assert.ok(filter.noted('error').some(([message]) =>
			message === 'connect: no answer before the deadline'));
	});

test('negotiate never answered: the session is put off, not dropped', async (t) => {
	const filter = await Filter.start(t, {
		setup: 'milt.setdeadline(50);',
		handlers: `{
			negotiate(env) { globalThis.kept = env; },
			connect(env) { note('connect'); env.done(SMFIS_CONTINUE); },
		}` });
	const mta = await Mta.open(filter.where);

	await mta.negotiate();
	assert.equal((await mta.connect('x')).command, 't');
	assert.equal((await mta.mail(['<a@b>'])).command, 't');
	await filter.synced();
	assert.deepEqual(filter.noted('connect'), []);
});

test('a late answer is told so, and answers nothing else', async (t) => {
	const filter = await Filter.start(t, {
		setup: 'milt.setdeadline(1000, 10000);',
		handlers: `{
			rcptto(env, address) {
				env.local.count = (env.local.count ?? 0) + 1;
				if (env.local.count > 1)
					return void env.done(SMFIS_CONTINUE);
				env.local.first = env;
			},
			eom(env) {
				note('late', env.local.first.done(SMFIS_REJECT),
					env.local.first.getsymval('i'));
				setTimeout(() => env.done(SMFIS_CONTINUE), 5);
			},
		}` });
	const mta = await filter.mta();

	assert.equal((await mta.mail(['<a@b>'])).command, 'c');
	assert.equal((await mta.rcpt(['<c@d>'])).command, 't');
	assert.equal((await mta.rcpt(['<e@f>'])).command, 'c');
	assert.equal((await mta.eom()).command, 'c');
	await filter.synced();
	assert.deepEqual(filter.noted('late'), [[false, '']]);
});

test('changes and replies after the deadline are -1', async (t) => {
	const filter = await Filter.start(t, {
		setup: 'milt.setdeadline(10000, 1000);',
		handlers: `{
			eom(env) {
				setTimeout(() => note('late', env.addheader('X', 'y'),
					env.setreply(550), env.progress(), env.getsymval('i'),
					env.done(SMFIS_CONTINUE)), 2500);
			},
		}` });
	const answer = await Mta.session(filter.where);

	assert.deepEqual([answer.command, answer.edits], ['t', []]);
	await filter.untilNoted('late');
	assert.deepEqual(filter.noted('late'), [[-1, -1, -1, '', false]]);
});

for (const [what, setup] of [['no handler', ''], ['an uncaughtException handler',
	'process.on("uncaughtException", () => note("uncaught"));']])
	test(`a throw, with ${what}: put off, and all goes on`, async (t) => {
		const filter = await Filter.start(t, { setup, handlers: `{
			helo(env, name) {
				if (name === 'throw') throw new Error('of helo');
				env.done(SMFIS_CONTINUE);
			},
			async mailfrom(env, address) {
				await null;
				if (address === '<throw>') throw new Error('of mailfrom');
				env.done(SMFIS_CONTINUE);
			},
			rcptto(env) { env.done(SMFIS_CONTINUE); throw new Error('of rcptto'); },
			async data() { return 99; },
			close() { throw null; },
		}` });
		const mta = await filter.mta();

		assert.equal((await mta.helo('throw')).command, 't');
		assert.equal((await mta.helo('x')).command, 'c');
		assert.equal((await mta.mail(['<throw>'])).command, 't');
		assert.equal((await mta.mail(['<a@b>'])).command, 'c');
		assert.equal((await mta.rcpt(['<a@b>'])).command, 'c');
		assert.equal((await mta.data()).command, 't');
		mta.quit();
		await filter.until(() => filter.output.includes('null') ||
			filter.noted('error').length >= 5);
		assert.deepEqual(filter.noted('error').slice(0, 4).map(([m]) => m), [
			'of helo', 'of mailfrom', 'of rcptto', '99 is no answer to data']);
		assert.deepEqual(filter.noted('uncaught'), []);
		assert.equal(filter.ended, null);
	});

test('a throw where no reply was negotiated puts the message off', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		negotiate(env) {
			env.negotiate(0, SMFIP_NR_HDR | SMFIP_NR_CONN, 0, 0);
			env.done(SMFIS_CONTINUE);
		},
		connect(env, host) {
			if (host === 'throw') throw new Error('x');
			env.done(SMFIS_CONTINUE);
		},
		header(env, name) {
			if (name === 'Throw') throw new Error('x');
			env.done(SMFIS_CONTINUE);
		},
	}` });
	const session = (...args) => Mta.session(filter.where, ...args);
	const headers = [['Throw', 'x'], ['Other', 'y']];
	let answer = await session({ message: { headers } });

	assert.deepEqual([answer.event, answer.command], ['eoh', 't']);
	assert.equal((await session()).command, 'c');
	answer = await session({ client: ['throw'] });
	assert.equal(answer.command, 't');
	// The next message is a new one.
	const mta = await filter.mta();
	assert.equal((await mta.message({ headers })).command, 't');
	assert.equal((await mta.message()).command, 'c');
});

test('a filter that blocks: sessions are put off meanwhile', async (t) => {
	const filter = await Filter.start(t, {
		setup: 'milt.setdeadline(1000);',
		handlers: `{
			mailfrom(env, address) {
				env.done(SMFIS_CONTINUE);
				if (address !== '<block@x>') return;
				note('blocked');
				const { existsSync } = process.getBuiltinModule?.('fs') ??
					process.mainModule.require('fs');
				const sleep = new Int32Array(new SharedArrayBuffer(4));
				while (!existsSync(connection + '.free'))
					Atomics.wait(sleep, 0, 0, 10);
			},
		}`.replaceAll('connection', 'process.argv[2].slice(5)') });
	const [one, two] = [await filter.mta(), await filter.mta()];

	assert.equal((await one.mail(['<block@x>'])).command, 'c');
	await filter.untilNoted('blocked');
	assert.equal((await one.rcpt(['<a@b>'])).command, 't');
	assert.equal((await two.mail(['<a@b>'])).command, 't');
	writeFileSync(`${filter.where.slice(5)}.free`, '');
	await filter.synced();
	assert.equal((await two.mail(['<a@b>'])).command, 'c');
});

test('more events than the limit: put off at once', async (t) => {
	const filter = await Filter.start(t, {
		setup: 'milt.setlimit(2);',
		handlers: `{
			mailfrom(env) { (globalThis.kept ??= []).push(env); note('mail'); },
			unknown(env) {
				kept.forEach((e) => e.done(SMFIS_CONTINUE));
				env.done(SMFIS_CONTINUE);
			},
		}` });
	const [a, b, c] = [await filter.mta(), await filter.mta(),
		await filter.mta()];
	const waiting = [a.mail(['<a@b>']), b.mail(['<a@b>'])];

	await filter.untilNoted('mail', 2);
	assert.equal((await c.mail(['<a@b>'])).command, 't');
	assert.equal((await c.unknown('x')).command, 't');
	await filter.untilNoted('error', 2);
	assert.deepEqual(filter.noted('error'), [
		['mailfrom: too many events wait for an answer'],
		['unknown: too many events wait for an answer']]);
	waiting.forEach((p) => p.catch(() => {}));
	[a, b, c].forEach((mta) => mta.destroy());
});
