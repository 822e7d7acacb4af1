import { setTimeout as delay } from 'node:timers/promises';
import { annotations, sealingKeysSecret } from '../../src/api/v1/names.ts';
import { turned } from '../../src/cli/commands/disable.ts';
import { addKey, patchKeys } from '../../src/cli/keys/change-keys.ts';
import { entryText, readKeySecret, toBase64 } from '../../src/cli/keys/key-secret.ts';
import { createClientManager } from '../../src/managers/embedded/client/client-manager.ts';
import { putVersion } from '../../src/managers/embedded/client/put-version.ts';
import { changeSecret, getSecret } from '../../src/managers/embedded/client/secrets.ts';
import { type ClientSession, createSession } from '../../src/managers/embedded/client/session.ts';
import { SealingKey } from '../../src/managers/embedded/sealing/sealing-key.ts';
import { ManagerError } from '../../src/managers/errors.ts';
import { SecretValue } from '../../src/managers/secret-value.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import type { KubeConnection } from '../integration/kube-connection.ts';
import { newCanary } from '../integration/world.ts';
import type { BackendChange, EmbeddedPut, Wait } from './history.ts';
import type { Rig } from './rig.ts';
import { WaitedInVain } from './waited-in-vain.ts';

/** So many versions of a secret are kept in these runs. */
export const keptVersions = 3;

/** Secrets that are kept in the cluster, as people use them. What they are told is written down. */
export interface EmbeddedStage {
  /** Puts a new value, again and again until it is said to be accepted; gives the number of the version. */
  put(secret: string): Promise<number>;
  /** Puts the value of an earlier version again, likewise. */
  rollback(secret: string, from: number): Promise<number>;
  /** Nobody gets the version any more, or again. */
  turn(secret: string, version: number, state: 'Disabled' | 'Enabled'): Promise<void>;
  /** Makes another sealing key, and has all versions sealed to it. Gives its public half. */
  rotateKey(): Promise<string>;
}

export interface EmbeddedRecords {
  readonly puts: EmbeddedPut[];
  /** What was said to people that should not have been. */
  readonly refusals: string[];
  /** All that there ever were. */
  readonly keys: SealingKey[];
  readonly backend: BackendChange[];
  readonly waits: Wait[];
  readonly canaries: string[];
}

export interface EmbeddedOptions {
  readonly rig: Rig;
  readonly namespace: string;
  readonly lane: string;
  /** As a person, through a proxy of their own. */
  readonly person: KubeConnection;
  readonly records: EmbeddedRecords;
}

const signal = new AbortController().signal;
/** Milliseconds in which what a person wants has to be done, whatever goes wrong once. */
const LONGEST = 90_000;
const AGAIN = 200;

export function createEmbeddedStage(options: EmbeddedOptions): EmbeddedStage {
  const { rig, namespace, lane, person, records } = options;
  const manager = { kind: 'ClusterSecretManager', name: namespace } as const;
  const session = createSession({ client: person.client, namespace, clock: systemClock, manager });
  const library = createClientManager(session, { reason: 'a run with faults' });
  const insist = <T>(what: string, act: () => Promise<T>): Promise<T> => untilSure(rig, records, what, act);
  return {
    put: async (secret) => {
      const value = newCanary();
      records.canaries.push(value);
      const at = rig.now();
      records.puts.push({ secret, value, from: undefined, at, version: undefined });
      const version = await insist(`${secret} is put`, async () =>
        Number(await library.put(secret, SecretValue.fromString(value), signal)),
      );
      records.puts.push({ secret, value, from: undefined, at, version });
      noteVersion(records, { kind: 'put', secret, version: String(version), value, at });
      return version;
    },
    rollback: async (secret, from) => {
      const value = records.backend.find((put) => put.secret === secret && put.version === String(from))?.value ?? '';
      const at = rig.now();
      records.puts.push({ secret, value, from, at, version: undefined });
      const version = await insist(`${secret} is rolled back`, async () => {
        const { version: made } = await putVersion(session, await getSecret(session, secret, signal), { from }, signal);
        return made;
      });
      records.puts.push({ secret, value, from, at, version });
      noteVersion(records, { kind: 'put', secret, version: String(version), value, at });
      return version;
    },
    turn: (secret, version, state) =>
      insist(`version ${version} of ${secret} is ${state}`, () => turn(session, secret, version, state)),
    rotateKey: () => rotateKey(rig, lane, records),
  };
}

/** In the order of the numbers: of two that are put at once, any may be told first. */
function noteVersion({ backend }: EmbeddedRecords, change: BackendChange): void {
  const later = backend.findIndex(
    ({ secret, version }) => secret === change.secret && Number(version) > Number(change.version),
  );
  backend.splice(later === -1 ? backend.length : later, 0, change);
}

/** The sealing keys of a run, before its operators start: they could not make one anywhere but in the namespace that they are installed in. */
export async function openKeys({
  rig,
  lane,
  records,
}: Pick<EmbeddedOptions, 'rig' | 'lane' | 'records'>): Promise<void> {
  const key = await SealingKey.generate();
  keep(records, key);
  await rig.api.delete('Secret', { namespace: lane, name: sealingKeysSecret });
  const metadata = {
    name: sealingKeysSecret,
    namespace: lane,
    annotations: { [annotations.currentKey]: '1.agekey' },
  };
  await rig.api.create({ kind: 'Secret', metadata, type: 'Opaque', data: { '1.agekey': toBase64(entryText(key)) } });
}

async function rotateKey(rig: Rig, lane: string, records: EmbeddedRecords): Promise<string> {
  const place = { client: rig.admin.client, namespace: lane, signal };
  const { key } = await addKey(place, await readKeySecret(place.client, lane, signal));
  keep(records, key);
  const secret = await readKeySecret(place.client, lane, signal);
  await patchKeys(place, secret, { annotations: { [annotations.reseal]: key.publicKey } });
  return key.publicKey;
}

/** A private key is a value that may stand nowhere too. */
function keep({ keys, canaries }: EmbeddedRecords, key: SealingKey): void {
  keys.push(key);
  canaries.push(key.reveal().slice('AGE-SECRET-KEY-1'.length));
}

async function turn(
  session: ClientSession,
  name: string,
  version: number,
  state: 'Disabled' | 'Enabled',
): Promise<void> {
  const secret = await getSecret(session, name, signal);
  await changeSecret(session, secret, (now) => turned(now, version, state), signal);
}

/** What a person does who was told that something could not be done, or does not know whether it was: the same again. A clear no is noted. */
async function untilSure<T>(rig: Rig, records: EmbeddedRecords, what: string, act: () => Promise<T>): Promise<T> {
  const end = rig.now() + LONGEST;
  for (;;) {
    try {
      return await act();
    } catch (error) {
      const doubt = error instanceof ManagerError && ['ManagerUnavailable', 'Throttled'].includes(error.reason);
      if (!doubt) records.refusals.push(`${what}: ${String(error)}`);
      if (rig.now() > end) {
        records.waits.push({ what, law: 'L1', met: false, why: String(error) });
        throw new WaitedInVain(what, { cause: error });
      }
    }
    await delay(AGAIN);
  }
}
