import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { chart, type Values } from '../chart/helm.ts';
import { eventually } from '../operator/eventually.ts';
import { runHookPod } from './chart-hooks.ts';
import { type ChartCluster, startChartCluster } from './chart-support.ts';

const release = ['ferry', '--namespace', 'harbour'] as const;
const everything = [{ namespaces: { names: ['*'] }, secrets: ['**'] }];
const itsOwn = [{ namespaces: { names: ['*'] }, secrets: ['{namespace}/**'] }];
const aws = (access: unknown, more: Values = {}): Values => ({
  defaultManager: { aws: { region: 'eu-west-1' }, access },
  ...more,
});

let made: ChartCluster;

beforeAll(async () => {
  made = await startChartCluster();
}, 600_000);

afterAll(() => made?.stop());

const install = (values: Values) => made.helm(['install', ...release, chart, '--create-namespace'], values);
const upgrade = (values: Values) => made.helm(['upgrade', ...release, chart], values);

/** Helm waits for the pod of the hook, and takes it away when it ended. */
async function withPod(run: Promise<string>): Promise<void> {
  await Promise.all([run, runHookPod(made, 'harbour', 'ferry-keyferry-set')]);
}

const managerSchema = z.object({
  metadata: z.object({ uid: z.string() }),
  spec: z.record(z.string(), z.unknown()),
});

async function manager(): Promise<z.infer<typeof managerSchema>> {
  return managerSchema.parse(JSON.parse(await made.kubectl(['get', 'csmgr', 'default', '-o', 'json'])));
}

async function leftOfHooks(): Promise<string> {
  const selection = ['-A', '-l', 'app.kubernetes.io/component=set', '-o', 'name', '--ignore-not-found'];
  return made.kubectl(['get', 'pod,serviceaccount,clusterrole,clusterrolebinding', ...selection]);
}

describe('the default manager follows the values', () => {
  it('security rule 2: with the first upgrade too, when access is taken away', async () => {
    await install(aws(everything));
    const { uid } = (await manager()).metadata;

    await withPod(upgrade(aws(itsOwn)));

    expect(await manager()).toMatchObject({ metadata: { uid }, spec: { access: itsOwn } });
  });

  it('and nobody keeps the rights that it was changed with', async () => {
    expect(await leftOfHooks()).toBe('');
  });

  it('without a pod where an upgrade is about something else', async () => {
    await upgrade(aws(itsOwn, { logLevel: 'debug' }));

    expect((await manager()).spec).toMatchObject({ access: itsOwn });
  });

  it('back again with a later upgrade', async () => {
    await withPod(upgrade(aws(everything)));

    expect((await manager()).spec).toMatchObject({ access: everything });
  });

  it('with the next install, after an uninstall that left it', async () => {
    const { uid } = (await manager()).metadata;
    await made.helm(['uninstall', ...release]);

    await withPod(install({ defaultManager: { embedded: { limits: { secrets: 7 } } } }));

    const { metadata, spec } = await manager();
    expect(metadata.uid).toBe(uid);
    expect(spec).toMatchObject({ embedded: { limits: { secrets: 7 } } });
    expect(Object.keys(spec)).not.toContain('aws');
    expect(Object.keys(spec)).not.toContain('access');
  });

  it('from secrets in the cluster to AWS, by the first upgrade', async () => {
    await upgrade({ defaultManager: { embedded: { limits: { secrets: 7 } } }, crds: { keep: false } });
    await made.helm(['uninstall', ...release]);
    await eventually('the CRDs are gone', async () =>
      expect(await made.kubectl(['get', 'crd', '-o', 'name'])).not.toContain('keyferry.io'),
    );
    await install({});
    expect(Object.keys((await manager()).spec)).toContain('embedded');

    await withPod(upgrade(aws(itsOwn)));

    const { spec } = await manager();
    expect(spec).toMatchObject({ aws: { region: 'eu-west-1' }, access: itsOwn });
    expect(Object.keys(spec)).not.toContain('embedded');
  });
});
