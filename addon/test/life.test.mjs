// How it starts, reads its policy again, and ends, in all ways.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import net from 'node:net';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { directory, Host, write } from './fixture.mjs';
import { Mta } from './mta.mjs';

const policy = (text = 'old') => `milt 1
js rule hook {
  when    header.subject is "hook"
  call    "hooks.mjs#check"
  timeout 10s on failure tempfail 451 4.7.9 "hook failed"
}
js rule slow {
  when    header.subject is "slow"
  call    "hooks.mjs#slow"
  timeout 20s on failure tempfail 451 4.7.9 "slow failed"
}
rule rest { when header.subject is "rest" reject 550 5.7.1 "${text}" }
`;

const hooks = (text = 'old') => `
import { writeSync } from 'node:fs'
export const check = (tx, { reject }) => reject('${text} hook')
let go
export async function slow(tx, { reject }) {
	writeSync(1, 'slow begins\\n')
	await new Promise((r) => { setTimeout(r, 1000) })
	return reject('${text} slow')
}
`;

const files = { 'policy.milt': policy(), 'hooks.mjs': hooks() };

async function begin(t, options, more = {}) {
	const host = await Host.start(t, { files: { ...files, ...more }, options });

	assert.equal(host.failed, undefined, host.failed);
	return host;
}

async function beginSlow(host) {
	const mail = host.mail('slow');

	mail.catch(() => {});
	await host.until(() => host.output.includes('slow begins'), 'begins');
	return { mail };
}

// ---- the start ------------------------------------------------------------------

const wrong = [
	['a policy that does not compile', { 'policy.milt': 'milt 1\nrule {' },
		/^policy.milt:2:6: error\[E/],
	['a hook that its module has not', { 'hooks.mjs': 'export const slow = () => {}; export const x = 1' },
		/^policy.milt:2: error: js rule `hook`: `hooks.mjs#check`: `hooks.mjs` exports no function `check`; it has slow$/],
	['no module, and all is said', { 'hooks.mjs': 'export const check = 1' },
		/`hook`.* has no functions at all\n.*`slow`.* has no functions at all$/],
	['a module that does not parse', { 'hooks.mjs': 'export const check = (' },
		/^policy.milt:2: error: js rule `hook`: .*hooks.mjs.*: SyntaxError|hooks.mjs/],
	['a module that throws', { 'hooks.mjs': 'throw new Error("no database")' },
		/`hook`: `hooks.mjs#check`: no database\n/],
];

for (const [what, more, message] of wrong)
	for (const workers of [0, 2])
		test(`${what}, ${workers} threads`, async (t) => {
			const host = await Host.start(t, {
				files: { ...files, ...more },
				options: { workers },
			});

			assert.match(host.failed, message);
			assert.equal(host.name, 'PolicyError');
			assert.deepEqual(await host.exited, { status: 0, signal: null });
		});

test('there is no module', async (t) => {
	const host = await Host.start(t, {
		files: { 'policy.milt': policy() },
	});

	assert.match(host.failed, /`hooks.mjs#check`: there is no such file/);
});

test('code that does not parse', async (t) => {
	const host = await Host.start(t, {
		files: {
			'policy.milt':
				'milt 1\njs rule r {\n  ```\n  return }) (\n  ```\n' +
				'  timeout 1s on failure ignore\n}\n',
		},
	});

	assert.match(host.failed, /^policy.milt:2: error: js rule `r`: its code: /);
});

test('options that are wrong', async (t) => {
	const cases = [
		[{ policy: '' }, 'serve: `policy` is a string, not ""'],
		[{ limit: 0 }, 'serve: `limit` is a whole number from 1 to 100000, not 0'],
		[{ polcy: 'x' }, 'serve: there is no option `polcy`'],
		[{ log: 'x' }, 'serve: `log` is stderr, syslog, journald, none, not "x"'],
		[{ control: 'x' }, 'serve: `control` is a path that begins with /, not "x"'],
	];

	for (const [options, message] of cases) {
		const host = await Host.start(t, { files, options });

		assert.equal(host.failed, message);
	}
});

test('a socket that cannot be opened; then one that can', async (t) => {
	const host = await Host.start(t, {
		files,
		options: { listen: 'unix:/nonexistent/milt.sock' },
	});

	assert.match(host.failed, /nonexistent/);
	assert.deepEqual(await host.exited, { status: 0, signal: null });
});

test('a second server in the process, and one in a thread', async (t) => {
	const host = await begin(t, {});

	await assert.rejects(
		host.call('serveAgain'),
		/this process serves already: serve\(\) was first/,
	);
	assert.match(await host.call('thread'), /only in the main thread/);
	assert.equal(await host.mail('hook'), '550 5.7.1 old hook');
});

test('functions given in code', async (t) => {
	const dir = await directory(t, files);
	const program = `
		import { serve, reject } from '${new URL('../lib/index.mjs', import.meta.url)}';
		await serve({ policy: 'policy.milt', listen: 'unix:${dir}/s',
			hooks: { hook: async (tx) => reject('given ' + tx.subject), none: () => {} } });
		process.send?.('ready'); console.log('ready');`;

	await write(dir, { 'main.mjs': program });
	const child = spawn(process.execPath, ['main.mjs'], { cwd: dir });
	let errors = '';

	t.after(() => child.kill('SIGKILL'));
	child.stderr.on('data', (text) => {
		errors += text;
	});
	await once(child.stdout, 'data');
	const answer = await Mta.session(`unix:${dir}/s`, {
		message: { headers: [['Subject', 'hook']] },
	});

	assert.equal(answer.text, '550 5.7.1 given hook');
	assert.match(errors, /MILT_UNUSED_HOOK.* the policy has no js rule `none`/);
});

// ---- reading again ----------------------------------------------------------------

for (const workers of [0, 2]) {
	test(`new policy and hooks; calls finish on the old ones, ${workers} threads`, async (t) => {
		const host = await begin(t, { workers });
		const { mail: slow } = await beginSlow(host);

		await write(host.dir, {
			'policy.milt': policy('new'),
			'hooks.mjs': hooks('new'),
		});
		assert.equal(await host.call('reload'), 'reloaded');
		assert.equal(await host.mail('hook'), '550 5.7.1 new hook');
		assert.equal(await host.mail('rest'), '550 5.7.1 new');
		assert.equal(await slow, '550 5.7.1 old slow');
	});

	test(`a bad policy, bad hooks: the old ones stay, ${workers} threads`, async (t) => {
		const host = await begin(t, { workers });

		await write(host.dir, { 'policy.milt': 'milt 1\nrule {' });
		await assert.rejects(host.call('reload'), /policy.milt:2:6: error\[E/);
		await write(host.dir, {
			'policy.milt': policy('new'),
			'hooks.mjs': 'export const check = () => {}',
		});
		await assert.rejects(host.call('reload'), /`slow`.* exports no function `slow`; it has check/);
		assert.equal(await host.mail('hook'), '550 5.7.1 old hook');
		assert.equal(await host.mail('rest'), '550 5.7.1 old');
		assert.equal(host.log.split('the policy read before stays').length, 3);
	});
}

test('SIGHUP reads again, any number of times', async (t) => {
	const host = await begin(t, {});

	await write(host.dir, { 'policy.milt': policy('new'), 'hooks.mjs': hooks('new') });
	host.signal('SIGHUP');
	await host.until(() => host.reloads.length > 0, 'a reload');
	assert.deepEqual(host.reloads, [null]);
	assert.equal(await host.mail('hook'), '550 5.7.1 new hook');
	for (let i = 0; i < 300; i++)
		host.signal('SIGHUP');
	assert.equal(await host.mail('hook'), '550 5.7.1 new hook');
	assert.equal(await host.call('reload'), 'reloaded');
});

test('reloads under load', async (t) => {
	const host = await begin(t, {});
	let over = false;
	const mail = (async () => {
		let n = 0;

		for (; !over; n++)
			assert.match(await host.mail('hook'), /^550 5\.7\.1 n?[0-9a-z]+ hook$/);
		return n;
	})();

	for (let i = 0; i < 30; i++) {
		await write(host.dir, { 'hooks.mjs': hooks(`n${i}`) });
		await host.call('reload');
	}
	over = true;
	assert.ok((await mail) > 0);
	assert.equal(await host.mail('hook'), '550 5.7.1 n29 hook');
});

test('a reload asked for on the control socket', async (t) => {
	const dir = await directory(t, {});
	const control = join(dir, 'control');
	const host = await begin(t, { control });
	const ask = (command) =>
		new Promise((resolve, reject) => {
			const s = net.connect(control);
			let text = '';

			s.on('error', reject);
			s.on('data', (data) => {
				text += data;
				if (!text.includes('\n'))
					return;
				s.end();
				resolve(JSON.parse(text.split('\n')[0]));
			});
			s.write(`${JSON.stringify({ command })}\n`);
		});

	await write(host.dir, { 'hooks.mjs': hooks('new') });
	assert.equal((await ask('reload')).ok, true);
	assert.equal(await host.mail('hook'), '550 5.7.1 new hook');
	await write(host.dir, { 'hooks.mjs': 'nonsense(' });
	const answer = await ask('reload');

	assert.equal(answer.ok, false);
	assert.match(JSON.stringify(answer), /js rule `hook`/);
	assert.equal((await ask('status')).ok, true);
});

// ---- threads -----------------------------------------------------------------------

test('a thread that ends, and one that never lets go, are replaced', async (t) => {
	const host = await begin(
		t,
		{ workers: 1 },
		{
			'policy.milt': policy().replace('10s', '500ms'),
			'hooks.mjs': `
export const check = (tx, { reject }) => {
	const what = tx.headers.get('what')
	if (what === 'exit') process.exit(3)
	if (what === 'throw') setImmediate(() => { throw new Error('on purpose') })
	if (what === 'loop') for (;;);
	if (what) return new Promise(() => {})
	return reject('well')
}
export const slow = () => {}`,
		},
	);
	const mail = (what) =>
		host.mail('hook', {
			headers: [['Subject', 'hook'], ...(what ? [['What', what]] : [])],
		});

	for (const what of ['exit', 'throw', 'loop']) {
		assert.equal(await mail(what), '451 4.7.9 hook failed');
		for (let n = 0; (await mail()) !== '550 5.7.1 well'; n++)
			assert.ok(n < 50, what);
	}
	await host.logged('a thread for hooks: Error: on purpose');
	await host.logged('a hook has not let go of its thread');
});

test('a thread that cannot start any more is tried again', async (t) => {
	const host = await begin(
		t,
		{ workers: 1 },
		{
			'hooks.mjs': `
export const check = (tx, { reject }) =>
	tx.headers.has('exit') ? process.exit(3) : reject('well')
export const slow = () => {}`,
		},
	);
	const exit = { headers: [['Subject', 'hook'], ['Exit', '']] };

	await write(host.dir, { 'hooks.mjs': 'nonsense(' });
	assert.equal(await host.mail('hook', exit), '451 4.7.9 hook failed');
	await host.logged('hooks do not load any more');
	assert.equal(await host.mail('hook'), '451 4.7.9 hook failed');
	await write(host.dir, { 'hooks.mjs': hooks('new') });
	while ((await host.mail('hook')) !== '550 5.7.1 new hook')
		await new Promise((resolve) => setTimeout(resolve, 100));
});

// ---- the end ------------------------------------------------------------------------

test('close waits for what is open', async (t) => {
	const host = await begin(t, {});
	const { mail: slow } = await beginSlow(host);
	const closed = host.call('close');

	assert.equal(await slow, '550 5.7.1 old slow');
	assert.deepEqual(await closed, { cut: 0 });
	await assert.rejects(Mta.open(host.socket));
	await assert.rejects(host.call('reload'), /it is closed/);
});

test('close does not wait for ever', async (t) => {
	const host = await begin(t, {});
	const { mail: slow } = await beginSlow(host);

	assert.deepEqual(await host.call('close', { drain: 100 }), { cut: 1 });
	assert.equal(await slow, '451 4.7.9 slow failed');
});

test('a process that closed its server ends by itself', async (t) => {
	const dir = await directory(t, {
		...files,
		'main.mjs': `
		import { serve } from '${new URL('../lib/index.mjs', import.meta.url)}';
		const controller = new AbortController();
		const { signal } = controller;
		const server = await serve({ policy: 'policy.milt', listen: 'unix:' + process.cwd() + '/s', signal });
		console.log('listening');
		setTimeout(() => controller.abort(), 100);`,
	});
	const child = spawn(process.execPath, ['main.mjs'], { cwd: dir });
	let output = '';

	child.stdout.on('data', (text) => {
		output += text;
	});
	assert.deepEqual(await once(child, 'exit'), [0, null]);
	assert.equal(output, 'listening\n');
});

const ends = {
	'process.exit': [(host) => host.call('exit', 7).catch(() => {}), { status: 7, signal: null }],
	'an exception': [(host) => host.call('throw').catch(() => {}), { status: 1, signal: null }],
	'SIGTERM without a handler': [(host) => host.signal('SIGTERM'), { status: null, signal: 'SIGTERM' }],
};

for (const [what, [act, end]] of Object.entries(ends))
	test(`${what} while a hook runs`, async (t) => {
		const host = await begin(t, {});
		const { mail: slow } = await beginSlow(host);

		act(host);
		assert.deepEqual(await host.exited, end);
		if (end.signal === null)
			assert.equal(await slow, '451 4.7.9 slow failed');
		else
			await assert.rejects(slow);
	});

test('process.exit at any moment', async (t) => {
	for (let i = 0; i < 15; i++) {
		const host = await begin(t, { workers: i % 3 });
		const mails = Array.from({ length: 8 }, (_, n) =>
			(async () => {
				for (;;)
					await host.mail(['hook', 'slow', 'rest'][n % 3]);
			})().catch(() => {}),
		);

		await new Promise((resolve) => setTimeout(resolve, (i * 37) % 200));
		host.call('exit', 0).catch(() => {});
		assert.deepEqual(await host.exited, { status: 0, signal: null });
		await Promise.all(mails);
	}
});

// ---- the command ------------------------------------------------------------------

const command = fileURLToPath(new URL('../bin/milt.mjs', import.meta.url));

async function milt(t, dir, ...args) {
	const child = spawn(process.execPath, [command, ...args], { cwd: dir });
	const out = { child, text: '' };

	t.after(() => child.kill('SIGKILL'));
	child.stdout.on('data', (text) => {
		out.text += text;
	});
	child.stderr.on('data', (text) => {
		out.text += text;
	});
	out.end = once(child, 'exit').then(([status]) => status);
	return out;
}

test('the command: what it says and how it exits', async (t) => {
	const dir = await directory(t, { ...files, 'bad.milt': 'milt 1\nrule {' });
	const cases = [
		[['--help'], 0, /^usage: milt serve/],
		[['--version'], 0, /^milt \d/],
		[[], 2, /^milt: which command\?/],
		[['server'], 2, /^milt: there is no command `server`/],
		[['serve'], 2, /^milt: which policy\?/],
		[['serve', 'a', 'b'], 2, /^milt: one policy, please: `b` is too many/],
		[['serve', '--limit', 'x', 'a'], 2, /^milt: --limit: `x` is not a number/],
		[['serve', '--limit', '0', 'a'], 2, /^milt: `limit` is a whole number/],
		[['serve', '--bogus'], 2, /^milt: Unknown option '--bogus'/],
		[['serve', 'bad.milt', '-p', 'unix:s'], 1, /^bad.milt:2:6: error/],
		[['serve', 'none.milt', '-p', 'unix:s'], 1, /none.milt/],
		[['serve', 'policy.milt', '-p', 'unix:/nonexistent/s'], 3, /^milt: .*nonexistent/],
	];

	for (const [args, status, text] of cases) {
		const ran = await milt(t, dir, ...args);

		assert.equal(await ran.end, status, args.join(' '));
		assert.match(ran.text, text);
	}
});

test('the command: HUP, then TERM', async (t) => {
	const dir = await directory(t, files);
	const { child, end } = await milt(
		t, dir, 'serve', 'policy.milt', '-p', `unix:${dir}/s`,
		'--log-format', 'json', '--metrics', `unix:${dir}/m`,
	);
	const lines = [];
	const ask = async () =>
		(await Mta.session(`unix:${dir}/s`, {
			message: { headers: [['Subject', 'hook']] },
		})).text;
	const until = async (text) => {
		while (!lines.join('').includes(text))
			await once(child.stderr, 'data');
	};

	child.stderr.on('data', (text) => lines.push(String(text)));
	await until('listening on');
	assert.equal(await ask(), '550 5.7.1 old hook');
	await write(dir, { 'hooks.mjs': hooks('new') });
	lines.length = 0;
	child.kill('SIGHUP');
	await until('policy policy.milt');
	assert.equal(await ask(), '550 5.7.1 new hook');
	child.kill('SIGTERM');
	assert.equal(await end, 0);
});
