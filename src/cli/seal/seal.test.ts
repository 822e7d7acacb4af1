import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { z } from 'zod';
import { secretVersionSpecSchema } from '../../api/v1/secret-version.ts';
import { openSealed } from '../../managers/embedded/sealing/envelope.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { sealCommand } from '../commands/seal.ts';
import { fakeContext } from '../testing/fake-context.ts';
import { findInFile, withDocument } from './manifest-file.ts';
import { readPublicKeys } from './public-keys.ts';

let key: SealingKey;
let other: SealingKey;
let folder: string;
let file: string;

beforeAll(async () => {
  [key, other] = await Promise.all([SealingKey.generate(), SealingKey.generate()]);
});
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'seal-'));
  file = join(folder, 'api-key.yaml');
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Runs `keyferry seal` with a value on standard input, and gives what it prints. */
async function seal(value: string, ...args: readonly string[]): Promise<string> {
  const context = fakeContext({ stdin: value });
  const program = new Command('keyferry').option('-n, --namespace <name>').addCommand(sealCommand(context));
  await program.parseAsync(['seal', ...args], { from: 'user' });
  return context.outputs.join('');
}

const objectSchema = z.object({
  kind: z.string(),
  metadata: z.object({ name: z.string(), namespace: z.string().optional() }),
  spec: z.looseObject({}),
});

function objectsIn(text: string) {
  return parseAllDocuments(text).map((document) => objectSchema.parse(document.toJS()));
}

function place(version: number, type = '') {
  return { cluster: '', uid: '', namespace: 'shop', secret: 'api.key', version, type };
}

describe('keyferry seal', () => {
  it('prints a portable secret and its first version, which each of the keys opens in that place', async () => {
    const printed = await seal('first', 'API.key', '-n', 'shop', '--key', key.publicKey, '--key', other.publicKey);
    const [secret, version] = objectsIn(printed);
    expect(secret).toEqual({
      kind: 'VersionedSecret',
      metadata: { name: 'api.key', namespace: 'shop' },
      spec: { name: 'API.key', sealing: 'Portable' },
    });
    expect(version?.metadata).toEqual({ name: 'api.key-1', namespace: 'shop' });
    const { sealed = [] } = secretVersionSpecSchema.parse(version?.spec);
    const opened = await Promise.all(
      [key, other].map((one, index) => openSealed(sealed[index]?.data ?? '', one, place(1), 100)),
    );
    expect(opened.map((value) => value.asString())).toEqual(['first', 'first']);
  });

  it('adds the next version to a file, and keeps all else byte for byte', async () => {
    const before = `# mine\r\nkind: ConfigMap\n---\n${await seal('first', 'api.key', '-n', 'shop', '--key', key.publicKey)}# end`;
    await writeFile(file, before, { mode: 0o640 });
    await seal('second', 'api.key', '--append', file);
    const after = await readFile(file, 'utf8');
    expect(after.startsWith(`${before}\n---\n`)).toBe(true);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    const last = objectsIn(after.slice(before.length + 5)).at(-1);
    expect(last?.metadata).toEqual({ name: 'api.key-2', namespace: 'shop' });
    const { sealed = [] } = secretVersionSpecSchema.parse(last?.spec);
    expect((await openSealed(sealed[0]?.data ?? '', key, place(2), 100)).asString()).toBe('second');
  });

  it('names no namespace in a file that names none, but binds the value to the given one', async () => {
    const printed = await seal('first', 'api.key', '-n', 'shop', '--key', key.publicKey);
    await writeFile(file, printed.replaceAll('  namespace: shop\n', ''));
    await expect(seal('second', 'api.key', '--append', file)).rejects.toThrow('give it by -n');
    await seal('second', 'api.key', '--append', file, '-n', 'shop');
    const last = objectsIn(await readFile(file, 'utf8')).at(-1);
    expect(last?.metadata).toEqual({ name: 'api.key-2' });
  });

  it('adds a version to the keys of the one before, and says to which before the value is asked for', async () => {
    await writeFile(file, await seal('first', 'api.key', '-n', 'shop', '--key', key.publicKey));
    const context = fakeContext({ stdin: 'second' });
    const asked = { ...context.io, readAll: () => Promise.reject(new Error(context.notes.join('\n'))) };
    const program = new Command('keyferry').addCommand(sealCommand({ ...context, io: asked }));
    const run = program.parseAsync(['seal', 'api.key', '--append', file], { from: 'user' });
    await expect(run).rejects.toThrow(`sealed to the keys of version 1: ${key.publicKey}`);
  });

  it('takes no key from a version that has another than those before it: who can change the file would read what comes', async () => {
    const first = await seal('first', 'api.key', '-n', 'shop', '--key', key.publicKey);
    await writeFile(file, first);
    await seal('second', 'api.key', '--append', file, '--key', key.publicKey, '--key', other.publicKey);
    await expect(seal('third', 'api.key', '--append', file)).rejects.toThrow(other.publicKey);
    await seal('third', 'api.key', '--append', file, '--key', key.publicKey, '--key', other.publicKey);
  });

  it.each([
    ['no namespace', 'value', ['--key', 'KEY'], 'name the namespace'],
    ['no key', 'value', ['-n', 'shop'], 'public key of each cluster'],
    ['no value', '', ['-n', 'shop', '--key', 'KEY'], 'empty'],
    ['a value that is not of its type', '{}', ['-n', 'shop', '--key', 'KEY', '--type', 'basic-auth'], 'not of type'],
  ])('with %s is refused', async (_what, value, args, says) => {
    const given = args.map((arg) => (arg === 'KEY' ? key.publicKey : arg));
    await expect(seal(value, 'api.key', ...given)).rejects.toThrow(says);
  });

  it('gives no number twice, and does not take another namespace or type than the file has', async () => {
    await writeFile(file, await seal('first', 'api.key', '-n', 'shop', '--version', '4', '--key', key.publicKey));
    await expect(seal('v', 'api.key', '--append', file, '--version', '4')).rejects.toThrow('numbers only go up');
    await expect(seal('v', 'api.key', '--append', file, '-n', 'cart')).rejects.toThrow('is shop, not cart');
    await expect(seal('v', 'api.key', '--append', file, '--type', 'tls')).rejects.toThrow('has no type');
    await expect(seal('v', 'other', '--append', file)).rejects.toThrow('no VersionedSecret other');
    await expect(seal('v', 'api.key', '--append', join(folder, 'no.yaml'))).rejects.toThrow('can not be read');
  });
});

describe('a file of manifests', () => {
  it.each([
    ['that is no YAML', 'a: [CANARY', 'not valid YAML'],
    [
      'whose secret is bound to one object',
      'apiVersion: keyferry.io/v1\nkind: VersionedSecret\nmetadata: {name: a}',
      'sealing: Portable',
    ],
  ])('%s takes no version', (_what, text, says) => {
    expect(() => findInFile(text, 'a', 'file')).toThrow(says);
    expect(() => findInFile(text, 'a', 'file')).not.toThrow('CANARY');
  });

  it('takes one after a block that would swallow no separator', () => {
    const text = 'kind: ConfigMap\ndata:\n  a: |+\n    text\n\n';
    expect(withDocument(text, 'kind: Other\n', 'file')).toBe(`${text}---\nkind: Other\n`);
  });
});

describe('public keys', () => {
  it('are read from options and files, each once, without comments', async () => {
    const keys = join(folder, 'keys');
    await writeFile(keys, `# ours\n${key.publicKey}\n\n${other.publicKey}\n`);
    expect(await readPublicKeys([key.publicKey], [keys])).toEqual([key.publicKey, other.publicKey]);
  });

  it('are not the private half, which is not repeated', async () => {
    const error = await readPublicKeys([key.reveal()], []).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain('private half');
    expect(String(error)).not.toContain(key.reveal());
  });

  it('are not what stands in the wrong file, which is not repeated', async () => {
    await writeFile(file, `# ours\n${key.publicKey}\ncorrect horse battery`);
    const error = await readPublicKeys([], [file]).catch((thrown: unknown) => thrown);
    expect(String(error)).toContain(`line 3 of ${file} is no public key`);
    expect(String(error)).not.toContain('horse');
  });

  it('with a slip are refused', async () => {
    const slip = `${key.publicKey.slice(0, -1)}${key.publicKey.endsWith('q') ? 'p' : 'q'}`;
    await expect(seal('v', 'a', '-n', 'shop', '--key', slip)).rejects.toThrow('one of its characters is wrong');
    await expect(readPublicKeys(['age1short'], [])).rejects.toThrow('no public key');
  });
});
