import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { rolledKinds } from '../../src/api/v1/rollout.ts';
import { rolledResources } from '../../src/api/v1/workload-resources.ts';
import { runKubectl } from '../cluster/kubectl.ts';
import { goodData, kubectlIn, reference, refusal } from './api-objects.ts';
import { accepted, applyRoles, grant, refusedWith } from './policies-support.ts';

interface Listed {
  readonly kind?: (typeof rolledKinds)[number];
  readonly name: string;
}

const cluster = inject('cluster');
const run = randomUUID().slice(0, 8);
const namespace = `policies-${run}`;
const admin = kubectlIn(cluster, namespace);
/** May write references and use the default manager, as all users here, and patch no workload. */
const eve = kubectlIn(cluster, namespace, `eve-${run}`);
const dryRun = ['create', '--dry-run=server', '-f', '-'];

const listing = (workloads: readonly Listed[], more: object = {}): object => ({
  data: goodData,
  rollout: { policy: 'Listed', workloads },
  ...more,
});

/** Ten workloads, two of each kind. */
const ten: readonly Required<Listed>[] = ['a', 'b'].flatMap((name) => rolledKinds.map((kind) => ({ kind, name })));

/** Makes a user who may patch these workloads, by name. */
async function userWith(name: string, workloads: readonly Required<Listed>[]): Promise<string> {
  const user = `${name}-${run}`;
  for (const role of ['keyferry-view', 'keyferry-edit', 'keyferry-use-default-manager']) {
    await admin(['create', 'rolebinding', `${user}-${role}`, `--clusterrole=${role}`, `--user=${user}`]);
  }
  for (const kind of new Set(workloads.map((workload) => workload.kind))) {
    const { group, plural } = rolledResources[kind];
    const names = workloads.filter((workload) => workload.kind === kind).map((workload) => workload.name);
    await grant(admin, user, { verb: 'patch', group, resource: plural, names });
  }
  return user;
}

beforeAll(async () => {
  await applyRoles(cluster);
  await runKubectl(cluster, ['create', 'namespace', namespace]);
  await userWith('eve', []);
  await accepted(() => eve(dryRun, reference({ data: goodData })));
  await refusedWith(() => eve(dryRun, reference(listing([{ name: 'api' }]))), 'may not patch');
});

afterAll(() => runKubectl(cluster, ['delete', 'namespace', namespace, '--wait=false']));

describe('security rule 12: listing a workload', () => {
  test('needs the verb patch on it, and says on what, and what to ask for', async () => {
    expect(await refusal(eve(dryRun, reference(listing([{ name: 'api' }]))))).toContain(
      `eve-${run} may not patch Deployment api of namespace ${namespace}, and so may not list it in rollout.workloads, which has its pods replaced. Ask for a Role there with: apiGroups: [apps], resources: [deployments], resourceNames: [api], verbs: [patch]`,
    );
  });

  test.each(rolledKinds.map((kind) => [kind, rolledResources[kind]] as const))(
    'asks about a %s in its own group',
    async (kind, { group, plural }) => {
      const message = await refusal(eve(dryRun, reference(listing([{ kind, name: 'api' }]))));

      expect(message).toContain(`may not patch ${kind} api of namespace ${namespace}`);
      expect(message).toContain(`apiGroups: [${group}], resources: [${plural}], resourceNames: [api]`);
    },
  );

  test('is open to who may patch it, and to no other of the same name', async () => {
    const ann = kubectlIn(cluster, namespace, await userWith('ann', [{ kind: 'Deployment', name: 'api' }]));
    const create = (workload: Listed): Promise<string> => ann(dryRun, reference(listing([workload])));

    await accepted(() => create({ name: 'api' }));

    expect(await refusal(create({ kind: 'StatefulSet', name: 'api' }))).toContain('may not patch StatefulSet api');
    expect(await refusal(create({ name: 'other' }))).toContain('may not patch Deployment other');
  });

  test('is open to editors of the namespace', async () => {
    const user = await userWith('editor', []);
    await admin(['create', 'rolebinding', 'editor', '--clusterrole=edit', `--user=${user}`]);
    const object = reference(listing([{ name: 'api' }, { kind: 'CronJob', name: 'report' }]));

    expect(await accepted(() => kubectlIn(cluster, namespace, user)(dryRun, object))).toContain('created');
  });

  test('works with ten of mixed kinds', async () => {
    const ben = kubectlIn(cluster, namespace, await userWith('ben', ten));

    expect(await accepted(() => ben(dryRun, reference(listing(ten))))).toContain('created');
  });

  test.each(ten.map((workload, index) => ({ index, ...workload })))(
    'asks about each of ten: number $index',
    async ({ index, kind, name }) => {
      const others = ten.filter((_workload, other) => other !== index);
      const user = kubectlIn(cluster, namespace, await userWith(`user-${index}`, others));
      const says = `may not patch ${kind} ${name} of namespace`;

      expect(await refusedWith(() => user(dryRun, reference(listing(ten))), says)).toContain(says);
    },
  );

  test('is within the budget of the API server for the longest names, five managers and an administrator', async () => {
    const keys = [0, 1, 2, 3, 4].map((index) => [`key-${index}`, { secret: 'x', managerRef: { name: `m${index}` } }]);
    const workloads = rolledKinds.flatMap((kind) =>
      ['a', 'b'].map((end) => ({ kind, name: `${'n'.repeat(252)}${end}` })),
    );
    const largest = reference(listing(workloads, { data: Object.fromEntries(keys) }));

    expect(await refusal(admin(dryRun, largest))).toBeUndefined();
  });
});

describe('security rule 12: a reference that lists a workload', () => {
  const patch = (body: object): Promise<string | undefined> =>
    refusal(eve(['patch', 'sref', 'api-db', '--type=merge', '--dry-run=server', '-p', JSON.stringify(body)]));

  beforeAll(() => admin(['create', '-f', '-'], reference(listing([{ name: 'api' }]))));

  test('may get labels and annotations by who may not patch the workload', async () => {
    const metadata = { labels: { team: 'shop' }, annotations: { 'keyferry.io/sync': '1' } };

    expect(await patch({ metadata })).toBeUndefined();
  });

  test.each([
    ['another workload', { rollout: { workloads: [{ name: 'other' }] } }, 'Deployment other'],
    ['another key, which restarts the workload', { data: { more: { secret: 'x' } } }, 'Deployment api'],
  ])('may not get %s by who may not patch that', async (_what, spec, says) => {
    expect(await patch({ spec })).toContain(`eve-${run} may not patch ${says} of namespace ${namespace}`);
  });

  test.each(['Auto', 'Never'])('may get policy %s by anybody who may write it', async (policy) => {
    expect(await patch({ spec: { rollout: { policy, workloads: null } } })).toBeUndefined();
  });
});
