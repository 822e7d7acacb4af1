import type { DataFromEntry } from '../../api/v1/secret-reference.ts';
import { managerKey, managerLabel } from '../manager-key.ts';
import { keyName } from './content/key-name.ts';
import { extractAll, extractProperty } from './content/property.ts';
import { definite } from './failure.ts';
import type { Reader } from './reader.ts';
import type { Reference } from './reference.ts';
import { chain, guarded, keepPinned, MAX_KEYS, originOf, type Resolution, resolved } from './resolution.ts';
import { selectorOf, selectorText } from './selection.ts';

type Extract = NonNullable<DataFromEntry['extract']>;
type Find = NonNullable<DataFromEntry['find']>;
type Versions = NonNullable<DataFromEntry['versions']>;

interface From {
  readonly reference: Reference;
  readonly manager: string;
  readonly style: NonNullable<DataFromEntry['keys']>;
  /** Where it stands in the spec: `dataFrom[0]`. */
  readonly where: string;
  readonly reader: Reader;
}

/** Resolves one entry of `dataFrom` to the keys that it brings. */
export function resolveFrom(reference: Reference, entry: DataFromEntry, where: string, reader: Reader): Resolution {
  const manager = managerKey(entry.managerRef ?? reference.spec.managerRef, reference.metadata.namespace);
  const from: From = { reference, manager, style: entry.keys ?? { style: 'AsIs' }, where, reader };
  if (entry.extract !== undefined) return resolveExtract(from, entry.extract);
  if (entry.find !== undefined) return resolveFind(from, entry.find);
  if (entry.versions !== undefined) return resolveVersions(from, entry.versions);
  return resolved([]);
}

function resolveExtract(from: From, extract: Extract): Resolution {
  const selector = selectorOf(extract);
  const what = `${from.where}, secret ${extract.secret}`;
  const resolution = guarded(what, from.manager, () =>
    chain(from.reader.value(from.manager, extract.secret, selector, what), (version) => {
      const origin = originOf(from.manager, extract.secret, selectorText(selector), version);
      const object = extract.property === undefined ? version.value : extractProperty(version.value, extract.property);
      const keys = [...extractAll(object, from.style)].map(([key, value]) => ({ key, value, origin, listable: false }));
      return resolved(keys);
    }),
  );
  return keepPinned(from.reference, resolution, what);
}

function resolveFind(from: From, find: Find): Resolution {
  const query = { prefix: find.prefix ?? '', tags: new Map(Object.entries(find.tags ?? {})) };
  // What the target holds now leaves only after a direct look at that name: a listing may lag.
  const held = (from.reference.status.versions ?? [])
    .filter((version) => version.manager === managerLabel(from.manager))
    .map((version) => version.secret);
  const answer = from.reader.find(from.manager, query, [...new Set(held)], `${from.where}, find`);
  return chain(answer, (names) => {
    if (names.length <= MAX_KEYS) return joined(names.map((name) => resolveFound(from, name, held.includes(name))));
    // Before any value is read: what somebody else's account holds must not fill the operator's memory.
    const message = `${from.where}, find: ${names.length} secrets are more than the ${MAX_KEYS} keys that one Secret may have: narrow prefix or tags`;
    return { state: 'failed', failure: definite('LimitExceeded', message) };
  });
}

function resolveFound({ manager, style, where, reader }: From, secret: string, held: boolean): Resolution {
  const what = `${where}, secret ${secret}`;
  return guarded(what, manager, () => {
    const answer = reader.value(manager, secret, { kind: 'latest' }, what);
    // Created, and nothing put yet: it becomes a key with its first version, and until then holds up no other.
    if (!held && answer.state === 'failed' && answer.failure.reason === 'NoVersion') return resolved([]);
    const key = keyName(style, secret, (name) => reader.folded(manager, name));
    return chain(answer, (version) =>
      resolved([{ key, value: version.value, origin: originOf(manager, secret, 'latest', version), listable: true }]),
    );
  });
}

function resolveVersions(from: From, versions: Versions): Resolution {
  const what = `${from.where}, secret ${versions.secret}`;
  return chain(from.reader.versions(from.manager, versions.secret, what), (summaries) =>
    joined(summaries.slice(0, versions.last).map(({ version }) => resolveVersion(from, versions.secret, version))),
  );
}

function resolveVersion(from: From, secret: string, id: string): Resolution {
  const selector = { kind: 'version', version: id } as const;
  const what = `${from.where}, secret ${secret}, version ${id}`;
  return guarded(what, from.manager, () => {
    const key = keyName(from.style, id);
    return chain(from.reader.value(from.manager, secret, selector, what), (version) =>
      resolved([
        {
          key,
          value: version.value,
          origin: originOf(from.manager, secret, selectorText(selector), version),
          listable: true,
        },
      ]),
    );
  });
}

/** All or nothing: the first failure that is definite, else pending, else a failure that is not, else all keys. */
function joined(parts: readonly Resolution[]): Resolution {
  const failed = parts.filter((part) => part.state === 'failed');
  const refused = failed.find((part) => !part.failure.transient);
  if (refused !== undefined) return refused;
  const pending = parts.find((part) => part.state === 'pending');
  return pending ?? failed[0] ?? resolved(parts.flatMap((part) => (part.state === 'resolved' ? part.keys : [])));
}
