import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { CliError } from './context.ts';
import { publicKeyForm } from './seal/public-keys.ts';

const FILE = 'known-keys.json';

const fileSchema = z.object({
  v: z.literal(1),
  /** By the uid of the cluster. */
  clusters: z.record(
    z.string(),
    z.object({
      fingerprint: z.string(),
      /** Address of the API server at which the key was first seen. */
      server: z.string(),
      since: z.string(),
    }),
  ),
});
type KnownKeys = z.infer<typeof fileSchema>;

/** A key that a cluster publishes. */
export interface PublishedKey {
  /** uid of the cluster. */
  readonly cluster: string;
  readonly server: string;
  readonly publicKey: string;
}

/** How a public key is told to people: `SHA256:` and 43 characters, as ssh does. */
export function fingerprintOf(publicKey: string): string {
  return `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;
}

const fingerprintForm = /^SHA256:[A-Za-z0-9+/]{43}=?$/;

/** What an administrator says of a key: its fingerprint or the public key itself, which is shown beside it. @throws CliError for what is neither */
export function checkFingerprintForm(text: string): void {
  if (fingerprintForm.test(text) || publicKeyForm.test(text)) return;
  throw new CliError(
    '--fingerprint takes SHA256: and 43 more characters, or the public key, age1 and 58 more: what was given is neither, so it was compared with nothing. Both stand in keyferry keys list',
    2,
  );
}

/** Whether what an administrator said is of this key. */
export function isFingerprintOf(text: string, publicKey: string): boolean {
  return text === publicKey || text.replace(/=$/, '') === fingerprintOf(publicKey);
}

/**
 * Compares a cluster's key with what this computer remembers, and remembers it the first time.
 * @throws CliError where the cluster has another key, or another cluster answers at the same address: whoever has changed it could read what is put
 */
export async function checkKnownKey(folder: string, key: PublishedKey, now: number): Promise<void> {
  const known = await readKnownKeys(folder);
  const before = known.clusters[key.cluster];
  const fingerprint = fingerprintOf(key.publicKey);
  if (before?.fingerprint === fingerprint) return;
  const trust = 'If your administrators confirm it, accept it: keyferry keys trust';
  if (before !== undefined) {
    throw new CliError(
      `the cluster's sealing key has changed from ${before.fingerprint} to ${fingerprint}, so nothing was put: whoever holds the new key reads what is sealed to it. ${trust}`,
    );
  }
  const there = Object.values(known.clusters).find(({ server }) => server === key.server);
  if (there !== undefined) {
    throw new CliError(
      `another cluster with another sealing key, ${fingerprint}, answers at ${key.server}, so nothing was put. ${trust}`,
    );
  }
  await remember(folder, known, key, now);
}

/** Remembers a cluster's key, whatever was known before. */
export async function trustKey(folder: string, key: PublishedKey, now: number): Promise<void> {
  const known = await readKnownKeys(folder);
  const others = Object.entries(known.clusters).filter(([, { server }]) => server !== key.server);
  await remember(folder, { ...known, clusters: Object.fromEntries(others) }, key, now);
}

async function remember(folder: string, known: KnownKeys, key: PublishedKey, now: number): Promise<void> {
  const entry = { fingerprint: fingerprintOf(key.publicKey), server: key.server, since: new Date(now).toISOString() };
  const next: KnownKeys = { v: 1, clusters: { ...known.clusters, [key.cluster]: entry } };
  const path = join(folder, FILE);
  const draft = `${path}.${randomUUID()}`;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(draft, `${JSON.stringify(next, null, 2)}\n`, { mode: 0o600 });
    await rename(draft, path);
  } catch (error) {
    throw new CliError(`cannot write ${path} (${codeOf(error)}): the cluster's sealing key is remembered there`);
  }
}

async function readKnownKeys(folder: string): Promise<KnownKeys> {
  const path = join(folder, FILE);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return { v: 1, clusters: {} };
    throw new CliError(`cannot read ${path} (${codeOf(error)}): the cluster's sealing key is remembered there`);
  }
  const known = fileSchema.safeParse(jsonOf(text)).data;
  if (known === undefined) {
    throw new CliError(`${path} is damaged: move it away, and check the key by keyferry keys before you put anything`);
  }
  return known;
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'it failed';
}
