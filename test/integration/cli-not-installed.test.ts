import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type ControlPlane, startControlPlane } from '../cluster/control-plane.ts';
import { command, type Ended, runCommand } from './cli-support.ts';

let cluster: ControlPlane;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'keyferry-bare-'));
  cluster = await startControlPlane({ controllerManager: false });
});
afterAll(async () => {
  await cluster?.stop();
  await rm(home, { recursive: true, force: true });
});

function run(args: readonly string[]): Promise<Ended> {
  const env = { KUBECONFIG: cluster.kubeconfig, HOME: home, XDG_CONFIG_HOME: home };
  return runCommand(process.execPath, [command, ...args], env, (input) => void input.end('value'));
}

describe('a cluster where Keyferry is not installed', () => {
  it.each([
    'list',
    'list -A',
    'types',
    'types tls',
    'put db.password',
    'put db.password --create',
    'put db.password --manager aws/default',
    'explain db',
    'refs',
    'status',
    'keys trust',
  ])('is called so by keyferry %s', async (line) => {
    const { code, out, notes } = await run(line.split(' '));

    expect([code, out]).toEqual([1, '']);
    expect(notes).toMatch(/^error: Keyferry is not installed in this cluster \(its CRDs are missing\): .+\n$/);
  });
});
