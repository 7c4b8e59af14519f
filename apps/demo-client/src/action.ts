/** What a button of the page does to a backend. */
export const ACTIONS = ['stop', 'start', 'restart', 'kill', 'freeze', 'slow', 'normal'] as const;
export type Action = (typeof ACTIONS)[number];
