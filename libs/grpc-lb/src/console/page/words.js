/** The words and the numbers of the page. */

/** What each state of an endpoint means: name, sign, plain words. */
export const ENDPOINT_STATES = {
  ready: ['ready', 'good', 'gets calls'],
  slow_start: ['starting slowly', 'wait', 'gets a growing part of its share, so that it can warm up'],
  connecting: ['connecting', 'wait', 'has no connection yet'],
  degraded: ['degraded', 'warn', 'answers, but others are better: gets calls only while they cannot carry all'],
  not_serving: ['not serving', 'warn', 'is connected, but its own health check says that it does not serve'],
  suspect: ['silent', 'warn', 'is connected, but does not answer: no new calls until it does'],
  ejected: ['ejected', 'warn', 'is left out for a while, because its calls failed or an operator wants it'],
  transient_failure: ['unreachable', 'bad', 'the last attempt to connect failed; the next one follows'],
  draining: ['leaving', 'off', 'is no longer listed or used: no new calls, its last ones are ending'],
  drained: ['taken out', 'off', 'an operator has drained it: no calls until it is restored'],
};

/** The state of an endpoint for people: a word, the class of its sign, and plain words. */
export function describeEndpoint({ state, warmth }) {
  const [word, sign, plain] = ENDPOINT_STATES[state === 'ready' && warmth < 1 ? 'slow_start' : state];
  return { word, sign, plain };
}

export const CONNECTION_STATES = {
  connecting: 'connecting',
  ready: 'ready',
  transient_failure: 'unreachable',
  retiring: 'retiring, gets no new calls',
};

export const HEALTH_STATES = {
  unknown: 'no answer yet',
  disabled: 'not watched',
  not_offered: 'not offered by the server',
  serving: 'serving',
  not_serving: 'not serving',
};

export const CLIENT_STATES = {
  idle: ['idle', 'off', 'not connected yet'],
  connecting: ['connecting', 'wait', 'waits for its first connection'],
  ready: ['ready', 'good', 'calls are sent'],
  transient_failure: ['no endpoint', 'bad', 'no endpoint is ready: calls fail'],
  shutdown: ['closed', 'off', 'the application has closed it'],
};

export const SOURCE_STATES = {
  pending: ['no answer yet', 'wait'],
  ok: ['answers', 'good'],
  stale: ['failing: the last list stays in use', 'warn'],
  failed: ['failing: there has never been a list', 'bad'],
};

export const ORIGINS = {
  default: 'the default',
  module: 'forRoot()',
  client: 'the client',
  overrides: 'the environment',
  configure: 'a change at run time',
};

export const WAITS = {
  discovery: 'discovery',
  connection: 'a connection',
  ready: 'an endpoint that is ready',
  stream_limit: 'room on a connection',
  call_credentials: 'call credentials',
};

export const KINDS = { first: 'sent', transparent: 'sent again', retry: 'retried', hedge: 'hedged' };

export const count = (n) => Math.round(n).toLocaleString('en-US');
export const percent = (share) =>
  `${share === 0 || share >= 0.0995 ? Math.round(share * 100) : (share * 100).toFixed(1)} %`;
export const ms = (n) => (n === null ? '–' : n < 10 ? n.toFixed(1) : count(n));
export const rate = (n) => (n === null ? '–' : n < 10 && n > 0 ? n.toFixed(1) : count(n));
export const plural = (n, word) => `${count(n)} ${word}${n === 1 ? '' : 's'}`;
export const clock = (time) => new Date(time).toLocaleTimeString('en-GB');

/** A duration in words that a reader takes in at once. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days`;
}

/** What servers shed, the most important calls first. */
function sheddingStory({ endpoints, attempts }) {
  const levels = ['critical_plus', 'critical', 'sheddable_plus', 'sheddable'];
  const counts = levels.filter((level) => attempts[level]).map((level) => `${count(attempts[level])} ${level}`);
  const sheds = endpoints === 1 ? 'sheds' : 'shed';
  return `${plural(endpoints, 'endpoint')} ${sheds} load; attempts that were refused so far: ${counts.join(', ')}.`;
}

/** The state of a client in sentences. */
export function story(client) {
  const { endpoints, figures, panic, pending, shedding, sources, throttles } = client;
  const { states } = endpoints;
  const ready = states.ready ?? 0;
  const traffic =
    figures.perSecond === null
      ? `${client.name} has ${plural(endpoints.total, 'endpoint')}.`
      : `${client.name} sends ${rate(figures.perSecond)} attempts a second to ${plural(endpoints.total, 'endpoint')}${client.policy ? ` by ${client.policy}` : ''}.`;
  const others = Object.entries(states).flatMap(([state, n]) =>
    state === 'ready' ? [] : `${count(n)} ${ENDPOINT_STATES[state][0]}`,
  );
  const health =
    endpoints.total === 0
      ? ''
      : others.length === 0
        ? endpoints.total === 1
          ? 'It is ready.'
          : `All ${count(endpoints.total)} are ready.`
        : `${count(ready)} ${ready === 1 ? 'is' : 'are'} ready, ${others.join(', ')}.`;
  const trouble = [
    panic ? 'Too few are healthy, so calls go to all that are connected (panic).' : '',
    pending > 0 ? `${plural(pending, 'call')} ${pending === 1 ? 'waits' : 'wait'} for an endpoint.` : '',
    shedding === null ? '' : sheddingStory(shedding),
    ...throttles.map(
      ({ method, requests, accepts, window, refused }) =>
        `Calls of ${method} are throttled: backends accepted ${count(accepts)} of ${count(requests)} in the last ${duration(window)}, and ${plural(refused, 'call')} ${refused === 1 ? 'has' : 'have'} been refused so far.`,
    ),
    ...sources.flatMap((source) =>
      source.state === 'stale' && source.staleForMs !== null
        ? `Discovery has been failing for ${duration(source.staleForMs)}; the last list stays in use.`
        : source.state === 'failed'
          ? `Discovery fails: ${source.error ?? 'no answer'}.`
          : [],
    ),
  ];
  const next = `A call made now ${client.next}.`;
  return [traffic, health, ...trouble, next].filter(Boolean).join(' ');
}

/** Why streams move. */
export const MOVES = {
  draining: 'from a server that stops',
  ejected: 'from an ejected endpoint',
  silent: 'from a silent endpoint',
  removed: 'from an endpoint that left',
  connection_retired: 'to a new connection',
  max_age: 'before the server ended them',
  rebalance: 'to even out',
  key: 'to where their keys belong',
};
