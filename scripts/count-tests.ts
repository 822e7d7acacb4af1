import { readFile } from 'node:fs/promises';
import { countTests } from './test-report.ts';

/** Prints what the runner's JSON reports say together in one line, and fails when a test failed or none ran. */
const reports = await Promise.all(process.argv.slice(2).map((path) => readFile(path, 'utf8')));
const counts = reports.map(countTests);
const passed = counts.reduce((sum, count) => sum + count.passed, 0);
const failed = counts.reduce((sum, count) => sum + count.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
