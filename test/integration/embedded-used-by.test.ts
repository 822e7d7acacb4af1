import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../operator/eventually.ts';
import { type Cli, startCli } from './cli-support.ts';
import { type EmbeddedSupport, openEmbedded } from './embedded-support.ts';
import { itLeaksNothing } from './world-scan.ts';

let cli: Cli;
let embedded: EmbeddedSupport;

beforeAll(async () => {
  cli = await startCli();
  embedded = await openEmbedded(cli.world);
});
afterAll(async () => {
  await embedded?.close();
  await cli?.stop();
});

/** A Deployment that uses the Secret db. There is no node: where it has a pod, that stays as it is. */
async function deployment(namespace: string, name: string, parts: { replicas?: number; optedOut?: boolean } = {}) {
  const labels = { app: name };
  const container = { name: 'app', image: 'registry.example/app:1', envFrom: [{ secretRef: { name: 'db' } }] };
  await cli.world.apply({
    kind: 'Deployment',
    metadata: { name, namespace, annotations: parts.optedOut === true ? { 'keyferry.io/rollout': 'false' } : {} },
    spec: {
      replicas: parts.replicas ?? 0,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers: [container] } },
    },
  });
}

async function consumersAre(namespace: string, expected: readonly string[]): Promise<void> {
  await eventually(`the secret says that ${expected.join(', ')} use it`, async () => {
    const { usedBy = [] } = await embedded.status(namespace, 'db.password');
    expect(usedBy.map(({ reference, consumers }) => ({ reference, consumers }))).toEqual([
      { reference: 'db', consumers: expected },
    ]);
  });
}

describe('usedBy of a secret', () => {
  it('tells which version each workload runs: the old one where it is paused or left alone', async () => {
    const namespace = await cli.world.namespace();
    await cli.ok(['put', 'db.password', '--create', '-n', namespace], { stdin: cli.world.canary() });
    await cli.world.reference(namespace, 'db', { data: { password: { secret: 'db.password' } } });
    await cli.world.waitReady(namespace, 'db', 'Synced');
    await deployment(namespace, 'alone', { optedOut: true });
    await deployment(namespace, 'paused', { replicas: 1 });
    await deployment(namespace, 'rolled');
    await consumersAre(namespace, ['Deployment/alone@1', 'Deployment/paused@1', 'Deployment/rolled@1']);
    await cli.world.api.patch('Deployment', { namespace, name: 'paused' }, { spec: { paused: true } });

    await cli.ok(['put', 'db.password', '-n', namespace], { stdin: cli.world.canary() });

    await consumersAre(namespace, ['Deployment/alone@1', 'Deployment/paused@1->2', 'Deployment/rolled@2']);
    const show = await cli.ok(['show', 'db.password', '-n', namespace]);
    expect(show).toContain('Deployment/alone@1, Deployment/paused@1->2, Deployment/rolled@2');
    const refs = await cli.ok(['refs', 'db', '-n', namespace]);
    expect(refs).toMatch(/Deployment\/paused +.*Paused +db\.password@1 -> db\.password@2/);
    expect(refs).toMatch(/Deployment\/alone +.*LeftAlone +db\.password@1 /);

    await cli.world.api.patch('Deployment', { namespace, name: 'paused' }, { spec: { paused: false, replicas: 0 } });
    await consumersAre(namespace, ['Deployment/alone@1', 'Deployment/paused@2', 'Deployment/rolled@2']);
  });
});

itLeaksNothing(() => cli.world);
