// A process that serves, for tests: argv has serve()'s options as JSON; the
// parent sends commands, each answered by { id, value } or { id, error }.
import { serve } from '../lib/index.mjs';

const options = JSON.parse(process.argv[2]);
const send = (message) => process.send?.(message);
let server;

const commands = {
	reload: () => server.reload().then(() => 'reloaded'),
	close: (args) => server.close(args),
	sessions: () => server.sessions,
	exit: (status) => process.exit(status),
	throw: () => {
		setImmediate(() => {
			throw new Error('on purpose');
		});
	},
	// The event loop stands still for so many milliseconds.
	block: (ms) => {
		Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
	},
	serveAgain: () => serve(options),
	// A thread that has the module, and ends; what serve() says in it.
	thread: async () => {
		const { Worker } = await import('node:worker_threads');
		const url = new URL('../lib/index.mjs', import.meta.url);
		const native = new URL('../lib/native.cjs', import.meta.url);
		const code = `import { serve } from '${url}';
			import { createRequire } from 'node:module';
			import { parentPort } from 'node:worker_threads';
			createRequire('${native}')('${native.pathname}');
			serve({ policy: 'x', listen: 'y' }).catch((e) =>
				parentPort.postMessage(e.message));
			setInterval(() => {}, 1000);`;
		const worker = new Worker(
			new URL(`data:text/javascript,${encodeURIComponent(code)}`),
		);
		const said = await new Promise((resolve, reject) => {
			worker.once('message', resolve);
			worker.once('error', reject);
		});

		await worker.terminate();
		return said;
	},
};

process.on('message', async ({ id, name, argument }) => {
	try {
		send({ id, value: await commands[name](argument) });
	} catch (error) {
		send({ id, error: error.message });
	}
});
process.on('disconnect', () => process.exit());

try {
	server = await serve({
		...options,
		onDecision: (decision) => send({ decision }),
		onReload: (error) => send({ reload: error?.message ?? null }),
	});
	send({ ready: true });
} catch (error) {
	send({ failed: error.message, name: error.name });
	process.disconnect();
}
