import { annotations } from '../../api/v1/names.ts';
import { isForbidden } from '../../kube/errors.ts';
import { findSealingTarget } from '../../managers/embedded/client/sealing-target.ts';
import { waitFor } from '../../managers/embedded/client/wait-for.ts';
import { wrappedSuffix } from '../../managers/embedded/sealing/wrapped-key.ts';
import { confirm } from '../confirm.ts';
import { type CliContext, CliError } from '../context.ts';
import { checkFingerprintForm, fingerprintOf, isFingerprintOf, trustKey } from '../known-keys.ts';
import { printListing } from '../output.ts';
import { managerName } from '../session.ts';
import { readable, valueOr } from '../status/readable.ts';
import { backupOf, backupText, restorePlan } from './backup.ts';
import { readBackup, writeBackup } from './backup-file.ts';
import { addKey, createKeys, entryOf, type KeyPlace, patchKeys, restoreKeys } from './change-keys.ts';
import { findKeySecret, type KeySecret, publicKeyOf, readKeySecret } from './key-secret.ts';
import { keyColumns, keyList, keyNotes } from './list-keys.ts';
import { type KeyUsage, readOpenedOnlyBy, readOwnedByGit, readUsage } from './usage.ts';
import { openWrapped } from './wrapping.ts';

export interface KeysOptions {
  readonly operatorNamespace: string;
}

async function placeOf(context: CliContext, { operatorNamespace }: KeysOptions): Promise<KeyPlace> {
  const { client } = await context.cluster();
  return { client, namespace: operatorNamespace, signal: context.signal };
}

async function keysAt(place: KeyPlace): Promise<KeySecret> {
  return readKeySecret(place.client, place.namespace, place.signal);
}

export async function listKeys(context: CliContext, options: KeysOptions): Promise<void> {
  const place = await placeOf(context, options);
  const secret = await keysAt(place);
  const usage = await readable('VersionedSecrets of all namespaces', () => readUsage(place.client, place.signal));
  const list = keyList(secret, valueOr<KeyUsage | undefined>(usage, undefined));
  printListing(context, { columns: keyColumns, rows: list.keys, data: list, empty: 'there is no sealing key' });
  for (const note of keyNotes(list)) context.io.note(note);
  if ('hidden' in usage) context.io.note(`${usage.hidden}: how many are sealed to each key is not known`);
}

export async function backupKeys(
  context: CliContext,
  options: KeysOptions & { readonly file?: string },
): Promise<void> {
  const { io, clock } = context;
  const { file } = options;
  if (file === undefined && io.outIsTerminal) {
    throw new CliError('the keys would stand on the screen: give --file FILE, or a pipe to where they are kept', 2);
  }
  const place = await placeOf(context, options);
  const { secret, failed } = await openWrapped(place, await keysAt(place));
  if (failed.length > 0)
    throw new CliError(`nothing is backed up, as AWS KMS does not open every key: ${failed.join('; ')}`);
  const backup = backupOf(secret);
  const now = new Date(clock.now()).toISOString();
  const text = backupText(backup, place.namespace, now);
  if (file === undefined) io.out(text);
  else await writeBackup(file, text, backup);
  await patchKeys(place, secret, { annotations: { [annotations.backedUp]: now } });
  const count = backup.entries.length === 1 ? 'one key' : `${backup.entries.length} keys`;
  io.note(
    `backed up ${count}${file === undefined ? '' : ` to ${file}`}. Keep it away from the cluster: it opens every sealed value`,
  );
}

export async function restoreFrom(context: CliContext, file: string, options: KeysOptions): Promise<void> {
  const backup = await readBackup(file);
  const place = await placeOf(context, options);
  const existing = await findKeySecret(place.client, place.namespace, place.signal);
  const opened = existing === undefined ? undefined : await openWrapped(place, existing);
  const plan = restorePlan(backup, opened?.secret);
  await restoreKeys(place, existing, plan);
  const { io } = context;
  for (const reason of opened?.failed ?? []) io.note(`warning: AWS KMS does not open ${reason}`);
  for (const key of plan.added) io.note(`restored ${key}`);
  for (const key of plan.present) io.note(`was there already: ${key}`);
  io.note(`new values are sealed to ${plan.current ?? 'no key'}. Check: keyferry keys list`);
}

export async function rotateKey(context: CliContext, options: KeysOptions): Promise<void> {
  const place = await placeOf(context, options);
  const { name, key } = await addKey(place, await keysAt(place));
  const { io } = context;
  io.out(`${key.publicKey}\n`);
  io.note(`new values are sealed to ${name} from now on. The old key still opens what was sealed to it. Now:`);
  io.note('  keyferry keys backup --file FILE     (the backup that there is lacks this key)');
  io.note('  keyferry keys reseal                 (seals what there is to it)');
  io.note(tellOthers(key.publicKey));
}

/** What an administrator hands on, outside the cluster. */
function tellOthers(publicKey: string): string {
  return `Who puts from another machine is told that the key changed. Tell them: keyferry keys trust --fingerprint ${fingerprintOf(publicKey)}`;
}

/** For when the keys are lost for good: the operator makes no key itself where something is sealed to another. */
export async function createKey(context: CliContext, options: KeysOptions & { readonly yes?: true }): Promise<void> {
  const place = await placeOf(context, options);
  const { io } = context;
  io.note(
    'What is sealed to another key stays closed until that is restored: where there is a backup, leave this, and take keyferry keys restore FILE.',
  );
  await confirm(context, 'create', options.yes);
  const key = await createKeys(place);
  io.out(`${key.publicKey}\n`);
  io.note('new values are sealed to it. Now: keyferry keys backup --file FILE');
  io.note(tellOthers(key.publicKey));
}

/** How often it is looked: each is a list of all secrets. */
const LOOK_AGAIN = 2000;

export async function resealVersions(
  context: CliContext,
  options: KeysOptions & { readonly timeout: number },
): Promise<void> {
  const { io, signal } = context;
  const place = await placeOf(context, options);
  const secret = await keysAt(place);
  const current = secret.current === undefined ? undefined : publicKeyOf(secret.current);
  if (current === undefined) throw new CliError('no key is in use: keyferry keys list shows what is wrong');
  const owned = await readOwnedByGit(place.client, signal);
  const left = async (): Promise<number> => sealedToOthers(await readUsage(place.client, signal, owned), current);
  const before = await left();
  if (before > 0) {
    await patchKeys(place, secret, { annotations: { [annotations.reseal]: current } });
    io.note(`${before} versions are sealed to old keys: asked the operator to seal them to the key in use`);
    await untilNoneLeft(context, left, before, options.timeout);
  }
  const inGit = sealedToOthers(await readUsage(place.client, signal), current);
  if (inGit > 0) {
    throw new CliError(
      `${inGit} versions that git owns stay as they stand there, sealed to old keys, which have to stay too: add new versions there by keyferry seal --append FILE --key ${current}. Every other version is sealed to the key in use`,
    );
  }
  io.note('every version is sealed to the key in use. Remove the old one by keyferry keys retire KEY');
}

function sealedToOthers(usage: KeyUsage, current: string): number {
  return [...usage].reduce((sum, [key, count]) => (key === current ? sum : sum + count), 0);
}

async function untilNoneLeft(
  { io, clock, signal }: CliContext,
  left: () => Promise<number>,
  before: number,
  timeout: number,
): Promise<void> {
  let last = before;
  let looked = -Infinity;
  const done = await waitFor(clock, timeout, signal, async () => {
    if (clock.monotonic() < looked + LOOK_AGAIN) return undefined;
    looked = clock.monotonic();
    const now = await left();
    if (now !== last) io.note(`${now} left`);
    last = now;
    return now === 0 ? true : undefined;
  });
  if (done === true) return;
  throw new CliError(`${last} versions are still sealed to old keys. The operator goes on: see keyferry keys list`);
}

export async function retireKey(
  context: CliContext,
  word: string,
  options: KeysOptions & { readonly yes?: true },
): Promise<void> {
  const place = await placeOf(context, options);
  const secret = await keysAt(place);
  const entry = entryOf(secret, word);
  const { name } = entry;
  const publicKey = publicKeyOf(entry);
  if (name === secret.current?.name) {
    throw new CliError(`new values are sealed to ${name}: make another first, by keyferry keys rotate`);
  }
  if (publicKey !== undefined) await refuseUsed(place, secret, name, publicKey);
  const warning = `${name} (${publicKey ?? 'no key'}) is removed for good. What was sealed to it alone, in git or in backups, can not be opened any more.`;
  context.io.note(warning);
  await confirm(context, name, options.yes);
  await patchKeys(place, secret, { data: { [name]: null, [name + wrappedSuffix]: null } });
  context.io.note(`removed ${name}`);
}

/** Where it can't be known whether a key is used, it stays. */
async function refuseUsed(place: KeyPlace, secret: KeySecret, name: string, key: string): Promise<void> {
  const { client, signal } = place;
  const keys = secret.entries.flatMap((entry) => publicKeyOf(entry) ?? []);
  try {
    const used = (await readUsage(client, signal)).get(key) ?? 0;
    if (used > 0) throw new CliError(`${used} versions are sealed to ${name}: first keyferry keys reseal`);
    const [version, ...more] = await readOpenedOnlyBy(client, key, keys, signal);
    if (version === undefined) return;
    const others = more.length === 0 ? '' : ` and ${more.length} more`;
    throw new CliError(`only ${name} opens SecretVersion ${version}${others}: keyferry keys reseal, or delete them`);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    throw new CliError(
      `you may not list VersionedSecrets and SecretVersions of all namespaces, so it is not known whether ${name} is in use: nothing was removed`,
    );
  }
}

export interface TrustOptions {
  readonly manager?: string;
  readonly fingerprint?: string;
  readonly yes?: true;
}

/** Accepts the key that the cluster publishes now, whatever this computer knew before. */
export async function trustPublished(context: CliContext, options: TrustOptions): Promise<void> {
  if (options.fingerprint !== undefined) checkFingerprintForm(options.fingerprint);
  const { client, namespace, server } = await context.cluster();
  const { signal, clock, configFolder, io } = context;
  const target = await findSealingTarget(client, managerName(options.manager), namespace, signal);
  const fingerprint = fingerprintOf(target.publicKey);
  if (options.fingerprint === undefined) {
    const warning = `${server} publishes the sealing key ${target.publicKey} (${fingerprint}). Whoever holds its private half reads what you put. Compare it with what an administrator sees in keyferry keys list.`;
    io.note(warning);
    await confirm(context, 'trust', options.yes);
  } else if (!isFingerprintOf(options.fingerprint, target.publicKey)) {
    throw new CliError(`the cluster publishes another key, ${target.publicKey} (${fingerprint}): it is not accepted`);
  }
  await trustKey(configFolder, { ...target, server }, clock.now());
  io.note(`accepted ${fingerprint} for ${server}`);
}
