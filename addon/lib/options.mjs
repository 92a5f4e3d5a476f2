// The options of serve(), checked.

const LOGS = ['stderr', 'syslog', 'journald', 'none'];
const FORMATS = ['plain', 'json'];

function fail(name, what, value) {
	throw new TypeError(
		`serve: \`${name}\` is ${what}, not ${
			typeof value === 'string' ? JSON.stringify(value) : String(value)
		}`,
	);
}

const string = (name, value) =>
	typeof value === 'string' && value !== '' && !value.includes('\0')
		? value
		: fail(name, 'a string', value);
const boolean = (name, value) =>
	typeof value === 'boolean' ? value : fail(name, 'true or false', value);
const fn = (name, value) =>
	typeof value === 'function' ? value : fail(name, 'a function', value);
const whole = (least, most) => (name, value) =>
	Number.isInteger(value) && value >= least && value <= most
		? value
		: fail(name, `a whole number from ${least} to ${most}`, value);
const choice = (words) => (name, value) =>
	words.includes(value) ? value : fail(name, words.join(', '), value);

function control(name, value) {
	return string(name, value).startsWith('/')
		? value
		: fail(name, 'a path that begins with /', value);
}

function signal(name, value) {
	return value instanceof AbortSignal
		? value
		: fail(name, 'an AbortSignal', value);
}

function hooks(name, value) {
	if (value === null || typeof value !== 'object')
		fail(name, 'an object of functions by rule name', value);
	for (const [rule, hook] of Object.entries(value))
		fn(`hooks[${JSON.stringify(rule)}]`, hook);
	return value;
}

const checks = {
	policy: string,
	listen: string,
	hooks,
	onDecision: fn,
	onReload: fn,
	onError: fn,
	signal,
	workers: whole(0, 256),
	limit: whole(1, 100000),
	drain: whole(0, 86400000),
	hangup: boolean,
	mode: whole(0, 0o777),
	owner: string,
	allowWorld: boolean,
	metrics: string,
	control,
	log: choice(LOGS),
	logFormat: choice(FORMATS),
	verbose: boolean,
	strict: boolean,
	memory: whole(0, Number.MAX_SAFE_INTEGER),
};

const defaults = {
	hooks: {},
	workers: 0,
	limit: 256,
	drain: 30000,
	hangup: true,
};

export function checkOptions(options) {
	if (options === null || typeof options !== 'object')
		throw new TypeError('serve: an object of options is needed');
	const out = { ...defaults };

	for (const [name, value] of Object.entries(options)) {
		if (!Object.hasOwn(checks, name))
			throw new TypeError(`serve: there is no option \`${name}\``);
		if (value !== undefined)
			out[name] = checks[name](name, value);
	}
	for (const name of ['policy', 'listen'])
		if (out[name] === undefined)
			throw new TypeError(`serve: \`${name}\` is missing`);
	if (out.workers > 0 && Object.keys(out.hooks).length > 0)
		throw new TypeError(
			'serve: `hooks` are functions of this thread; with `workers` ' +
				'hooks come from modules',
		);
	return out;
}

// What addon/settings.c reads.
export function toNative(options) {
	const { policy, listen, metrics, control, mode, owner } = options;
	const { allowWorld, log, logFormat, verbose, strict } = options;
	const { limit, memory, onDecision } = options;

	return JSON.stringify({
		policy,
		listen,
		metrics,
		control,
		mode,
		owner,
		allowWorld,
		log,
		logFormat,
		verbose,
		strict,
		limit,
		memory,
		decisions: onDecision !== undefined,
	});
}
