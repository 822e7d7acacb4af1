import { globSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { version } from '../../src/version.ts';
import { runCommand } from '../cluster/command.ts';
import { readPage } from '../docs/pages.ts';

const root = join(import.meta.dirname, '..', '..');
const tools = join(root, 'node_modules');

/** What people get who install the package: nothing of it changes unnoticed. */
const shipped = [
  'README.md',
  'dist/index.mjs',
  'dist/keyferry.mjs',
  'dist/types/index.d.ts',
  'dist/types/managers/aws/keys.d.ts',
  'dist/types/managers/errors.d.ts',
  'dist/types/managers/manager.d.ts',
  'dist/types/managers/secret-value.d.ts',
  'dist/types/runtime/logger.d.ts',
  'package.json',
];

const useOfLibrary = `
import { awsManager, embeddedManager, keyferry, ManagerError, type SecretManager, SecretValue } from 'keyferry';

const keys = { accessKeyId: 'id', secretAccessKey: 'key' };
const manager: SecretManager = awsManager({ region: 'eu-west-1', credentials: keys, endpoint: 'http://127.0.0.1:1' });
const { secret } = keyferry(manager);
const size: number = SecretValue.fromString('correct horse').size;
const error = await secret('db.password').latest().access().catch((thrown: unknown) => thrown);
manager.close();
console.log(typeof embeddedManager, size, error instanceof ManagerError ? error.reason : error);
`;

let folder: string;

/** Without a cache and without a network: what is not in the tarball is not there. */
const npm = (args: readonly string[], cwd: string): Promise<string> =>
  runCommand('npm', args, { cwd, env: { npm_config_cache: join(folder, 'cache'), npm_config_offline: 'true' } });

/** Runs what was installed by the Node that the tests run on. */
function run(command: string, ...args: readonly string[]): Promise<string> {
  const env = { PATH: `${join(tools, '.bin')}:${process.env['PATH']}` };
  return runCommand(join(folder, 'app', 'node_modules', '.bin', command), args, { cwd: join(folder, 'app'), env });
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'keyferry-package-'));
  await npm(['pack', '--pack-destination', folder], root);
  const app = join(folder, 'app');
  await mkdir(app);
  await writeFile(join(app, 'package.json'), '{ "name": "app", "type": "module" }');
  await npm(['install', '--no-audit', '--no-fund', join(folder, `keyferry-${version}.tgz`)], app);
}, 300_000);
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('the npm package', () => {
  it('brings the command and the library with its types, and nothing else', async () => {
    const modules = join(folder, 'app', 'node_modules');
    const files = globSync('**', { cwd: join(modules, 'keyferry'), withFileTypes: true }).filter((at) => at.isFile());
    const paths = files.map(({ parentPath, name }) => join(parentPath, name).slice(`${modules}/keyferry/`.length));

    expect(paths.toSorted()).toEqual(shipped.toSorted());
    expect(await readdir(modules)).toEqual(['.bin', '.package-lock.json', 'keyferry']);
    expect((await readdir(join(modules, '.bin'))).toSorted()).toEqual(['keyferry', 'kubectl-keyferry']);
  });

  it('names no place of the machine that packed it', async () => {
    const texts = await Promise.all(
      shipped.map((path) => readFile(join(folder, 'app', 'node_modules', 'keyferry', path), 'utf8')),
    );
    expect(texts.filter((text) => text.includes(root))).toEqual([]);
  });

  it('has the command, also as a plugin of kubectl', async () => {
    expect(await run('keyferry', 'version')).toBe(`keyferry ${version}\n`);
    expect(await run('kubectl-keyferry', '--help')).toMatch(/^Usage: kubectl keyferry /);
  });

  it('has the library', async () => {
    await writeFile(join(folder, 'app', 'use.ts'), useOfLibrary);

    const printed = await runCommand(process.execPath, ['use.ts'], { cwd: join(folder, 'app') });

    expect(printed).toBe('function 13 ManagerUnavailable\n');
  });

  it.each([
    ['those of Node', { types: ['node'], typeRoots: [join(tools, '@types')], lib: ['es2024'] }],
    ['those of browsers', { types: [], lib: ['es2024', 'dom'] }],
  ])('has types that are whole beside %s', async (_, options) => {
    const app = join(folder, 'app');
    const documented = readPage('docs/embedded.md').blocks.filter(({ language }) => language === 'ts');
    expect(documented).toHaveLength(1);
    await writeFile(join(app, 'use.ts'), useOfLibrary);
    await writeFile(join(app, 'documented.ts'), documented.map(({ text }) => text).join(''));
    const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', skipLibCheck: false, ...options };
    await writeFile(
      join(app, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: ['use.ts', 'documented.ts'] }),
    );

    expect(await runCommand(join(tools, '.bin', 'tsc'), ['--project', app])).toBe('');
  });

  it('has types that tell what is wrong', async () => {
    const app = join(folder, 'app');
    const wrong = "import { keyferry } from 'keyferry';\nkeyferry('aws');\n";
    await writeFile(join(app, 'wrong.ts'), wrong);
    const compilerOptions = { strict: true, noEmit: true, module: 'nodenext', types: [], lib: ['es2024', 'dom'] };
    await writeFile(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['wrong.ts'] }));

    await expect(runCommand(join(tools, '.bin', 'tsc'), ['--project', app])).rejects.toThrow(/wrong\.ts\(2,10\)/);
  });
});
