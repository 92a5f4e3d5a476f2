// From the js rules of a policy to functions.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { relative, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import vm from 'node:vm';
import { vocabulary } from './verdict.mjs';

const AsyncFunction = (async () => {}).constructor;
const NAMES = Object.keys(vocabulary);

// A rule as native.read() gives it: { index, name, source, line }, and `file`
// and `function`, or `code` and `codeLine`; paths as from the working directory.

// What is wrong with the hooks of a policy: lines as the compiler's.
export class HookError extends Error {
	name = 'HookError';
}

const where = (rule) => `${rule.source}:${rule.line}: error: js rule \`${rule.name}\``;

// ---- code in the policy --------------------------------------------------------

// import() in a policy: relative to it.  Node 18 has no such loader: there it
// finds what needs no path, and errors name no line.
const loader = vm.constants?.USE_MAIN_CONTEXT_DEFAULT_LOADER;

export function compileCode(rule) {
	const scope = `{ signal, ${NAMES.join(', ')} }`;
	const imports = /\bimport\s*\(/.test(rule.code);

	if (imports && !loader)
		return new AsyncFunction('tx', scope, rule.code);
	const script = new vm.Script(
		`(async function (tx, ${scope}) {${rule.code.trimEnd()}\n})`,
		{
			filename: resolve(rule.source),
			lineOffset: rule.codeLine - 1,
			...(imports && { importModuleDynamically: loader }),
		},
	);

	// By itself: it must not end the function that it is the body of.
	new AsyncFunction(rule.code);
	return script.runInThisContext();
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
	throw new Error(
		noFunction(
			rule,
			Object.keys(module).filter(
				(name) => typeof module[name] === 'function',
			),
		),
	);
}

export function noFunction(rule, names) {
	return `\`${rule.file}\` exports no function \`${rule.function}\`; it ${
		names.length > 0
			? `has ${names.join(', ')}`
			: 'has no functions at all'
	}`;
}

// `file:line`, as from the working directory; the URL of a module goes, too.
function place(line) {
	const found = /^(file:\/\/)?(\/.*):(\d+)$/.exec(line);

	if (!found)
		return undefined;
	const file = found[1] ? fileURLToPath(`file://${found[2]}`) : found[2];

	return `${relative('.', file)}:${found[3]}`;
}

// Where a module is wrong: nobody else is told.
async function placeInModule(file) {
	try {
		await promisify(execFile)(process.execPath, ['--check', file]);
	} catch (error) {
		return place(String(error.stderr).split('\n')[0]);
	}
	return undefined;
}

// What is wrong with what the rule runs.
export async function complaint(rule, error) {
	const what = rule.file === undefined
		? 'its code'
		: `\`${rule.file}#${rule.function}\``;
	let reason = String(error?.message ?? error);

	if (error?.code === 'ENOENT')
		reason =
			rule.file === undefined || error.path === resolve(rule.file)
				? 'there is no such file'
				: `there is no \`${relative('.', error.path)}\``;
	if (!(error instanceof SyntaxError))
		return `${what}: ${reason}`;
	const at =
		place(error.stack.split('\n')[0]) ??
		(rule.file && (await placeInModule(error.file ?? rule.file)));

	return `${what}: ${at ? `${at}: ` : ''}${reason}`;
}

async function loadOne(rule, generation, given) {
	if (given.has(rule.name))
		return given.get(rule.name);
	if (rule.code !== undefined)
		return compileCode(rule);
	return importFunction(rule, generation);
}

// Each rule with its function, or with what is wrong in words: a list of
// { rule, hook } and { rule, error }.  `given`: functions by rule name.
export async function loadEach(rules, generation, given = new Map()) {
	const all = [];

	for (const rule of rules) {
		try {
			const hook = await loadOne(rule, generation, given);

			all.push({ rule, hook });
		} catch (error) {
			all.push({ rule, error: await complaint(rule, error) });
		}
	}
	return all;
}

// The functions of all rules: a map from a rule's index.  Throws a HookError
// that names every rule without one.
export async function loadHooks(rules, generation, given) {
	const all = await loadEach(rules, generation, given);
	const errors = all.filter(({ error }) => error !== undefined);

	if (errors.length > 0)
		throw new HookError(
			errors
				.map(({ rule, error }) => `${where(rule)}: ${error}\n`)
				.join(''),
		);
	return new Map(all.map(({ rule, hook }) => [rule.index, hook]));
}

// Names of macros that functions declare by their property `macros`.
export function wantedMacros(functions) {
	return [...functions.values()].flatMap((f) =>
		Array.isArray(f.macros) ? f.macros.map(String) : [],
	);
}
