/** The table of endpoints. Only the rows of one page exist, and only what has changed is drawn. */
import { byId, create, keyedList, setAttribute, setClass, setText } from './dom.js';
import {
  CONNECTION_STATES,
  count,
  describeEndpoint,
  duration,
  ENDPOINT_STATES,
  HEALTH_STATES,
  ms,
  percent,
  plural,
} from './words.js';

const COLUMNS = 6;

/** @param actionsOf Creates the buttons of an endpoint; undefined if there are none. */
export function endpointTable(actionsOf) {
  for (const [state, [word, sign, plain]] of Object.entries(ENDPOINT_STATES)) {
    const known = state === 'slow_start' || state === 'drained' || word === state ? '' : ` (${state})`;
    byId('legend').append(
      create('div', {}, create('dt', { class: `state ${sign}` }, `${word}${known}`), create('dd', {}, plain)),
    );
  }
  const table = byId('rows');
  const draw = keyedList(
    table,
    ({ endpoint }) => endpoint.address,
    (item) => endpointRow(item, actionsOf),
  );
  return ({ client, time }) => {
    const { endpoints } = client;
    const items = endpoints.rows.map((endpoint) => ({ endpoint, time }));
    draw(table.contains(document.activeElement) ? inOrderOf(table, items) : items);
    const states = Object.entries(endpoints.states).map(([state, n]) => `${count(n)} ${ENDPOINT_STATES[state][0]}`);
    setText(byId('endpoints-states'), states.join(', '));
    const none = endpoints.total === 0 ? 'There is no endpoint.' : 'No endpoint matches the filter.';
    byId('no-rows').hidden = endpoints.rows.length > 0;
    setText(byId('no-rows'), none);
    byId('pager').hidden = endpoints.pages === 1;
    setText(
      byId('page-number'),
      `page ${endpoints.page + 1} of ${endpoints.pages}, ${count(endpoints.matching)} endpoints`,
    );
    byId('previous').disabled = endpoints.page === 0;
    byId('next').disabled = endpoints.page >= endpoints.pages - 1;
  };
}

/** Rows do not move under the hands of someone who uses them: a node that moves also loses the focus. */
function inOrderOf(table, items) {
  const at = new Map([...table.children].map(({ dataset }, i) => [dataset.address, i]));
  const place = ({ endpoint }) => at.get(endpoint.address) ?? Infinity;
  return items.toSorted((one, other) => place(one) - place(other) || 0);
}

function endpointRow({ endpoint: { address } }, actionsOf) {
  const cell = (name, label) => create('td', { role: 'cell', 'data-cell': name, 'data-label': label });
  const fill = create('i');
  const share = create('span', { 'data-cell': 'share' });
  const state = create('span', { class: 'state', 'data-cell': 'state' });
  const note = create('span', { class: 'note', 'data-cell': 'note' });
  const warmth = create('div', { class: 'track warmth', hidden: true }, create('i'));
  const inFlight = cell('inFlight', 'in flight');
  const p50 = cell('p50', 'p50 ms');
  const p99 = cell('p99', 'p99 ms');
  const detail = endpointDetail(address, actionsOf?.(address));
  const toggle = create(
    'button',
    {
      type: 'button',
      class: 'toggle',
      'aria-expanded': 'false',
      on: {
        click: () => {
          detail.node.hidden = !detail.node.hidden;
          toggle.setAttribute('aria-expanded', String(!detail.node.hidden));
          if (last) detail.draw(last);
        },
      },
    },
    address,
  );
  const node = create(
    'tr',
    { role: 'row', 'data-address': address },
    create('th', { scope: 'row', role: 'rowheader' }, toggle),
    create(
      'td',
      { role: 'cell', class: 'share-cell', 'data-label': 'share of attempts' },
      create('div', { class: 'meter' }, create('div', { class: 'track' }, fill), share),
    ),
    inFlight,
    p50,
    p99,
    create('td', { role: 'cell', class: 'words state-cell' }, state, ' ', note, warmth),
  );
  let last;
  let said = '';
  return {
    node,
    more: detail.node,
    draw({ endpoint, time }) {
      last = { endpoint, time };
      const slowly = endpoint.state === 'ready' && endpoint.warmth < 1;
      const { word, sign, plain } = describeEndpoint(endpoint);
      const width = `${((endpoint.share ?? 0) * 100).toFixed(1)}%`;
      if (fill.style.width !== width) fill.style.width = width;
      setText(share, endpoint.share === null ? '–' : percent(endpoint.share));
      const { open } = endpoint.streams;
      setText(
        inFlight,
        open === 0 ? count(endpoint.inFlight) : `${count(endpoint.inFlight)}, ${plural(open, 'stream')}`,
      );
      setText(p50, ms(endpoint.p50));
      setText(p99, ms(endpoint.p99));
      setText(state, word);
      setClass(state, `state ${sign}`);
      setAttribute(state, 'title', endpoint.state);
      const since = endpoint.since === null ? '' : ` · ${duration(time - endpoint.since)} ago`;
      const why = slowly
        ? `${Math.round(endpoint.warmth * 100)} % of the way to its full share`
        : endpoint.state === 'ready'
          ? troubleOf(endpoint)
          : `${endpoint.reason ?? plain}${since}`;
      setText(note, why);
      warmth.hidden = !slowly;
      if (slowly) warmth.firstElementChild.style.width = `${endpoint.warmth * 100}%`;
      if (!detail.node.hidden) detail.draw(last);
      // Only what changes while someone looks: a table that is filled is no news.
      const says = `${address} is ${word}`;
      if (said !== '' && said !== says) setText(byId('said'), says);
      said = says;
    },
  };
}

function troubleOf({ failureRate, refusalRate, shedding, connections }) {
  const full = connections.length > 0 && connections.every((each) => each.inFlight >= each.maxConcurrentStreams);
  return [
    failureRate >= 0.005 ? `${percent(failureRate)} of its calls fail` : '',
    refusalRate >= 0.005 ? `refuses ${percent(refusalRate)}` : '',
    shedding ? 'sheds load' : '',
    full ? 'every connection is full' : '',
  ]
    .filter(Boolean)
    .join(', ');
}

/** The row below: why, figures, connections, actions. */
function endpointDetail(address, actions) {
  const why = create('p');
  const facts = create('p', { class: 'soft' });
  const list = create('ul', { class: 'plain', 'aria-label': `Connections to ${address}` });
  const connections = keyedList(
    list,
    ({ id }) => id,
    () => {
      const node = create('li');
      return {
        node,
        draw({ id, state, health, inFlight, maxConcurrentStreams, ageMs }) {
          const limit = maxConcurrentStreams >= 2 ** 31 ? '' : ` of at most ${count(maxConcurrentStreams)}`;
          // Without a connection there are neither calls nor health.
          const load = ageMs === null ? '' : `, ${count(inFlight)}${limit} in flight`;
          const checked = ageMs === null ? '' : `, health: ${HEALTH_STATES[health]}, ${duration(ageMs)} old`;
          setText(node, `Connection ${id}: ${CONNECTION_STATES[state]}${load}${checked}`);
        },
      };
    },
  );
  const node = create(
    'tr',
    { role: 'row', class: 'detail', hidden: true },
    create('td', { role: 'cell', colspan: COLUMNS }, why, facts, list, actions?.node),
  );
  return {
    node,
    draw({ endpoint }) {
      setText(why, `Gets the next call with a chance of ${percent(endpoint.chance)}. ${sentence(plainWhy(endpoint))}`);
      const zone = endpoint.zone === null ? '' : `, zone ${endpoint.zone}`;
      setText(
        facts,
        `Since it joined ${count(endpoint.started)} attempts, ${count(endpoint.failed)} failed. Priority ${endpoint.priority}, weight ${endpoint.weight}${zone}.${streamsOf(endpoint)}`,
      );
      connections(endpoint.connections);
      actions?.draw(endpoint);
    },
  };
}

function streamsOf({ streams: { open, oldestMs, medianMs } }) {
  if (open === 0) return '';
  return ` ${plural(open, 'stream')} that last${open === 1 ? 's' : ''}: the oldest has been here for ${duration(oldestMs)}, the median for ${duration(medianMs)}.`;
}

/** Why it gets the next call or not, with the word of the page in place of the name of the state. */
function plainWhy({ state, why }) {
  return why === state || why.startsWith(`${state}:`) ? ENDPOINT_STATES[state][0] + why.slice(state.length) : why;
}

const sentence = (text) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
