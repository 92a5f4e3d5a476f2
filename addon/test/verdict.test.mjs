// Verdicts and effects: what they become, and what is refused.
import assert from 'node:assert/strict';
import test from 'node:test';
import * as milt from '../lib/index.mjs';
import { pack, unpack } from '../lib/records.mjs';
import { toAnswer, vocabulary } from '../lib/verdict.mjs';

const { accept, reject, tempfail, discard } = milt;
const show = (value) =>
	toAnswer(value).records().map((record) => record.join('=')).join(' ');

const good = [
	[undefined, ''],
	[null, ''],
	[[], ''],
	[accept(), 'verdict=accept'],
	[discard(), 'verdict=discard'],
	[reject(), 'verdict=reject'],
	[reject(554), 'verdict=reject code=554'],
	[reject('no'), 'verdict=reject line=no'],
	[reject(550, '5.7.1', 'no'), 'verdict=reject code=550 xcode=5.7.1 line=no'],
	[reject('5.7.1', 'no'), 'verdict=reject xcode=5.7.1 line=no'],
	[tempfail(421, '4.3.0', ['a', 'b']),
		'verdict=tempfail code=421 xcode=4.3.0 line=a line=b'],
	[milt.addHeader('X', 'a\n b'), 'change=add header name=X value=a\n b'],
	[milt.setHeader('X', ''), 'change=set header name=X value='],
	[milt.insertHeader(1, 'X', 'y'),
		'change=insert header index=1 name=X value=y'],
	[milt.removeHeader('X'), 'change=remove header name=X'],
	[milt.addRecipient('<a@b.c>'), 'change=add recipient value=a@b.c'],
	[milt.addRecipient('"a b"@c.d'), 'change=add recipient value="a b"@c.d'],
	[milt.removeRecipient('a@b.c'), 'change=remove recipient value=a@b.c'],
	[milt.removeRecipient(), 'change=remove recipient'],
	[milt.setSender('<>'), 'change=set sender value=<>'],
	[milt.setSender(''), 'change=set sender value=<>'],
	[milt.replaceBody('x\0'), 'change=replace body value=x\0'],
	[milt.quarantine('why'), 'change=quarantine value=why'],
	[milt.log('x\n'), 'log=x\n'],
	[accept().addHeader('X', 'y').log('z'),
		'verdict=accept change=add header name=X value=y log=z'],
	[[milt.addHeader('X', 'y'), accept(), [milt.log('z')], undefined],
		'verdict=accept change=add header name=X value=y log=z'],
	[[reject(), milt.log('seen')], 'verdict=reject log=seen'],
];

for (const [value, want] of good)
	test(`answer: ${want || 'nothing'}`, () => {
		assert.equal(show(value), want);
	});

const bad = [
	[() => reject(250), 'reject has a code 5xx, not 250'],
	[() => reject(450), 'reject has a code 5xx, not 450'],
	[() => reject(550.5), 'reject has a code 5xx, not 550.5'],
	[() => tempfail(550), 'tempfail has a code 4xx, not 550'],
	[() => reject(550, '4.7.1', 'x'),
		'reject has an enhanced code 5.x.x, not 4.7.1'],
	[() => reject(550, '5.7.1', 'a', 'b'), 'reject(code, enhanced code, text): "b" is too much'],
	[() => reject(550, '5.7.1', 'a\r\nb'),
		'a line of a reply is one line without control characters: "a\\r\\nb"'],
	[() => reject({}), 'a line of a reply is a string, not [object Object]'],
	[() => reject(Array(33).fill('x')),
		'a reply has at most 32 lines, not 33'],
	[() => accept(1), 'accept() has no arguments'],
	[() => milt.addHeader('X:', 'y'), '"X:" is no name of a header field'],
	[() => milt.addHeader('', 'y'), '"" is no name of a header field'],
	[() => milt.addHeader('X', 'a\nY: b'),
		'a header field\'s value is one line, or folded: "a\\nY: b"'],
	[() => milt.addHeader('X', 1), "a header field's value is a string, not 1"],
	[() => milt.insertHeader(-1, 'X', 'y'),
		'an index is a whole number from 0, not -1'],
	[() => milt.addRecipient('a'),
		'a recipient is an address such as a@example.com, not "a"'],
	[() => milt.addRecipient('a@b c@d'),
		'a recipient is an address such as a@example.com, not "a@b c@d"'],
	[() => milt.setSender('x'),
		'the sender is an address such as a@example.com, not "x"'],
	[() => milt.quarantine(' '), 'the reason of a quarantine is empty'],
	[() => show([accept(), reject()]), 'two verdicts: accept and reject'],
	[() => show([milt.addHeader('X', 'y'), reject()]),
		'reject beside `add header`: effects are for messages that are accepted'],
	[() => show(42),
		'a hook returns nothing, a verdict such as reject(), effects, or a list of them, not 42'],
	[() => show('reject'),
		'a hook returns nothing, a verdict such as reject(), effects, or a list of them, not "reject"'],
	[() => show(true),
		'a hook returns nothing, a verdict such as reject(), effects, or a list of them, not true'],
	[() => show(reject),
		'a hook returns nothing, a verdict such as reject(), effects, or a list of them, not a function'],
];

for (const [make, message] of bad)
	test(`refused: ${message}`, () => {
		assert.throws(make, { name: 'AnswerError', message });
	});

test('answers of another copy of the module count', async () => {
	const other = await import('../lib/verdict.mjs?other');

	assert.notEqual(other.Answer, milt.Answer);
	assert.equal(show([other.reject(), milt.log('x')]), 'verdict=reject log=x');
});

test('what code in a policy has in scope is exported', () => {
	for (const name of Object.keys(vocabulary))
		assert.equal(milt[name], vocabulary[name]);
});

test('records keep any octets', () => {
	const pairs = [['a', Buffer.from([0, 255])], ['', Buffer.from('ü')],
		['b', Buffer.alloc(0)]];

	assert.deepEqual([...unpack(pack(pairs))], pairs);
});
