import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { chart, imageFlags, leader, metric, operatorPods, release, rolledOut } from '../release.ts';
import { type World, within } from '../world.ts';

const podSecurity = 'pod-security.kubernetes.io/enforce=restricted';

const containerStatus = z.object({
  spec: z.object({
    containers: z.array(z.object({ securityContext: z.object({ readOnlyRootFilesystem: z.boolean() }) })),
  }),
});

/** The first day: the chart with nothing but its defaults, into a namespace that lets only restricted pods in. */
export function install(world: World): void {
  test('Helm installs a working system with the defaults, under the restricted pod security level', async () => {
    await world.kubectl('create', 'namespace', release.namespace);
    await world.kubectl('label', 'namespace', release.namespace, podSecurity);

    const notes = await world.helm(
      'install',
      release.name,
      chart,
      '--namespace',
      release.namespace,
      ...imageFlags,
      '--wait',
      '--timeout=3m',
    );

    expect(notes).toContain('Next step');
    await rolledOut(world, release.namespace, 'keyferry');
    const pods = await operatorPods(world);
    expect(pods.map(({ ready, restarts }) => ({ ready, restarts }))).toEqual([
      { ready: true, restarts: 0 },
      { ready: true, restarts: 0 },
    ]);
    const pod = await world.get(containerStatus, 'pod', pods[0]?.name ?? '', '-n', release.namespace);
    expect(pod.spec.containers[0]?.securityContext.readOnlyRootFilesystem).toBe(true);
  });

  test('the default manager is the embedded one, and takes secrets', async () => {
    await world.kubectl('wait', 'csmgr', 'default', '--for=condition=Ready', '--timeout=60s');
    expect(await world.kubectl('get', 'csmgr', 'default', '-o', 'jsonpath={.spec.embedded}')).not.toBe('');
  });

  test('`helm test` passes', async () => {
    const report = await world.helm('test', release.name, '--namespace', release.namespace, '--timeout=2m');
    expect(report).toMatch(/Phase:\s+Succeeded/);
  });

  test('the NetworkPolicy of the chart is there', async () => {
    const policies = await world.kubectl('get', 'networkpolicy', '-n', release.namespace, '-o', 'name');
    expect(policies.trim().split('\n')).toEqual(['networkpolicy.networking.k8s.io/keyferry']);
  });

  test('the operator says how long it took to start, and what it weighs', async () => {
    const pods = await operatorPods(world);
    const working = await leader(world);
    const rows = await Promise.all(
      pods.map(async ({ name, startup }) => {
        const bytes = await metric(world, name, 'process_resident_memory_bytes');
        const seconds = await metric(world, name, 'process_cpu_seconds_total');
        const role = name === working ? 'leader' : 'standby';
        return `${role}: ready ${startup ?? '?'} s after its start, ${Math.round(bytes / 2 ** 20)} MiB, ${seconds.toFixed(1)} s of CPU so far`;
      }),
    );
    process.stderr.write(`operator pods\n  ${rows.join('\n  ')}\n`);
    expect(rows).toHaveLength(2);
  });

  test('`keyferry status` says who works, and nags until the sealing key was backed up', async () => {
    const working = await leader(world);
    const before = await world.keyferry(['status']);
    expect(before).toContain(`Operator:   ${working}`);
    expect(before).toContain('the sealing key in use was not backed up');

    const folder = await mkdtemp(join(tmpdir(), 'keyferry-backup-'));
    await world.keyferry(['keys', 'backup', '--file', join(folder, 'keys.yaml')]);
    await rm(folder, { recursive: true });

    await within('it no longer says so', async () => {
      expect(await world.keyferry(['status'])).not.toContain('was not backed up');
    });
  });
}
