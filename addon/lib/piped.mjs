// Answers js rules for a program that plays transactions, such as `milterc
// test --js`: the hooks and the answers are those of serve().
//
// Both sides write one JSON value a line on descriptor 3:
//
//	{"load": [rule, ...]}       reads the functions of all rules
//	{"inspect": [rule, ...]}    looks at them and runs nothing
//	        {"wrong": [[index, "what is wrong"], ...]}
//	{"id": 1, "rule": index, "question": octets}
//	        {"id": 1, "answer": octets, "error": "what was thrown"}
//
// Rules are as in hooks.mjs, octets as in records.mjs, in base64.  The one who
// asks keeps the time.
import { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { missing, run } from './answer.mjs';
import { loadEach } from './hooks.mjs';

const peer = new Socket({ fd: 3, readable: true, writable: true });
let hooks = new Map();

function say(value) {
	peer.write(`${JSON.stringify(value)}\n`);
}

async function load(rules) {
	const all = await loadEach(rules, 0);

	hooks = new Map(all.map(({ rule, hook }) => [rule.index, hook]));
	say({
		wrong: all
			.filter(({ error }) => error !== undefined)
			.map(({ rule, error }) => [rule.index, error]),
	});
}

async function inspectAll(rules) {
	const { inspect } = await import('./inspect.mjs');
	const wrong = [];

	for (const rule of rules) {
		const error = await inspect(rule);

		if (error !== undefined)
			wrong.push([rule.index, error]);
	}
	say({ wrong });
}

// The error, and where it was thrown; a wrong answer is thrown by us.
function brief(error) {
	if (error?.name === 'AnswerError')
		return error.message;
	const lines = String(error?.stack ?? error).split('\n');

	return lines.slice(0, 2).map((line) => line.trim()).join(' ');
}

function ask({ id, rule, question }) {
	const hook = hooks.get(rule);
	const done = ({ octets, error }) =>
		say({
			id,
			answer: octets.toString('base64'),
			error: error === undefined ? undefined : brief(error),
		});

	if (!hook)
		done({ octets: missing });
	else
		run(
			hook,
			Buffer.from(question, 'base64'),
			new AbortController().signal,
			done,
		);
}

createInterface({ input: peer }).on('line', (line) => {
	const value = JSON.parse(line);

	if (value.load)
		load(value.load);
	else if (value.inspect)
		inspectAll(value.inspect);
	else
		ask(value);
});
peer.on('close', () => process.exit());
peer.on('error', () => process.exit());
