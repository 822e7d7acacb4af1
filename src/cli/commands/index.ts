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
import { completionCommand } from './completion.ts';
import { explainCommand } from './explain.ts';
import { grantCommand } from './grant.ts';
import { keysCommand } from './keys.ts';
import { refsCommand } from './refs.ts';
import { resumeCommand } from './resume.ts';
import { rotateCommand } from './rotate.ts';
import { sealCommand } from './seal.ts';
import { statusCommand } from './status.ts';
import { suspendCommand } from './suspend.ts';
import { syncCommand } from './sync.ts';
import { whoCanCommand } from './who-can.ts';

/** Every command, in the order in which the help shows them. */
export const commands: readonly CommandFactory[] = [
  putCommand,
  listCommand,
  showCommand,
  revealCommand,
  rotateCommand,
  rollbackCommand,
  disableCommand,
  enableCommand,
  editCommand,
  deleteCommand,
  typesCommand,
  auditCommand,
  refsCommand,
  explainCommand,
  syncCommand,
  suspendCommand,
  resumeCommand,
  statusCommand,
  grantCommand,
  whoCanCommand,
  sealCommand,
  keysCommand,
  completionCommand,
];
