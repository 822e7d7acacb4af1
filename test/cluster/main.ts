import { downCluster, superviseCluster, upCluster } from './detached.ts';

/** `up` starts the cluster of this work tree and prints how to reach it, `down` stops it; `supervise` is what `up` leaves running. */
const commands = { up, down: downCluster, supervise: superviseCluster };

async function up(): Promise<void> {
  const { kubeconfig } = await upCluster();
  process.stdout.write(`export KUBECONFIG=${kubeconfig}\n`);
}

const [name = ''] = process.argv.slice(2);
const command = Object.entries(commands).find(([known]) => known === name)?.[1];
if (command === undefined) {
  process.stderr.write(`Usage: node test/cluster/main.ts ${Object.keys(commands).join('|')}\n`);
  process.exitCode = 2;
} else {
  await command().catch((error: unknown) => {
    process.stderr.write(`${describe(error)}\n`);
    process.exitCode = 1;
  });
}

/** What went wrong and why, without stack traces: a person reads this. */
function describe(error: unknown): string {
  if (!(error instanceof Error)) {
    return String(error);
  }
  return error.cause === undefined ? error.message : `${error.message}\nBecause: ${describe(error.cause)}`;
}
