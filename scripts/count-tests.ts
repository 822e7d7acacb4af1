import { readFile } from 'node:fs/promises';
import { countTests } from './test-report.ts';

/** Prints what the runner's JSON report says in one line, and fails when a test failed or none ran. */
const [path = ''] = process.argv.slice(2);
const { passed, failed } = countTests(await readFile(path, 'utf8'));
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
