import { z } from 'zod';

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      status: z.string(),
      assertionResults: z.array(
        z.object({
          status: z.string(),
          ancestorTitles: z.array(z.string()).default([]),
          duration: z.number().nullish(),
        }),
      ),
    }),
  ),
});

export interface TestCounts {
  readonly passed: number;
  readonly failed: number;
}

/** Counts the tests of vitest's JSON report. A file that failed before its tests could run counts as one failed test. */
export function countTests(report: string): TestCounts {
  const { testResults } = reportSchema.parse(JSON.parse(report));
  let passed = 0;
  let failed = 0;
  for (const file of testResults) {
    const statuses = file.assertionResults.map(({ status }) => status);
    const failures = statuses.filter((status) => status === 'failed').length;
    passed += statuses.filter((status) => status === 'passed').length;
    failed += file.status === 'failed' ? Math.max(failures, 1) : failures;
  }
  return { passed, failed };
}

export interface PartTime {
  readonly part: string;
  readonly tests: number;
  readonly seconds: number;
}

/** How long the tests of each outermost `describe` took, in the order of the report. Those that did not run are left out. */
export function partTimes(report: string): readonly PartTime[] {
  const { testResults } = reportSchema.parse(JSON.parse(report));
  const parts = new Map<string, PartTime>();
  for (const { ancestorTitles, duration } of testResults.flatMap(({ assertionResults }) => assertionResults)) {
    if (duration === null || duration === undefined) continue;
    const part = ancestorTitles[0] ?? '';
    const { tests, seconds } = parts.get(part) ?? { tests: 0, seconds: 0 };
    parts.set(part, { part, tests: tests + 1, seconds: seconds + duration / 1000 });
  }
  return [...parts.values()];
}
