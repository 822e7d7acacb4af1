import { readdir, readFile, rm } from 'node:fs/promises';
import { runCommand } from '../../cluster/command.ts';
import { commandLineOf } from '../../cluster/process-table.ts';
import { waitFor } from '../../cluster/wait.ts';
import { removeBridge, removePodNetworks } from './network.ts';
import { nodeDir, paths } from './paths.ts';

/** Ends the pods of the node, however it ended itself, and removes its mounts, its networks and its folder. */
export async function cleanUp(): Promise<void> {
  await waitFor({ what: 'the processes of the pods to end', timeout: 30_000 }, async () => {
    const left = await nodeProcesses();
    for (const pid of left) kill(pid);
    return left.length === 0 ? true : undefined;
  });
  await unmountAll();
  await removePodNetworks();
  await removeBridge();
  await rm(nodeDir, { recursive: true, force: true });
}

/** Containers and what containerd starts for each pod: both outlive it. */
async function nodeProcesses(): Promise<readonly number[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const ours = await Promise.all(pids.map(isOurs));
  return pids.filter((_, index) => ours[index] === true);
}

async function isOurs(pid: number): Promise<boolean> {
  if ((await commandLineOf(pid)).includes(paths.containerdSocket)) return true;
  const mounts = await readFile(`/proc/${pid}/mountinfo`, 'utf8').catch(() => '');
  const root = mounts.split('\n').find((line) => line.split(' ')[4] === '/');
  return root?.includes(`lowerdir=${nodeDir}/`) ?? false;
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}

/** The inner mounts first. */
async function unmountAll(): Promise<void> {
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const points = mounts
    .split('\n')
    .flatMap((line) => line.split(' ')[1] ?? [])
    .filter((point) => point.startsWith(`${nodeDir}/`));
  for (const point of points.toReversed()) await runCommand('umount', ['--lazy', point]);
}
