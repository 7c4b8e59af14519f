/** The list of clients, and the headline of the one that is looked at. */
import { byId, create, keyedList, setAttribute, setClass, setText } from './dom.js';
import { CLIENT_STATES, count, duration, MOVES, ms, percent, plural, rate, SOURCE_STATES, story } from './words.js';

export function clientList(onSelect) {
  const draw = keyedList(
    byId('clients'),
    ({ name }) => name,
    ({ name }) => {
      const state = create('span', { class: 'state' });
      const facts = create('span', { class: 'soft' });
      const button = create('button', { type: 'button', on: { click: () => onSelect(name) } });
      button.append(create('b', {}, name), state, facts);
      return {
        node: create('li', {}, button),
        draw(client) {
          const [word, sign] = CLIENT_STATES[client.state];
          setText(state, client.panic ? `${word}, panic` : word);
          setClass(state, `state ${client.panic ? 'warn' : sign}`);
          setText(facts, `${count(client.ready)} of ${count(client.endpoints)} ready, ${rate(client.perSecond)}/s`);
          setAttribute(button, 'aria-current', client.current ? 'true' : null);
        },
      };
    },
  );
  return (clients, current) => {
    byId('clients-nav').hidden = clients.length < 2;
    draw(clients.map((client) => ({ ...client, current: client.name === current })));
  };
}

const FIGURES = [
  ['attempts a second', ({ figures }) => rate(figures.perSecond)],
  ['p50', ({ figures }) => ms(figures.p50), 'ms'],
  ['p99', ({ figures }) => ms(figures.p99), 'ms'],
  ['failed', ({ figures }) => (figures.failed === null ? '–' : percent(figures.failed))],
  ['in flight', ({ inFlight }) => count(inFlight)],
  ['waiting', ({ pending }) => count(pending)],
];

export function headline() {
  const values = FIGURES.map(([name, , unit]) => {
    const value = create('span', {}, '–');
    const cell = create('dd', {}, value);
    if (unit) cell.append(create('small', {}, ` ${unit}`));
    byId('figures').append(create('div', {}, create('dt', {}, name), cell));
    return value;
  });
  return ({ client, windowSeconds }) => {
    setText(byId('client-name'), client.name);
    const [word, sign, plain] = CLIENT_STATES[client.state];
    setText(byId('client-state'), `${word}: ${plain}`);
    setClass(byId('client-state'), `state ${sign}`);
    setText(byId('story'), story(client));
    FIGURES.forEach(([, read], i) => setText(values[i], read(client)));
    const { sampled, observed } = client.figures;
    const sample =
      sampled === 0
        ? 'Calls are not observed, so there are no latencies.'
        : sampled < 1
          ? `Latencies are those of a sample: ${percent(sampled)} of the calls.`
          : `Latencies are those of ${count(observed)} calls.`;
    setText(byId('figures-note'), `The last ${windowSeconds} seconds. ${sample}${streamStory(client.streams)}`);
  };
}

/** The streams of the client that last, and why some have moved. */
function streamStory({ open, oldestMs, moves }) {
  const oldest = oldestMs === null ? '' : `, the oldest for ${duration(oldestMs)}`;
  const here = open === 0 ? '' : ` ${plural(open, 'stream')} that last${open === 1 ? 's' : ''}${oldest}.`;
  const reasons = Object.entries(moves);
  const total = reasons.reduce((sum, [, times]) => sum + times, 0);
  const why = reasons.map(([reason, times]) => `${count(times)} ${MOVES[reason]}`).join(', ');
  return total === 0 ? here : `${here} Moves of streams since the start: ${why}.`;
}

/** Discovery, priorities and zones. */
export function placement() {
  const sources = keyedList(byId('sources'), keyOfSource, () => {
    const state = create('span', { class: 'state' });
    const target = create('code');
    const facts = create('span', { class: 'soft block' });
    return {
      node: create('li', {}, target, ' ', state, facts),
      draw({ source, time }) {
        const [word, sign] = SOURCE_STATES[source.state];
        setText(target, source.target);
        setText(state, word);
        setClass(state, `state ${sign}`);
        const age = source.lastUpdate === null ? 'no list yet' : `list of ${duration(time - source.lastUpdate)} ago`;
        const dropped = source.dropped > 0 ? `, ${count(source.dropped)} dropped` : '';
        const failures = source.failures > 0 ? `, ${plural(source.failures, 'failure')}` : '';
        setText(
          facts,
          `${source.kind}: ${plural(source.endpoints, 'endpoint')}, ${age}, ${plural(source.updates, 'answer')}${failures}${dropped}${source.error ? `. ${source.error}` : ''}`,
        );
      },
    };
  });
  const priorities = keyedList(
    byId('priorities'),
    ({ priority }) => priority,
    () => {
      const fill = create('i');
      const facts = create('span');
      return {
        node: create('li', {}, facts, create('div', { class: 'track' }, fill)),
        draw({ priority, share, endpoints, healthy, crossZoneShare }) {
          fill.style.width = `${share * 100}%`;
          const crossing = crossZoneShare === null ? '' : `; ${percent(crossZoneShare)} of them to other zones`;
          setText(
            facts,
            `Priority ${priority}: ${percent(share)} of the calls${crossing}. ${count(healthy)} of ${count(endpoints)} endpoints are healthy.`,
          );
        },
      };
    },
  );
  return ({ client, time }) => {
    sources(client.sources.map((source, i) => ({ source, time, i })));
    priorities(client.priorities);
    setText(
      byId('zone'),
      client.zone === null
        ? 'This process does not know its zone, or ignores zones.'
        : `This process is in zone ${client.zone}.`,
    );
  };
}

const keyOfSource = ({ i }) => i;
