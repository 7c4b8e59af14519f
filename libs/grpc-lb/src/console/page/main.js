import { endpointActions, policyForm } from './actions.js';
import { recentCalls } from './calls.js';
import { configuration, drawRule, explainer } from './config.js';
import { byId, setClass, setText } from './dom.js';
import { endpointTable } from './endpoints.js';
import { eventList } from './events.js';
import { clientList, headline, placement } from './overview.js';
import { openPanels } from './panels.js';
import { ask } from './server.js';
import { Stream } from './stream.js';
import { duration } from './words.js';

const TYPING_MS = 250;

const view = {
  client: new URLSearchParams(location.hash.slice(1)).get('client') ?? '',
  sort: 'attention',
  filter: '',
  page: 0,
};
/** The client that the last frame shows. */
let shown = '';
/** Whether there was no stream for a time: another process, which counts anew, may be at the other end. */
let interrupted = false;
/** The client and the policy whose options are shown. */
let optionsOf = '';

const info = await ask('info').catch((error) => ({ panels: [], actions: false, policies: [], error }));
const clientOf = () => shown;
const toPanels = openPanels(info.panels);
const drawClients = clientList(select);
const drawHeadline = headline();
const drawPlacement = placement();
const drawEndpoints = endpointTable(info.actions ? endpointActions(clientOf) : undefined);
const calls = recentCalls();
const events = eventList();
const drawConfig = configuration(clientOf);
explainer(clientOf);
if (info.actions) policyForm(info.policies, clientOf, reloadConfig);

const stream = new Stream(
  {
    frame(frame) {
      const { client } = frame;
      if (client && (client.name !== shown || interrupted)) arrive(client.name);
      drawClients(frame.clients, client?.name);
      toPanels(frame);
      if (!client)
        return setText(
          byId('client-name'),
          frame.clients.length === 0 ? 'This application has no balanced client' : `There is no client ${view.client}`,
        );
      drawHeadline(frame);
      drawEndpoints(frame);
      drawPlacement(frame);
      drawRule(client);
      view.page = client.endpoints.page;
      if (optionsOf !== `${client.name} ${client.policy}`) {
        optionsOf = `${client.name} ${client.policy}`;
        byId('policy').value = client.policy;
        void reloadConfig();
      }
    },
    events(lines) {
      events.add(lines);
      if (lines.some(({ text }) => text === 'new load-balancing options are in force')) void reloadConfig();
    },
    calls: (list) => calls.draw(list),
  },
  (state, delay) => {
    if (state !== 'live') interrupted = true;
    const words = {
      live: 'live',
      waiting: `no connection to the application; the next attempt is in ${duration(delay ?? 0)}`,
      ended: 'the application has ended',
      hidden: 'paused, because the page was hidden',
    };
    setText(byId('connection'), words[state]);
    setClass(byId('connection'), `connection state ${state === 'live' ? 'good' : state === 'hidden' ? 'off' : 'bad'}`);
  },
);

setText(byId('calls-note'), 'observed while a page is open, unless the application observes always');
if (info.error) setText(byId('connection'), info.error.message);

function arrive(name) {
  shown = name;
  interrupted = false;
  optionsOf = '';
  events.clear();
  calls.clear();
  byId('explanation').replaceChildren();
}

function select(name) {
  view.client = name;
  view.page = 0;
  history.replaceState(null, '', `#${new URLSearchParams({ client: name })}`);
  look();
}

function look() {
  stream.open(new URLSearchParams({ ...view, page: String(view.page) }).toString());
}

async function reloadConfig() {
  await drawConfig().catch(() => {});
}

let typing;
byId('filter').addEventListener('input', ({ target }) => {
  clearTimeout(typing);
  typing = setTimeout(() => {
    view.filter = target.value;
    view.page = 0;
    look();
  }, TYPING_MS);
});
byId('sort').addEventListener('change', ({ target }) => {
  view.sort = target.value;
  view.page = 0;
  look();
});
byId('previous').addEventListener('click', () => turn(-1));
byId('next').addEventListener('click', () => turn(1));

function turn(pages) {
  view.page = Math.max(0, view.page + pages);
  look();
}

look();
