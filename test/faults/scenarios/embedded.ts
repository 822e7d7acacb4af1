import { keptVersions } from '../embedded.ts';
import type { Stage } from '../stage.ts';

const app = { password: { secret: 'db' } };

/** One reference follows latest and has a consumer, another pins the first version; more versions are put than are kept. */
export async function embedded(stage: Stage): Promise<void> {
  await stage.manager({ embedded: true });
  const first = await stage.embedded.put('db');
  await stage.reference('app', app);
  await stage.reference('pinned', { password: { secret: 'db', version: String(first) } });
  await stage.workload('Deployment', 'api', ['app']);
  await stage.settle();
  await stage.until('the consumer is known', () => stage.consumersOf('app').length === 1);
  for (let put = 0; put < 3; put += 1) await stage.embedded.put('db');
  await stage.settle();
  // Two people at once, and another secret.
  await Promise.all([stage.embedded.put('db'), stage.embedded.put('db'), stage.embedded.put('mail')]);
}

/** Nothing but puts: one that a workload runs on and that has the oldest version trimmed, then the first of another secret. */
export async function embeddedPuts(stage: Stage): Promise<void> {
  await stage.manager({ embedded: true });
  for (let kept = 0; kept < keptVersions; kept += 1) await stage.embedded.put('db');
  await stage.reference('app', app);
  await stage.workload('Deployment', 'api', ['app']);
  await stage.settle();
  await stage.until('the consumer is known', () => stage.consumersOf('app').length === 1);
  await stage.embedded.put('db');
  await stage.settle();
  await stage.embedded.put('mail');
}

/** A version is disabled, comes back as a new one, and everything is sealed to another key. */
export async function embeddedChanges(stage: Stage): Promise<void> {
  await stage.manager({ embedded: true });
  const first = await stage.embedded.put('db');
  await stage.reference('app', app);
  await stage.reference('pinned', { password: { secret: 'db', version: String(first) } });
  await stage.settle();
  await stage.embedded.put('db');
  await stage.settle();
  await stage.embedded.turn('db', first, 'Disabled');
  stage.expect('pinned', { state: 'refused', reason: 'VersionDisabled', secret: 'there' });
  await stage.settle();
  await stage.embedded.turn('db', first, 'Enabled');
  stage.expect('pinned', { state: 'Synced' });
  await stage.embedded.rollback('db', first);
  await stage.settle();
  const key = await stage.embedded.rotateKey();
  await stage.embedded.put('db');
  await stage.until('everything is sealed to the new key alone', () =>
    stage.sealedTo('db').every((each) => each === key),
  );
}

/** Versions are put and rolled back while nobody is there to accept them. */
export async function embeddedWhileDown(stage: Stage): Promise<void> {
  await stage.manager({ embedded: true });
  const first = await stage.embedded.put('db');
  await stage.reference('app', app);
  await stage.settle();
  await Promise.all(Object.values(stage.operators).map((operator) => operator.down()));
  const puts = [stage.embedded.put('db'), stage.embedded.put('db'), stage.embedded.rollback('db', first)];
  await stage.until('all three are there', () => stage.numbersOf('db').length === 4);
  await Promise.all(Object.values(stage.operators).map((operator) => operator.up()));
  await Promise.all(puts);
}
