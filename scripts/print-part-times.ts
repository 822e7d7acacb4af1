import { readFile } from 'node:fs/promises';
import { partTimes } from './test-report.ts';

/** Prints how long each part of a run took, from the runner's JSON report. */
const [path = ''] = process.argv.slice(2);
for (const { part, tests, seconds } of partTimes(await readFile(path, 'utf8'))) {
  process.stdout.write(`  ${part.padEnd(40)} ${String(tests).padStart(3)} tests ${seconds.toFixed(1).padStart(7)} s\n`);
}
