/** The options in force, and what a call of a method would do. */
import { byId, create, setText } from './dom.js';
import { ask } from './server.js';
import { ORIGINS, percent } from './words.js';

/** @param clientOf The client that is shown; an answer for another one comes too late. */
export function configuration(clientOf) {
  let options = [];
  const drawOptions = () => {
    const onlySet = byId('only-set').checked;
    const shown = options.filter(({ origin }) => !onlySet || origin !== 'default');
    byId('options').replaceChildren(
      ...shown.map(({ path, value, origin }) =>
        create(
          'tr',
          { class: origin },
          create('th', { scope: 'row' }, ...breakable(path)),
          create('td', { class: 'words' }, create('code', {}, valueText(value))),
          create('td', { class: 'words' }, ORIGINS[origin]),
        ),
      ),
    );
    if (shown.length === 0)
      byId('options').append(
        create('tr', {}, create('td', { class: 'words', colspan: 3 }, 'Everything has its default.')),
      );
  };
  byId('only-set').addEventListener('change', drawOptions);
  return async () => {
    const client = clientOf();
    const config = await ask('config', { client });
    if (client !== clientOf()) return;
    options = config.options;
    drawOptions();
    const chosen = byId('method').value;
    byId('method').replaceChildren(
      create('option', { value: '' }, 'any'),
      ...config.methods.map((method) => create('option', { value: method }, method)),
    );
    if (config.methods.includes(chosen)) byId('method').value = chosen;
  };
}

export function explainer(clientOf) {
  byId('explain').addEventListener('submit', async (event) => {
    event.preventDefault();
    const result = byId('explanation');
    const asked = { client: clientOf(), method: byId('method').value, key: byId('key').value };
    try {
      const { rule, next, endpoints } = await ask('explain', asked);
      if (asked.client !== clientOf()) return;
      const likely = endpoints.filter(({ chance }) => chance > 0).toSorted((one, other) => other.chance - one.chance);
      const rest = likely.length > 10 ? `, and ${likely.length - 10} more` : '';
      result.replaceChildren(
        create('p', {}, `${rule}.`),
        create('p', {}, `Such a call ${next}${likely.length > 0 ? ', to:' : '.'}`),
        create(
          'ul',
          { class: 'plain' },
          ...likely
            .slice(0, 10)
            .map(({ address, chance, why }) =>
              create('li', {}, create('b', {}, percent(chance)), ' ', create('code', {}, address), ` ${why}`),
            ),
        ),
      );
      if (rest !== '') result.append(create('p', { class: 'soft' }, rest.slice(2)));
    } catch (error) {
      if (asked.client === clientOf()) result.replaceChildren(create('p', { class: 'lost' }, error.message));
    }
  });
}

export function drawRule({ rule }) {
  setText(byId('rule'), `The policy: ${rule}.`);
}

/** Where a narrow page may break the name of an option: after a dot, and before a capital. */
function breakable(path) {
  return path.split(/(?<=\.)|(?=[A-Z])/).flatMap((part, i) => (i === 0 ? [part] : [create('wbr'), part]));
}

function valueText(value) {
  if (value === null) return 'off';
  // A policy without options of its own.
  if (typeof value.name === 'string' && Object.keys(value).length === 1) return value.name;
  return typeof value === 'string' ? value : JSON.stringify(value);
}
