// The types agree with a program that uses them, and with what is exported.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as milt from '../lib/index.mjs';
import { Transaction } from '../lib/tx.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const tsc = path('../node_modules/typescript/bin/tsc');

test('tsc accepts what uses them', { skip: !existsSync(tsc) }, () => {
	const { status, stdout } = spawnSync(
		process.execPath,
		[tsc, '-p', path('types')],
		{ encoding: 'utf8' },
	);

	assert.equal(stdout, '');
	assert.equal(status, 0);
});

const types = readFileSync(path('../index.d.ts'), 'utf8');

test('what is exported has a type', () => {
	for (const name of Object.keys(milt))
		assert.match(types, new RegExp(`export (const|class|function) ${name}\\b`));
});

test("a transaction's members have a type", () => {
	for (const name of Object.keys(Transaction.prototype))
		assert.match(types, new RegExp(`\\n\\treadonly ${name}:`), name);
});
