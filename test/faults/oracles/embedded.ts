import { createHash } from 'node:crypto';
import type { EmbeddedHistory, History, ObjectVersion, Violation } from '../history.ts';
import { type Accepted, acceptedOf, accountOf, isToldAccepted, sealedOf } from './embedded-reading.ts';
import { nameOf, toRecipe, versionsOf } from './reading.ts';

/** S11: what a person was told to be accepted is kept, under its number, for as long as the history reaches; no number has two values; latest only goes up. */
export function nothingIsLost(history: History): readonly Violation[] {
  const { embedded } = history;
  if (embedded === undefined) return [];
  const accepted = [...acceptedOf(history.objects).values()];
  return [
    ...embedded.refusals,
    ...wrongAnswers(history, embedded, accepted),
    ...forgotten(history, embedded, accepted),
    ...unpinned(history),
    ...otherBytes(history, embedded, accepted),
    ...backwards(history),
    ...wrongRollbacks(history, embedded, accepted),
    ...unwritten(history),
    ...closed(history),
  ].map((what) => ({ law: 'S11', what }));
}

/** Who is told a number has put what stands under it. */
function wrongAnswers(history: History, embedded: EmbeddedHistory, accepted: readonly Accepted[]): readonly string[] {
  return embedded.puts.flatMap(({ secret, version, value }) => {
    if (version === undefined) return [];
    const found = accepted.filter((each) => each.secret === secret && each.version === version);
    if (found.length === 0) return [`version ${version} of ${secret} was said to be accepted, and never was`];
    const holds = found.some(({ uid }) => valuesOf(history, embedded, uid).includes(value));
    return holds ? [] : [`version ${version} of ${secret} does not hold what was put as that`];
  });
}

/** A secret never forgets a version, unless enough newer ones are kept. */
function forgotten(history: History, { kept }: EmbeddedHistory, accepted: readonly Accepted[]): readonly string[] {
  return versionsOf(history, 'VersionedSecret').flatMap((secret) => {
    const numbers = accountOf(secret).versions.map(({ version }) => version);
    const expected = accepted.filter((each) => each.secret === secret.name && each.revision < secret.revision);
    return expected
      .filter(({ version }) => !numbers.includes(version) && numbers.filter((other) => other > version).length < kept)
      .map(({ version }) => `${nameOf(secret)} does not have version ${version} any more`);
  });
}

/** A version that a reference pins never falls out of the history. */
function unpinned(history: History): readonly string[] {
  const gone = history.objects.filter(({ kind, type }) => kind === 'SecretVersion' && type === 'DELETED');
  return gone.flatMap((object) =>
    pinnedBy(history, object).map((name) => `${titleOf(sealedOf(object))} was deleted, which reference ${name} pins`),
  );
}

function titleOf({ secret, version }: { readonly secret: string; readonly version: number }): string {
  return `version ${version} of ${secret}`;
}

function pinnedBy(history: History, object: ObjectVersion): readonly string[] {
  const { secret, version } = sealedOf(object);
  const references = Map.groupBy(
    history.objects.filter((each) => each.kind === 'SecretReference' && each.revision < object.revision),
    ({ uid }) => uid,
  );
  const last = [...references.values()].flatMap((versions) => versions.at(-1) ?? []);
  const living = last.filter(({ type }) => type !== 'DELETED');
  const pinning = living.filter((each) =>
    toRecipe(each).keys.some((key) => key.secret === secret && key.version === String(version)),
  );
  return pinning.map(({ name }) => name);
}

/** A number means one object, and that object one value, however often it is sealed. */
function otherBytes(history: History, embedded: EmbeddedHistory, accepted: readonly Accepted[]): readonly string[] {
  const several = [...Map.groupBy(accepted, titleOf)].filter(([, objects]) => objects.length > 1);
  const changed = accepted.flatMap((version) => {
    const values = new Set(valuesOf(history, embedded, version.uid));
    if (values.has(undefined)) return [`${titleOf(version)} was sealed in a way that no key opens`];
    return values.size > 1 ? [`${titleOf(version)} held ${values.size} values`] : [];
  });
  return [...several.map(([title, objects]) => `${title} is ${objects.length} objects`), ...changed];
}

/** Everything that was ever sealed in an object; undefined for what can't be opened. */
function valuesOf({ objects }: History, { opened }: EmbeddedHistory, uid: string): readonly (string | undefined)[] {
  const own = objects.filter((object) => object.kind === 'SecretVersion' && object.uid === uid);
  return own.flatMap((object) => sealedOf(object).sealed.map(({ data }) => opened.get(data)));
}

/** Nobody destroys anything in these runs: then no number ever gets smaller. */
function backwards(history: History): readonly string[] {
  const last = new Map<string, ObjectVersion>();
  return versionsOf(history, 'VersionedSecret').flatMap((secret) => {
    const before = last.get(secret.uid);
    last.set(secret.uid, secret);
    const now = accountOf(secret);
    const was = before === undefined ? undefined : accountOf(before);
    const mistakes = [
      now.observedGeneration > secret.generation && `speaks of generation ${now.observedGeneration}`,
      (now.latest ?? 0) < (was?.latest ?? 0) && `says that latest is ${now.latest} again`,
      now.lastVersion < (was?.lastVersion ?? 0) && 'forgot which numbers were used',
    ];
    return mistakes.filter((mistake) => mistake !== false).map((mistake) => `${nameOf(secret)} ${mistake}`);
  });
}

/** A rollback is a version of its own, with the value of the other and a number that nobody had. */
function wrongRollbacks(history: History, embedded: EmbeddedHistory, accepted: readonly Accepted[]): readonly string[] {
  return embedded.puts.flatMap(({ secret, version, from }) => {
    if (from === undefined || version === undefined) return [];
    const made = accepted.find((each) => each.secret === secret && each.version === version);
    const source = accepted.find((each) => each.secret === secret && each.version === from);
    if (made === undefined || source === undefined) return [];
    const [value] = valuesOf(history, embedded, source.uid);
    const same = valuesOf(history, embedded, made.uid).includes(value);
    return [
      ...(version <= from ? [`a rollback of ${secret} to ${from} is version ${version}`] : []),
      ...(same ? [] : [`version ${version} of ${secret} does not hold what version ${from} does`]),
    ];
  });
}

/** Who hears that a version is accepted may end anything that still has to be written: so it stands in the status of its secret by then. */
function unwritten(history: History): readonly string[] {
  const versions = versionsOf(history, 'SecretVersion');
  const told = [...Map.groupBy(versions.filter(isToldAccepted), ({ uid }) => uid).values()].flatMap(
    ([first]) => first ?? [],
  );
  return told.flatMap((object) => {
    const sealed = sealedOf(object);
    const before = secretsBefore(history, sealed.secret, object.revision);
    const written = before.some((secret) => accountOf(secret).versions.some(({ uid }) => uid === object.uid));
    return written ? [] : [`${titleOf(sealed)} was told to be accepted before its secret said so`];
  });
}

function secretsBefore(history: History, name: string, revision: number): readonly ObjectVersion[] {
  return versionsOf(history, 'VersionedSecret').filter((each) => each.name === name && each.revision < revision);
}

/** At every moment an accepted version is there in the very form that its secret names: nothing else is ever opened. */
function closed(history: History): readonly string[] {
  const secrets = new Map<string, ObjectVersion>();
  const forms = new Map<string, ReadonlySet<string>>();
  const mistakes = history.objects.flatMap((object) => {
    if (object.kind === 'VersionedSecret') secrets.set(object.name, object);
    else if (object.kind === 'SecretVersion') forms.set(object.uid, formsOf(object));
    else return [];
    const secret = secrets.get(object.kind === 'VersionedSecret' ? object.name : sealedOf(object).secret);
    const stored = secret === undefined ? [] : accountOf(secret).versions;
    const missing = stored.filter(({ uid, key, digest }) => forms.get(uid)?.has(`${key} ${digest}`) !== true);
    return missing.map(
      ({ version }) => `version ${version} of ${secret?.name} is not there in the form that was accepted`,
    );
  });
  return [...new Set(mistakes)];
}

/** Each thing that is sealed in an object: to which key, and by which digest a secret names it. */
function formsOf(object: ObjectVersion): ReadonlySet<string> {
  if (object.type === 'DELETED') return new Set();
  return new Set(sealedOf(object).sealed.map(({ key, data }) => `${key} ${digestOf(data)}`));
}

function digestOf(data: string): string {
  return createHash('sha256').update(Buffer.from(data, 'base64')).digest('hex');
}
