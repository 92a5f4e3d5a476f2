// What can be told of the functions of js rules without running anything of
// theirs.  Needs node --experimental-vm-modules.
import { readFile } from 'node:fs/promises';
import Module from 'node:module';
import { dirname, extname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { compileCode, complaint, noFunction } from './hooks.mjs';

// ---- kinds of files --------------------------------------------------------------

// `type` of the package that a file belongs to.
async function packageType(file) {
	const here = dirname(file);

	try {
		const text = await readFile(join(here, 'package.json'), 'utf8');

		return JSON.parse(text).type;
	} catch {
		return here === dirname(here) ? undefined : packageType(here);
	}
}

function parses(parse) {
	try {
		parse();
		return true;
	} catch {
		return false;
	}
}

const script = (text, filename) =>
	new vm.Script(Module.wrap(text.replace(/^#!.*/, '')), { filename });
const esModule = (text, identifier) =>
	new vm.SourceTextModule(text, { identifier });

// 'module', 'commonjs', or undefined for what is not looked into.  As Node
// does, a text alone can make a module of itself.
async function kindOf(file, text) {
	const kinds = { '.mjs': 'module', '.cjs': 'commonjs' };
	const ending = extname(file);

	if (ending !== '.js')
		return kinds[ending];
	const type = await packageType(file);

	if (type !== undefined)
		return type;
	return !parses(() => script(text, file)) && parses(() => esModule(text, file))
		? 'module'
		: 'commonjs';
}

// ---- modules -----------------------------------------------------------------------

const STAR = /\bexport\s*\*\s*from\s*['"]([^'"]*)['"]/g;
const isOwn = (specifier) => /^\.{0,2}\//.test(specifier);

function parseModule(text, file) {
	try {
		return esModule(text, file);
	} catch (error) {
		error.file = file;
		throw error;
	}
}

// The names that a module exports; `open` if there may be more.  Modules that
// are not imported by their paths are not read: they have what is asked of
// them, by specifier in `others`.
async function linkOnce(root, others) {
	const modules = new Map();
	let open = false;
	const read = async (file) => {
		const text = await readFile(file, 'utf8');

		if ((await kindOf(file, text)) !== 'module')
			return undefined;
		for (const [, specifier] of text.matchAll(STAR))
			open ||= !isOwn(specifier);
		return parseModule(text, file);
	};
	const get = (file) => {
		if (!modules.has(file))
			modules.set(file, read(file));
		return modules.get(file);
	};
	const module = await get(root);

	await module.link(async (specifier, importer) => {
		const from = pathToFileURL(importer.identifier);
		const own =
			isOwn(specifier) &&
			(await get(fileURLToPath(new URL(specifier, from))));

		if (own)
			return own;
		if (!others.has(specifier))
			others.set(specifier, new Set(['default']));
		return new vm.SyntheticModule([...others.get(specifier)], () => {});
	});
	return {
		names: Reflect.ownKeys(module.namespace).filter(
			(name) => typeof name === 'string',
		),
		open,
	};
}

const MISSING = /^The requested module '(.*)' does not provide an export named '(.*)'$/;

async function namesOf(file) {
	const others = new Map();

	for (;;) {
		try {
			return await linkOnce(file, others);
		} catch (error) {
			const [, specifier, name] = MISSING.exec(error?.message) ?? [];
			const names = others.get(specifier);

			if (!names || names.has(name))
				throw error;
			names.add(name);
		}
	}
}

// ---- rules -------------------------------------------------------------------------

async function inspectFile(rule) {
	const file = resolve(rule.file);
	const text = await readFile(file, 'utf8');
	const kind = await kindOf(file, text);

	if (kind === 'commonjs') {
		script(text, file);
		// What it exports shows when it runs; it has to be named.
		if (!text.includes(rule.function) && !/\brequire\b/.test(text) &&
			rule.function !== 'default')
			throw new Error(
				`\`${rule.file}\` says nowhere \`${rule.function}\``,
			);
	} else if (kind === 'module') {
		const { names, open } = await namesOf(file);

		if (!open && !names.includes(rule.function))
			throw new Error(noFunction(rule, names));
	}
}

// What is wrong, in words; undefined if nothing is.
export async function inspect(rule) {
	try {
		if (rule.code === undefined)
			await inspectFile(rule);
		else
			compileCode(rule);
	} catch (error) {
		return complaint(rule, error);
	}
	return undefined;
}
