import { logToStderr as log } from '../cluster/progress.ts';
import { type EmbeddedLine, measureEmbedded } from './embedded/measure.ts';
import { withEmbeddedRig } from './embedded/rig.ts';
import { callsSince, mark, type PhaseLine } from './measurement.ts';
import { cold, idle, restart, rotate } from './phases.ts';
import { type Rig, withRig } from './rig.ts';
import { type IdleWorkloadsLine, idleWorkloads, type RolloutLine, rollout } from './rollouts.ts';
import { readSettings } from './settings.ts';
import { settle } from './waiting.ts';

/** Measures the operator and prints a line of JSON for each phase to standard output; progress goes to standard error. */
async function main(): Promise<void> {
  const settings = readSettings(process.env, process.argv.slice(2));
  if (settings.PHASES === 'embedded') {
    await withEmbeddedRig(settings, log, (rig) => measureEmbedded(rig, log, print));
    return;
  }
  await withRig(settings, log, settings.PHASES === 'rollouts' ? measureRollouts : measure);
}

async function measure(rig: Rig): Promise<void> {
  const begin = await mark(rig, undefined);
  log('cold: the operator starts');
  const { line, operator } = await cold(rig, log);
  print(line);
  log(`calls by operation: ${JSON.stringify(Object.fromEntries(callsSince(rig, begin)))}`);
  if (rig.settings.PHASES === 'cold') {
    await operator.stop();
    return;
  }
  await settle(rig, log);
  log(`idle: ${rig.settings.IDLE_SECONDS} s`);
  print(await idle(rig, operator));
  log(`rotate: ${rig.settings.ROTATIONS} secrets within ${rig.settings.ROTATION_SECONDS} s`);
  print(await rotate(rig, operator));
  await settle(rig, log);
  log('restart: another process takes over');
  const again = await restart(rig, operator);
  print(again.line);
  await again.operator.stop();
}

async function measureRollouts(rig: Rig): Promise<void> {
  log('the operator starts');
  const { operator } = await cold(rig, log);
  await settle(rig, log);
  await idleWorkloads(rig, operator, log, print);
  log('rollout: the secret gets a new version');
  print(await rollout(rig, operator, log));
  await operator.stop();
}

function print(line: PhaseLine | IdleWorkloadsLine | RolloutLine | EmbeddedLine): void {
  const rounded = Object.entries(line).map(([name, value]: [string, unknown]) => [
    name,
    typeof value === 'number' ? Math.round(value * 1000) / 1000 : value,
  ]);
  process.stdout.write(`${JSON.stringify(Object.fromEntries(rounded))}\n`);
}

await main();
