import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually } from '../operator/eventually.ts';
import { type Cli, startCli } from './cli-support.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { inParallel } from './kube-connection.ts';
import type { World } from './world.ts';

/** Ten times what a namespace may have by default. How long it takes is for the benchmark to say: `make bench PHASES=embedded`. */
const total = 1000;
const versions = [1, 2, 3, 4, 5];
/** Milliseconds: what is waited for takes as long as the machine needs. */
const PATIENT = 900_000;

let cli: Cli;
let world: World;
let embedded: EmbeddedSupport;
let namespace: string;

beforeAll(async () => {
  cli = await startCli();
  ({ world } = cli);
  embedded = await openEmbedded(world);
  const spec = { embedded: { limits: { secrets: total } } };
  await world.apply({ kind: 'ClusterSecretManager', metadata: { name: 'default' }, spec });
  namespace = await world.namespace();
  await inParallel(total, 16, async (index) => {
    const secret = await embedded.secret(namespace, nameOf(index));
    for (const version of versions) await embedded.create(namespace, secret, version, { value: world.canary() });
  });
  await eventually('all are accepted', () => allAccepted(), { deadline: PATIENT, every: 1_000 });
}, PATIENT);
afterAll(async () => {
  await embedded?.close();
  await cli?.stop();
});

function nameOf(index: number): string {
  return `app-${index}.password`;
}

const secretSchema = z.object({
  status: z
    .object({ latest: z.int().default(0), versions: z.array(z.object({ version: z.int() })).default([]) })
    .prefault({}),
});
const versionSchema = z.object({ status: z.object({ state: z.string().default('') }).prefault({}) });

async function allAccepted(): Promise<void> {
  const states = (await world.api.list('SecretVersion', namespace)).map(
    (each) => versionSchema.parse(each).status.state,
  );
  const accepted = states.filter((state) => state === 'Accepted').length;
  const wanted = total * versions.length;
  if (accepted !== wanted) throw new Error(`${accepted} of ${wanted} are`);
}

/** Puts one more version, and waits until a native Secret holds it. */
async function putUntilHeld(index: number): Promise<void> {
  const value = world.canary();
  await embedded.putNext(namespace, nameOf(index), value);
  await eventually('its Secret holds it', async () => {
    const { password } = await world.secretData(namespace, 'web');
    if (password !== value) throw new Error('it holds another value');
  });
}

const managerSchema = z.object({ status: z.object({ referencesInUse: z.int() }) });

/** The manager tells how many use it at most once in five seconds: what it has still to tell would be taken for a consequence of what comes next. */
async function untilManagerTold(): Promise<void> {
  await eventually('the manager tells of the reference', async () => {
    const { status } = managerSchema.parse(await world.api.get('ClusterSecretManager', { name: 'default' }));
    if (status.referencesInUse !== 1) throw new Error(`it tells of ${status.referencesInUse}`);
  });
}

/** What the operator wrote of other secrets than those of this name. Events tell of the past, and take their time. */
async function writesBeside(index: number, since: number): Promise<readonly string[]> {
  const own = [nameOf(index), 'web'];
  const writes = (await world.operatorWrites()).slice(since);
  const beside = writes.filter(({ objectRef: { name = '', resource } }) => {
    const stored = resource !== 'events' && resource !== 'selfsubjectreviews';
    return stored && !own.some((each) => name === each || name.startsWith(`${each}-`));
  });
  return beside.map(({ verb, objectRef: { resource, name } }) => `${verb} ${resource} ${name}`);
}

async function writesSoFar(): Promise<number> {
  await eventually('nothing is to be done', async () => {
    const depth = await world.operator().metric('workqueue_depth');
    const running = await world.operator().metric('controller_runtime_active_workers');
    if (depth + running > 0) throw new Error(`${depth} wait, ${running} run`);
  });
  return (await world.operatorWrites()).length;
}

describe(`${total} secrets of ${versions.length} versions in one namespace`, () => {
  it('are all accepted, the highest version of each is latest, and none is forgotten', async () => {
    const statuses = (await world.api.list('VersionedSecret', namespace)).map(
      (each) => secretSchema.parse(each).status,
    );

    expect(statuses).toHaveLength(total);
    expect(new Set(statuses.map(({ latest }) => latest))).toEqual(new Set([5]));
    expect(new Set(statuses.map((each) => each.versions.map(({ version }) => version).join(' ')))).toEqual(
      new Set(['5 4 3 2 1']),
    );
  });

  it('stand in the list, each with its latest version', async () => {
    const rows = z
      .array(z.object({ name: z.string(), latest: z.int(), status: z.string() }))
      .parse(JSON.parse(await cli.ok(['list', '-n', namespace, '-o', 'json'])));

    expect(rows.map(({ name }) => name).toSorted()).toEqual(
      Array.from({ length: total }, (_, i) => nameOf(i)).toSorted(),
    );
    expect(rows.every(({ latest, status }) => latest === 5 && status === 'Available')).toBe(true);
    const text = await cli.ok(['list', '-n', namespace]);
    expect(text.trimEnd().split('\n')).toHaveLength(total + 1);
  });

  it('are left alone where another is put, which reaches its Secret', async () => {
    await world.reference(namespace, 'web', { data: { password: { secret: nameOf(7) } } });
    await world.waitReady(namespace, 'web', 'Synced');
    await untilManagerTold();
    const before = await writesSoFar();

    await putUntilHeld(7);
    await writesSoFar();

    expect(await writesBeside(7, before)).toEqual([]);
  });

  it('are not written again by an operator that starts', async () => {
    const before = await writesSoFar();
    await world.operator().stop();
    await world.startOperator();

    await putUntilHeld(7);
    await writesSoFar();

    expect(await writesBeside(7, before)).toEqual([]);
  });

  it('make room for no more, and say what to do', async () => {
    const object = await embedded.secret(namespace, 'one.more');

    await embedded.create(namespace, object, 1);

    expect(await embedded.verdict(namespace, object, 1)).toMatchObject({ state: 'Rejected', reason: 'LimitExceeded' });
    expect((await embedded.status(namespace, nameOf(0))).latest).toBe(5);
  });
});
