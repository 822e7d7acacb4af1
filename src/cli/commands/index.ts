import type { CommandFactory } from '../context.ts';
import { auditCommand } from './audit.ts';
import { deleteCommand } from './delete.ts';
import { disableCommand, enableCommand } from './disable.ts';
import { editCommand } from './edit.ts';
import { listCommand } from './list.ts';
import { putCommand } from './put.ts';
import { revealCommand } from './reveal.ts';
import { rollbackCommand } from './rollback.ts';
import { showCommand } from './show.ts';
import { typesCommand } from './types.ts';

/** Every command, in the order in which the help shows them. */
export const commands: readonly CommandFactory[] = [
  putCommand,
  listCommand,
  showCommand,
  revealCommand,
  rollbackCommand,
  disableCommand,
  enableCommand,
  editCommand,
  deleteCommand,
  typesCommand,
  auditCommand,
];
