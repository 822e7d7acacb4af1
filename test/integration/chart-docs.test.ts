import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeManifests } from '../../scripts/manifests.ts';
import { ensureBinary } from '../cluster/binaries.ts';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { readPage } from '../docs/pages.ts';
import { openShell, type Shell, walk } from '../docs/walk.ts';

let cluster: ControlPlane;
let shell: Shell;

beforeAll(async () => {
  cluster = await startControlPlane();
  // What `make manifests` does.
  await writeManifests(join(import.meta.dirname, '..', '..', 'dist', 'manifests'));
  shell = await openShell({
    env: { KUBECONFIG: cluster.kubeconfig },
    binaries: dirname(cluster.kubectl),
    tools: dirname(await ensureBinary('helm')),
  });
}, 600_000);

afterAll(async () => {
  await shell?.close();
  await cluster?.stop();
});

it('the page on installing can be done from its first command to its last, and then nothing is left', async () => {
  expect(await walk(readPage('docs/install.md'), shell)).toBeGreaterThan(10);

  const names = await shell.run('kubectl get crd,clusterrole,clusterrolebinding,validatingadmissionpolicy -o name');
  expect(names.split('\n').filter((name) => name.includes('keyferry'))).toEqual([]);
}, 600_000);
