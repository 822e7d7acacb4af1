import { readFileSync } from 'node:fs';
import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { z } from 'zod';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'dist');

/** Some dependencies are CommonJS and call `require` for Node's own modules, which an ES module does not have. */
const requireBanner =
  "import { createRequire as nodeRequire } from 'node:module'; const require = nodeRequire(import.meta.url);";

/** Runs before all else of the bundle: an older Node would fail with what nobody understands. */
function versionBanner({ name, library }: Program): string {
  const { engines } = z
    .object({ engines: z.object({ node: z.string().regex(/^>=\d+\.\d+$/) }) })
    .parse(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')));
  const [major = '', minor = ''] = engines.node.slice('>='.length).split('.');
  const older = `+nodeMajor < ${major} || (+nodeMajor === ${major} && +nodeMinor < ${minor})`;
  const words = `${name} needs Node.js ${major}.${minor} or newer; this is \${process.version}`;
  // Whether a program ends for want of a library is up to the program.
  const refusal =
    library === true ? `throw new Error(\`${words}\`);` : `process.stderr.write(\`${words}\\n\`); process.exit(2);`;
  return `const [nodeMajor, nodeMinor] = process.versions.node.split('.'); if (${older}) { ${refusal} }`;
}

/**
 * Imports of dependencies that are never reached. Each would be kept in memory for nothing: together they are a quarter of what an operator that
 * has just started weighs.
 */
const unreached = [
  // Of @kubernetes/client-node only the kubeconfig and its credentials are used: no typed client, and no proxy.
  /^\.\/gen\/index\.js$/,
  /^(?:socks|socks-proxy-agent|hpagent)$/,
  // Zod's messages in all languages.
  /^\.\.\/locales\/index\.js$/,
] as const;

const unreachedOfAws = [
  // The SDK's own chain of credentials, with its profiles and logins: ours names its links.
  /^@aws-sdk\/(?:credential-provider-(?:node|ini|sso|login|process|cognito-identity)|token-providers)$/,
  /^bowser$/,
] as const;

/** What is used of undici, which would bring fetch, mocks, caches and WebSockets along. */
const pools = `
  exports.Agent = require('./lib/dispatcher/agent.js');
  exports.buildConnector = require('./lib/core/connect.js');
  exports.Agent.prototype.request = require('./lib/api/api-request.js');
`;

/** What is bundled into one file, which needs nothing but Node. */
export interface Program {
  readonly entry: string;
  readonly file: string;
  /** What people call it. */
  readonly name: string;
  readonly leftOut: readonly RegExp[];
  /** It is run by its own name. */
  readonly executable?: true;
  /** It is imported by programs of others. */
  readonly library?: true;
}

export const programs: readonly Program[] = [
  {
    entry: 'src/main.ts',
    file: 'operator.mjs',
    name: 'the operator of Keyferry',
    leftOut: [...unreached, ...unreachedOfAws],
  },
  { entry: 'src/keyferry.ts', file: 'keyferry.mjs', name: 'keyferry', leftOut: unreached, executable: true },
  {
    entry: 'src/index.ts',
    file: 'index.mjs',
    name: 'the library keyferry',
    leftOut: [...unreached, ...unreachedOfAws],
    library: true,
  },
];

function bannerOf(program: Program): string {
  const first = program.executable === true ? '#!/usr/bin/env node\n' : '';
  return `${first}${versionBanner(program)} ${requireBanner}`;
}

const leaveOut = (leftOut: readonly RegExp[]): Plugin => ({
  name: 'leave out',
  setup: (hooks) => {
    const unmet = new Set(leftOut);
    for (const filter of leftOut) {
      hooks.onResolve({ filter }, ({ path }) => {
        unmet.delete(filter);
        return { path, namespace: 'left-out' };
      });
    }
    hooks.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
    hooks.onResolve({ filter: /^undici$/ }, ({ path }) => ({ path, namespace: 'pools' }));
    const resolveDir = join(root, 'node_modules', 'undici');
    hooks.onLoad({ filter: /.*/, namespace: 'pools' }, () => ({ contents: pools, resolveDir }));
    // A dependency that moved its modules would come back whole, and nobody would notice.
    hooks.onEnd(() => ({
      errors: Array.from(unmet, (filter) => ({ text: `nothing imports ${String(filter)} any more` })),
    }));
  },
});

export interface Bundle {
  readonly code: string;
  /** The files that some of the code is from, by their path from the root. */
  readonly sources: readonly string[];
}

/** Bundles a program; writes nothing. */
export async function bundle(program: Program): Promise<Bundle> {
  const { entry, file, leftOut } = program;
  const { outputFiles, metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(folder, file),
    write: false,
    metafile: true,
    bundle: true,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    // ES modules first, so that what is not used can be left out.
    mainFields: ['module', 'main'],
    banner: { js: bannerOf(program) },
    plugins: [leaveOut(leftOut)],
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: true,
    legalComments: 'none',
    logLevel: 'warning',
  });
  const [{ text } = { text: '' }] = outputFiles;
  const inputs = Object.values(metafile.outputs).flatMap((output) => Object.entries(output.inputs));
  const sources = inputs.filter(([, { bytesInOutput }]) => bytesInOutput > 0).map(([path]) => path);
  return { code: escapeNonAscii(text), sources };
}

async function writeBundle(program: Program): Promise<void> {
  const { file, executable } = program;
  const started = performance.now();
  const { code } = await bundle(program);
  const path = join(folder, file);
  await writeFile(`${path}.new`, code);
  if (executable === true) await chmod(`${path}.new`, 0o755);
  await rename(`${path}.new`, path);
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stderr.write(`dist/${file}: ${Math.round(code.length / 1024)} KiB in ${seconds} s\n`);
}

/** A single character beyond ASCII, and V8 keeps the whole text with two bytes for each: esbuild leaves those in regular expressions. */
function escapeNonAscii(code: string): string {
  return code.replaceAll(/[\u0080-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

if (import.meta.main) {
  await mkdir(folder, { recursive: true });
  for (const program of programs) await writeBundle(program);
}
