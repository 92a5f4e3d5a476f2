// milt/compat: changes and replies, as they reach the MTA.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Filter } from './compat.mjs';
import { Mta } from './mta.mjs';

// One message to a filter whose eom is CODE: { answer, results, errors }.
async function eom(t, code, { offer, more = '' } = {}) {
	const filter = await Filter.start(t, { handlers: `{
		eom(env) {
			const done = (code = SMFIS_CONTINUE) => env.done(code);
			const result = (value) => note('result', value);
			const error = (f) => {
				try { result(f()); } catch (e) { note('error', e.name, e.message); }
			};
			${code}
		},
		${more} }` });
	const answer = await Mta.session(filter.where, { offer });

	await filter.synced();
	return {
		answer,
		edits: answer.edits,
		results: filter.noted('result').map(([value]) => value),
		errors: filter.noted('error'),
	};
}

test('addheader', async (t) => {
	const { edits, results, errors } = await eom(t, `
		result(env.addheader('X-One', '1'));
		result(env.addheader('X-Folded', 'a\\n b\\n\\tc'));
		result(env.addheader('X-Empty', ''));
		result(env.addheader('X-Bytes', Buffer.from([0xe4, 0xff])));
		result(env.addheader('X-Text', 'ä'));
		for (const [name, value] of [['', 'x'], ['a b', 'x'], ['a:', 'x'],
			['ä', 'x'], ['a\\n', 'x'], ['X', 'a\\nb'], ['X', 'a\\rb'],
			['X', 'a\\r\\n b'], ['X', 'a\\n \\n b'], ['X', 'a\\n'],
			['X', 'a\\n '], ['X', 'a\\0b'], ['a\\0', 'b'],
			['X', 'a'.repeat(65533)]])
			result(env.addheader(name, value));
		result(env.addheader('X', 'a'.repeat(65532)));
		error(() => env.addheader('X'));
		error(() => env.addheader(1, 'x'));
		error(() => env.addheader('X', null));
		done();`);

	assert.deepEqual(edits.slice(0, -1), [
		{ kind: 'h', name: 'X-One', value: '1' },
		{ kind: 'h', name: 'X-Folded', value: 'a\n b\n\tc' },
		{ kind: 'h', name: 'X-Empty', value: '' },
		{ kind: 'h', name: 'X-Bytes', value: '\xe4\xff' },
		{ kind: 'h', name: 'X-Text', value: '\xc3\xa4' },
	]);
	assert.equal(edits.at(-1).value.length, 65532);
	assert.deepEqual(results,
		[...Array(5).fill(0), ...Array(14).fill(-1), 0]);
	assert.deepEqual(errors.map(([name]) => name), Array(3).fill('TypeError'));
});

test('chgheader', async (t) => {
	const { edits, results, errors } = await eom(t, `
		result(env.chgheader('Subject', 1, 'new'));
		result(env.chgheader('X', 2, null));
		result(env.chgheader('X', 1, ''));
		result(env.chgheader('X', 0, undefined));
		result(env.chgheader('X', 3, 'a'.repeat(65528)));
		for (const [name, index, value] of [['', 1, 'x'], ['X', -1, 'x'],
			['X', 1.5, 'x'], ['X', NaN, 'x'], ['X', 2 ** 31, 'x'],
			['X', 1, 'a\\nb'], ['X', 1, 'a'.repeat(65529)]])
			result(env.chgheader(name, index, value));
		error(() => env.chgheader('X', '1', 'x'));
		error(() => env.chgheader('X', 1, 1));
		error(() => env.chgheader());
		done();`);

	assert.deepEqual(edits.slice(0, -1), [
		{ kind: 'm', index: 1, name: 'Subject', value: 'new' },
		{ kind: 'm', index: 2, name: 'X', value: '' },
		{ kind: 'm', index: 1, name: 'X', value: '' },
		{ kind: 'm', index: 0, name: 'X', value: '' },
	]);
	assert.equal(edits.at(-1).value.length, 65528);
	assert.deepEqual(results, [...Array(5).fill(0), ...Array(7).fill(-1)]);
	assert.deepEqual(errors.map(([name]) => name), Array(3).fill('TypeError'));
});

test('insheader', async (t) => {
	const { edits, results, errors } = await eom(t, `
		result(env.insheader(0, 'X-Top', 'a'));
		result(env.insheader(5, 'X-Five', Buffer.from('b')));
		result(env.insheader(-1, 'X', 'a'));
		result(env.insheader(0, 'X', 'a'.repeat(65529)));
		error(() => env.insheader('X', 'a'));
		done();`);

	assert.deepEqual(edits, [
		{ kind: 'i', index: 0, name: 'X-Top', value: 'a' },
		{ kind: 'i', index: 5, name: 'X-Five', value: 'b' },
	]);
	assert.deepEqual(results, [0, 0, -1, -1]);
	assert.equal(errors[0][0], 'TypeError');
});

test('replacebody: of any size, several times, after all else', async (t) => {
	const { edits, results } = await eom(t, `
		result(env.replacebody('first\\r\\n'));
		result(env.addheader('X', 'y'));
		result(env.replacebody(Buffer.from([0, 255])));
		result(env.replacebody(''));
		result(env.replacebody('x'.repeat(200000)));
		error(() => env.replacebody());
		done();`);
	const body = Buffer.concat(edits.slice(1).map((e) => e.body));

	assert.deepEqual(edits[0], { kind: 'h', name: 'X', value: 'y' });
	assert.ok(edits.slice(1).every((e) => e.kind === 'b'));
	assert.deepEqual(body, Buffer.concat([Buffer.from('first\r\n'),
		Buffer.from([0, 255]), Buffer.alloc(200000, 'x')]));
	assert.deepEqual(results, [0, 0, 0, 0, 0]);
});

test('replacebody: by nothing', async (t) => {
	const { edits } = await eom(t, 'env.replacebody(""); done();');

	assert.deepEqual(edits, [{ kind: 'b', body: Buffer.alloc(0) }]);
});

test('addrcpt, addrcpt_par, delrcpt', async (t) => {
	const { edits, results, errors } = await eom(t, `
		result(env.addrcpt('<x@y.test>'));
		result(env.addrcpt('z@y.test'));
		result(env.addrcpt_par('<x@y.test>', 'NOTIFY=NEVER'));
		result(env.addrcpt_par('<w@y.test>', null));
		result(env.delrcpt('<b@server.test>'));
		for (const wrong of ['', 'a\\n', 'a\\r', 'a\\0', 'x'.repeat(65534)])
			for (const f of ['addrcpt', 'addrcpt_par', 'delrcpt'])
				result(env[f](wrong, 'A=B'));
		result(env.addrcpt_par('<x@y>', 'A\\nB'));
		for (const f of ['addrcpt', 'addrcpt_par', 'delrcpt'])
			for (const wrong of [undefined, null, 1])
				error(() => env[f](wrong));
		done();`);

	assert.deepEqual(edits, [
		{ kind: '+', name: '<x@y.test>' },
		{ kind: '+', name: 'z@y.test' },
		{ kind: '2', name: '<x@y.test>', value: 'NOTIFY=NEVER' },
		{ kind: '2', name: '<w@y.test>' },
		{ kind: '-', name: '<b@server.test>' },
	]);
	assert.deepEqual(results, [...Array(5).fill(0), ...Array(16).fill(-1)]);
	assert.deepEqual(errors.map(([name]) => name), Array(9).fill('TypeError'));
});

test('chgfrom', async (t) => {
	const { edits, results, errors } = await eom(t, `
		result(env.chgfrom('<new@y.test>'));
		result(env.chgfrom('<>', 'RET=HDRS'));
		result(env.chgfrom(''));
		result(env.chgfrom('<a\\nb>'));
		error(() => env.chgfrom());
		error(() => env.chgfrom(null));
		error(() => env.chgfrom('<a@b>', null));
		done(SMFIS_ACCEPT);`);

	assert.deepEqual(edits, [
		{ kind: 'e', name: '<new@y.test>' },
		{ kind: 'e', name: '<>', value: 'RET=HDRS' },
	]);
	assert.deepEqual(results, [0, 0, -1, -1]);
	assert.deepEqual(errors.map(([name]) => name), Array(3).fill('TypeError'));
});

test('quarantine', async (t) => {
	const { edits, results, errors } = await eom(t, `
		result(env.quarantine('look at this'));
		result(env.quarantine('two\\nlines'));
		error(() => env.quarantine());
		error(() => env.quarantine(''));
		error(() => env.quarantine(1));
		done();`, { more: `data(env) {
			try { env.quarantine('x'); } catch (e) { note('error', e.name); }
			env.done(SMFIS_CONTINUE);
		}` });

	assert.deepEqual(edits, [{ kind: 'q', name: 'look at this' }]);
	assert.deepEqual(results, [0, -1]);
	assert.deepEqual(errors.map(([name]) => name), Array(4).fill('TypeError'));
});

test('progress: once in a second at most', async (t) => {
	const { answer, results } = await eom(t, `
		result(env.progress());
		result(env.progress());
		later(1100).then(() => { result(env.progress()); done(); });`);

	assert.equal(answer.progress, 2);
	assert.deepEqual(results, [0, 0, 0]);
});

test('what the MTA did not agree to is refused', async (t) => {
	const { edits, results } = await eom(t, `
		result(env.addheader('X', 'y'));
		result(env.insheader(0, 'X', 'y'));
		result(env.chgheader('X', 1, 'y'));
		result(env.replacebody('x'));
		result(env.addrcpt('<a@b>'));
		result(env.addrcpt_par('<a@b>', 'A=B'));
		result(env.delrcpt('<a@b>'));
		result(env.chgfrom('<a@b>'));
		result(env.quarantine('x'));
		done();`, { offer: { actions: 0x10 } });

	assert.deepEqual(results, [-1, -1, 0, -1, -1, -1, -1, -1, -1]);
	assert.deepEqual(edits.map((e) => e.kind), ['m']);
});

test('changes of a message that is refused are not sent', async (t) => {
	for (const [verdict, letter] of [['REJECT', 'r'], ['TEMPFAIL', 't'],
		['DISCARD', 'd']]) {
		const { answer } = await eom(t, `env.addheader('X', 'y');
			env.addrcpt('<x@y>'); done(SMFIS_${verdict});`);

		assert.deepEqual([answer.command, answer.edits], [letter, []]);
	}
});

test('changes are for eom, before its answer', async (t) => {
	const names = ['addheader', 'chgheader', 'insheader', 'replacebody',
		'addrcpt', 'addrcpt_par', 'delrcpt', 'chgfrom', 'quarantine',
		'progress'];
	const tryAll = `for (const name of ${JSON.stringify(names)})
		try { env[name]('a', 1, 'b'); note('error', name, 'none'); }
		catch (e) { note('error', name, e.name, e.message); }`;
	const { errors, edits } = await eom(t, `done(); ${tryAll}`, { more: `
		data(env) { ${tryAll} env.done(SMFIS_CONTINUE); },
		close(env) { ${tryAll} env.done(SMFIS_CONTINUE); }` });
	const seen = (n) => errors.slice(n * names.length, (n + 1) * names.length);

	assert.deepEqual(edits, []);
	assert.deepEqual(seen(0).map(([name, kind]) => [name, kind]),
		names.map((n) => [n, n === 'quarantine' ? 'TypeError' : 'Error']));
	assert.deepEqual(seen(1).map(([, , message]) => message),
		names.map(() => 'eom was answered already'));
	assert.equal(seen(0)[0][2], 'only in eom; this is data');
});

test('setreply', async (t) => {
	const reply = async (call, verdict = 'REJECT') => {
		const { answer, results } = await eom(t,
			`error(() => ${call}); done(SMFIS_${verdict});`);
		return [results[0], answer.command, answer.text];
	};

	for (const [call, wanted, verdict] of [
		['env.setreply(550, "5.7.1", "no")', [0, 'y', '550 5.7.1 no']],
		['env.setreply("551", null, "no")', [0, 'y', '551 no']],
		['env.setreply(550)', [0, 'y', '550 ']],
		['env.setreply("550", "5.1.1")', [0, 'y', '550 5.1.1']],
		['env.setreply(451, "4.7.1", "wait")', [0, 'y', '451 4.7.1 wait'],
			'TEMPFAIL'],
		['env.setreply(550, undefined, "100% %% sure")',
			[0, 'y', '550 100%% %% sure']],
		['env.setreply(550, "4.7.1", "x")', [-1, 'r', undefined]],
		['env.setreply(250, "2.0.0", "x")', [-1, 'r', undefined]],
		['env.setreply("5500", null, "x")', [-1, 'r', undefined]],
		['env.setreply("", null, "x")', [-1, 'r', undefined]],
		['env.setreply(550, "5.1234.1", "x")', [-1, 'r', undefined]],
		['env.setreply(550, "5.7.1", "a\\nb")', [-1, 'r', undefined]],
		['env.setreply(550, "5.7.1", "a\\rb")', [-1, 'r', undefined]],
		['env.setreply(550, "5.7.1", "a\\0b")', [-1, 'r', undefined]],
		['env.setreply(550, "5.7.1", "x".repeat(981))', [-1, 'r', undefined]],
	])
		assert.deepEqual(await reply(call, verdict), wanted, call);
});

test('setmlreply', async (t) => {
	const { answer, results } = await eom(t, `
		result(env.setmlreply(550, '5.7.1', []));
		result(env.setmlreply(550, '5.7.1', Array(33).fill('x')));
		result(env.setmlreply(550, '5.7.1', ['a', 'b\\nc']));
		result(env.setmlreply(550, '4.7.1', ['a', 'b']));
		result(env.setmlreply(550, '5.7.1', ['one', '50%', 'three']));
		done(SMFIS_REJECT);`);

	assert.deepEqual(results, [-1, -1, -1, -1, 0]);
	assert.equal(answer.text,
		'550-5.7.1 one\r\n550-5.7.1 50%%\r\n550 5.7.1 three');

	const most = await eom(t, `
		result(env.setmlreply('554', null,
			Array.from({ length: 32 }, (_, i) => 'line ' + i)));
		done(SMFIS_REJECT);`);
	assert.deepEqual(most.results, [0]);
	assert.equal(most.answer.text.split('\r\n').length, 32);
});

test('setreply, setmlreply: what they take, and when', async (t) => {
	const filter = await Filter.start(t, { handlers: `{
		negotiate(env) {
			try { env.setreply(550); } catch (e) { note('error', e.message); }
			env.done(SMFIS_ALL_OPTS);
		},
		connect(env) { note('result', env.setreply(554, '5.7.1', 'go'));
			env.done(SMFIS_CONTINUE); },
		helo(env) {
			for (const args of [[], [null], [550, 1], [550, null, 1],
				[550, undefined, 1]])
				try { env.setreply(...args); } catch (e) { note('error', e.name); }
			for (const args of [[550, null], [550, null, 'x'], [550, null, [1]]])
				try { env.setmlreply(...args); } catch (e) { note('error', e.name); }
			env.done(SMFIS_CONTINUE);
			try { env.setreply(550); } catch (e) { note('error', e.message); }
		},
		abort(env) { note('result', env.setreply(550)); env.done(0); },
	}` });
	const mta = await filter.mta();

	await mta.helo('x');
	await mta.mail(['<a@b>']);
	mta.abort();
	await filter.untilNoted('result', 2);
	assert.deepEqual(filter.noted('result'), [[0], [-1]]);
	assert.deepEqual(filter.noted('error').map(([what]) => what), [
		'not in negotiate', ...Array(8).fill('TypeError'),
		'helo was answered already']);
});

test('setreply at each event that can refuse', async (t) => {
	const filter = await Filter.start(t, { handlers: `Object.fromEntries(
		['connect', 'unknown', 'helo', 'mailfrom', 'rcptto', 'data', 'header',
			'eoh', 'segment', 'eom'].map((name) => [name, (env, ...args) => {
			env.local.wanted ??= args[0];
			if (env.local.wanted !== name)
				return void env.done(SMFIS_CONTINUE);
			env.setreply(550, '5.7.1', 'at ' + name);
			env.done(SMFIS_REJECT);
		}]))` });

	for (const name of ['connect', 'unknown', 'helo', 'mailfrom', 'rcptto',
		'data', 'header', 'eoh', 'segment', 'eom']) {
		const mta = await Mta.open(filter.where);
		await mta.negotiate();
		let answer = await mta.connect(name);

		if (name === 'unknown')
			answer = await mta.unknown('X');
		else if (name === 'helo')
			answer = await mta.helo('x');
		else if (name !== 'connect')
			answer = await mta.message();
		mta.destroy();
		assert.equal(answer.text, `550 5.7.1 at ${name}`);
	}
});
