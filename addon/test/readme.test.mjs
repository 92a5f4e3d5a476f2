// The README's example is run as it stands there.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { directory, write } from './fixture.mjs';
import { Mta } from './mta.mjs';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const files = Object.fromEntries(
	[...readme.matchAll(/^`(\S+)`:\n\n```\w+\n(.*?)^```$/gms)].map(
		([, name, text]) => [name, text],
	),
);

test('the example of the README', async (t) => {
	assert.deepEqual(Object.keys(files), [
		'inbound.milt',
		'hooks/invoices.mjs',
		'main.mjs',
	]);
	const dir = await directory(t, {});

	await mkdir(join(dir, 'hooks'));
	await mkdir(join(dir, 'node_modules'));
	await symlink(
		fileURLToPath(new URL('..', import.meta.url)),
		join(dir, 'node_modules/milt'),
	);
	await write(dir, files);
	const socket = `unix:${dir}/milt.sock`;
	const child = spawn(process.execPath, ['main.mjs', socket], { cwd: dir });
	let output = '';
	let log = '';

	t.after(() => child.kill('SIGKILL'));
	child.stdout.on('data', (text) => {
		output += text;
	});
	child.stderr.on('data', (text) => {
		log += text;
	});
	while (!log.includes('listening on'))
		await once(child.stderr, 'data');
	const send = async (...headers) => {
		const { text, edits } = await Mta.session(socket, {
			message: { headers },
		});

		return text ?? edits.map(({ name, value }) => `${name}: ${value}`);
	};

	assert.equal(
		await send(['Subject', 'invoice 12']),
		'550 5.7.1 There is no invoice 12',
	);
	assert.equal(
		await send(['Subject', 'Invoice 4711']),
		'550 5.7.1 The invoice is missing',
	);
	assert.deepEqual(
		await send(
			['Subject', 'Invoice 4711'],
			['Content-Type', 'application/pdf'],
		),
		['X-Invoice: 4711'],
	);
	assert.deepEqual(await send(['List-Id', 'News <news.example.com>']), [
		'X-Newsletter: news.example.com',
	]);
	child.kill('SIGTERM');
	assert.deepEqual(await once(child, 'exit'), [0, null]);
	assert.equal(
		output,
		'reject by invoices\nreject by invoices\naccept by invoices\n' +
			'accept by default\n',
	);
	assert.match(log, /text="invoice 4711 from a@client.test"/);
});
