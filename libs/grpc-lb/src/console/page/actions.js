/** What the page may do, if the application allows it: each action is confirmed first. */
import { byId, create } from './dom.js';
import { act } from './server.js';

const EJECT_MS = 60_000;
const RESULT_MS = 8000;

const ACTIONS = [
  {
    action: 'eject',
    text: 'Eject for a minute',
    says: (address) => `${address} gets no new calls from this process for a minute. Its connections stay.`,
    more: { durationMs: EJECT_MS },
    when: ({ restorable, state }) => !restorable && state !== 'draining',
  },
  {
    action: 'drain',
    text: 'Drain',
    says: (address) =>
      `${address} gets no new calls from this process until you restore it. Calls in flight end first.`,
    when: ({ restorable, state }) => !restorable && state !== 'draining',
  },
  {
    action: 'recycle',
    text: 'Recycle connections',
    says: (address) => `The connections to ${address} are replaced one for one. No call is lost.`,
    when: ({ connections, state }) => connections.length > 0 && state !== 'draining',
  },
  { action: 'restore', text: 'Restore', when: ({ restorable }) => restorable },
];

let hideResult;

function say(text, failed) {
  const result = byId('result');
  result.textContent = text;
  result.className = failed ? 'result lost' : 'result';
  result.hidden = false;
  clearTimeout(hideResult);
  hideResult = setTimeout(() => (result.hidden = true), RESULT_MS);
}

/** Takes the answer to the question that the dialog asks; undefined while it asks none. */
let answer;

/** Asks, with the answer of the dialog. */
function confirmed(title, text) {
  if (text === undefined) return Promise.resolve(true);
  const dialog = byId('confirm');
  byId('confirm-title').textContent = title;
  byId('confirm-text').textContent = text;
  byId('confirm-yes').textContent = title;
  // The last question was dismissed, if the event that says so is still on its way.
  answer?.(false);
  dialog.returnValue = '';
  dialog.showModal();
  return new Promise((resolve) => (answer = resolve));
}

byId('confirm').addEventListener('close', ({ target: dialog }) => {
  // Browsers send the event later: the dialog may ask the next question by then.
  if (dialog.open) return;
  answer?.(dialog.returnValue === 'yes');
  answer = undefined;
});

async function perform(title, text, body) {
  if (!(await confirmed(title, text))) return;
  try {
    const { message } = await act(body);
    say(`Done: ${message}.`, false);
  } catch (error) {
    say(error.message, true);
  }
}

/** @returns A function that creates the buttons of an endpoint. */
export function endpointActions(clientOf) {
  byId('confirm-yes').addEventListener('click', () => byId('confirm').close('yes'));
  byId('confirm-no').addEventListener('click', () => byId('confirm').close());
  return (address) => {
    const buttons = ACTIONS.map(({ action, text, says, more, when }) => {
      const onClick = () => perform(text, says?.(address), { action, client: clientOf(), address, ...more });
      return {
        when,
        node: create('button', { type: 'button', 'aria-label': `${text}: ${address}`, on: { click: onClick } }, text),
      };
    });
    return {
      node: create('div', { class: 'toolbar' }, ...buttons.map(({ node }) => node)),
      draw(endpoint) {
        for (const { when, node } of buttons) node.hidden = !when(endpoint);
      },
    };
  };
}

export function policyForm(policies, clientOf, changed) {
  const form = byId('policy-form');
  form.hidden = false;
  byId('policy').replaceChildren(...policies.map((name) => create('option', { value: name }, name)));
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const policy = byId('policy').value;
    const says = `Calls of ${clientOf()} are balanced by ${policy} from now on, in this process. No call is lost.`;
    await perform('Change the policy', says, { action: 'policy', client: clientOf(), policy });
    changed();
  });
}
