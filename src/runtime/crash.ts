import { writeSync } from 'node:fs';
import { describeError } from './errors.ts';

/**
 * What nobody caught ends the process with exit code 1, and is told without its message: Node's own words would quote what a parser or a library was given,
 * which may be a value. For the entry points.
 */
export function crashWithoutMessages(): void {
  process.on('uncaughtException', (error) => {
    // At once: nothing that is written later would go out.
    writeSync(process.stderr.fd, `crashed: ${JSON.stringify(describeError(error))}\n`);
    process.exit(1);
  });
}
