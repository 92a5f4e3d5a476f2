// The module itself: it loads, and again in other threads.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Worker } from 'node:worker_threads';
import { createRequire } from 'node:module';

const load = `require(${JSON.stringify(
	createRequire(import.meta.url).resolve('../lib/native.cjs'),
)})`;

test('it loads', () => {
	createRequire(import.meta.url)('../lib/native.cjs');
});

test('it loads in threads, which may be ended', async () => {
	for (let i = 0; i < 5; i++) {
		const worker = new Worker(
			`${load}; require('worker_threads').parentPort.postMessage(1);
			setInterval(() => {}, 1000);`,
			{ eval: true },
		);
		await new Promise((resolve) => worker.once('message', resolve));
		assert.equal(await worker.terminate(), 1);
	}
});
