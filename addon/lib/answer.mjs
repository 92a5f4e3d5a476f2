// One question, one answer: runs a hook and never throws.  Nothing native is
// needed here: serve(), its threads, and programs that are asked over a pipe
// use the same.
import { pack } from './records.mjs';
import { Transaction } from './tx.mjs';
import { AnswerError, toAnswer, vocabulary } from './verdict.mjs';

const failure = (word) => pack([['failure', word]]);

// What there is to say where there is no such function.
export const missing = failure('missing');
// ... and where the thread that ran it has ended.
export const ended = failure('ended');

function failed(error) {
	return {
		octets: failure(
			error instanceof AnswerError || error?.name === 'AnswerError'
				? 'malformed'
				: 'threw',
		),
		error,
	};
}

function answered(value) {
	try {
		return { octets: pack(toAnswer(value).records()) };
	} catch (error) {
		return failed(error);
	}
}

// Calls `done` with { octets, error? }: at once if the hook answers at once.
export function run(hook, question, signal, done) {
	let value;

	try {
		value = hook(new Transaction(question), { signal, ...vocabulary });
		if (typeof value?.then === 'function') {
			Promise.resolve(value).then(
				(result) => done(answered(result)),
				(error) => done(failed(error)),
			);
			return;
		}
	} catch (error) {
		done(failed(error));
		return;
	}
	done(answered(value));
}

// The same as a promise.  `question`: octets, or pairs of keys and values.
export function answer(hook, question, { signal } = {}) {
	return new Promise((resolve) => {
		run(hook, question, signal ?? new AbortController().signal, resolve);
	});
}
