// What a hook sees of a transaction.
import assert from 'node:assert/strict';
import test from 'node:test';
import { answer } from '../lib/answer.mjs';
import { pack, unpack } from '../lib/records.mjs';
import { Transaction } from '../lib/tx.mjs';
import { AnswerError, reject } from '../lib/verdict.mjs';

const question = [
	['stage', 'headers'],
	['rule', 'r'],
	['capture', '1'],
	['capture.text', 'x'],
	['capture', 'amount'],
	['capture.text', ''],
	['client.ip', '192.0.2.1'],
	['client.port', '25'],
	['macro', 'client_connections'],
	['macro.value', '7'],
	['sender', '<>'],
	['sender.parameters', 'SIZE=10'],
	['sender.parameters', 'BODY=8BITMIME'],
	['recipients', 'a@b.c'],
	['recipients', 'd@e.f'],
	['headers', ''],
	['headers.name', 'Subject'],
	['raw header', '=?utf-8?q?caf=C3=A9?='],
	['headers.value', 'café'],
	['headers', ''],
	['headers.name', 'X-Fold'],
	['raw header', 'a\n\tb'],
	['headers', ''],
	['headers.name', 'x-fold'],
	['raw header', Buffer.from([0xff, 0x00])],
	['header.from', 'a@b.c'],
	['header.from.name', 'Amy'],
	['header.from', 'd@e.f'],
	['header.subject', 'café'],
	['header.date', '1700000000000'],
];

const tx = () => new Transaction(pack(question));

test('the session', () => {
	const t = tx();

	assert.equal(t.stage, 'headers');
	assert.equal(t.rule, 'r');
	assert.deepEqual(t.client, { ip: '192.0.2.1', port: 25 });
	assert.equal(t.helo, undefined);
	assert.equal(t.tls, undefined);
	assert.equal(t.sasl, undefined);
	assert.deepEqual(t.mta, {});
	assert.equal(t.macro('{client_connections}'), '7');
	assert.equal(t.macro('client_connections'), '7');
	assert.equal(t.macro('constructor'), undefined);
	assert.deepEqual({ ...t.captures }, { 1: 'x', amount: '' });
});

test('tls and sasl', () => {
	const t = new Transaction([
		['tls.protocol', 'TLSv1.3'],
		['tls.bits', '256'],
		['tls.verified', '1'],
		['sasl.username', 'amy'],
	]);

	assert.deepEqual(t.tls, { protocol: 'TLSv1.3', bits: 256, verified: true });
	assert.deepEqual(t.sasl, { username: 'amy' });
});

test('the envelope', () => {
	assert.deepEqual(tx().sender, {
		address: '',
		parameters: ['SIZE=10', 'BODY=8BITMIME'],
	});
	assert.equal(tx().recipient, undefined);
	assert.deepEqual(tx().recipients, ['a@b.c', 'd@e.f']);
});

test('the header', () => {
	const { headers } = tx();

	assert.equal(headers.length, 3);
	assert.deepEqual([...headers].map((f) => f.name),
		['Subject', 'X-Fold', 'x-fold']);
	assert.equal(headers.get('subject'), 'café');
	assert.equal(headers.fields('subject')[0].raw.toString(),
		'=?utf-8?q?caf=C3=A9?=');
	assert.deepEqual(headers.all('X-FOLD'), ['a\tb', '\ufffd\0']);
	assert.deepEqual([...headers.fields('x-fold')[1].raw], [0xff, 0]);
	assert.equal(headers.get('none'), undefined);
	assert.equal(headers.has('__proto__'), false);
});

test('named fields', () => {
	assert.equal(tx().subject, 'café');
	assert.deepEqual(tx().from, [
		{ address: 'a@b.c', name: 'Amy' },
		{ address: 'd@e.f', name: undefined },
	]);
	assert.deepEqual(tx().to, []);
	assert.equal(tx().date.getTime(), 1700000000000);
});

test('the body is there for rules that need it', () => {
	const t = new Transaction([
		...question,
		['body.raw', 'Hello.\r\n'],
		['message.size', '100'],
		['body.text', 'Hello.\n'],
		['file', ''],
		['file.name', 'a.zip'],
		['file.size', '5'],
		['file.encrypted', '1'],
		['file', ''],
		['file.kind', 'text'],
	]);

	assert.equal(t.body.toString(), 'Hello.\r\n');
	assert.equal(t.size, 100);
	assert.equal(t.text, 'Hello.\n');
	assert.equal(t.html, undefined);
	assert.equal(t.partial, false);
	assert.deepEqual(t.files.map((f) => [f.name, f.size, f.encrypted]),
		[['a.zip', 5, true], [undefined, undefined, false]]);
	assert.throws(() => tx().text,
		/tx.text: the rule `r` does not say `needs body`/);
});

test('it is shown as JSON', () => {
	const shown = JSON.parse(JSON.stringify(tx()));

	assert.equal(shown.subject, 'café');
	assert.equal(shown.headers[1].value, 'a\tb');
	assert.equal('text' in shown, false);
});

test('it cannot be changed', () => {
	const t = tx();

	assert.throws(() => t.recipients.push('x'), TypeError);
	assert.throws(() => {
		t.client.ip = 'x';
	}, TypeError);
	assert.equal(t.recipients, t.recipients);
});

// ---- answers -----------------------------------------------------------------------

const words = ({ octets }) =>
	[...unpack(octets)].map(([key, value]) => `${key}=${value}`).join(' ');

test('hooks answer at once and later', async () => {
	assert.equal(words(await answer(() => reject('a'), question)),
		'verdict=reject line=a');
	assert.equal(words(await answer(async () => reject('a'), question)),
		'verdict=reject line=a');
	assert.equal(words(await answer(() => {}, question)), '');
});

test('the second argument has the signal and the verdicts', async () => {
	const { signal } = new AbortController();
	const hook = (t, { signal: s, accept }) =>
		s === signal && accept().log(t.subject);

	assert.equal(words(await answer(hook, question, { signal })),
		'verdict=accept log=café');
});

test('a hook that fails', async () => {
	const failures = [
		[() => { throw new Error('x'); }, 'threw', 'x'],
		[async () => { throw new Error('x'); }, 'threw', 'x'],
		[async () => { throw undefined; }, 'threw'],
		[() => Promise.reject(null), 'threw'],
		[() => ({ get then() { throw new Error('y'); } }), 'threw', 'y'],
		[() => reject(250), 'malformed', 'reject has a code 5xx, not 250'],
		[async () => 'x', 'malformed'],
	];

	for (const [hook, word, message] of failures) {
		const result = await answer(hook, question);

		assert.equal(words(result), `failure=${word}`);
		if (message)
			assert.equal(result.error.message, message);
		if (word === 'malformed')
			assert.ok(result.error instanceof AnswerError);
	}
});
