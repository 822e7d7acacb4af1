/** What holds the network of a pod open. A node without access to a registry gets one of its own. */
export const pauseImage = 'localhost/keyferry-pause:1';

/** The operator, from the project's Dockerfile, under a tag that no registry has. */
export const operatorImage = { repository: 'ghcr.io/keyferry/keyferry', tag: 'e2e' } as const;

/** What the pods of applications run: Node, and nothing else. */
export const appImage = 'localhost/keyferry-e2e-app:1';
