// Builds the native part: the C of the project by its Makefile, the rest by
// node-gyp with the headers that came with this Node.  Nothing is downloaded.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

function fail(...lines) {
	for (const line of lines)
		console.error(`milt: ${line}`);
	process.exit(1);
}

// The major version of the Node whose headers stand there; undefined: none.
function headersOf(prefix) {
	const file = join(prefix, 'include/node/node_version.h');

	if (!existsSync(file))
		return undefined;
	return /#define NODE_MAJOR_VERSION (\d+)/.exec(readFileSync(file))?.[1];
}

// Where include/node is: beside the `node` that runs (upstream's archives and
// packages), or where Debian's libnode-dev puts it.
function findHeaders() {
	const major = process.versions.node.split('.')[0];
	const prefixes = [
		process.env.npm_config_nodedir,
		dirname(dirname(process.execPath)),
		'/usr',
		'/usr/local',
	].filter(Boolean);
	const found = prefixes.find((p) => headersOf(p) === major);

	if (found)
		return found;
	return fail(
		`no headers of Node ${major} in ` +
			prefixes.map((p) => join(p, 'include/node')).join(', '),
		"with Debian's Node: apt-get install libnode-dev",
	);
}

function run(command, args) {
	const { status, error } = spawnSync(command, args, {
		cwd: here,
		stdio: ['ignore', 'inherit', 'inherit'],
	});

	if (error?.code === 'ENOENT')
		fail(`there is no command \`${command}\``);
	if (status !== 0)
		fail(`\`${command} ${args.join(' ')}\` failed`);
}

const nodedir = findHeaders();
const how = process.argv.includes('--clean') ? ['rebuild'] : ['configure', 'build'];

run('make', ['-s', '-C', '..', 'addon-core']);
run('node-gyp', [...how, `--nodedir=${nodedir}`, '--loglevel=warn']);
