// From the js rules of a policy to functions.
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import vm from 'node:vm';
import { vocabulary } from './verdict.mjs';

const AsyncFunction = (async () => {}).constructor;
const NAMES = Object.keys(vocabulary);

// A rule as native.read() gives it: { index, name, source, line }, and `file`
// and `function`, or `code`; paths as from the working directory.

// What is wrong with the hooks of a policy: lines as the compiler's.
export class HookError extends Error {
	name = 'HookError';
}

const where = (rule) => `${rule.source}:${rule.line}: error: js rule \`${rule.name}\``;

// ---- code in the policy --------------------------------------------------------

// import() in a policy: relative to it.  Node 18 has no such loader, and says
// so where it is used.
const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;

function compileCode(rule) {
	const scope = `{ signal, ${NAMES.join(', ')} }`;

	// By itself first: it must not end the function that it is the body of.
	new AsyncFunction(rule.code);
	return new vm.Script(`(async function (tx, ${scope}) {${rule.code}\n})`, {
		filename: resolve(rule.source),
		lineOffset: rule.line - 1,
		...(/\bimport\s*\(/.test(rule.code) && {
			importModuleDynamically: loader,
		}),
	}).runInThisContext();
}

// ---- modules --------------------------------------------------------------------

// Each generation has instances of its own of the modules that rules name.
function importModule(file, generation) {
	const path = resolve(file);
	const url = pathToFileURL(path);

	delete createRequire(import.meta.url).cache[path];
	url.searchParams.set('milt', String(generation));
	return import(url.href);
}

async function importFunction(rule, generation) {
	const file = resolve(rule.file);

	await readFile(file); // for a reason in words
	const module = await importModule(file, generation);
	// A CommonJS module's names may be members of its default alone.
	const found =
		module[rule.function] ?? module.default?.[rule.function];

	if (typeof found === 'function')
		return found;
	const names = Object.entries(module)
		.filter(([, value]) => typeof value === 'function')
		.map(([name]) => name);

	throw new Error(
		`\`${rule.file}\` exports no function \`${rule.function}\`; it ` +
			(names.length > 0
				? `has ${names.join(', ')}`
				: 'has no functions at all'),
	);
}

function reason(error) {
	if (error?.code === 'ENOENT')
		return 'there is no such file';
	return error?.stack && error instanceof SyntaxError
		? error.stack.split('\n')[0] + `: ${error.message}`
		: String(error?.message ?? error);
}

async function loadOne(rule, generation, given) {
	if (given.has(rule.name))
		return given.get(rule.name);
	if (rule.code !== undefined)
		return compileCode(rule);
	return importFunction(rule, generation);
}

// The functions of all rules: a map from a rule's index.  Throws a HookError
// that names every rule without one.  `given`: functions by rule name.
export async function loadHooks(rules, generation, given = new Map()) {
	const functions = new Map();
	const errors = [];

	for (const rule of rules) {
		try {
			functions.set(
				rule.index,
				await loadOne(rule, generation, given),
			);
		} catch (error) {
			const what = rule.file === undefined
				? 'its code'
				: `\`${rule.file}#${rule.function}\``;

			errors.push(`${where(rule)}: ${what}: ${reason(error)}\n`);
		}
	}
	if (errors.length > 0)
		throw new HookError(errors.join(''));
	return functions;
}

// Names of macros that functions declare by their property `macros`.
export function wantedMacros(functions) {
	return [...functions.values()].flatMap((f) =>
		Array.isArray(f.macros) ? f.macros.map(String) : [],
	);
}
