import type { SecretVersionSpec } from '../../api/v1/secret-version.ts';
import type { SealContext } from '../../managers/embedded/sealing/context.ts';
import { openSealed, seal } from '../../managers/embedded/sealing/envelope.ts';
import { SealError } from '../../managers/embedded/sealing/seal-error.ts';
import type { KeyRing, SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import type { SecretValue } from '../../managers/secret-value.ts';

/** One entry of `SecretVersion.spec.sealed`. */
export type SealedEntry = NonNullable<SecretVersionSpec['sealed']>[number];

/**
 * What an accepted version has sealed, with the entry of `acceptedKey` sealed anew to the key in use. Entries of other clusters' keys stay as they are;
 * so does the old one, until its key is given up: nothing is lost where this ends half-way. An entry for the key in use that is there already is taken if it
 * has the same value, for whoever sealed it may have sealed something else. Undefined where there is nothing to do: no key is in use, it is the accepted
 * one already, or nothing here opens the accepted one.
 * @throws SealError where the old entry is not what belongs at this place
 */
export async function resealVersion(
  { sealed = [] }: Pick<SecretVersionSpec, 'sealed'>,
  acceptedKey: string,
  ring: KeyRing,
  place: SealContext,
  maxValueBytes: number,
): Promise<{ readonly entry: SealedEntry; readonly sealed: readonly SealedEntry[] } | undefined> {
  const { current } = ring;
  const from = ring.find(acceptedKey);
  const old = sealed.find(({ key }) => key === acceptedKey);
  if (current === undefined || from === undefined || old === undefined) return undefined;
  if (current.publicKey === acceptedKey) return undefined;
  const value = await openSealed(old.data, from, place, maxValueBytes);
  const there = sealed.find(({ key }) => key === current.publicKey);
  if (there !== undefined && (await holds(there.data, value, current, place, maxValueBytes))) {
    return { entry: there, sealed };
  }
  const entry = { key: current.publicKey, data: await seal(value, place, current.publicKey) };
  return { entry, sealed: [...sealed.filter(({ key }) => key !== entry.key), entry] };
}

async function holds(
  data: string,
  value: SecretValue,
  key: SealingKey,
  place: SealContext,
  maxValueBytes: number,
): Promise<boolean> {
  try {
    return (await openSealed(data, key, place, maxValueBytes)).equals(value);
  } catch (error) {
    if (error instanceof SealError) return false;
    throw error;
  }
}
