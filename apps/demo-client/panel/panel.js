/** The demo's part of the console: the two phases, what they do to five backends, and the buttons that break them. */

const SHOWN_SECONDS = 120;
const AT_LEAST_SECONDS = 60;
const MARKS = [10, 100, 1000, 10000];
const SVG = 'http://www.w3.org/2000/svg';
const PHASES = [
  ['nest-default', 'Plain Nest', 'one ClientGrpc, pick_first'],
  ['balanced', 'Balanced', 'nestjs-grpc-lb'],
];
const FIGURES = [
  ['p50', ({ recent }) => ms(recent.p50), 'ms', (look) => `${ms(look.recent.p50)} ms`],
  ['p99', ({ recent }) => ms(recent.p99), 'ms', (look) => `${ms(look.recent.p99)} ms`],
  ['calls', ({ recent }) => count(recent.calls), '', (look) => count(look.recent.calls)],
  ['errors', ({ recent }) => count(recent.errors), '', (look) => count(look.recent.errors)],
];
const DEEDS = {
  stop: 'stopped',
  start: 'started',
  restart: 'restarted',
  kill: 'killed',
  freeze: 'froze',
  slow: 'slowed down',
  normal: 'restored the speed of',
};
/** What a button does, for those who point at it. */
const TITLES = {
  stop: 'as in a rolling upgrade: it finishes its calls, then exits',
  start: 'at the same address',
  restart: 'stops it and starts it again',
  kill: 'SIGKILL: the calls that it has are lost',
  freeze: 'for 12 seconds it does nothing, as in a long garbage collection; it goes on by itself',
  slow: 'each call takes it longer',
  normal: 'as fast as the others',
};

const count = (n) => n.toLocaleString('en-US');
const ms = (n) => (n === null ? '–' : n < 10 ? n.toFixed(1) : count(Math.round(n)));
const set = (node, text) => {
  if (node.textContent !== text) node.textContent = text;
};

function make(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, value);
  node.append(...children);
  return node;
}

export default function open({ element, describe }) {
  /** The finished phase that is looked at; null for the present. */
  let chosen = null;
  let last;
  const redraw = () => last && drawFrame(last);
  const story = make('p', { id: 'demo-story', class: 'story' });
  const phases = phaseButtons((key) => {
    chosen = key;
    redraw();
  });
  const figures = figureList();
  const scope = make('p', { class: 'soft' });
  const verdict = make('p', { id: 'verdict', class: 'verdict', 'aria-live': 'polite' });
  const table = backendTable(describe, (address, action) => act(address, action, verdict));
  const chart = latencyChart();
  element.append(
    make('div', { class: 'demo' }, story, phases.node, figures.node, scope, table.node, verdict, chart.node),
  );

  function drawFrame(frame) {
    last = frame;
    if (!frame.finished.some(({ key }) => key === chosen)) chosen = null;
    const past = frame.finished.find(({ key }) => key === chosen);
    const look = past ?? { recent: frame.recent, backends: frame.backends };
    const first = frame.finished.find(({ key }) => key === 'nest-default');
    set(
      story,
      past ? 'This is how the first phase ended. The load goes on: choose “Balanced” to see it.' : frame.story,
    );
    phases.draw(frame, chosen);
    figures.draw(look, past ? undefined : first);
    const whole = frame.summary;
    set(
      scope,
      past
        ? `The last five seconds of the phase, with ${past.backends.length} backends.`
        : `The last five seconds. In this phase so far: ${count(whole.calls)} calls, ${count(whole.errors)} errors.`,
    );
    table.draw(look.backends, past !== undefined);
    drawVerdict(verdict, frame.verdict);
  }

  const source = new EventSource('/demo/events');
  const on = (type, handle) => source.addEventListener(type, ({ data }) => handle(JSON.parse(data)));
  on('history', ({ points }) => chart.reset(points));
  on('point', (point) => chart.add(point));
  on('frame', drawFrame);
  on('bye', () => {
    source.close();
    set(story, 'The demo has ended.');
  });
}

async function act(address, action, verdict) {
  const answer = await fetch(`/demo/backends/${encodeURIComponent(address)}/${action}`, { method: 'POST' });
  if (!answer.ok) set(verdict, (await answer.json()).message);
}

function drawVerdict(node, verdict) {
  if (verdict === null) return set(node, 'Stop, kill, freeze or slow down a backend, and see what your click costs.');
  const { action, address, secondsAgo, lost } = verdict;
  const told = node.querySelector('b') ?? make('b');
  set(told, `calls lost by your click: ${count(lost)}`);
  told.className = lost > 0 ? 'lost' : '';
  const text = `You ${DEEDS[action]} ${address} ${Math.round(secondsAgo)} s ago; `;
  if (node.firstChild?.textContent !== text || !told.isConnected) node.replaceChildren(text, told);
}

/** Both phases; a finished one can be looked at again. */
function phaseButtons(choose) {
  const views = PHASES.map(([key, title, policy]) => {
    const name = make('b', {}, title);
    const note = make('span', { class: 'soft' }, policy);
    const progress = make('i');
    const button = make('button', { type: 'button', 'aria-pressed': 'false' }, name, note, progress);
    button.addEventListener('click', () => choose(key));
    return { key, button, note, progress };
  });
  const node = make(
    'div',
    { class: 'phases', role: 'group', 'aria-label': 'Phases' },
    ...views.map(({ button }) => button),
  );
  return {
    node,
    draw(frame, chosen) {
      const shown = chosen ?? frame.phase.key;
      for (const { key, button, note, progress } of views) {
        const past = frame.before.find(({ phase }) => phase === key);
        const current = frame.phase.key === key;
        button.disabled = !past && !current;
        button.setAttribute('aria-pressed', String(shown === key));
        const done = frame.seconds === null ? 0 : Math.min(1, frame.elapsedSeconds / frame.seconds);
        progress.style.width = past ? '100%' : current ? `${done * 100}%` : '0';
        const time = `${Math.floor(frame.elapsedSeconds)} s${frame.seconds === null ? '' : ` of ${frame.seconds} s`}`;
        if (past) set(note, `${past.policy} · done: look at its end`);
        else if (current)
          set(note, `${frame.phase.policy} · ${frame.status === 'draining' ? 'waiting for the last answers' : time}`);
      }
    },
  };
}

function figureList() {
  const views = FIGURES.map(([name, read, unit, before]) => {
    const value = make('span', { id: name }, '–');
    const was = make('dd', { class: 'soft' });
    const cell = make('dd', {}, value);
    if (unit) cell.append(make('small', {}, ` ${unit}`));
    return { node: make('div', {}, make('dt', {}, name), cell, was), value, was, read, before, name };
  });
  return {
    node: make('dl', { class: 'figures' }, ...views.map(({ node }) => node)),
    draw(look, first) {
      for (const { value, was, read, before, name } of views) {
        set(value, read(look));
        set(was, first ? `plain Nest: ${before(first)}` : '');
        if (name === 'errors') value.className = look.recent.errors > 0 ? 'lost' : '';
      }
    },
  };
}

const COLUMNS = ['backend', 'share of calls', 'in flight', 'p50 ms', 'p99 ms', 'state'];
const WORDS = new Set(['backend', 'share of calls', 'state']);

function backendTable(describe, onAction) {
  const heads = COLUMNS.map((name) =>
    make('th', { scope: 'col', role: 'columnheader', class: WORDS.has(name) ? 'words' : '' }, name),
  );
  const buttons = make('th', { scope: 'col', role: 'columnheader' }, make('span', { class: 'unseen' }, 'buttons'));
  const body = make('tbody', { role: 'rowgroup', id: 'backends' });
  const head = make('thead', { role: 'rowgroup' }, make('tr', { role: 'row' }, ...heads, buttons));
  const rows = new Map();
  return {
    node: make('table', { role: 'table', class: 'cards', 'aria-label': 'Backends' }, head, body),
    draw(backends, past) {
      for (const backend of backends) {
        let row = rows.get(backend.address);
        if (!row) {
          rows.set(backend.address, (row = backendRow(backend.address, describe, onAction)));
          body.append(row.node);
        }
        row.draw(backend, past);
      }
    },
  };
}

function backendRow(address, describe, onAction) {
  const cell = (name, label) => make('td', { role: 'cell', 'data-cell': name, 'data-label': label });
  const fill = make('i');
  const share = make('span', { 'data-cell': 'share' });
  const [inFlight, p50, p99] = [cell('inFlight', 'in flight'), cell('p50', 'p50 ms'), cell('p99', 'p99 ms')];
  const state = make('span', { class: 'state', 'data-cell': 'state' });
  const note = make('span', { class: 'note', 'data-cell': 'note' });
  const warmth = make('i');
  const track = make('div', { class: 'track warmth' }, warmth);
  const buttons = ['stop', 'restart', 'kill', 'freeze', 'slow'].map(() => make('button', { type: 'button' }));
  for (const button of buttons) button.addEventListener('click', () => onAction(address, button.dataset.action));
  const meter = make('div', { class: 'meter' }, make('div', { class: 'track' }, fill), share);
  const node = make(
    'tr',
    { role: 'row', 'data-address': address },
    make('th', { scope: 'row', role: 'rowheader' }, address),
    make('td', { role: 'cell', class: 'share-cell', 'data-label': 'share of calls' }, meter),
    inFlight,
    p50,
    p99,
    make('td', { role: 'cell', class: 'words state-cell' }, state, ' ', note, track),
    make('td', { role: 'cell', class: 'actions-cell' }, make('div', { class: 'actions' }, ...buttons)),
  );
  const label = (button, action, text) => {
    if (button.dataset.action !== action) button.title = TITLES[action];
    button.dataset.action = action;
    set(button, text);
    const name = `${text}: ${address}`;
    if (button.getAttribute('aria-label') !== name) button.setAttribute('aria-label', name);
  };
  return {
    node,
    draw(backend, past) {
      const stopped = backend.process === 'stopped';
      const idle = stopped && backend.share === 0;
      fill.style.width = `${backend.share * 100}%`;
      set(share, idle ? '–' : `${Math.round(backend.share * 1000) / 10} %`);
      set(inFlight, count(backend.inFlight));
      set(p50, ms(backend.p50));
      set(p99, ms(backend.p99));
      const { word, sign, plain } = wordsOf(backend, describe);
      set(state, word);
      state.className = `state ${sign}`;
      const slowly = backend.state === 'ready' && backend.warmth < 1;
      set(
        note,
        [
          backend.process === 'running' ? '' : `process ${backend.process}`,
          slowly ? `${Math.round(backend.warmth * 100)} % of the way to its full share` : sign === 'good' ? '' : plain,
          backend.factor === 1 ? '' : `${backend.factor}× slower`,
        ]
          .filter(Boolean)
          .join(', '),
      );
      track.hidden = !slowly;
      warmth.style.width = `${backend.warmth * 100}%`;
      node.className = `${backend.factor === 1 ? '' : 'slow'} ${stopped ? 'gone' : ''}`.trim();
      const [stop, restart, kill, freeze, pace] = buttons;
      label(stop, 'stop', 'Stop');
      label(restart, stopped ? 'start' : 'restart', stopped ? 'Start' : 'Restart');
      label(kill, 'kill', 'Kill');
      label(freeze, 'freeze', 'Freeze');
      label(pace, backend.factor === 1 ? 'slow' : 'normal', backend.factor === 1 ? 'Slow' : 'Normal');
      stop.disabled = freeze.disabled = past ? true : backend.process !== 'running';
      kill.disabled = past ? true : stopped;
      restart.disabled = pace.disabled = past;
    },
  };
}

/** In the first phase only the process is known: Nest's client says nothing of a backend. */
function wordsOf(backend, describe) {
  if (backend.state === 'up') return { word: 'up', sign: 'good', plain: '' };
  if (backend.state === 'down') return { word: 'down', sign: 'bad', plain: 'its process does not run' };
  return describe(backend);
}

/** Latency of each second, on a logarithmic scale, because the phases are decades apart. */
function latencyChart() {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('id', 'chart');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', 'Latency over time');
  const key = make(
    'p',
    { class: 'key' },
    make('span', {}, 'p50 of each second'),
    make('span', {}, 'p99'),
    make('span', {}, 'a second with errors'),
  );
  let points = [];
  const draw = () => drawChart(svg, points.slice(-SHOWN_SECONDS));
  new ResizeObserver(draw).observe(svg);
  return {
    node: make('div', {}, key, svg),
    reset(past) {
      points = past;
      draw();
    },
    add(point) {
      points.push(point);
      if (points.length > SHOWN_SECONDS) points.shift();
      draw();
    },
  };
}

function shape(name, attributes, text) {
  const node = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
}

function drawChart(svg, shown) {
  const { clientWidth: width, clientHeight: height } = svg;
  const values = shown.flatMap(({ p50, p99 }) => [p50, p99]).filter((value) => value !== null && value > 0);
  const floor = Math.log10(Math.min(10, ...values));
  const ceiling = Math.log10(Math.max(1000, ...values));
  const seconds = Math.max(AT_LEAST_SECONDS, shown.length);
  const [left, bottom, top] = [52, height - 8, 8];
  const x = (index) => left + (index * (width - left - 4)) / (seconds - 1);
  const y = (value) => bottom - ((Math.log10(value) - floor) / (ceiling - floor)) * (bottom - top);
  const parts = MARKS.flatMap((mark) =>
    Math.log10(mark) > ceiling + 0.01
      ? []
      : [
          shape('line', { class: 'grid', x1: left, x2: width, y1: y(mark), y2: y(mark) }),
          shape(
            'text',
            { x: left - 8, y: y(mark) + 4, 'text-anchor': 'end' },
            mark < 1000 ? `${mark} ms` : `${mark / 1000} s`,
          ),
        ],
  );
  shown.forEach((point, index) => {
    if (index > 0 && shown[index - 1].phase !== point.phase) {
      parts.push(shape('line', { class: 'turn', x1: x(index), x2: x(index), y1: top, y2: bottom }));
      parts.push(shape('text', { x: x(index) + 6, y: bottom - 8 }, 'balanced'));
    }
    if (point.errors > 0) parts.push(shape('circle', { class: 'fault', cx: x(index), cy: bottom, r: 3 }));
  });
  for (const name of ['p50', 'p99']) {
    let pen = 'M';
    const path = shown.map((point, index) => {
      if (point[name] === null) {
        pen = 'M';
        return '';
      }
      const step = `${pen}${x(index).toFixed(1)},${y(point[name]).toFixed(1)}`;
      pen = 'L';
      return step;
    });
    parts.push(shape('path', { class: `curve ${name}`, d: path.join('') }));
  }
  svg.replaceChildren(...parts);
  const latest = shown.at(-1);
  if (latest) {
    svg.setAttribute(
      'aria-label',
      `Latency over the last ${shown.length} seconds; now p50 ${ms(latest.p50)} ms, p99 ${ms(latest.p99)} ms`,
    );
  }
}
