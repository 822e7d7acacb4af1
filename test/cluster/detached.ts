import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { ensureBinaries } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { logTail } from './guarded-process.ts';
import { commandLineOf } from './process-table.ts';
import { waitFor } from './wait.ts';

const root = join(import.meta.dirname, '..', '..');
const dir = join(root, '.cluster');
const stateFile = join(dir, 'state.json');
const logFile = join(dir, 'supervisor.log');

const clusterState = z.object({
  /** Process id of the supervisor. All others end with it. */
  supervisor: z.number(),
  /** Process ids of the parts by name. */
  parts: z.record(z.string(), z.number()),
  kubeconfig: z.string(),
});

export type ClusterState = z.infer<typeof clusterState>;

/** Starts the control plane of this work tree, which outlives the caller. When it runs already, that one is given. */
export async function upCluster(): Promise<ClusterState> {
  const running = await readState();
  if (running !== undefined) {
    return running;
  }
  // Here, where a person sees the progress.
  await ensureBinaries();
  await rm(dir, { recursive: true, force: true });
  await mkdir(dir, { recursive: true });
  const log = openSync(logFile, 'a');
  const supervisor = spawn(process.execPath, [join(import.meta.dirname, 'main.ts'), 'supervise'], {
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  supervisor.unref();
  try {
    return await waitFor({ what: 'the control plane to be ready', timeout: 90_000 }, async () => {
      const state = await readState();
      return state ?? (supervisor.exitCode === null ? undefined : Promise.reject(new Error('Its supervisor ended.')));
    });
  } catch (error) {
    supervisor.kill();
    throw new Error(`The cluster did not start. The end of its log:\n${await logTail(logFile)}`, { cause: error });
  }
}

/** Stops the control plane of this work tree, if there is one, and removes what it wrote. */
export async function downCluster(): Promise<void> {
  const state = await readState();
  if (state !== undefined) {
    process.kill(state.supervisor, 'SIGTERM');
    const pids = [state.supervisor, ...Object.values(state.parts)];
    await waitFor({ what: 'the cluster to stop', timeout: 30_000 }, async () => {
      const left = await Promise.all(pids.map(isOurs));
      return left.includes(true) ? undefined : true;
    });
  }
  await rm(dir, { recursive: true, force: true });
}

/** Runs the control plane until a signal asks for its end. */
export async function superviseCluster(): Promise<void> {
  const stopping = Promise.race([once(process, 'SIGTERM'), once(process, 'SIGINT')]);
  const cluster = await startControlPlane({ dir, scheduler: true });
  const alive = setInterval(() => undefined, 60_000);
  const state: ClusterState = { supervisor: process.pid, parts: { ...cluster.pids() }, kubeconfig: cluster.kubeconfig };
  await writeFile(`${stateFile}.new`, JSON.stringify(state));
  await rename(`${stateFile}.new`, stateFile);
  await stopping;
  clearInterval(alive);
  await cluster.stop();
}

/** What runs, or undefined: a state whose supervisor is gone says nothing. */
async function readState(): Promise<ClusterState | undefined> {
  const text = await readFile(stateFile, 'utf8').catch(() => undefined);
  if (text === undefined) {
    return undefined;
  }
  const state = clusterState.parse(JSON.parse(text));
  return (await isOurs(state.supervisor)) ? state : undefined;
}

/** Whether a process of this work tree's cluster has this id; after a reboot it may be anyone's. */
async function isOurs(pid: number): Promise<boolean> {
  return (await commandLineOf(pid)).includes(root);
}
