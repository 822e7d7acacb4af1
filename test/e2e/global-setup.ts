import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { runCommand } from '../cluster/command.ts';
import { logToStderr } from '../cluster/progress.ts';
import { dockerAnswers, startKind } from './kind/kind.ts';
import { startNative } from './native/native.ts';
import { root } from './root.ts';

/** Builds the image from the Dockerfile and makes a cluster with a real node for it: by kind where Docker answers, else of this machine itself. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  await runCommand(process.execPath, [join(root, 'scripts', 'build.ts')]);
  const start = (await dockerAnswers()) ? startKind : startNative;
  const { cluster, stop } = await start(logToStderr);
  project.provide('e2e', cluster);
  return stop;
}
