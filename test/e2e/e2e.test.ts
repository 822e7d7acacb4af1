import { afterAll, describe } from 'vitest';
import { aws } from './scenarios/aws.ts';
import { failures } from './scenarios/failures.ts';
import { guarded } from './scenarios/guarded.ts';
import { install } from './scenarios/install.ts';
import { restricted } from './scenarios/restricted.ts';
import { rights } from './scenarios/rights.ts';
import { rotate } from './scenarios/rotate.ts';
import { uninstall } from './scenarios/uninstall.ts';
import { upgrade } from './scenarios/upgrade.ts';
import { connect } from './world.ts';

// One installation is followed through its life, so each part builds on those before it.
const world = connect();
afterAll(() => world.close());

describe('install', () => {
  install(world);
});
describe('rights', () => {
  rights(world);
});
describe('rotate', () => {
  rotate(world);
});
describe('guarded rotation', () => {
  guarded(world);
});
describe('failures', () => {
  failures(world);
});
describe('AWS', () => {
  aws(world);
});
describe('upgrade', () => {
  upgrade(world);
});
describe('uninstall', () => {
  uninstall(world);
});
describe('installation for some namespaces only', () => {
  restricted(world);
});
