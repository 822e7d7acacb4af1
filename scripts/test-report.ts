import { z } from 'zod';

const reportSchema = z.object({
  testResults: z.array(
    z.object({
      status: z.string(),
      assertionResults: z.array(z.object({ status: z.string() })),
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
