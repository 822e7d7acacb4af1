import type { SealingKey } from '../../managers/embedded/sealing/sealing-key.ts';
import { parseWrapped, type WrappedKey, wrappedSuffix } from '../../managers/embedded/sealing/wrapped-key.ts';
import { ManagerError } from '../../managers/errors.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import type { KeyEntries } from './key-ring.ts';

/** Wraps and unwraps the sealing keys of one cluster. Both reject with `ManagerError`; `InvalidValue` is for good. */
export interface KeyWrapper {
  wrap(key: SealingKey, signal: AbortSignal): Promise<WrappedKey>;
  unwrap(wrapped: WrappedKey): Promise<SealingKey>;
}

/** The entries with their keys as if they were kept as they are. */
export interface OpenedEntries {
  readonly entries: KeyEntries;
  /** Why some are not opened: they are empty now. */
  readonly closed: string | undefined;
  /** Whether to try again later. */
  readonly again: boolean;
}

/** Opens what is wrapped. */
export interface EntryOpener {
  open(entries: KeyEntries): Promise<OpenedEntries>;
  /** The key of one wrapped entry. @throws ManagerError */
  key(value: SecretValue): Promise<SealingKey>;
}

const notToldTo = 'it is wrapped by AWS KMS, and the operator runs without --sealing-keys-kms-key-id';

/** Each key is unwrapped once, and kept in memory from then on: AWS KMS may be away. Without a wrapper nothing that is wrapped opens. */
export function createEntryOpener(wrapper: KeyWrapper | undefined): EntryOpener {
  let known = new Map<string, Promise<SealingKey>>();

  const key: EntryOpener['key'] = (value) => {
    const text = textOf(value);
    const opened = known.get(text) ?? unwrapped(text, wrapper);
    known.set(text, opened);
    opened.catch((error: unknown) => {
      if (isFinal(error)) return;
      if (known.get(text) === opened) known.delete(text);
    });
    return opened;
  };

  return {
    key,
    open: async (entries) => {
      const wrapped = [...entries.data].filter(([name]) => name.endsWith(wrappedSuffix));
      // What is there no more is forgotten.
      const texts = new Set(wrapped.map(([, value]) => textOf(value)));
      known = new Map([...known].filter(([text]) => texts.has(text)));
      const data = new Map([...entries.data].filter(([name]) => !name.endsWith(wrappedSuffix)));
      const failures: { readonly name: string; readonly error: unknown }[] = [];
      for (const [wrappedName, value] of wrapped) {
        const name = wrappedName.slice(0, -wrappedSuffix.length);
        // While a key is being wrapped, it is there in both ways.
        if (data.has(name)) continue;
        try {
          data.set(name, SecretValue.fromString((await key(value)).reveal()));
        } catch (error) {
          failures.push({ name, error });
          data.set(name, SecretValue.fromBytes(new Uint8Array()));
        }
      }
      const closed =
        failures.length === 0 ? undefined : failures.map(({ name, error }) => `${name}: ${wordsOf(error)}`);
      return {
        entries: { ...entries, data },
        closed: closed?.join('; '),
        again: failures.some(({ error }) => !isFinal(error)),
      };
    },
  };
}

async function unwrapped(text: string, wrapper: KeyWrapper | undefined): Promise<SealingKey> {
  if (wrapper === undefined) throw new ManagerError('InvalidValue', notToldTo);
  const wrapped = parseWrapped(text);
  if (wrapped === undefined) throw new ManagerError('InvalidValue', 'it is not a wrapped key');
  try {
    return await wrapper.unwrap(wrapped);
  } catch (error) {
    if (!(error instanceof ManagerError)) throw error;
    throw new ManagerError(error.reason, `${error.message}. It was wrapped by ${wrapped.kmsKey}`);
  }
}

function isFinal(error: unknown): boolean {
  return error instanceof ManagerError && error.reason === 'InvalidValue';
}

function wordsOf(error: unknown): string {
  return error instanceof ManagerError ? error.message : 'it could not be unwrapped';
}

function textOf(value: SecretValue): string {
  try {
    return value.asString();
  } catch {
    return '';
  }
}
