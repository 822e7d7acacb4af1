import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { backendOf } from './backends.ts';
import { showConsumers, showGuarded, showRollout } from './rollout-scenes.ts';
import { showBroken, showChange, showFirstSync, showManager, showPeople, showRepair, showScopes } from './scenes.ts';
import { openTerminal, say } from './terminal.ts';
import { startWorld, type World } from './world.ts';

const keep = (process.env['KEEP'] ?? '') !== '';
const manager = process.env['MANAGER'] ?? '';
const backend = backendOf(manager === '' ? 'embedded' : manager);
const interrupted = new AbortController();
for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupted.abort());
const stopped = once(interrupted.signal, 'abort').then(() => 'stopped' as const);
// Waiting for a signal alone keeps no process alive.
setInterval(() => undefined, 60_000);

/** Exit codes: 0 all is as it should be, 1 something is not, 130 interrupted. */
async function main(): Promise<number> {
  say('Starting everything from nothing. The first time, what is missing is downloaded or built.');
  const starting = startWorld('shop', (line) => process.stdout.write(`  ${line}\n`));
  const world = await Promise.race([starting, stopped]);
  if (world === 'stopped') {
    // A build that takes minutes is not waited for: it ends with this process.
    await Promise.race([starting.then((late) => late.stop()).catch(() => undefined), delay(15_000)]);
    return 130;
  }
  try {
    const outcome = await Promise.race([show(world), stopped]);
    if (outcome === 'stopped') return 130;
    if (outcome && keep) {
      process.stdout.write(`\n${usage(world)}\n`);
      await stopped;
    }
    return outcome ? 0 : 1;
  } finally {
    say('Stopping everything.');
    await world.stop();
  }
}

/** True where all is as it should be. */
async function show(world: World): Promise<boolean> {
  const terminal = openTerminal(world);
  try {
    await showFirstSync(terminal, backend);
    await showBroken(terminal);
    await showConsumers(terminal);
    await showChange(terminal, backend);
    await showRollout(terminal, backend);
    await showRepair(terminal);
    await showGuarded(terminal, backend);
    await showManager(terminal, backend);
    if (backend.backend === 'embedded') {
      await showScopes(terminal);
      await showPeople(terminal);
    }
    say('All is as it should be.');
    return true;
  } catch (error) {
    if (interrupted.signal.aborted) return false;
    say(`FAILED: ${error instanceof Error ? error.message : String(error)}`);
    say(`The end of the operator's log:\n${(await world.operatorLog()).trimEnd().split('\n').slice(-20).join('\n')}`);
    return false;
  }
}

function usage(world: World): string {
  const variables = Object.entries(world.env).map(([name, value]) => `    export ${name}=${value}`);
  return [
    'Everything stays up. In another terminal, in this folder:',
    '',
    ...variables,
    `    export PATH=${world.binaries}:${world.tools}:$PWD/node_modules/.bin:$PATH`,
    '    kubectl get sref',
    `    ${backend.put('shop/db.password', 'a fourth value', '4')}`,
    `    curl ${world.operatorUrl}/metrics`,
    '',
    'Ctrl-C here stops and removes all of it.',
  ].join('\n');
}

process.exit(await main());
