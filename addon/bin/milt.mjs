#!/usr/bin/env node
// The command `milt`.
import { createRequire } from 'node:module';
import { parseArgs } from 'node:util';
import { PolicyError, serve } from '../lib/serve.mjs';

// As milterd's.
const EXIT = { OK: 0, POLICY: 1, USAGE: 2, SYSTEM: 3 };

const USAGE = `usage: milt serve [OPTION...] POLICY
Decides mail by a policy whose js rules run in Node, attached to an MTA.

  -p, --listen SOCKET     where the MTA connects: unix:/PATH, inet:PORT@HOST,
                          inet6:PORT@HOST or fd:N (unix:/run/milt/milt.sock)
  -m, --mode MODE         octal mode of a unix socket (660)
  -o, --owner USER:GROUP  owner of a unix socket
      --workers N         threads that run hooks (1; 0: the main thread)
      --limit N           questions to js rules that wait at a time (256);
                          more get their on failure at once
      --drain SECONDS     what a stop waits for open sessions (30)
      --metrics SOCKET    serve metrics: inet:PORT@HOST or unix:/PATH
      --control PATH      unix socket for milterctl
      --memory MB         what all sessions may hold together (2048;
                          0: no limit)
      --log stderr|syslog|journald|none
                          where to log (stderr)
      --log-format plain|json
      --strict            warnings about the policy count as errors
      --allow-world       let a socket be on an address of the network
  -v, --verbose           log more
      --help
      --version

HUP reads the policy and its hooks again; TERM and INT stop.
Exit status: 0 stopped, 1 the policy or a hook is wrong, 2 the arguments are
wrong, 3 the system failed.
`;

const text = { type: 'string' };
const flag = { type: 'boolean' };
const options = {
	listen: { ...text, short: 'p' },
	mode: { ...text, short: 'm' },
	owner: { ...text, short: 'o' },
	workers: text,
	limit: text,
	drain: text,
	metrics: text,
	control: text,
	memory: text,
	log: text,
	'log-format': text,
	strict: flag,
	'allow-world': flag,
	verbose: { ...flag, short: 'v' },
	help: flag,
	version: flag,
};

function fail(status, message) {
	process.stderr.write(`milt: ${message}\n`);
	process.exit(status);
}

function number(name, value, base = 10) {
	if (value === undefined)
		return undefined;
	const digits = base === 8 ? /^[0-7]{1,10}$/ : /^\d{1,15}$/;

	if (!digits.test(value))
		fail(EXIT.USAGE, `--${name}: \`${value}\` is not ` +
			`${base === 8 ? 'an octal number' : 'a number'}`);
	return parseInt(value, base);
}

const times = (value, factor) =>
	value === undefined ? undefined : value * factor;

function parse() {
	try {
		return parseArgs({ options, allowPositionals: true });
	} catch (error) {
		return fail(EXIT.USAGE, `${error.message}\nTry \`milt --help\`.`);
	}
}

function toOptions(values, policy) {
	return {
		policy,
		listen: values.listen ?? 'unix:/run/milt/milt.sock',
		mode: number('mode', values.mode, 8),
		owner: values.owner,
		workers: number('workers', values.workers) ?? 1,
		limit: number('limit', values.limit),
		drain: times(number('drain', values.drain), 1000),
		metrics: values.metrics,
		control: values.control,
		memory: times(number('memory', values.memory), 1 << 20),
		log: values.log,
		logFormat: values['log-format'],
		strict: values.strict,
		allowWorld: values['allow-world'],
		verbose: values.verbose,
	};
}

async function start(values, policy) {
	try {
		return await serve(toOptions(values, policy));
	} catch (error) {
		if (error instanceof PolicyError) {
			process.stderr.write(error.diagnostics);
			return process.exit(EXIT.POLICY);
		}
		if (error instanceof TypeError)
			return fail(EXIT.USAGE, error.message.replace(/^serve: /, ''));
		return fail(EXIT.SYSTEM, error.message);
	}
}

const { values, positionals } = parse();

if (values.help) {
	process.stdout.write(USAGE);
	process.exit(EXIT.OK);
}
if (values.version) {
	const { version } = createRequire(import.meta.url)('../package.json');

	process.stdout.write(`milt ${version}\n`);
	process.exit(EXIT.OK);
}
const [command, policy, ...rest] = positionals;

if (command !== 'serve')
	fail(EXIT.USAGE, command === undefined
		? 'which command?  Try `milt --help`.'
		: `there is no command \`${command}\`.  Try \`milt --help\`.`);
if (policy === undefined)
	fail(EXIT.USAGE, 'which policy?  Name its file');
if (rest.length > 0)
	fail(EXIT.USAGE, `one policy, please: \`${rest[0]}\` is too many`);

let server;
let stopping = false;

// Once to drain, a second time at once.  TERM may come before it serves.
async function stop() {
	if (stopping || !server)
		process.exit(EXIT.OK);
	stopping = true;
	await server.close();
	process.exit(EXIT.OK);
}

process.on('SIGTERM', stop);
process.on('SIGINT', stop);
server = await start(values, policy);
