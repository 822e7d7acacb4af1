import type { CommandFactory } from '../context.ts';
import { listCommand } from './list.ts';

/** Every command, in the order in which the help shows them. */
export const commands: readonly CommandFactory[] = [listCommand];
