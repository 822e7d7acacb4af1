import { annotations, sealingKeysSecret } from '../../api/v1/names.ts';
import type { KubeClient } from '../../kube/client.ts';
import { isAlreadyExists, isConflict } from '../../kube/errors.ts';
import { secrets } from '../../kube/resource.ts';
import { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { CliError } from '../context.ts';
import type { RestorePlan } from './backup.ts';
import { entryText, type KeyEntry, type KeySecret, nextEntryName, publicKeyOf, toBase64 } from './key-secret.ts';
import { keptLike } from './wrapping.ts';

/** Where the keys are, and how to write them. */
export interface KeyPlace {
  readonly client: KubeClient;
  readonly namespace: string;
  readonly signal: AbortSignal;
}

interface KeyChange {
  readonly data?: Readonly<Record<string, string | null>>;
  readonly annotations?: Readonly<Record<string, string | null>>;
}

const fieldManager = 'keyferry-cli';

/** Changes the Secret, unless somebody else did since it was read. @throws CliError */
export async function patchKeys(
  { client, namespace, signal }: KeyPlace,
  { metadata: { uid, resourceVersion } }: KeySecret,
  change: KeyChange,
): Promise<void> {
  const { data, annotations: notes } = change;
  const metadata = {
    name: sealingKeysSecret,
    namespace,
    uid,
    resourceVersion,
    ...(notes !== undefined && { annotations: notes }),
  };
  try {
    await client.mergePatch(secrets, { metadata, ...(data !== undefined && { data }) }, { signal, fieldManager });
  } catch (error) {
    if (!isConflict(error)) throw error;
    throw new CliError('somebody else has just changed the sealing keys: look at keyferry keys list and try again');
  }
}

/** Makes one more key, which new values are sealed to from then on. The old ones stay: they open what was sealed to them. */
export async function addKey(place: KeyPlace, secret: KeySecret): Promise<KeyEntry & { readonly key: SealingKey }> {
  const name = nextEntryName(secret.entries);
  const key = await SealingKey.generate();
  await patchKeys(place, secret, {
    data: await keptLike(place, secret, name, key),
    // A backup that lacks a key is none.
    annotations: { [annotations.currentKey]: name, [annotations.backedUp]: null },
  });
  return { name, key };
}

/** Makes the Secret with a first key, in place of one that is gone for good. @throws CliError where there is one */
export async function createKeys({ client, namespace, signal }: KeyPlace): Promise<SealingKey> {
  const name = nextEntryName([]);
  const key = await SealingKey.generate();
  const metadata = { name: sealingKeysSecret, namespace, annotations: { [annotations.currentKey]: name } };
  const body = { metadata, type: 'Opaque', data: { [name]: toBase64(entryText(key)) } };
  try {
    await client.create(secrets, body, { signal, fieldManager });
    return key;
  } catch (error) {
    if (!isAlreadyExists(error)) throw error;
    throw new CliError(
      `there is Secret ${namespace}/${sealingKeysSecret}: one more key is made by keyferry keys rotate`,
    );
  }
}

/** Does what a plan says. */
export async function restoreKeys(place: KeyPlace, existing: KeySecret | undefined, plan: RestorePlan): Promise<void> {
  const current = plan.current === undefined ? {} : { [annotations.currentKey]: plan.current };
  if (existing !== undefined) {
    const same = plan.added.length === 0 && plan.current === existing.current?.name;
    if (!same) await patchKeys(place, existing, { data: plan.data, annotations: current });
    return;
  }
  const { client, namespace, signal } = place;
  const metadata = { name: sealingKeysSecret, namespace, annotations: current };
  await client.create(secrets, { metadata, type: 'Opaque', data: plan.data }, { signal, fieldManager });
}

/** The entry that somebody means: `1`, `1.agekey` or its public key. @throws CliError */
export function entryOf({ entries }: KeySecret, word: string): KeyEntry {
  const found = entries.find(
    (entry) => entry.name === word || entry.name === `${word}.agekey` || publicKeyOf(entry) === word,
  );
  if (found !== undefined) return found;
  throw new CliError(`there is no key ${word}: there are ${entries.map(({ name }) => name).join(', ')}`);
}
