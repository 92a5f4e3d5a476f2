// The example in COMPAT.md does what it says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync,
	writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { Mta } from './mta.mjs';

test('the example of COMPAT.md', async (t) => {
	const text = readFileSync(new URL('../COMPAT.md', import.meta.url), 'utf8');
	const code = /^```js\n(.*?)^```$/ms.exec(text)[1];
	const directory = mkdtempSync(join(tmpdir(), 'milt-compat.'));
	const where = `unix:${join(directory, 'sock')}`;

	mkdirSync(join(directory, 'node_modules'));
	symlinkSync(fileURLToPath(new URL('..', import.meta.url)),
		join(directory, 'node_modules/milt'));
	writeFileSync(join(directory, 'filter.js'), code);
	const filter = spawn(process.execPath, ['filter.js', where],
		{ cwd: directory, stdio: ['ignore', 'inherit', 'inherit'] });
	const ended = new Promise((resolve) => filter.on('close',
		(status, signal) => resolve([status, signal])));
	t.after(() => {
		filter.kill('SIGKILL');
		rmSync(directory, { recursive: true });
	});
	while (!existsSync(where.slice(5)) && filter.exitCode === null)
		await new Promise((resolve) => setTimeout(resolve, 10));

	const mta = await Mta.open(where);
	await mta.negotiate();
	assert.deepEqual([mta.actions, mta.protocol], [0x11, 0x10]);
	await mta.connect('mx.test', '6', 25, '2001:db8::1');
	await mta.mail(['<a@b>']);
	const refused = await mta.rcpt(['<nobody@server.test>']);
	assert.equal(refused.text, '550 5.1.1 There is nobody of this name');
	const answer = await mta.message();
	assert.deepEqual([answer.command, answer.edits], ['c', [
		{ kind: 'h', name: 'X-Client', value: '2001:db8::1' },
		{ kind: 'm', index: 1, name: 'X-Spam', value: '' },
	]]);
	mta.quit();
	filter.kill('SIGTERM');
	assert.deepEqual(await ended, [null, 'SIGTERM']);
});
