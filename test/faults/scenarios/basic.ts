import type { Stage } from '../stage.ts';

/** Three references: latest, two properties that have to come from one version, and a version that is pinned. */
async function setUp(stage: Stage): Promise<void> {
  const pinned = await stage.put('db');
  await stage.put('db');
  await stage.put('login', 'fields');
  await stage.manager();
  await stage.reference('app', {
    password: { secret: 'db' },
    user: { secret: 'login', property: 'user' },
    word: { secret: 'login', property: 'password' },
  });
  await stage.reference('pinned', { password: { secret: 'db', version: pinned } });
}

export async function firstSync(stage: Stage): Promise<void> {
  await setUp(stage);
}

export async function rotation(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.settle();
  await stage.put('login', 'fields');
}

/** Two versions of one secret and one of another, before anybody looked. */
export async function twoRotations(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.settle();
  await Promise.all([stage.put('db'), stage.put('login', 'fields')]);
  await stage.put('login', 'fields');
}

export async function rotationWhileDown(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.settle();
  await Promise.all(Object.values(stage.operators).map((operator) => operator.down()));
  await stage.put('login', 'fields');
  await stage.put('db');
  await Promise.all(Object.values(stage.operators).map((operator) => operator.up()));
}

/**
 * The label of latest goes back, and forward again. By its stage: moto goes on to give the newest version to those who name none, and gives the stage to two
 * versions where one is put after the label moved.
 */
export async function labelMovesBack(stage: Stage): Promise<void> {
  const first = await stage.put('db');
  await stage.manager();
  await stage.reference('app', { password: { secret: 'db', stage: 'AWSCURRENT' } });
  await stage.settle();
  const second = await stage.put('db');
  await stage.settle();
  await stage.moveLabel('db', first);
  await stage.settle();
  await stage.moveLabel('db', second);
}

/** A reference goes and another one comes under its name, which wants something else; then its Secret goes. */
export async function recreated(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.settle();
  await stage.deleteReference('app');
  await stage.reference('app', { other: { secret: 'db' } });
  await stage.settle();
  const before = stage.now('Secret', 'app')?.uid;
  await stage.deleteSecret('app');
  await stage.until('the Secret is made anew', () => ![undefined, before].includes(stage.now('Secret', 'app')?.uid));
  await stage.settle();
  await stage.deleteReference('pinned');
}

/** The operator starts while the backend is away: what there is stays, what goes goes, and the rest comes when it is back. */
export async function backendAway(stage: Stage): Promise<void> {
  await setUp(stage);
  await stage.settle();
  stage.backendFails(true);
  await Promise.all(Object.values(stage.operators).map((operator) => operator.down()));
  await Promise.all(Object.values(stage.operators).map((operator) => operator.up()));
  await stage.until('people are told that the backend is away', () => stage.condition('app', 'Stale') === 'True');
  await stage.deleteReference('pinned');
  const gone = (): boolean =>
    stage.now('SecretReference', 'pinned') === undefined && stage.now('Secret', 'pinned') === undefined;
  await stage.until('a reference and its Secret go while the backend is away', gone, 'L7');
  await stage.put('db');
  stage.backendFails(false);
}

/** A Secret that outlives its reference is not taken over by another one of the same name. */
export async function recreatedOrphan(stage: Stage): Promise<void> {
  await stage.put('db');
  await stage.manager();
  const orphan = { target: { ownership: 'Orphan' } };
  await stage.reference('app', { password: { secret: 'db' } }, orphan);
  await stage.settle();
  await stage.deleteReference('app');
  await stage.until('the reference is gone', () => stage.now('SecretReference', 'app') === undefined);
  await stage.put('db');
  await stage.reference('app', { password: { secret: 'db' } }, orphan);
  stage.expect('app', { state: 'refused', reason: 'TargetConflict', secret: 'there' });
  await stage.settle();
  await stage.deleteSecret('app');
  stage.expect('app', { state: 'Synced' });
  await stage.annotate('SecretReference', 'app', { 'keyferry.io/sync': 'now' });
}
