// milt/compat: ends of the process, of sessions and of connections.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import test from 'node:test';
import { Filter } from './compat.mjs';
import { Mta, packet } from './mta.mjs';

test('process.exit ends the process, and what waits is put off', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		mailfrom(env) { globalThis.kept = env; note('mail'); },
		unknown() { process.exit(7); },
	}` });
	const [one, two] = [await filter.mta(), await filter.mta()];
	const mail = one.mail(['<a@b>']);

	await filter.untilNoted('mail');
	const answers = await Promise.all([mail, two.unknown('x')]);
	assert.deepEqual(answers.map((a) => a.command), ['t', 't']);
	assert.deepEqual(await filter.ending(), { code: 7, signal: null });
	assert.equal(existsSync(filter.where.slice(5)), false);
});

test('process.exit in each function', async (t) => {
	for (const name of ['negotiate', 'connect', 'helo', 'mailfrom', 'rcptto',
		'data', 'header', 'eoh', 'segment', 'eom', 'abort', 'close']) {
		const filter = await Filter.start(t,
			{ handlers: `{ ${name}() { process.exit(3); } }` });

		try {
			const mta = await filter.mta();
			await mta.helo('x');
			await mta.mail(['<a@b>']);
			mta.abort();
			await mta.message();
			mta.quit();
		} catch { /* it may have gone */ }
		assert.deepEqual(await filter.ending(), { code: 3, signal: null }, name);
		assert.equal(filter.output, '');
	}
});

test('process.exit and an uncaught error at any moment', async (t) => {
	for (let i = 0; i < 30; i++) {
		const end = i % 2 ? 'process.exit(0)'
			: 'Promise.reject(new Error("deliberate"))';
		const filter = await Filter.start(t, { handlers: '{}',
			setup: `setTimeout(() => ${end}, ${20 + i * 7});` });
		const sessions = Array.from({ length: 4 }, async () => {
			for (;;)
				await Mta.session(filter.where, { timeout: 20000 });
		});

		await Promise.allSettled(sessions);
		assert.deepEqual(await filter.ending(),
			{ code: i % 2 ? 0 : 1, signal: null }, filter.output);
	}
});

for (const signal of ['SIGTERM', 'SIGHUP', 'SIGINT'])
	test(`${signal}: open sessions finish, and it ends by it`, async (t) => {
		const filter = await Filter.start(t);
		const mta = await filter.mta();

		await mta.mail(['<a@b>']);
		filter.kill(signal);
		await filter.until(() => !existsSync(filter.where.slice(5)));
		assert.equal((await mta.rcpt(['<c@d>'])).command, 'c');
		assert.equal((await mta.data()).command, 'c');
		assert.equal((await mta.eoh()).command, 'c');
		assert.equal((await mta.eom()).command, 'c');
		await assert.rejects(Mta.open(filter.where));
		mta.quit();
		assert.deepEqual(await filter.ending(), { code: null, signal });
	});

test('a second signal does not wait', async (t) => {
	const filter = await Filter.start(t);
	const mta = await filter.mta();

	filter.kill('SIGTERM');
	await filter.until(() => !existsSync(filter.where.slice(5)));
	filter.kill('SIGTERM');
	assert.deepEqual(await filter.ending(), { code: null, signal: 'SIGTERM' });
	mta.destroy();
});

test('many HUPs to a filter with a handler of its own', async (t) => {
	const filter = await Filter.start(t,
		{ setup: 'process.on("SIGHUP", () => note("hup"));' });

	for (let i = 0; i < 500; i++) {
		filter.kill('SIGHUP');
		if (i % 50 === 0)
			assert.equal((await Mta.session(filter.where)).command, 'c');
	}
	await filter.untilNoted('hup');
	assert.equal((await Mta.session(filter.where)).command, 'c');
});

test('stop: no new sessions, open ones finish, Node ends by itself', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		unknown(env) {
			note('stop', milt.stop());
			env.done(SMFIS_CONTINUE);
			process.disconnect();
		},
	}` });
	const [one, two] = [await filter.mta(), await filter.mta()];

	assert.equal((await one.unknown('x')).command, 'c');
	await assert.rejects(Mta.open(filter.where));
	assert.equal((await two.message()).command, 'c');
	one.quit();
	assert.equal((await two.message()).command, 'c');
	two.quit();
	assert.deepEqual(await filter.ending(), { code: 0, signal: null });
});

test('10,000 sessions back to back', async (t) => {
	const filter = await Filter.start(t);
	let continued = 0;

	for (let i = 0; i < 10000; i++) {
		const mta = await Mta.open(filter.where);

		await mta.negotiate();
		continued += (await mta.connect('mx.test')).command === 'c';
		mta.quit();
	}
	assert.equal(continued, 10000);
});

test('64 sessions at a time, each answer on the next turn', async (t) => {
	const filter = await Filter.start(t, { handlers: `Object.fromEntries(
		['connect', 'helo', 'mailfrom', 'rcptto', 'data', 'header', 'eoh',
			'segment', 'eom'].map((name) => [name,
			(env) => setImmediate(() => env.done(SMFIS_CONTINUE))]))` });
	const answers = await Promise.all(Array.from({ length: 64 }, async () => {
		const commands = [];

		for (let i = 0; i < 8; i++)
			commands.push((await Mta.session(filter.where)).command);
		return commands.join('');
	}));

	assert.deepEqual(answers, Array(64).fill('cccccccc'));
});

test('1,000 connections that say nothing', async (t) => {
	const filter = await Filter.start(t, {
		handlers: '{ close(env) { note("close"); env.done(0); } }' });

	for (let i = 0; i < 1000; i++)
		(await Mta.open(filter.where)).destroy();
	assert.equal((await Mta.session(filter.where)).command, 'c');
	await filter.untilNoted('close');
	// Of these nobody had heard.
	assert.equal(filter.noted('close').length, 1);
});

test('a connection is used again and again', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		negotiate(env) {
			env.negotiate(SMFIF_ADDHDRS, SMFIP_NR_HDR | SMFIP_NOEOH, 0, 0);
			env.done(SMFIS_CONTINUE);
		},
		connect(env, host) {
			note('connect', host, env.local.host ?? null);
			env.local.host = host;
			env.done(SMFIS_CONTINUE);
		},
		header(env) { env.done(SMFIS_NOREPLY); },
		eom(env) {
			note('eom', env.local.host, env.addheader('X', env.local.host),
				env.delrcpt('<a@b>'));
			env.done(SMFIS_CONTINUE);
		},
		close(env) { note('close', env.local.host); env.done(0); },
	}` });
	const mta = await Mta.open(filter.where);
	const hosts = Array.from({ length: 100 }, (_, i) => `h${i}`);

	await mta.negotiate();
	for (const host of hosts) {
		assert.equal((await mta.connect(host)).command, 'c');
		const answer = await mta.message();
		assert.equal(answer.command, 'c');
		assert.deepEqual(answer.edits, [{ kind: 'h', name: 'X', value: host }]);
		mta.quitNewConnection();
	}
	mta.quit();
	await filter.untilNoted('close', hosts.length);
	await filter.synced();
	assert.deepEqual(filter.noted('connect'), hosts.map((h) => [h, null]));
	assert.deepEqual(filter.noted('eom'), hosts.map((h) => [h, 0, -1]));
	assert.deepEqual(filter.noted('close'), hosts.map((h) => [h]));
	assert.deepEqual(filter.noted('error'), []);
});

test('the MTA goes at any byte', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		eom(env) {
			env.addheader('X', 'y');
			env.replacebody('x'.repeat(100000));
			setImmediate(() => env.done(SMFIS_CONTINUE));
		},
	}` });
	const whole = await filter.mta();

	whole.macros('M', { i: 'ABC' });
	await whole.message();
	const sent = Buffer.concat([...whole.sent, packet('Q')]);
	whole.destroy();
	for (let n = 0; n < sent.length; n++) {
		const mta = await Mta.open(filter.where);

		mta.write(sent.subarray(0, n));
		await new Promise((resolve) => setImmediate(resolve));
		mta.destroy();
	}
	assert.equal((await Mta.session(filter.where)).command, 'c');
	assert.equal(filter.ended, null);
});

test('the MTA goes while the filter thinks', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		eom(env) {
			note('eom');
			setTimeout(() => note('done', env.replacebody('x'.repeat(1e6)),
				env.done(SMFIS_CONTINUE)), 100);
		},
	}` });

	for (let i = 0; i < 10; i++) {
		const mta = await filter.mta();

		mta.message().catch(() => {});
		await filter.untilNoted('eom', i + 1);
		mta.destroy();
	}
	await filter.untilNoted('done', 10);
	assert.equal((await Mta.session(filter.where)).command, 'c');
});
