import type { Stage } from '../stage.ts';
import {
  backendAway,
  firstSync,
  labelMovesBack,
  recreated,
  recreatedOrphan,
  rotation,
  rotationWhileDown,
  twoRotations,
} from './basic.ts';
import {
  changedByPeople,
  consumers,
  consumersFirst,
  consumersWhileDown,
  guarded,
  severalTargets,
} from './consumers.ts';
import { embedded, embeddedChanges, embeddedPuts, embeddedWhileDown } from './embedded.ts';
import {
  conflict,
  merged,
  missingKey,
  neverGranted,
  neverThere,
  optionalKey,
  rulesWithdrawn,
  rulesWithdrawnKept,
} from './refused.ts';

/** What people and the backend do in a run. Ends when all was done; that all is well then is waited for and judged by the runner. */
export type Scenario = (stage: Stage) => Promise<void>;

export const scenarios: Readonly<Record<string, Scenario>> = {
  'first-sync': firstSync,
  rotation,
  'two-rotations': twoRotations,
  'rotation-while-down': rotationWhileDown,
  'label-moves-back': labelMovesBack,
  recreated,
  'recreated-orphan': recreatedOrphan,
  'rules-withdrawn': rulesWithdrawn,
  'rules-withdrawn-kept': rulesWithdrawnKept,
  'never-granted': neverGranted,
  conflict,
  'missing-key': missingKey,
  'never-there': neverThere,
  'optional-key': optionalKey,
  'backend-away': backendAway,
  merged,
  'consumers-first': consumersFirst,
  consumers,
  'consumers-while-down': consumersWhileDown,
  'several-targets': severalTargets,
  'changed-by-people': changedByPeople,
  guarded,
  embedded,
  'embedded-puts': embeddedPuts,
  'embedded-changes': embeddedChanges,
  'embedded-while-down': embeddedWhileDown,
};

/** Whether secrets are kept in the cluster in a scenario, and not in a backend. */
export function isEmbedded(scenario: string): boolean {
  return scenario.startsWith('embedded');
}
