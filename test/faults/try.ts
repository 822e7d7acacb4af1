import { startRig } from './rig.ts';
import { runPlan } from './run-plan.ts';
import { scenarios } from './scenarios/scenarios.ts';
const rig = await startRig({ lanes: 1 });
try {
  const names = process.argv.slice(2).length > 0 ? process.argv.slice(2) : Object.keys(scenarios);
  for (const scenario of names) {
    const v = await runPlan({ scenario, crew: 'one', faults: [] }, { rig, lane: 'lane-0' });
    console.log(scenario, v.seconds.toFixed(1), v.violations, v.history.waits.length);
    if (names.length === 1 || v.violations.length > 0) console.log(v.seen.map((s) => `${s.on} ${s.at}`).join('\n'));
    if (v.violations.length > 0 && names.length === 1) console.log(v.history.logs.map((l) => l.text).join('\n'));
  }
} finally {
  await rig.stop();
}
