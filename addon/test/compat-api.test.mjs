// milt/compat: the functions and constants of the module.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import test from 'node:test';

const require = createRequire(import.meta.url);
const path = require.resolve('../compat.cjs');
const milt = require('../compat.cjs');

// As the older bindings had them.
const OLD = {
	MI_SUCCESS: 0, MI_FAILURE: -1,
	SMFIS_CONTINUE: 0, SMFIS_REJECT: 1, SMFIS_DISCARD: 2, SMFIS_ACCEPT: 3,
	SMFIS_TEMPFAIL: 4, SMFIS_NOREPLY: 7, SMFIS_SKIP: 8, SMFIS_ALL_OPTS: 10,
	SMFIF_NONE: 0, SMFIF_ADDHDRS: 1, SMFIF_CHGBODY: 2, SMFIF_MODBODY: 2,
	SMFIF_ADDRCPT: 4, SMFIF_DELRCPT: 8, SMFIF_CHGHDRS: 16,
	SMFIF_QUARANTINE: 32, SMFIF_CHGFROM: 64, SMFIF_ADDRCPT_PAR: 128,
	SMFIF_SETSYMLIST: 256,
	SMFIM_CONNECT: 0, SMFIM_HELO: 1, SMFIM_ENVFROM: 2, SMFIM_ENVRCPT: 3,
	SMFIM_DATA: 4, SMFIM_EOM: 5, SMFIM_EOH: 6,
};

// What the protocol calls steps, which the older bindings had not.
const STEPS = {
	SMFIP_NOCONNECT: 0x1, SMFIP_NOHELO: 0x2, SMFIP_NOMAIL: 0x4,
	SMFIP_NORCPT: 0x8, SMFIP_NOBODY: 0x10, SMFIP_NOHDRS: 0x20,
	SMFIP_NOEOH: 0x40, SMFIP_NR_HDR: 0x80, SMFIP_NOHREPL: 0x80,
	SMFIP_NOUNKNOWN: 0x100, SMFIP_NODATA: 0x200, SMFIP_SKIP: 0x400,
	SMFIP_RCPT_REJ: 0x800, SMFIP_NR_CONN: 0x1000, SMFIP_NR_HELO: 0x2000,
	SMFIP_NR_MAIL: 0x4000, SMFIP_NR_RCPT: 0x8000, SMFIP_NR_DATA: 0x10000,
	SMFIP_NR_UNKN: 0x20000, SMFIP_NR_EOH: 0x40000,
	SMFIP_NR_BODY: 0x80000, SMFIP_HDR_LEADSPC: 0x100000,
	SMFIP_MDS_256K: 0x10000000, SMFIP_MDS_1M: 0x20000000,
};

const constantsOf = (o) => Object.fromEntries(
	Object.entries(o).filter(([name]) => /^[A-Z]/.test(name)));

// A new process: start works once in each.
function run(code) {
	const { status, stdout, stderr } = spawnSync(process.execPath, ['-e',
		`const milt = require(${JSON.stringify(path)});
		const f = () => {};
		const functions = Array(13).fill(f);
		const message = (f) => {
			try { return String(f()); } catch (e) { return String(e); }
		};
		${code}`], { encoding: 'utf8', timeout: 60000 });

	return { status, stdout, stderr };
}

test('the 28 constants of the older bindings, and those of the steps', () => {
	assert.deepEqual(constantsOf(milt), { ...OLD, ...STEPS });
	assert.equal(Object.keys(OLD).length, 28);
});

test('the six functions of the older bindings, and three more', () => {
	assert.deepEqual(
		Object.keys(milt).filter((k) => typeof milt[k] === 'function').sort(),
		['setbacklog', 'setdbg', 'setdeadline', 'setlimit', 'setonerror',
			'settimeout', 'start', 'stop', 'version'],
	);
});

test('compat.d.cts declares what there is', () => {
	const read = (name) =>
		readFileSync(new URL(`../${name}`, import.meta.url), 'utf8');
	const declared = [...(read('compat.d.cts') + read('constants.d.cts'))
		.matchAll(/^export (?:const|function) (\w+)/gm)].map((m) => m[1]);

	assert.deepEqual(declared.sort(), Object.keys(milt).sort());
});

test('compat.d.cts declares what an envelope can', () => {
	const types = readFileSync(new URL('../compat.d.cts', import.meta.url),
		'utf8');
	const source = readFileSync(
		new URL('../lib/compat-envelope.cjs', import.meta.url), 'utf8');
	const body = /export interface Envelope \{(.*?)^\}/ms.exec(types)[1];
	const names = (text, pattern) =>
		[...text.matchAll(pattern)].map((m) => m[1]).sort();

	assert.deepEqual(names(body, /^\t(\w+)\(/gm),
		names(source, /^\t([a-z_]+)\(.*\{$/gm)
			.filter((name) => name !== 'constructor'));
});

test('version: that of libmilter', () => {
	const version = milt.version();

	assert.equal(version.length, 3);
	assert.ok(version.every(Number.isInteger) && version[0] === 1);
});

test('setbacklog, setdbg, settimeout: 0, -1, and only numbers', () => {
	assert.equal(milt.setbacklog(20), 0);
	assert.equal(milt.setbacklog(0), -1);
	assert.equal(milt.setbacklog(-5), -1);
	assert.equal(milt.setdbg(0), 0);
	assert.equal(milt.settimeout(7210), 0);
	for (const f of [milt.setbacklog, milt.setdbg, milt.settimeout])
		for (const wrong of [undefined, null, '1', {}, 1n])
			assert.throws(() => f(wrong), TypeError);
});

test('setdeadline, setlimit, setonerror: what they take', () => {
	milt.setdeadline(1000);
	milt.setdeadline(1000, 2000);
	milt.setdeadline(25000, 250000, milt.SMFIS_TEMPFAIL);
	assert.throws(() => milt.setdeadline(), TypeError);
	assert.throws(() => milt.setdeadline('1'), TypeError);
	assert.throws(() => milt.setdeadline(0), RangeError);
	assert.throws(() => milt.setdeadline(1, NaN), RangeError);
	assert.throws(() => milt.setdeadline(1, 1, milt.SMFIS_SKIP), RangeError);
	assert.throws(() => milt.setlimit(), TypeError);
	assert.throws(() => milt.setlimit(0), RangeError);
	assert.throws(() => milt.setonerror(), TypeError);
});

test('start: a connection, flags and 13 functions', () => {
	const functions = Array(13).fill(() => {});
	const start = (...args) => () => milt.start(...args);
	const name = 'unix:/nonexistent/sock';

	assert.throws(start(), TypeError);
	assert.throws(start(name, 0, ...functions.slice(1)), TypeError);
	assert.throws(start(1, 0, ...functions), TypeError);
	assert.throws(start(name, '0', ...functions), TypeError);
	for (let i = 0; i < 13; i++)
		assert.throws(
			start(name, 0, ...functions.map((f, n) => (n === i ? null : f))),
			{ name: 'TypeError', message: / is not a function$/ });
});

test('start: a socket that cannot be made is an error with its cause', () => {
	const functions = Array(13).fill(() => {});
	const start = (name) => () => milt.start(name, 0, ...functions);

	assert.throws(start('unix:/nonexistent/sock'),
		{ message: /\/nonexistent\/sock: .*No such file or directory/ });
	assert.throws(start('nonsense'), { message: /write unix:/ });
	assert.throws(start('inet:0@127.0.0.1'), { message: /the port is/ });
	assert.throws(start('unix:/tmp/\0x'), { message: /has a NUL/ });
});

test('start: a port that is taken is an error', () => {
	const { status, stdout, stderr } = run(`
		const server = require('net').createServer();
		server.listen(0, '127.0.0.1', () => {
			const spec = 'inet:' + server.address().port + '@127.0.0.1';
			console.log(message(() => milt.start(spec, 0, ...functions)));
			server.close();
		});`);

	assert.equal(stderr, '');
	assert.match(stdout, /^Error: .*another process listens on inet:/);
	assert.equal(status, 0);
});

test('start: after one that failed another may work', () => {
	const { stdout } = run(`
		console.log(message(() => milt.start('nonsense', 0, ...functions)));
		const dir = require('fs').mkdtempSync('/tmp/milt-compat.');
		console.log(milt.start('unix:' + dir + '/s', 0, ...functions));
		milt.stop();
		require('fs').rmSync(dir, { recursive: true });`);

	assert.match(stdout, /^Error: .*\ntrue\n$/);
});

test('start twice, and after stop, throws', () => {
	const { status, stdout, stderr } = run(`
		const dir = require('fs').mkdtempSync('/tmp/milt-compat.');
		const start = () => milt.start('unix:' + dir + '/s', 0, ...functions);
		console.log(start());
		console.log(message(start));
		console.log(milt.stop(), milt.stop());
		console.log(message(start));
		console.log(require('fs').readdirSync(dir).length);
		require('fs').rmSync(dir, { recursive: true });`);

	assert.equal(stderr, '');
	assert.equal(stdout, `true
Error: start was called already
0 0
Error: libmilter cannot be started again after stop: end the process and start another
0
`);
	// Nothing keeps it alive.
	assert.equal(status, 0);
});

test('in other threads: constants work, start says that it does not', () => {
	const { status, stdout, stderr } = run(`
		const { Worker } = require('worker_threads');
		const code = \`
			const milt = require(${JSON.stringify(path)});
			try {
				milt.start('unix:/tmp/x', 0, ...Array(13).fill(() => {}));
			} catch (e) {
				console.log(milt.SMFIS_ACCEPT, milt.version().length, e.message);
			}\`;
		new Worker(code, { eval: true });`);

	assert.equal(stderr, '');
	assert.equal(stdout, '3 3 start works in the main thread alone: ' +
		'libmilter serves one milter in a process\n');
	assert.equal(status, 0);
});

test('threads that loaded it may be ended while it serves', () => {
	const { status, stdout, stderr } = run(`
		const { Worker } = require('worker_threads');
		const dir = require('fs').mkdtempSync('/tmp/milt-compat.');
		milt.start('unix:' + dir + '/s', 0, ...functions);
		(async () => {
			for (let i = 0; i < 20; i++) {
				const w = new Worker('require(${JSON.stringify(path)});' +
					'require("worker_threads").parentPort.postMessage(1);' +
					'setInterval(() => {}, 1000);', { eval: true });
				await new Promise((r) => w.once('message', r));
				await w.terminate();
			}
			console.log('ended');
			milt.stop();
			require('fs').rmSync(dir, { recursive: true });
		})();`);

	assert.equal(stderr, '');
	assert.equal(stdout, 'ended\n');
	assert.equal(status, 0);
});
