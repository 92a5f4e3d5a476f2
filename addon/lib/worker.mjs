// One of the threads of `workers`: loads the hooks of one generation of the
// policy and answers questions.  Messages are what ./workers.mjs says.
import { parentPort, workerData } from 'node:worker_threads';
import { LocalHooks } from './local.mjs';

const { rules, generation } = workerData;

function plain(error) {
	return error === undefined
		? undefined
		: String(error?.stack ?? error?.message ?? error);
}

function answer(hooks, { id, rule, question }) {
	hooks.ask(id, rule, Buffer.from(question), ({ octets, error }) => {
		parentPort.postMessage({ id, octets, error: plain(error) });
	});
}

try {
	const hooks = await LocalHooks.load(rules, generation);

	parentPort.on('message', (message) => {
		if (message.abort === undefined)
			answer(hooks, message);
		else
			hooks.abort(message.id, new Error(message.abort));
		// Whoever answers to this is not busy for ever.
		if (message.abort !== undefined)
			parentPort.postMessage({ alive: message.id });
	});
	parentPort.postMessage({ loaded: true, macros: hooks.macros });
} catch (error) {
	parentPort.postMessage({
		loaded: false,
		error: error?.message ?? String(error),
	});
}
