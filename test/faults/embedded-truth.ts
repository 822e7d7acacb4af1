import { z } from 'zod';
import type { SealContext } from '../../src/managers/embedded/sealing/context.ts';
import { openSealed } from '../../src/managers/embedded/sealing/envelope.ts';
import type { SealingKey } from '../../src/managers/embedded/sealing/sealing-key.ts';
import type { BackendChange, EmbeddedHistory, EmbeddedPut, ObjectVersion } from './history.ts';
import { acceptedOf, sealedOf } from './oracles/embedded-reading.ts';

const MAX_BYTES = 524_288;

/** Opens everything that was ever sealed, by all keys that there ever were: what it holds then is known without the operator. */
export async function openAll(
  objects: readonly ObjectVersion[],
  keys: readonly SealingKey[],
  namespace: string,
  cluster: string,
): Promise<EmbeddedHistory['opened']> {
  const opened = new Map<string, string | undefined>();
  for (const object of objects) {
    if (object.kind !== 'SecretVersion') continue;
    const { secret, version, sealed } = sealedOf(object);
    const owners = objects.filter(({ kind, name }) => kind === 'VersionedSecret' && name === secret);
    for (const { key: publicKey, data } of sealed) {
      if (opened.has(data)) continue;
      const key = keys.find((each) => each.publicKey === publicKey);
      const uids = [...new Set(owners.map(({ uid }) => uid))];
      const places = uids.map((uid) => ({ cluster, namespace, secret, uid, version, type: '' }));
      opened.set(data, key === undefined ? undefined : await openAt(data, key, places));
    }
  }
  return opened;
}

async function openAt(data: string, key: SealingKey, places: readonly SealContext[]): Promise<string | undefined> {
  for (const place of places) {
    const value = await openSealed(data, key, place, MAX_BYTES).catch(() => undefined);
    if (value !== undefined) return value.asString();
  }
  return undefined;
}

/** What there was to be had, as of a backend: the versions that were accepted, by what they hold; those too that nobody was told of. */
export function changesOf(
  objects: readonly ObjectVersion[],
  puts: readonly EmbeddedPut[],
  opened: EmbeddedHistory['opened'],
): readonly BackendChange[] {
  const accepted = [...acceptedOf(objects).values()].toSorted((a, b) => a.version - b.version);
  return accepted.flatMap(({ secret, version, uid }) => {
    const object = objects.find((each) => each.kind === 'SecretVersion' && each.uid === uid);
    if (object === undefined) return [];
    const value = valueOf(objects, uid, opened);
    const from = fromSchema.parse(object.object).spec.from?.version;
    const put = puts.find((each) => each.secret === secret && each.value === value && each.from === from);
    if (value === undefined || put === undefined) return [];
    return [{ kind: 'put' as const, secret, version: String(version), value, at: put.at }];
  });
}

const fromSchema = z.object({ spec: z.object({ from: z.object({ version: z.int() }).optional() }) });

/** What an object held first: that it never holds anything else is another question. */
function valueOf(
  objects: readonly ObjectVersion[],
  uid: string,
  opened: EmbeddedHistory['opened'],
): string | undefined {
  const sealed = objects.filter((each) => each.uid === uid).flatMap((each) => sealedOf(each).sealed);
  return sealed.map(({ data }) => opened.get(data)).find((value) => value !== undefined);
}
