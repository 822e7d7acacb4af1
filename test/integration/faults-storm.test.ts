import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import type { OperatorProcess } from '../operator/operator-process.ts';
import { unique } from './faults-support.ts';
import { type Sighting, startSpy, type Spy } from './faults-spy.ts';
import { startWorld, type World } from './world.ts';
import { itLeaksNothing } from './world-scan.ts';

const SECRETS = 8;
const KILLS = 10;

/** The same numbers for the same seed (mulberry32). */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Put {
  readonly version: string;
  readonly user: string;
  readonly password: string;
}

let world: World;
let spy: Spy;
let namespace: string;
const survivors: OperatorProcess[] = [];
/** What was put, by secret, oldest first. */
const puts = new Map<string, Put[]>();

beforeAll(async () => {
  world = await startWorld({ operator: false });
  await world.manager();
});
afterAll(async () => {
  await world.stop();
});

/** Puts a new version with two properties that belong together. */
async function put(secret: string): Promise<void> {
  const [user, password] = [world.canary(), world.canary()];
  const version = await world.aws.put(secret, JSON.stringify({ user, password }));
  puts.set(secret, [...(puts.get(secret) ?? []), { version, user, password }]);
}

async function addReference(secret: string): Promise<void> {
  await put(secret);
  const data = { user: { secret, property: 'user' }, password: { secret, property: 'password' } };
  await world.reference(namespace, secret, { data });
}

/** Changes something until told to stop: secrets, references, and the Secrets themselves. */
async function rage(random: () => number, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const names = [...puts.keys()];
    const name = names[Math.floor(random() * names.length)] ?? '';
    const chance = random();
    if (chance < 0.1) await addReference(unique('storm'));
    else if (chance < 0.15) await world.api.delete('Secret', { namespace, name });
    else await put(name);
    await delay(random() * 60);
  }
}

async function startAnother(identity: string): Promise<OperatorProcess> {
  const flags = ['--leader-election=false', `--identity=${identity}`];
  return world.startOperator({ flags });
}

/** Kills an operator at a moment that chance chooses and starts the next, again and again. */
async function killAgainAndAgain(identity: string, random: () => number): Promise<OperatorProcess> {
  for (let kill = 0; kill < KILLS; kill += 1) {
    const operator = await startAnother(identity);
    await delay(random() * 1_500);
    operator.signal('SIGKILL');
    await operator.exited;
  }
  return startAnother(identity);
}

function versionsIn(sighting: Sighting): readonly Put[] {
  const candidates = puts.get(sighting.name) ?? [];
  return candidates.filter(
    (one) => one.user === sighting.values['user'] || one.password === sighting.values['password'],
  );
}

function itWeathersTheStorm(identities: readonly string[]): void {
  beforeAll(async () => {
    puts.clear();
    namespace = await world.namespace();
    spy = await startSpy(world, namespace);
  });
  afterAll(async () => {
    spy.stop();
    await Promise.all(survivors.splice(0).map((operator) => operator.stop('SIGKILL')));
  });

  it('ends with every Secret equal to its manager', async () => {
    const seed = Number(process.hrtime.bigint() % 2n ** 31n);
    console.info(`the seed of this storm is ${seed}`);
    const random = seededRandom(seed);
    for (let index = 0; index < SECRETS; index += 1) await addReference(unique('storm'));
    const over = new AbortController();
    const raging = rage(random, over.signal);

    survivors.push(...(await Promise.all(identities.map((identity) => killAgainAndAgain(identity, random)))));
    over.abort();
    await raging;

    for (const [secret, versions] of puts) {
      const { version, user, password } = versions.at(-1) ?? { version: '', user: '', password: '' };
      await eventually(
        `${secret} is in sync`,
        async () => {
          expect(await world.secretData(namespace, secret)).toEqual({ user, password });
          const status = await world.status(namespace, secret);
          expect(status.versions).toMatchObject([{ version, keys: ['password', 'user'] }]);
          expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({ status: 'True' });
        },
        { deadline: 60_000 },
      );
    }
    expect(spy.secrets().length).toBeGreaterThan(puts.size);
  });

  it('S1: every Secret that was ever seen held both keys of one version', () => {
    const torn = spy.secrets().filter((sighting) => {
      const [version, ...others] = versionsIn(sighting);
      const { user, password } = sighting.values;
      const keys = Object.keys(sighting.values).toSorted();
      return others.length > 0 || version?.user !== user || version?.password !== password || keys.length !== 2;
    });
    expect(torn).toEqual([]);
  });

  it('S12: whenever a reference was Ready, its Secret had held the versions that the status named', () => {
    const held = new Map(spy.secrets().map((sighting) => [`${sighting.uid}/${sighting.resourceVersion}`, sighting]));
    const claims = spy.references().filter(({ ready }) => ready);
    const wrong = claims.filter(({ version, target }) => {
      const sighting = held.get(target);
      return sighting === undefined || versionsIn(sighting)[0]?.version !== version;
    });
    expect(claims.length).toBeGreaterThan(0);
    expect(wrong).toEqual([]);
  });

  it('S3: no Secret ever went back to an older version', () => {
    const backwards: string[] = [];
    for (const [uid, seen] of Map.groupBy(spy.secrets(), (sighting) => sighting.uid)) {
      const order = seen.map((sighting) =>
        (puts.get(sighting.name) ?? []).findIndex((one) => versionsIn(sighting).includes(one)),
      );
      const sorted = order.toSorted((one, other) => one - other);
      if (order.join() !== sorted.join()) backwards.push(`${uid}: ${order.join()}`);
    }
    expect(backwards).toEqual([]);
  });
}

describe('a storm of changes while the operator is killed at random', () => {
  itWeathersTheStorm(['one']);
});

// Without an election both work at once: what an old leader may do must do no harm.
describe('a storm of changes while two operators work at once and are killed at random', () => {
  itWeathersTheStorm(['one', 'two']);
});

itLeaksNothing(() => world);
