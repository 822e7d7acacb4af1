import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { type ConnectProxy, startConnectProxy } from '../../src/kube/testing/connect-proxy.ts';
import { type Cli, startCli } from './cli-support.ts';
import { itLeaksNothing } from './world-scan.ts';

let cli: Cli;
let folder: string;
let proxy: ConnectProxy;

beforeAll(async () => {
  cli = await startCli();
  folder = await mkdtemp(join(tmpdir(), 'keyferry-proxy-'));
});
afterEach(() => proxy.close());
afterAll(async () => {
  await cli?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The environment of somebody whose kubeconfig names the proxy. */
async function behind(): Promise<Readonly<Record<string, string>>> {
  const kubeconfig = join(folder, 'config');
  await copyFile(cli.world.cluster.kubeconfig, kubeconfig);
  const name = await cli.world.kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].name}');
  await cli.world.kubectl('config', 'set-cluster', name, `--proxy-url=${proxy.url.href}`, '--kubeconfig', kubeconfig);
  return { KUBECONFIG: kubeconfig };
}

it('the command reaches the cluster by the proxy of the kubeconfig, calls and watches', async () => {
  proxy = await startConnectProxy();
  const namespace = await cli.world.namespace();
  const value = cli.world.canary();
  const env = await behind();

  await cli.ok(['put', 'db.password', '--create', '-n', namespace], { stdin: value, env });

  const reveal = ['reveal', 'db.password', '--reason', 'to see it', '-o', 'raw', '-n', namespace];
  expect(await cli.ok(reveal, { env })).toBe(value);
  const server = await cli.world.kubectl('config', 'view', '--minify', '-o', 'jsonpath={.clusters[0].cluster.server}');
  expect(new Set(proxy.asked.map(({ target }) => target))).toEqual(new Set([new URL(server).host]));
});

it('a proxy that refuses is named, and its page is not shown', async () => {
  proxy = await startConnectProxy(403);

  const { code, notes } = await cli.run(['list'], { env: await behind() });

  expect(code).toBe(1);
  expect(notes).toContain(`the proxy ${proxy.url.host} refuses`);
  expect(notes).not.toContain('a page of the proxy');
});

itLeaksNothing(() => cli.world);
