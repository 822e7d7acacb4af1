import type { DataEntry } from '../../api/v1/secret-reference.ts';
import { SecretValue } from '../../managers/secret-value.ts';
import { managerKey } from '../manager-key.ts';
import { decodeBase64, extractProperty } from './content/property.ts';
import { definite, type Failure } from './failure.ts';
import type { Reader } from './reader.ts';
import type { Reference } from './reference.ts';
import {
  chain,
  guarded,
  keepPinned,
  MAX_KEYS,
  originOf,
  type Resolution,
  type ResolvedKey,
  resolved,
} from './resolution.ts';
import { resolveFrom } from './resolve-from.ts';
import { selectorOf, selectorText } from './selection.ts';

/** Resolves every key of the reference from what is known now. All or nothing: one key that can't be had fails the whole. */
export function resolveReference(reference: Reference, reader: Reader): Resolution {
  const { spec, metadata } = reference;
  const parts = [
    ...Object.entries(spec.data ?? {}).map(([key, entry]) => resolveEntry(reference, key, entry, reader)),
    ...(spec.dataFrom ?? []).map((entry, index) => resolveFrom(reference, entry, `dataFrom[${index}]`, reader)),
  ];
  const failure = worstFailure(parts);
  if (failure !== undefined) return { state: 'failed', failure };
  if (parts.some((part) => part.state === 'pending')) return { state: 'pending' };
  const keys = parts.flatMap((part) => (part.state === 'resolved' ? part.keys : []));
  return keys.length === 0 && findsOnly(reference) ? foundNothing(metadata.namespace) : distinctKeys(keys);
}

function findsOnly({ spec }: Reference): boolean {
  return Object.keys(spec.data ?? {}).length === 0 && (spec.dataFrom ?? []).every((entry) => entry.find !== undefined);
}

/** A Secret without any key serves nobody: more likely a slip in the prefix, or a rule that is missing. The message is the same for both. */
function foundNothing(namespace: string): Resolution {
  const message = `find finds no secret that namespace ${namespace} may read: correct prefix and tags, create the secret, or ask for an access rule`;
  return { state: 'failed', failure: definite('SecretNotFound', message) };
}

/** A definite refusal is told before what is only not known yet; the first in the order of the spec, with the number of the others. */
function worstFailure(parts: readonly Resolution[]): Failure | undefined {
  const failures = parts.flatMap((part) => (part.state === 'failed' ? [part.failure] : []));
  const refusals = failures.filter((failure) => !failure.transient);
  const pending = parts.some((part) => part.state === 'pending');
  const first = refusals[0] ?? (pending ? undefined : failures[0]);
  if (first === undefined) return undefined;
  const others = (first.transient ? failures : refusals).length - 1;
  return others === 0 ? first : { ...first, message: `${first.message} (and ${others} more)` };
}

function distinctKeys(keys: readonly ResolvedKey[]): Resolution {
  const seen = new Map<string, ResolvedKey>();
  for (const item of keys) {
    const other = seen.get(item.key);
    if (other !== undefined) {
      const name = item.listable || other.listable ? `key ${item.key}` : 'one key';
      const message = `${name} comes from two places: ${originText(other)} and ${originText(item)}; rename one, or use keys`;
      return { state: 'failed', failure: definite('InvalidValue', message) };
    }
    seen.set(item.key, item);
  }
  if (seen.size > MAX_KEYS) {
    const message = `${seen.size} keys are more than the ${MAX_KEYS} that one Secret may have: narrow find, or split the reference`;
    return { state: 'failed', failure: definite('LimitExceeded', message) };
  }
  return { state: 'resolved', keys: [...seen.values()] };
}

function originText(item: ResolvedKey): string {
  return item.origin === undefined ? 'a default' : `secret ${item.origin.secret} (${item.origin.requested})`;
}

const MISSING: ReadonlySet<string> = new Set(['SecretNotFound', 'NoVersion', 'VersionNotFound', 'PropertyNotFound']);

function resolveEntry(reference: Reference, key: string, entry: DataEntry, reader: Reader): Resolution {
  const manager = managerKey(entry.managerRef ?? reference.spec.managerRef, reference.metadata.namespace);
  const selector = selectorOf(entry);
  const what = `key ${key}, secret ${entry.secret}`;
  const resolution = guarded(what, manager, () => {
    const answer = reader.value(manager, entry.secret, selector, what);
    return chain(answer, (version) => {
      const origin = originOf(manager, entry.secret, selectorText(selector), version);
      return resolved([{ key, value: pick(version.value, entry), origin, listable: true }]);
    });
  });
  const mayMiss = resolution.state === 'failed' && entry.optional === true && MISSING.has(resolution.failure.reason);
  if (!mayMiss) return keepPinned(reference, resolution, what);
  // An optional key without a default stays out of the Secret.
  if (entry.default === undefined) return resolved([]);
  return resolved([{ key, value: SecretValue.fromString(entry.default), origin: undefined, listable: true }]);
}

function pick(value: SecretValue, entry: DataEntry): SecretValue {
  const part = entry.property === undefined ? value : extractProperty(value, entry.property);
  return entry.decode === 'base64' ? decodeBase64(part) : part;
}
