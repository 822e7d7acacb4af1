import { z } from 'zod';
import { sealingKeysSecret } from '../../api/v1/names.ts';
import type { KubeClient } from '../../kube/client.ts';
import type { ObjectMeta } from '../../kube/object.ts';
import { secrets } from '../../kube/resource.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { wrappedSuffix, wrappedText } from '../../managers/embedded/sealing/wrapped-key.ts';
import { ManagerError } from '../../managers/errors.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { isKeyEntry } from './key-ring.ts';
import type { EntryOpener, KeyWrapper } from './wrapped-entries.ts';

export interface WrapScope {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly wrapper: KeyWrapper;
  readonly opener: EntryOpener;
}

const dataSchema = z.record(z.string(), z.string()).default({});
const fieldManager = 'keyferry';
/** What kubectl applied last, with the keys in it, where somebody brought them back by it. */
const applied = 'kubectl.kubernetes.io/last-applied-configuration';

/** Whether an entry has a key that is not wrapped. */
export function isPlainEntry(name: string): boolean {
  return name.endsWith('.agekey') && isKeyEntry(name);
}

/**
 * Wraps the keys that are kept as they are. The wrapped ones are written first; the others are taken away by a second write, after the wrapped ones were seen to
 * open to the same keys: wherever this ends half-way, every key is there, and the next time goes on. Resolves to the entries that were wrapped.
 * @throws ManagerError, KubeError
 */
export async function wrapPlain(scope: WrapScope, signal: AbortSignal): Promise<readonly string[]> {
  const { client, namespace } = scope;
  const found = await client.get(secrets, { namespace, name: sealingKeysSecret }, { signal });
  const data = dataSchema.parse(found['data']);
  const plain = await plainKeys(data);
  const missing = [...plain].filter(([name]) => data[name + wrappedSuffix] === undefined);
  const added: Record<string, string> = {};
  for (const [name, key] of missing) {
    added[name + wrappedSuffix] = base64(wrappedText(await scope.wrapper.wrap(key, signal)));
  }
  const both = { ...data, ...added };
  for (const [name, key] of plain) await checkOpens(scope, name, key, both[name + wrappedSuffix] ?? '');
  if (plain.size === 0) return [];
  const { metadata } = missing.length === 0 ? found : await patch(scope, found.metadata, { data: added }, signal);
  const gone = Object.fromEntries([...plain.keys()].map((name) => [name, null]));
  await patch(scope, metadata, { data: gone, annotations: { [applied]: null } }, signal);
  return [...plain.keys()];
}

async function plainKeys(data: Readonly<Record<string, string>>): Promise<ReadonlyMap<string, SealingKey>> {
  const keys = new Map<string, SealingKey>();
  for (const [name, text] of Object.entries(data)) {
    const key = isPlainEntry(name) ? await SealingKey.parse(Buffer.from(text, 'base64').toString()) : undefined;
    // What is no key stays for a person to see.
    if (key !== undefined) keys.set(name, key);
  }
  return keys;
}

async function checkOpens({ opener }: WrapScope, name: string, key: SealingKey, wrapped: string): Promise<void> {
  const opened = await opener.key(SecretValue.fromBytes(Buffer.from(wrapped, 'base64')));
  if (opened.publicKey === key.publicKey) return;
  const text = `${name} and ${name}${wrappedSuffix} are two different keys, so nothing is taken away: give one of them another name`;
  throw new ManagerError('InvalidValue', text);
}

interface Change {
  readonly data: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, null>>;
}

/** Unless somebody else has changed it since. */
function patch(
  { client, namespace }: WrapScope,
  { uid, resourceVersion }: ObjectMeta,
  { data, annotations }: Change,
  signal: AbortSignal,
) {
  const metadata = { name: sealingKeysSecret, namespace, uid, resourceVersion, ...(annotations && { annotations }) };
  return client.mergePatch(secrets, { metadata, data }, { signal, fieldManager });
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
