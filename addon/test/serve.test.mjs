// Rules answered by hooks, and every way in which an answer can fail to come.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Host, outcome } from './fixture.mjs';
import { Mta } from './mta.mjs';

const rule = (name, more = '') => `
js rule ${name} {
  when    header.subject is "${name}"
  call    "hooks.mjs#${name}"
  timeout 10s on failure tempfail 451 4.7.9 "${name} failed"
  ${more}
}`;

const quick = (name) => rule(name).replace('10s', '300ms');

const policy = [
	'milt 1',
	rule('refuse'),
	rule('later'),
	rule('change', 'needs body'),
	rule('say'),
	rule('nothing'),
	rule('facts', 'needs body'),
	rule('threw'),
	rule('rejected'),
	rule('wrong'),
	rule('misuse'),
	rule('forbidden', 'may reject'),
	rule('slow'),
	quick('never'),
	quick('late'),
	`js rule inline {
  when header.subject matches /^code (?<word>\\w+)/
  \`\`\`
    const { basename } = await import('node:path')
    if (signal.aborted) return
    return reject(550, '5.7.3', tx.captures.word + basename('/x'))
  \`\`\`
  timeout 10s on failure tempfail
}
rule rest { when header.subject is "rest" reject 550 5.7.1 "the rest" }`,
].join('\n');

const hooks = `
import { writeSync } from 'node:fs'
export const refuse = (tx, { reject }) => reject(554, '5.7.2', ['no', tx.client.ip])
export async function later(tx, { discard }) {
	await new Promise((r) => setImmediate(r))
	return discard()
}
export const change = (tx, milt) => milt.accept()
	.addHeader('X-Add', 'ünd').insertHeader(0, 'X-Top', 'y')
	.setHeader('Subject', 'new').removeHeader('X-Old')
	.addRecipient('c@d.test').removeRecipient('b@server.test')
	.setSender('').replaceBody('new body').quarantine('look')
	.log('changed ' + tx.queueId)
export const say = (tx, { log }) => [log('one'), log('two')]
export const nothing = async () => {}
export const facts = (tx, { reject }) => reject(550, '5.7.1', [
	tx.client.name, String(tx.client.port), tx.helo, tx.sender.address,
	tx.sender.parameters.join(), tx.recipients.join(), tx.macro('my-macro') ?? 'none',
	tx.headers.get('x-enc'), tx.headers.fields('x-raw')[0].raw.toString('hex'),
	tx.from[0].name, tx.text.trim(), tx.files.map((f) => f.name + ' ' + f.kind).join(),
	String(tx.size > 100), tx.sasl?.username ?? 'nobody'])
facts.macros = ['my-macro']
export const threw = () => { throw new Error('on purpose') }
export const rejected = () => Promise.reject(new Error('on purpose'))
export const wrong = () => 42
export const misuse = (tx, { reject }) => reject(250)
export const forbidden = (tx, { discard }) => discard()
export const never = (tx, { signal }) => new Promise(() => {
	signal.addEventListener('abort', () => { writeSync(1, 'never: ' + signal.reason.name + '\\n') })
})
export const late = (tx, { signal, reject }) => new Promise((resolve) => {
	signal.addEventListener('abort', () => resolve(reject('too late')))
})
export const slow = (tx, { signal }) => new Promise(() => {
	writeSync(1, 'slow begins\\n')
	signal.addEventListener('abort', () => { writeSync(1, 'slow aborted\\n') })
})
`;

const files = { 'policy.milt': policy, 'hooks.mjs': hooks };

const begin = async (t, options, more = {}) => {
	const host = await Host.start(t, { files: { ...files, ...more }, options });

	assert.equal(host.failed, undefined, host.failed);
	return host;
};

for (const workers of [0, 2]) {
	const how = workers ? 'in threads' : 'in the main thread';

	test(`answers, ${how}`, async (t) => {
		const host = await begin(t, { workers });

		assert.equal(await host.mail('refuse'), '554-5.7.2 no\r\n554 5.7.2 192.0.2.1');
		assert.equal(await host.mail('later'), 'discard');
		assert.equal(await host.mail('nothing'), 'accept');
		assert.equal(await host.mail('say'), 'accept');
		assert.equal(await host.mail('code abc'), '550 5.7.3 abcx');
		assert.equal(await host.mail('rest'), '550 5.7.1 the rest');
		await host.until(() => host.decisions.length >= 6, 'six decisions');
		assert.match(host.log, /note rule=say .*text="one"/);
		assert.match(host.log, /note rule=say .*text="two"/);
		assert.deepEqual(
			host.decisions.map((d) => [d.verdict, d.rule]),
			[
				['reject', 'refuse'],
				['discard', 'later'],
				['accept', 'default'],
				['accept', 'default'],
				['reject', 'inline'],
				['reject', 'rest'],
			],
		);
	});

	test(`effects, ${how}`, async (t) => {
		const host = await begin(t, { workers });
		const answer = await Mta.session(host.socket, {
			message: {
				headers: [
					['Subject', 'change'],
					['X-Old', '1'],
					['X-Old', '2'],
				],
			},
		});

		assert.equal(
			outcome(answer),
			[
				'accept',
				'- <b@server.test>',
				'e <>',
				'+ <c@d.test>',
				'm 2 X-Old ',
				'm 1 X-Old ',
				'm 1 Subject new',
				'i 0 X-Top y',
				'h MIME-Version 1.0',
				'h Content-Type text/plain; charset=utf-8',
				'h Content-Transfer-Encoding 8bit',
				'h X-Add =?UTF-8?q?=C3=BCnd?=',
				'q look',
				'b new body\r\n',
			].join(' | '),
		);
		await host.logged('text="changed undefined"');
	});

	test(`facts, ${how}`, async (t) => {
		const host = await begin(t, { workers });
		const mta = await Mta.open(host.socket);

		await mta.negotiate();
		await mta.connect('mx.test', '4', 4711, '192.0.2.9');
		await mta.helo('helo.test');
		mta.macros('M', { '{my-macro}': 'mine', '{auth_authen}': 'amy' });
		const answer = await mta.message({
			sender: ['<a@b.test>', 'SIZE=9', 'BODY=8BITMIME'],
			recipients: [['<c@d.test>'], ['<e@f.test>']],
			headers: [
				['Subject', 'facts'],
				['From', '=?utf-8?q?caf=C3=A9?= <a@b.test>'],
				['X-Enc', '=?utf-8?q?=C3=A4?='],
				['X-Raw', Buffer.from([0x61, 0xff])],
				['MIME-Version', '1.0'],
				['Content-Type', 'multipart/mixed; boundary=b'],
			],
			body: [
				'--b\r\n\r\nHello.\r\n--b\r\nContent-Type: text/plain; ' +
					'name="a.txt"\r\nContent-Disposition: attachment\r\n\r\n' +
					'words\r\n--b--\r\n',
			],
		});

		assert.deepEqual(
			answer.text.split('\r\n').map((line) => line.slice(10)),
			[
				'mx.test', '4711', 'helo.test', 'a@b.test',
				'SIZE=9,BODY=8BITMIME', 'c@d.test,e@f.test', 'mine',
				'?', '61ff', 'caf?', 'Hello.', 'a.txt text', 'true', 'amy',
			],
		);
		mta.quit();
	});

	test(`each failure gives what the rule says, ${how}`, async (t) => {
		const host = await begin(t, { workers });
		const reasons = {
			threw: 'the function threw an error',
			rejected: 'the function threw an error',
			wrong: "the function's answer is malformed",
			misuse: "the function's answer is malformed",
			forbidden: 'not permitted by may',
			never: 'timeout',
			late: 'timeout',
		};

		for (const [name, reason] of Object.entries(reasons)) {
			assert.equal(await host.mail(name), `451 4.7.9 ${name} failed`);
			await host.until(
				() =>
					host.log.split('\n').some(
						(line) =>
							line.includes(`rule=${name} `) &&
							line.includes(reason),
					),
				`${name}: ${reason}`,
			);
		}
		await host.logged('js rule threw: Error: on purpose');
		await host.logged('js rule misuse: AnswerError: reject has a code 5xx');
		await host.until(() => host.output.includes('never: '), 'abort');
		if (workers === 0)
			await host.logged('js rule late: its answer came late');
		assert.equal(await host.mail('refuse'), '554-5.7.2 no\r\n554 5.7.2 192.0.2.1');
	});

	test(`the hook hears that the client has gone, ${how}`, async (t) => {
		const host = await begin(t, { workers });
		const mta = await Mta.open(host.socket);

		await mta.negotiate();
		await mta.connect('mx.test');
		await mta.helo('mx.test');
		mta.message({ headers: [['Subject', 'slow']] }).catch(() => {});
		await host.until(() => host.output.includes('slow begins'), 'begins');
		mta.destroy();
		await host.until(() => host.output.includes('slow aborted'), 'aborted');
		await host.logged('the client has gone');
	});
}

test('so many questions wait, and no more', async (t) => {
	const host = await begin(t, { limit: 1 });
	const first = host.mail('slow');

	first.catch(() => {});
	await host.until(() => host.output.includes('slow begins'), 'begins');
	assert.equal(await host.mail('refuse'), '451 4.7.9 refuse failed');
	await host.logged('too many questions wait');
	assert.equal(await host.mail('rest'), '550 5.7.1 the rest');
});

test('the event loop stands still: answers come in time', async (t) => {
	const host = await begin(t, {});
	const blocked = host.call('block', 2500);

	assert.equal(await host.mail('never'), '451 4.7.9 never failed');
	assert.equal(await host.mail('rest'), '550 5.7.1 the rest');
	await blocked;
	assert.equal(await host.mail('refuse'), '554-5.7.2 no\r\n554 5.7.2 192.0.2.1');
	// What nobody waited for any more was not asked.
	assert.equal(host.output.includes('never'), false);
});

test('a question is answered while others wait', async (t) => {
	const host = await begin(t, {});
	const slow = Array.from({ length: 20 }, () => host.mail('slow'));

	for (const one of slow)
		one.catch(() => {});
	await host.until(
		() => host.output.split('slow begins').length > 20,
		'all of them',
	);
	for (let i = 0; i < 50; i++)
		assert.equal(await host.mail('later'), 'discard');
});

test('many at once', async (t) => {
	for (const workers of [0, 2]) {
		const host = await begin(t, { workers });
		const all = await Promise.all(
			Array.from({ length: 300 }, (_, i) =>
				host.mail(['refuse', 'later', 'nothing', 'threw'][i % 4]),
			),
		);
		const counts = {};

		for (const one of all)
			counts[one] = (counts[one] ?? 0) + 1;
		assert.deepEqual(counts, {
			'554-5.7.2 no\r\n554 5.7.2 192.0.2.1': 75,
			discard: 75,
			accept: 75,
			'451 4.7.9 threw failed': 75,
		});
	}
});

test('abort and close do not wait', async (t) => {
	const host = await begin(t, {});
	const mta = await Mta.open(host.socket);

	await mta.negotiate();
	await mta.connect('mx.test');
	for (let i = 0; i < 20; i++) {
		await mta.mail(['<a@b>']);
		mta.abort();
	}
	assert.equal((await mta.message({ headers: [['Subject', 'rest']] })).text,
		'550 5.7.1 the rest');
	for (let i = 0; i < 50; i++)
		(await Mta.open(host.socket)).destroy();
	assert.equal(await host.mail('rest'), '550 5.7.1 the rest');
});
