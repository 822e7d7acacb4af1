import { createMemoryManager } from './memory-manager.ts';
import { describeManagerContract } from './manager-contract.ts';

describeManagerContract('the manager in memory', () => {
  const manager = createMemoryManager();
  return Promise.resolve({
    manager,
    unknownVersion: '99',
    previousStage: 'previous',
    tag: (secret, tags) => Promise.resolve(manager.tag(secret, tags)),
    allowOnly: (_granted, denied) => Promise.resolve(manager.without(denied)),
  });
});
