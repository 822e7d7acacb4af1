import { spawn } from 'node:child_process';
import { join } from 'node:path';

const entry = join(import.meta.dirname, '..', '..', '..', 'dist', 'keyferry.mjs');

export interface CommandRun {
  readonly seconds: number;
  readonly output: string;
}

/** Runs the built command as a person would, from the start of the process to its end. @throws where it fails */
export async function runKeyferry(kubeconfig: string, args: readonly string[]): Promise<CommandRun> {
  const started = performance.now();
  const child = spawn(process.execPath, [entry, ...args, '--kubeconfig', kubeconfig], { stdio: 'pipe' });
  const [out, notes]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on('data', (part: Buffer) => out.push(part));
  child.stderr.on('data', (part: Buffer) => notes.push(part));
  child.stdin.end();
  const { promise, resolve, reject } = Promise.withResolvers<number | null>();
  child.once('error', reject);
  child.once('close', resolve);
  const code = await promise;
  if (code !== 0) throw new Error(`keyferry ${args.join(' ')} ended with ${code}: ${Buffer.concat(notes).toString()}`);
  return { seconds: (performance.now() - started) / 1000, output: Buffer.concat(out).toString() };
}
